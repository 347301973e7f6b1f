// test-mandrill.mjs - the provider mandrill beside Mailchimp's own client.
// SPDX-License-Identifier: MIT
//
// What differs on purpose: nothing.  The client knows version 1.3; with its
// output format json it asks for what version 1.0 was.

import assert from "node:assert/strict";
import { finish, json, makeHost, need, needProvider, record, same, test }
  from "./recorder.mjs";

const mailchimp = need("@mailchimp/mailchimp_transactional");
needProvider("mandrill");
const key = "md-of-the-interop-test";

const vendor = await record((request) => request.path.includes("ping2")
  ? { json: { PING: "PONG!" } }
  : { json: json(request).message.to.map((one, k) => ({
      email: one.email, status: "sent", reject_reason: null,
      queued_reason: null, _id: `${k}` })) });

const client = mailchimp(key);
client.basePath = `${vendor.url}/api/1.3`;
const host = makeHost();

async function configure(settings, mail, batch = 1) {
  host.integration("mail", "mandrill", {
    "api-key": key, "base-url": vendor.url, version: "1.3", ...settings },
    `<mail>${mail}</mail>
     <delivery><batch max="${batch}" wait="1s"/></delivery>`);
  await host.testMail("mail");
  vendor.forget();
}

const people = [
  { email: "Ada@example.com", firstName: "Zoë \"Ace\" *|FNAME|*",
    score: 4711 },
  { email: "o'brien+1@example.com", firstName: "さくら \\ \u2028 }],[{",
    score: 12 },
];

// The ids are herald's: they are derived from events.
const ids = (ours) => json(ours).message.recipient_metadata
  .map((one) => one.values.delivery_id);

await test("one mail, with all that a mail has", async () => {
  await configure({
    tag: "summer-2026", subaccount: "acme", "ip-pool": "Main Pool",
    "track-opens": "true", "track-clicks": "false",
    extra: "{\"important\": true, \"return_path_domain\": \"acme.example\"}",
  }, `<from name="Acme, Games" address="play@acme.example"/>
      <reply-to name="Acme Support" address="hello@acme.example"/>
      <to source="email" name="{{firstName}}"/>
      <subject>Well done {{firstName}}</subject>
      <text>Hello {{firstName}}</text>
      <html>&lt;p&gt;Hello {{{firstName}}}&lt;/p&gt;</html>
      <header name="List-Unsubscribe">&lt;mailto:leave@acme.example&gt;
      </header>`);
  const [{ email, firstName }] = people;
  await host.send(people.slice(0, 1));
  const ours = vendor.take();
  await client.messages.send({
    message: {
      from_email: "play@acme.example", from_name: "Acme, Games",
      to: [{ email, name: firstName, type: "to" }],
      subject: `Well done ${firstName}`,
      text: `Hello ${firstName}`, html: `<p>Hello ${firstName}</p>`,
      headers: { "Reply-To": "Acme Support <hello@acme.example>",
                 "List-Unsubscribe": "<mailto:leave@acme.example>" },
      merge: false, preserve_recipients: false, tags: ["summer-2026"],
      subaccount: "acme", track_opens: true, track_clicks: false,
      important: true, return_path_domain: "acme.example",
      recipient_metadata: [
        { rcpt: email, values: { delivery_id: ids(ours)[0] } }],
    },
    async: false, ip_pool: "Main Pool",
  });
  same(ours, vendor.take(), { headers: ["content-type"] });
  assert.equal(vendor.waiting, 0);
});

const template = `<from address="play@acme.example"/>
  <to source="email"/>
  <template id="well-done"/>
  <parameters>
    <parameter name="first_name" source="firstName"/>
    <parameter name="score" source="score" as="number"/>
    <parameter name="campaign" value="Summer 2026"/>
  </parameters>`;

const templateCall = (ours) => ({
  template_name: "well-done", template_content: [],
  message: {
    from_email: "play@acme.example",
    to: people.map(({ email }) => ({ email, type: "to" })),
    preserve_recipients: false, merge: true,
    merge_vars: people.map(({ email, firstName, score }) => ({
      rcpt: email, vars: [{ name: "first_name", content: firstName },
                          { name: "score", content: score },
                          { name: "campaign", content: "Summer 2026" }] })),
    recipient_metadata: people.map(({ email }, k) => ({
      rcpt: email, values: { delivery_id: ids(ours)[k] } })),
  },
  async: false,
});

await test("a template, two at a time", async () => {
  await configure({}, template, 10);
  await host.send(people);
  const ours = vendor.take();
  await client.messages.sendTemplate(templateCall(ours));
  same(ours, vendor.take(), { headers: ["content-type"] });
  assert.equal(vendor.waiting, 0);
});

await test("version 1.0 has a suffix", async () => {
  await configure({ version: "1.0" }, template, 10);
  await host.send(people);
  const ours = vendor.take();
  client.basePath = `${vendor.url}/api/1.0`;
  await client.messages.sendTemplate({ ...templateCall(ours),
                                       outputFormat: "json" });
  client.basePath = `${vendor.url}/api/1.3`;
  same(ours, vendor.take());
});

await test("verify asks what the client asks", async () => {
  await configure({}, template);
  await host.run(["verify", "mail"]);
  const ours = vendor.take();
  assert.deepEqual(await client.users.ping2(), { PING: "PONG!" });
  same(ours, vendor.take());
});

await test("explain shows the call without the key", async () => {
  await configure({}, template);
  const out = await host.run(["explain", "-"], JSON.stringify({
    specversion: "1.0", id: "event-0", source: "/games/quiz",
    type: "game.played", workspace: "acme", data: people[0] }));
  assert.match(out, /POST http:.*\/api\/1\.3\/messages\/send-template/);
  assert.match(out, /"key":"\*\*\*"/);
  assert.ok(!out.includes(key));
});

finish();
