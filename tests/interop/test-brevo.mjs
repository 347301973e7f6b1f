// test-brevo.mjs - the provider brevo beside Brevo's own client.
// SPDX-License-Identifier: MIT
//
// What differs on purpose:
//   {{ }}  the client sends it, and Brevo expands it; herald puts a character
//          without width between the braces, in HTML an entity for one.
//   names  the client sends one that has a comma and is not ASCII as it is,
//          and Brevo drops it; herald encodes it.
//   html   the client sends a mail of text alone, which Brevo refuses; herald
//          makes HTML of it.

import assert from "node:assert/strict";
import { finish, json, makeHost, need, needProvider, record, same, test }
  from "./recorder.mjs";

const { BrevoClient } = need("@getbrevo/brevo");
needProvider("brevo");
const key = "xkeysib-of-the-interop-test";

const vendor = await record((request) => {
  if (request.method === "GET")
    return { json: { email: "me@acme.example", firstName: "Me",
                     lastName: "I", companyName: "Acme", plan: [] } };
  const versions = json(request).messageVersions;
  return { status: 201, json: versions
    ? { messageIds: versions.map((_, k) => `<${k}@interop.example>`) }
    : { messageId: "<0@interop.example>" } };
});

const client = new BrevoClient({ apiKey: key, baseUrl: `${vendor.url}/v3`,
                                 maxRetries: 0 });
const host = makeHost();

async function configure(settings, mail, batch = 1) {
  host.integration("mail", "brevo", {
    "api-key": key, "base-url": vendor.url, ...settings },
    `<mail>${mail}</mail>
     <delivery><batch max="${batch}" wait="1s"/></delivery>`);
  await host.testMail("mail");
  vendor.forget();
}

const people = [
  { email: "Ada@example.com", firstName: "Zoë \"Ace\" }],{", score: 4711 },
  { email: "o'brien+1@example.com", firstName: "さくら \\ }],[{", score: 12 },
];
const sender = { name: "Acme Games", email: "play@acme.example" };
const alike = { headers: ["api-key", "content-type"] };

// The ids are herald's: they are derived from events.
function headers(ours, more = {}) {
  const id = json(ours).headers.idempotencyKey;
  assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  return { ...more, idempotencyKey: id, "X-Mailin-custom": id };
}

await test("one mail, with all that a mail has", async () => {
  await configure({
    tag: "summer-2026", sandbox: "true",
    extra: "{\"batchId\": \"5c6cfa04-eed9-42c2-8b5c-6d470d978e9d\"}",
  }, `<from name="Acme Games" address="play@acme.example"/>
      <reply-to name="Acme Support" address="hello@acme.example"/>
      <to source="email" name="{{score}} points"/>
      <bcc address="audit@acme.example"/>
      <subject>Well done {{firstName}}</subject>
      <text>Hello {{firstName}}</text>
      <html>&lt;p&gt;Hello {{{firstName}}}&lt;/p&gt;</html>
      <header name="List-Unsubscribe">&lt;https://acme.example/&gt;</header>`);
  await host.send(people.slice(0, 1));
  const ours = vendor.take();
  const { email, firstName } = people[0];
  await client.transactionalEmails.sendTransacEmail({
    sender, to: [{ email, name: "4711 points" }],
    replyTo: { name: "Acme Support", email: "hello@acme.example" },
    bcc: [{ email: "audit@acme.example" }],
    subject: `Well done ${firstName}`, textContent: `Hello ${firstName}`,
    htmlContent: `<p>Hello ${firstName}</p>`, tags: ["summer-2026"],
    batchId: "5c6cfa04-eed9-42c2-8b5c-6d470d978e9d",
    headers: headers(ours, { "X-Sib-Sandbox": "drop",
                             "List-Unsubscribe": "<https://acme.example/>" }),
  });
  same(ours, vendor.take(), alike);
});

await test("a template with parameters", async () => {
  await configure({}, `<from address="play@acme.example"/>
    <to source="email"/>
    <template id="12"/>
    <parameters>
      <parameter name="firstName" source="firstName"/>
      <parameter name="score" source="score" as="number"/>
    </parameters>`);
  await host.send(people.slice(0, 1));
  const ours = vendor.take();
  const { email, firstName, score } = people[0];
  await client.transactionalEmails.sendTransacEmail({
    sender: { email: sender.email }, to: [{ email }], templateId: 12,
    params: { firstName, score }, headers: headers(ours) });
  same(ours, vendor.take(), alike);
});

await test("a batch of versions", async () => {
  await configure({}, `<from name="Acme Games" address="play@acme.example"/>
    <to source="email"/>
    <subject>Well done {{firstName}}</subject>
    <html>&lt;p&gt;{{score}} points&lt;/p&gt;</html>`, 1000);
  await host.send(people);
  const ours = vendor.take();
  assert.equal(vendor.waiting, 0);
  await client.transactionalEmails.sendTransacEmail({
    sender, subject: "-", htmlContent: "<p></p>", headers: headers(ours),
    messageVersions: people.map((one) => ({
      to: [{ email: one.email }], subject: `Well done ${one.firstName}`,
      htmlContent: `<p>${one.score} points</p>` })) });
  same(ours, vendor.take(), alike);
});

await test("what herald changes for the better", async () => {
  await configure({}, `<from name="Acme Games" address="play@acme.example"/>
    <to source="email" name="{{firstName}}"/>
    <subject>{{town}}</subject>
    <text>{{town}}</text>`);
  await host.send([{ email: "ada@example.com", firstName: "Müller, Ada",
                     town: "{{contact.EMAIL}}" }]);
  const ours = vendor.take();
  await client.transactionalEmails.sendTransacEmail({
    sender, to: [{ email: "ada@example.com", name: "Müller, Ada" }],
    subject: "{{contact.EMAIL}}", textContent: "{{contact.EMAIL}}",
    headers: headers(ours) });
  same(ours, vendor.take(), { ...alike, adapt: (body) => {
    body.to[0].name = "=?UTF-8?B?TcO8bGxlciwgQWRh?=";
    body.htmlContent = body.textContent.replace("{{", "&#123;{");
    body.subject = body.textContent
      = body.textContent.replace("{{", "{\u2060{");
    return body;
  } });
});

await test("the check of the key", async () => {
  await host.run(["verify", "mail"]);
  const ours = vendor.take();
  await client.account.getAccount();
  const theirs = vendor.take();
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.equal(ours.headers["api-key"], theirs.headers["api-key"]);
});

finish();
