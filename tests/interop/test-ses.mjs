// test-ses.mjs - the provider ses beside Amazon's own client and signer, and
// before aws-ses-v2-local.
// SPDX-License-Identifier: MIT
//
// What differs on purpose: the tag delivery_id, which is of herald's making;
// and what is signed.  The client signs headers that herald does not send
// (amz-sdk-..., x-amz-user-agent, x-amz-content-sha256), so signatures are
// compared by giving Amazon's signer the request that herald sent.

import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { finish, json, makeHost, need, needProvider, record, test }
  from "./recorder.mjs";

const { SESv2Client, SendEmailCommand, GetAccountCommand }
  = need("@aws-sdk/client-sesv2");
const { SignatureV4 } = need("@smithy/signature-v4");
const startLocal = need("aws-ses-v2-local").default;
needProvider("ses");

const keys = { accessKeyId: "AKIAIOFTHEINTEROPTST",
               secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCY/EXAMPLE" };
const temporary = { ...keys, accessKeyId: "ASIAIOFTHEINTEROPTST",
                    sessionToken: "IQoJb3JpZ2luX2Vj//////////wEaCWV1LXdl==" };
const region = "eu-central-1";
const account = {
  DedicatedIpAutoWarmupEnabled: false, EnforcementStatus: "HEALTHY",
  ProductionAccessEnabled: true, SendingEnabled: true,
  SendQuota: { Max24HourSend: 50000, MaxSendRate: 100, SentLast24Hours: 1 },
  SuppressionAttributes: { SuppressedReasons: ["BOUNCE"] },
  Details: { AdditionalContactEmailAddresses: [], ContactLanguage: "EN",
             MailType: "TRANSACTIONAL", UseCaseDescription: "games",
             WebsiteURL: "https://acme.example",
             ReviewDetails: { CaseId: "1", Status: "GRANTED" } },
};

class Sha256 {
  constructor(secret) {
    this.hash = secret ? createHmac("sha256", Buffer.from(secret))
      : createHash("sha256");
  }
  update(data) { this.hash.update(data); }
  async digest() { return new Uint8Array(this.hash.digest()); }
}

const vendor = await record((request) => request.method === "GET"
  ? { json: account }
  : { json: { MessageId: "0107019a-of-the-interop-test-000000" } });
const host = makeHost();

const person = { email: "o'brien+1@example.com",
                 firstName: "Zoë \"Ace\" さくら \\ \u2028 {{x}}", score: 4711 };
const mail = `
  <from name="Acme, Games" address="play@acme.example"/>
  <reply-to address="hello@acme.example"/>
  <to source="email"/>
  <bcc address="audit@acme.example"/>
  <subject>Well done {{firstName}}</subject>
  <text>Hello {{firstName}}, you made {{score}} points.
Bye</text>
  <html>&lt;p&gt;{{{firstName}}}&lt;/p&gt;</html>
  <header name="List-Unsubscribe">&lt;https://acme.example/stop&gt;</header>`;

function configure(credentials, url = vendor.url) {
  host.integration("mail", "ses", {
    "access-key": credentials.accessKeyId,
    "secret-key": credentials.secretAccessKey,
    ...(credentials.sessionToken
      ? { "session-token": credentials.sessionToken } : {}),
    region, "base-url": url, "configuration-set": "games",
    tag: "campaign=summer-2026",
    extra: '{"FeedbackForwardingEmailAddress":"bounces@acme.example"}',
  }, `<mail>${mail}</mail>`);
}

// What Amazon's signer makes of the request that came.
async function oracle(request, credentials) {
  const given = request.headers.authorization;
  const names = /SignedHeaders=([^,]+)/.exec(given)[1].split(";");
  const stamp = request.headers["x-amz-date"];
  const signer = new SignatureV4({ credentials, region, service: "ses",
                                   sha256: Sha256, applyChecksum: false });
  const signed = await signer.sign({
    method: request.method, protocol: "http:", hostname: "127.0.0.1",
    port: vendor.port, path: request.path, query: {}, body: request.body,
    headers: Object.fromEntries(names
      .filter((name) => !["x-amz-date", "x-amz-security-token"].includes(name))
      .map((name) => [name, request.headers[name]])),
  }, { signingDate: new Date(stamp.replace(
    /(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z")) });
  return signed.headers;
}

async function signs(request, credentials) {
  const theirs = await oracle(request, credentials);
  assert.equal(request.headers.authorization, theirs.authorization);
  assert.equal(request.headers["x-amz-date"], theirs["x-amz-date"]);
  assert.equal(request.headers["x-amz-security-token"],
               theirs["x-amz-security-token"]);
}

const client = new SESv2Client({ region, credentials: keys,
                                 endpoint: vendor.url, maxAttempts: 1 });

// The same call, as somebody would write it with the client.
const theirMail = (ours) => ({
  FromEmailAddress: "\"Acme, Games\" <play@acme.example>",
  Destination: { ToAddresses: [person.email],
                 BccAddresses: ["audit@acme.example"] },
  ReplyToAddresses: ["hello@acme.example"],
  Content: { Simple: {
    Subject: { Data: "Well done Zoë \"Ace\" さくら \\ {{x}}",
               Charset: "UTF-8" },
    Body: { Text: { Data: `Hello ${person.firstName}, you made 4711 points.
Bye`, Charset: "UTF-8" },
            Html: { Data: `<p>${person.firstName}</p>`, Charset: "UTF-8" } },
    Headers: [{ Name: "List-Unsubscribe",
                Value: "<https://acme.example/stop>" }] } },
  ConfigurationSetName: "games",
  FeedbackForwardingEmailAddress: "bounces@acme.example",
  EmailTags: [{ Name: "delivery_id", Value: ours.EmailTags[0].Value },
              { Name: "campaign", Value: "summer-2026" }],
});

await test("a mail", async () => {
  configure(keys);
  await host.testMail("mail");
  vendor.forget();
  await host.send([person]);
  const asked = vendor.take(), ours = vendor.take();
  assert.match(json(ours).EmailTags[0].Value, /^[0-9a-f-]{36}$/);
  await client.send(new SendEmailCommand(theirMail(json(ours))));
  const theirs = vendor.take();
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.equal(ours.headers["content-type"], theirs.headers["content-type"]);
  assert.deepEqual(json(ours), json(theirs));
  const scope = /Credential=([^,]+)/;
  assert.equal(scope.exec(ours.headers.authorization)[1],
               scope.exec(theirs.headers.authorization)[1]);
  assert.equal(asked.path, "/v2/email/account");
});

await test("the signatures are those of Amazon's signer", async () => {
  await host.send([person]);
  await signs(vendor.take(), keys);
  await signs(vendor.take(), keys);
});

await test("so with temporary keys", async () => {
  configure(temporary);
  await host.testMail("mail");
  vendor.forget();
  await host.send([person]);
  await signs(vendor.take(), temporary);
  const ours = vendor.take();
  await signs(ours, temporary);
  assert.equal(ours.headers["x-amz-security-token"], temporary.sessionToken);
  assert.match(ours.headers.authorization, /;x-amz-security-token,/);
});

await test("so below a path of a proxy, which has what is escaped", async () => {
  configure(keys, `${vendor.url}/a%20b/c~d`);
  await host.testMail("mail");
  vendor.forget();
  await host.send([person]);
  await signs(vendor.take(), keys);
  const ours = vendor.take();
  assert.equal(ours.path, "/a%20b/c~d/v2/email/outbound-emails");
  await signs(ours, keys);
});

await test("the client's signature is what the oracle makes of it", async () => {
  await client.send(new GetAccountCommand({}));
  const theirs = vendor.take();
  assert.equal(theirs.headers.authorization,
               (await oracle(theirs, keys)).authorization);
});

await test("verify asks what the client asks, once", async () => {
  configure(keys);
  const told = await host.run(["verify", "mail"]);
  assert.match(told, /100 mails a second, 50000 in 24 hours/);
  const ours = vendor.take();
  await client.send(new GetAccountCommand({}));
  const theirs = vendor.take();
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.equal(vendor.waiting, 0);
});

await test("aws-ses-v2-local takes our mail", async () => {
  process.env.AWS_SES_ACCOUNT = JSON.stringify(account);
  const server = await startLocal({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${server.address().port}`;
  try {
    configure(keys, url);
    await host.run(["verify", "mail"]);
    await host.testMail("mail");
    await fetch(`${url}/clear-store`, { method: "POST" });
    await host.send([person]);
    const { emails } = await (await fetch(`${url}/store`)).json();
    assert.equal(emails.length, 1);
    assert.equal(emails[0].subject, "Well done Zoë \"Ace\" さくら \\ {{x}}");
    assert.deepEqual(emails[0].destination.to, [person.email]);
    assert.deepEqual(emails[0].destination.bcc, ["audit@acme.example"]);
    assert.equal(emails[0].body.html, `<p>${person.firstName}</p>`);
    assert.match(emails[0].body.text, /you made 4711 points/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

client.destroy();
finish();
