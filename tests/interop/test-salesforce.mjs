// test-salesforce.mjs - the provider salesforce beside jsforce.
// SPDX-License-Identifier: MIT
//
// What differs on purpose:
// - jsforce puts the external id into the path as it is, so that "1/2" is
//   two parts; herald percent-encodes it, and the decoded paths are compared
//   for ids that jsforce gets right;
// - jsforce puts a record's attributes behind its fields, herald before them:
//   members have no order.

import assert from "node:assert/strict";
import { finish, json, makeHost, need, needProvider, record, same, test }
  from "./recorder.mjs";

const { Connection } = need("jsforce");
needProvider("salesforce");
const session = "00D5g00000ABC!tok.en";
const key = "3MVG9.key_of+the=test";
const secret = "secret/of+the test";

const good = (k) => ({ id: `0035g00000X${k}`, success: true, errors: [],
                       created: true });
let refusals = 0;
const vendor = await record((request) => {
  if (request.path === "/services/oauth2/token")
    return { json: {
      access_token: session, signature: "c2ln", scope: "api",
      instance_url: vendor.url, token_type: "Bearer",
      id: "https://login.salesforce.com/id/00D5g00000ABC/0055g00000DEF",
      issued_at: "1767225600000", api_instance_url: vendor.url } };
  if (refusals > 0 && refusals--)
    return { status: 401, json: [{ errorCode: "INVALID_SESSION_ID",
                                   message: "Session expired or invalid" }] };
  if (request.path.includes("/composite/"))
    return { json: json(request).records.map((one, k) => good(k)) };
  return request.method === "GET"
    ? { json: { DailyApiRequests: { Max: 15000, Remaining: 14998 } } }
    : { status: 201, json: good(0) };
});

const host = makeHost();
const client = () => new Connection({
  instanceUrl: vendor.url, accessToken: session, version: "68.0" });

function configure(settings = {}) {
  host.integration("crm", "salesforce", {
    domain: "acme.my.salesforce.com", "base-url": vendor.url,
    "consumer-key": key, "consumer-secret": secret,
    "external-id-field": "Herald_Id__c", ...settings }, `<map>
  <field name="LastName" source="lastName"/>
  <field name="Email" source="email"/>
  <field name="Score__c" source="score" as="number"/>
  <field name="HasOptedOutOfEmail" value="false" as="boolean"/>
</map>`);
  vendor.forget();
}

const people = [
  { id: "P-1", email: "ada@example.com", lastName: "Zoë \"Ace\"",
    score: 4711 },
  { id: "P-2", email: "o'brien+1@example.com", lastName: "さくら \\ \u2028",
    score: -1.5 },
  { id: "P-3", email: "eve@example.com", lastName: "</script>", score: 0 },
];
const fields = (one) => ({ LastName: one.lastName, Email: one.email,
                           Score__c: one.score, HasOptedOutOfEmail: false });

await test("the token", async () => {
  configure();
  await host.send([people[0]]);
  const ours = vendor.take();
  vendor.forget();
  const connection = new Connection({
    version: "68.0", instanceUrl: vendor.url,
    oauth2: { clientId: key, clientSecret: secret, loginUrl: vendor.url } });
  await connection.authorize({ grant_type: "client_credentials" });
  const theirs = vendor.take();
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.match(ours.headers["content-type"],
               /^application\/x-www-form-urlencoded/);
  const form = (request) => Object.fromEntries(
    new URLSearchParams(request.body.toString()));
  assert.deepEqual(form(ours), form(theirs));
});

await test("one record", async () => {
  configure({ "external-id-source": "id" });
  await host.send([people[0]]);
  vendor.take();
  const ours = vendor.take();
  await client().sobject("Contact").upsert(
    { Herald_Id__c: "P-1", ...fields(people[0]) }, "Herald_Id__c");
  same(ours, vendor.take(), { headers: ["content-type"] });
});

await test("one record with an id to encode", async () => {
  configure();
  await host.send([people[0]]);
  vendor.take();
  const ours = vendor.take();
  await client().sobject("Contact").upsert(
    { Herald_Id__c: people[0].email, ...fields(people[0]) }, "Herald_Id__c");
  const theirs = vendor.take();
  assert.ok(ours.path.endsWith("/ada%40example.com"));
  ours.path = decodeURIComponent(ours.path);
  theirs.path = decodeURIComponent(theirs.path);
  same(ours, theirs, { headers: ["content-type"] });
});

await test("several records", async () => {
  configure();
  await host.send(people);
  vendor.take();
  const ours = vendor.take();
  await client().sobject("Contact").upsert(
    people.map((one) => ({ Herald_Id__c: one.email, ...fields(one) })),
    "Herald_Id__c", { allOrNone: false });
  same(ours, vendor.take(), { headers: ["content-type"] });
});

await test("a lead that duplicate rules alert of", async () => {
  configure({ object: "Lead", "allow-duplicates": "true" });
  await host.send(people);
  vendor.take();
  const ours = vendor.take();
  await client().sobject("Lead").upsert(
    people.map((one) => ({ Herald_Id__c: one.email, ...fields(one) })),
    "Herald_Id__c", { allOrNone: false,
      headers: { "Sforce-Duplicate-Rule-Header": "allowSave=true" } });
  same(ours, vendor.take(), { headers: ["content-type",
                                        "sforce-duplicate-rule-header"] });
});

await test("a refused session: one new token, the same again", async () => {
  configure();
  refusals = 1;
  await host.send(people);
  const paths = [];
  while (vendor.waiting > 0)
    paths.push(vendor.take());
  assert.deepEqual(paths.map((one) => one.path.split("/").at(-1)),
                   ["token", "Herald_Id__c", "token", "Herald_Id__c"]);
  assert.deepEqual(json(paths[1]), json(paths[3]));
});

await test("verify asks what jsforce asks for the limits", async () => {
  configure();
  await host.run(["verify", "crm"]);
  vendor.take();
  const ours = vendor.take();
  await client().limits();
  const theirs = vendor.take();
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  assert.equal(ours.headers.authorization, theirs.headers.authorization);
});

finish();
