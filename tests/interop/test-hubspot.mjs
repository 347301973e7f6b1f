// test-hubspot.mjs - the provider hubspot beside HubSpot's own client.
// SPDX-License-Identifier: MIT
//
// What differs on purpose: nothing of the body.  The client knows the paths
// of v3 only, so herald is told that version; what it makes of a version by
// date is held against the documents by the golden cases.

import assert from "node:assert/strict";
import { finish, json, makeHost, need, needProvider, record, same, test }
  from "./recorder.mjs";

const { Client } = need("@hubspot/api-client");
needProvider("hubspot");
const token = "pat-na1-of-the-interop-test";

const vendor = await record((request) => request.method === "GET"
  ? { json: { portalId: 62515, accountType: "STANDARD", timeZone: "UTC",
              companyCurrency: "EUR", additionalCurrencies: [],
              utcOffset: "+00:00", utcOffsetMilliseconds: 0,
              uiDomain: "app.hubspot.com", dataHostingLocation: "eu1" } }
  : { json: { status: "COMPLETE", startedAt: new Date(),
              completedAt: new Date(),
              results: json(request).inputs.map((input, k) => ({
                id: `${151 + k}`, new: true, properties: input.properties,
                objectWriteTraceId: input.objectWriteTraceId,
                createdAt: new Date(), updatedAt: new Date() })) } });

const client = new Client({ accessToken: token, basePath: vendor.url,
                            numberOfApiCallRetries: 0 });
const host = makeHost();
const map = `<map>
  <field name="email" source="email"/>
  <field name="firstname" source="firstName"/>
  <field name="score" source="score" as="number"/>
  <field name="newsletter" source="optinNewsletter" as="boolean"/>
</map>`;

function configure(settings) {
  host.integration("crm", "hubspot", {
    "access-token": token, "base-url": vendor.url, version: "v3",
    ...settings }, map);
}

const people = [
  { email: "Ada@Example.com", firstName: "Zoë \"Ace\"", score: 4711,
    optinNewsletter: true },
  { email: "o'brien+1@example.com", firstName: "さくら \\ \u2028",
    score: 9007199254740993n.toString(), optinNewsletter: false },
];

// The same call, as somebody would write it with the client.  The trace ids
// are herald's: they are derived from events.
const inputs = (ours, idProperty = "email") => people.map((one, k) => ({
  id: idProperty === "email" ? one.email.toLowerCase() : one.firstName,
  idProperty,
  objectWriteTraceId: ours.inputs[k].objectWriteTraceId,
  properties: { email: one.email, firstname: one.firstName,
                score: `${one.score}`,
                newsletter: `${one.optinNewsletter}` } }));

await test("contacts, a batch", async () => {
  configure({});
  await host.send(people);
  const ours = vendor.take();
  await client.crm.contacts.batchApi.upsert({ inputs: inputs(json(ours)) });
  same(ours, vendor.take(), { headers: ["content-type"] });
  assert.equal(vendor.waiting, 0);
});

await test("another object, matched by another property", async () => {
  configure({ object: "2-3453932", "id-property": "firstname" });
  await host.send(people);
  const ours = vendor.take();
  await client.crm.objects.batchApi.upsert(
    "2-3453932", { inputs: inputs(json(ours), "firstname") });
  same(ours, vendor.take(), { headers: ["content-type"] });
});

await test("the trace id is the delivery's: the same again", async () => {
  configure({});
  await host.send(people);
  await host.send(people);
  assert.deepEqual(json(vendor.take()), json(vendor.take()));
});

await test("verify asks what the client asks", async () => {
  configure({});
  await host.run(["verify", "crm"]);
  const ours = vendor.take();
  await client.apiRequest({ path: "/account-info/v3/details" });
  const theirs = vendor.take();
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.equal(ours.headers.authorization, theirs.headers.authorization);
});

finish();
