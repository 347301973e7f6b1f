// test-mailjet.mjs - the provider mailjet beside Mailjet's own client.
// SPDX-License-Identifier: MIT
//
// What differs on purpose: nothing of the body.  The client speaks https
// only, so the recorder does, with a certificate made for this test.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import { finish, json, makeHost, need, needProvider, record, same, test }
  from "./recorder.mjs";

const Mailjet = need("node-mailjet");
needProvider("mailjet");
const access = "0123456789abcdef-of-the-interop-test";
const secret = "secret-of-the-interop-test";

const root = makeHost().root;
const pem = join(root, "server.pem");
execFileSync("openssl", [
  "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
  "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
  "-keyout", join(root, "server.key"), "-out", pem,
], { stdio: "ignore" });
const cert = readFileSync(pem);
https.globalAgent.options.ca = cert;

const vendor = await record((request) => request.method === "GET"
  ? { json: { Count: 1, Data: [{ ID: 1 }], Total: 1 } }
  : { json: { Messages: json(request).Messages.map((one) => ({
      Status: "success", CustomID: one.CustomID,
      To: one.To.map(({ Email }) => ({
        Email, MessageUUID: "u", MessageID: 70650219165027410,
        MessageHref: "https://api.mailjet.com/" })), Cc: [], Bcc: [] })) } },
  { key: readFileSync(join(root, "server.key")), cert });

const client = Mailjet.apiConnect(access, secret, {
  config: { host: `127.0.0.1:${vendor.port}`, version: "v3" } });
const host = makeHost(pem);

async function configure(settings, mail, batch = 1) {
  host.integration("mail", "mailjet", {
    "access-key": access, "secret-key": secret, "base-url": vendor.url,
    ...settings },
    `<mail>${mail}</mail>
     <delivery><batch max="${batch}" wait="1s"/></delivery>`);
  await host.testMail("mail");
  vendor.forget();
}

const send = (body) =>
  client.post("send", { version: "v3.1" }).request(body);
const people = [
  { email: "Ada@example.com", firstName: "Zoë \"Ace\" {{var:x}}",
    score: 4711 },
  { email: "o'brien+1@example.com", firstName: "さくら \\ \u2028 }],[{",
    score: 12 },
];
const From = { Email: "play@acme.example", Name: "Acme Games" };
const alike = { headers: ["content-type"] };

// The ids are herald's: they are derived from events.
function ids(ours) {
  const all = json(ours).Messages.map((one) => one.CustomID);
  assert.equal(new Set(all).size, all.length);
  all.forEach((id) => assert.match(id, /^[0-9a-f-]{36}$/));
  return all;
}

await test("one mail, with all that a mail has", async () => {
  await configure({
    campaign: "Summer 2026", "track-opens": "disabled",
    "track-clicks": "enabled", sandbox: "true",
    extra: "{\"Globals\": {\"URLTags\": \"source=herald\"}}",
  }, `<from name="Acme Games" address="play@acme.example"/>
      <reply-to name="Acme Support" address="hello@acme.example"/>
      <to source="email" name="{{firstName}}"/>
      <bcc address="audit@acme.example"/>
      <subject>Well done {{firstName}}</subject>
      <text>Hello {{firstName}}</text>
      <html>&lt;p&gt;Hello {{{firstName}}}&lt;/p&gt;</html>
      <header name="List-Unsubscribe">&lt;https://acme.example/&gt;</header>`);
  await host.send(people.slice(0, 1));
  const ours = vendor.take();
  const { email, firstName } = people[0];
  await send({
    Globals: { URLTags: "source=herald" }, SandboxMode: true,
    Messages: [{
      From, To: [{ Email: email, Name: firstName }],
      ReplyTo: { Email: "hello@acme.example", Name: "Acme Support" },
      Bcc: [{ Email: "audit@acme.example" }],
      Subject: `Well done ${firstName}`, TextPart: `Hello ${firstName}`,
      HTMLPart: `<p>Hello ${firstName}</p>`, TemplateLanguage: false,
      CustomID: ids(ours)[0], CustomCampaign: "Summer 2026",
      TrackOpens: "disabled", TrackClicks: "enabled",
      Headers: { "List-Unsubscribe": "<https://acme.example/>" } }] });
  same(ours, vendor.take(), alike);
});

await test("a batch of templates with variables", async () => {
  await configure({}, `<from name="Acme Games" address="play@acme.example"/>
    <to source="email"/>
    <subject>Well done</subject>
    <template id="12"/>
    <parameters>
      <parameter name="firstName" source="firstName"/>
      <parameter name="score" source="score" as="number"/>
    </parameters>`, 50);
  await host.send(people);
  const ours = vendor.take();
  assert.equal(vendor.waiting, 0);
  await send({ Messages: people.map((one, k) => ({
    From, To: [{ Email: one.email }], Subject: "Well done", TemplateID: 12,
    TemplateLanguage: true, CustomID: ids(ours)[k],
    Variables: { firstName: one.firstName, score: one.score } })) });
  same(ours, vendor.take(), alike);
});

await test("the check of the keys", async () => {
  await host.run(["verify", "mail"]);
  const ours = vendor.take();
  await client.get("myprofile").request();
  const theirs = vendor.take();
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.equal(ours.headers.authorization, theirs.headers.authorization);
});

finish();
