// test-sendgrid.mjs - the provider sendgrid beside SendGrid's own client.
// SPDX-License-Identifier: MIT
//
// What differs on purpose:
//   custom_args  the client writes those of a mail at the root, where the
//                service's specification wants a string; herald, and the
//                client given personalizations, write them in each of those.
//   names        the client leaves a comma or semicolon in a recipient's
//                name, which the service refuses; herald makes it a space.

import assert from "node:assert/strict";
import { finish, json, makeHost, need, needProvider, record, same, test }
  from "./recorder.mjs";

const { Client } = need("@sendgrid/client");
const { MailService } = need("@sendgrid/mail");
needProvider("sendgrid");
const key = "SG.of-the-interop-test";

const vendor = await record((request) => request.method === "GET"
  ? { json: { scopes: ["mail.send"] } }
  : { status: 202, headers: { "X-Message-Id": "14c5d75ce93" } });

const client = new Client();
client.setApiKey(key);
client.setDefaultRequest("baseUrl", `${vendor.url}/`);
const mails = new MailService();
mails.setClient(client);
const host = makeHost();

async function configure(settings, mail, batch = 1) {
  host.integration("mail", "sendgrid", {
    "api-key": key, "base-url": vendor.url, ...settings },
    `<mail>${mail}</mail>
     <delivery><batch max="${batch}" wait="1s"/></delivery>`);
  await host.testMail("mail");
  vendor.forget();
}

const people = [
  { email: "Ada@example.com", firstName: "Zoë \"Ace\" {{x}}", score: 4711 },
  { email: "o'brien+1@example.com", firstName: "さくら \\ \u2028 }],[{",
    score: 12 },
];

// The ids are herald's: they are derived from events.
const ids = (ours) => json(ours).personalizations
  .map((one) => one.custom_args.delivery_id);

await test("one mail, with all that a mail has", async () => {
  await configure({
    category: "summer-2026", "unsubscribe-group": "42", "ip-pool": "main",
    "track-opens": "true", "track-clicks": "false", sandbox: "true",
    extra: "{\"batch_id\": \"of-the-test\"}",
  }, `<from name="Acme Games" address="play@acme.example"/>
      <reply-to name="Acme Support" address="hello@acme.example"/>
      <to source="email" name="{{firstName}}"/>
      <bcc address="audit@acme.example"/>
      <subject>Well done {{firstName}}</subject>
      <text>Hello {{firstName}}</text>
      <html>&lt;p&gt;Hello {{{firstName}}}&lt;/p&gt;</html>
      <header name="List-Unsubscribe">&lt;mailto:leave@acme.example&gt;
      </header>`);
  const [{ email, firstName }] = people;
  await host.send(people.slice(0, 1));
  const ours = vendor.take();
  await mails.send({
    from: { name: "Acme Games", email: "play@acme.example" },
    replyTo: { name: "Acme Support", email: "hello@acme.example" },
    personalizations: [{ to: [{ name: firstName, email }],
                         bcc: [{ email: "audit@acme.example" }],
                         customArgs: { delivery_id: ids(ours)[0] } }],
    subject: `Well done ${firstName}`,
    text: `Hello ${firstName}`, html: `<p>Hello ${firstName}</p>`,
    headers: { "List-Unsubscribe": "<mailto:leave@acme.example>" },
    categories: ["summer-2026"], asm: { groupId: 42 }, ipPoolName: "main",
    batchId: "of-the-test",
    trackingSettings: { openTracking: { enable: true },
                        clickTracking: { enable: false } },
    mailSettings: { sandboxMode: { enable: true } },
  });
  same(ours, vendor.take(), { headers: ["content-type"] });
  assert.equal(vendor.waiting, 0);
});

await test("a template, two at a time", async () => {
  await configure({}, `<from address="play@acme.example"/>
    <to source="email"/>
    <template id="d-0123456789abcdef0123456789abcdef"/>
    <parameters>
      <parameter name="first_name" source="firstName"/>
      <parameter name="score" source="score" as="number"/>
      <parameter name="campaign" value="Summer 2026"/>
    </parameters>`, 1000);
  await host.send(people);
  const ours = vendor.take();
  await mails.send({
    from: "play@acme.example",
    templateId: "d-0123456789abcdef0123456789abcdef",
    personalizations: people.map(({ email, firstName, score }, k) => ({
      to: [{ email }], customArgs: { delivery_id: ids(ours)[k] },
      dynamicTemplateData: { first_name: firstName, score,
                             campaign: "Summer 2026" } })),
  });
  same(ours, vendor.take(), { headers: ["content-type"] });
  assert.equal(vendor.waiting, 0);
});

const plain = `<from address="play@acme.example"/>
  <to source="email" name="{{firstName}}"/>
  <subject>Hello</subject><text>Hello</text>`;

await test("a comma in a name", async () => {
  await configure({}, plain);
  await host.send([{ email: "ada@example.com", firstName: "Ada, King; Ace" }]);
  const ours = vendor.take();
  await mails.send({
    from: "play@acme.example", subject: "Hello", text: "Hello",
    personalizations: [{
      to: [{ email: "ada@example.com", name: "Ada, King; Ace" }],
      customArgs: { delivery_id: ids(ours)[0] } }],
  });
  same(ours, vendor.take(), { adapt: (body) => {
    const [to] = body.personalizations[0].to;
    to.name = to.name.replace(/[;,]/g, " ");
    return body;
  } });
});

await test("verify asks what the client asks", async () => {
  await configure({}, plain);
  await host.run(["verify", "mail"]);
  const ours = vendor.take();
  await client.request({ method: "GET", url: "/v3/scopes" });
  const theirs = vendor.take();
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.equal(ours.headers.authorization, theirs.headers.authorization);
});

finish();
