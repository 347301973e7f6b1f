// test-mailgun.mjs - the provider mailgun beside Mailgun's own client.
// SPDX-License-Identifier: MIT
//
// Forms are compared as the fields they hold, in any order.  What differs on
// purpose: v:delivery_id and the delivery ids in recipient-variables, which
// are of herald's making and are copied into the client's call.

import assert from "node:assert/strict";
import { finish, makeHost, need, needProvider, record, test }
  from "./recorder.mjs";

const Mailgun = need("mailgun.js");
const FormData = need("form-data");
needProvider("mailgun");
const key = "key-of-the-interop-test";
const domain = "mg.acme.example";

const vendor = await record((request) => request.method === "GET"
  ? { json: { domain: { name: domain, state: "active", id: "1",
                        created_at: "Mon, 23 Nov 2026 00:00:00 GMT" },
              receiving_dns_records: [], sending_dns_records: [] } }
  : { json: { id: `<1@${domain}>`, message: "Queued. Thank you." } });
const client = new (Mailgun.default ?? Mailgun)(FormData).client({
  username: "api", key, url: vendor.url });
const host = makeHost();

async function configure(mail, batch, settings = {}) {
  host.integration("mail", "mailgun", {
    "api-key": key, domain, "base-url": vendor.url, ...settings },
    `<mail>${mail}</mail>
     <delivery><batch max="${batch}" wait="1s"/></delivery>`);
  await host.testMail("mail");
  vendor.forget();
}

// Node's own reader of forms, in the order of names.
async function fields(request) {
  const form = await new Response(request.body, {
    headers: { "Content-Type": request.headers["content-type"] } }).formData();
  return [...form].map(([name, value]) =>
    [name, name === "recipient-variables" ? JSON.parse(value) : value])
    .sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
}

async function same(ours, theirs) {
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.equal(ours.headers.authorization, theirs.headers.authorization);
  assert.match(theirs.headers["content-type"], /^multipart\/form-data;/);
  assert.deepEqual(await fields(ours), await fields(theirs));
}

const field = async (request, wanted) =>
  (await fields(request)).find(([name]) => name === wanted)?.[1];

const people = [
  { email: "Ada@example.com", firstName: "Zoë \"Ace\"", score: 4711 },
  { email: "o'brien+1@example.com", firstName: "さくら \\ \u2028 }],[{",
    score: 12 },
];

await test("one mail, with all that it may have", async () => {
  await configure(`
    <from name="Acme, Games" address="play@acme.example"/>
    <reply-to address="hello@acme.example"/>
    <to source="email"/>
    <bcc address="audit@acme.example"/>
    <subject>Well done {{firstName}}</subject>
    <text>Hello {{firstName}}
--herald-
100%, you made {{score}} points.</text>
    <html>&lt;p style="width:100%"&gt;{{{firstName}}}&lt;/p&gt;</html>
    <header name="List-Unsubscribe">&lt;https://acme.example/x&gt;</header>`,
    1, { tag: "summer-2026", "track-opens": "no", "track-clicks": "htmlonly",
         extra: '{"o:tag":["a","b"],"o:require-tls":"yes"}' });
  await host.send(people.slice(0, 1));
  const ours = vendor.take();
  await client.messages.create(domain, {
    from: "\"Acme, Games\" <play@acme.example>", to: ["Ada@example.com"],
    bcc: "audit@acme.example", "h:Reply-To": "hello@acme.example",
    "h:List-Unsubscribe": "<https://acme.example/x>",
    subject: "Well done Zoë \"Ace\"",
    text: `Hello Zoë "Ace"\n--herald-\n100%, you made 4711 points.`,
    html: "<p style=\"width:100%\">Zoë \"Ace\"</p>",
    "o:tag": ["summer-2026", "a", "b"], "o:tracking-opens": "no",
    "o:tracking-clicks": "htmlonly", "o:require-tls": "yes",
    "v:delivery_id": await field(ours, "v:delivery_id"),
  });
  await same(ours, vendor.take());
});

const template = `
  <from address="play@acme.example"/>
  <to source="email"/>
  <subject>Well done</subject>
  <template id="well-done"/>
  <parameters>
    <parameter name="first_name" source="firstName"/>
    <parameter name="score" source="score"/>
  </parameters>`;

await test("a template, a mail alone", async () => {
  await configure(template, 1, { extra: '{"t:version":"winter"}' });
  await host.send(people.slice(0, 1));
  const ours = vendor.take();
  const variables = JSON.parse(await field(ours, "t:variables"));
  assert.deepEqual(variables, { first_name: "Zoë \"Ace\"", score: 4711 });
  await client.messages.create(domain, {
    from: "play@acme.example", to: ["Ada@example.com"], subject: "Well done",
    template: "well-done", "t:version": "winter",
    "t:variables": await field(ours, "t:variables"),
    "v:delivery_id": await field(ours, "v:delivery_id"),
  });
  await same(ours, vendor.take());
});

await test("a template, a batch", async () => {
  await configure(template, 10);
  await host.send(people);
  const ours = vendor.take();
  const own = await field(ours, "recipient-variables");
  await client.messages.create(domain, {
    from: "play@acme.example", to: people.map((one) => one.email),
    subject: "Well done", template: "well-done",
    "v:first_name": "%recipient.first_name%",
    "v:score": "%recipient.score%",
    "v:delivery_id": "%recipient.delivery_id%",
    "recipient-variables": JSON.stringify(Object.fromEntries(
      people.map((one) => [one.email, {
        first_name: one.firstName, score: `${one.score}`,
        delivery_id: own[one.email].delivery_id }]))),
  });
  await same(ours, vendor.take());
  assert.equal(vendor.waiting, 0);
});

await test("verify asks what the client asks", async () => {
  const told = await host.run(["verify", "mail"]);
  assert.match(told, /the key may send for this domain/);
  const ours = vendor.take();
  await client.domains.get(domain);
  const theirs = vendor.take();
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.equal(ours.headers.authorization, theirs.headers.authorization);
});

finish();
