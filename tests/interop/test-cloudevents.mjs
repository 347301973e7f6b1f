// test-cloudevents.mjs - the intake takes what the CloudEvents SDK sends.
// SPDX-License-Identifier: MIT
//
// Events are made and sent by the SDK for JavaScript of the CloudEvents
// project (npm cloudevents) in each of its modes; what is in the store then
// is read by it again, and must be the same events.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync }
  from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

const modules = resolve(process.env.top_builddir ?? ".", "tests", "interop");
if (!existsSync(join(modules, "node_modules", "cloudevents"))) {
  if (process.env.HERALD_INTEROP === "required") {
    console.log("1..1\nnot ok 1 - cloudevents of npm is not installed");
    process.exit(1);
  }
  console.log("1..0 # SKIP cloudevents of npm is not installed");
  process.exit(0);
}
const { CloudEvent, CONSTANTS, HTTP, Mode, emitterFor, httpTransport }
  = createRequire(join(modules, "x.js"))("cloudevents");

// -- an intake

const TOKEN = "interop-token-0123456789";
const headers = { Authorization: `Bearer ${TOKEN}` };
const port = await new Promise((ready) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port: free } = server.address();
    server.close(() => ready(free));
  });
});
const url = `http://127.0.0.1:${port}/v1/events`;
const host = mkdtempSync(join(tmpdir(), "herald-interop."));
mkdirSync(join(host, "etc", "conf.d"), { recursive: true });
mkdirSync(join(host, "state"), { mode: 0o700 });
writeFileSync(join(host, "etc", "herald.xml"), `\
<herald xmlns="urn:herald:config:1">
  <workspaces><workspace name="acme"/></workspaces>
  <intake>
    <listen address="127.0.0.1:${port}"/>
    <tokens path="intake.tokens"/>
  </intake>
</herald>
`, { mode: 0o644 });
writeFileSync(join(host, "etc", "intake.tokens"), `sdk ${TOKEN} acme\n`,
              { mode: 0o600 });
writeFileSync(join(host, "etc", "conf.d", "web.xml"), `\
<integration xmlns="urn:herald:integration:1" name="web"
             provider="custom-api" enabled="true">
  <workspaces all="true"/>
  <settings><setting name="endpoint">https://example.com/</setting></settings>
  <map><field name="id" source="id"/></map>
</integration>
`, { mode: 0o644 });
const herald = spawn(process.env.HERALD, [
  "--config", join(host, "etc"), "--state", join(host, "state"), "intake"],
                     { stdio: ["ignore", "ignore", "pipe"] });
const ended = new Promise((done) => herald.on("close", done));
let said = "";
await new Promise((ready, fail) => {
  herald.stderr.on("data", (part) => {
    said += part;
    if (said.includes("listening on"))
      ready();
  });
  herald.on("close", () => fail(new Error(said)));
});

// The events in the store, by the SDK's own reader.
function stored() {
  const bodies = JSON.parse(execFileSync(process.env.PYTHON || "python3", [
    "-c", `
import json, sqlite3, sys
base = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
print(json.dumps([row[0] for row in
                  base.execute("select body from events order by seq")]))
`, join(host, "state", "store", "store.db")]));
  return bodies.map((body) => HTTP.toEvent({
    headers: { "content-type": "application/cloudevents+json" }, body }));
}

// The SDK does not percent-encode header fields (2026), so what is not ASCII
// goes in the modes that can carry it.
let number = 0;
function made(more = {}) {
  number += 1;
  const event = {
    id: `sdk ${number} 100% "x" \\`, source: "/sdk/quiz?x=1",
    type: "game.played", subject: "a, b; c", workspace: "acme",
    time: "2026-11-23T08:15:30.123Z", extra: "v,w",
    data: { email: `p${number}@example.com`, score: number, nested: [1] },
    ...more };
  if (event.workspace === null)
    delete event.workspace;
  return new CloudEvent(event);
}

// Of the binary mode the media type stands in the event, too.
function same(sent, kept) {
  const a = sent.toJSON(), b = kept.toJSON();
  a.datacontenttype = b.datacontenttype = "application/json";
  assert.deepEqual(b, a);
}

let n = 0, failed = 0;
async function test(name, run) {
  n += 1;
  try {
    await run();
    console.log(`ok ${n} - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${n} - ${name}`);
    console.log(String(error.stack ?? error).replace(/^/gm, "# "));
  }
}

async function post(message) {
  const response = await fetch(url, {
    method: "POST", headers: { ...message.headers, ...headers },
    body: message.body });
  return { status: response.status, ...await response.json() };
}

for (const mode of [Mode.BINARY, Mode.STRUCTURED])
  await test(`emitter, ${mode}`, async () => {
    const emit = emitterFor(httpTransport(url), { mode });
    const event = made();
    const before = stored().length;
    const { body } = await emit(event, { headers });
    assert.equal(JSON.parse(body).accepted, 1, body);
    assert.equal(JSON.parse(body).events[0].id, event.id);
    const kept = stored();
    assert.equal(kept.length, before + 1);
    same(event, kept.at(-1));
    assert.equal(JSON.parse((await emit(event, { headers })).body).duplicate,
                 1);
  });

for (const mode of ["binary", "structured"])
  await test(`message, ${mode}`, async () => {
    const event = made();
    const answer = await post(HTTP[mode](event));
    assert.equal(answer.status, 202, JSON.stringify(answer));
    same(event, stored().at(-1));
  });

await test("batch", async () => {
  const events = Array.from({ length: 50 }, () => made({
    subject: "\u20ac \u00e9 \u{1f3b2}" }));
  const before = stored().length;
  const answer = await post({
    headers: { "content-type": `${CONSTANTS.MIME_CE_BATCH}; charset=utf-8` },
    body: JSON.stringify(events) });
  assert.equal(answer.status, 202, JSON.stringify(answer));
  assert.deepEqual(answer.events.map((one) => one.id),
                   events.map((one) => one.id));
  const kept = stored().slice(before);
  assert.equal(kept.length, 50);
  events.forEach((event, k) => same(event, kept[k]));
});

await test("gzip", async () => {
  const event = made();
  const message = HTTP.structured(event);
  const answer = await post({
    headers: { ...message.headers, "content-encoding": "gzip" },
    body: gzipSync(message.body) });
  assert.equal(answer.status, 202, JSON.stringify(answer));
  same(event, stored().at(-1));
});

await test("what the SDK finds no fault with and herald does", async () => {
  const before = stored().length;
  const text = await post(HTTP.binary(made({
    data: "text", datacontenttype: "text/plain" })));
  assert.equal(text.status, 415);
  const bytes = await post(HTTP.structured(made({
    data: new Uint8Array([1, 2]), datacontenttype: "image/png" })));
  assert.equal(bytes.status, 400);
  assert.equal(bytes.events[0].status, "rejected");
  const elsewhere = await post(HTTP.structured(made({ workspace: "beta" })));
  assert.equal(elsewhere.status, 403);
  assert.equal(stored().length, before);
});

await test("without a workspace: that of the token", async () => {
  const event = made({ workspace: null });
  for (const mode of ["structured", "binary"]) {
    const one = event.cloneWith({ id: `${event.id} ${mode}` });
    assert.equal((await post(HTTP[mode](one))).status, 202);
    same(one.cloneWith({ workspace: "acme" }), stored().at(-1));
  }
});

await test("it ends as it should", async () => {
  herald.kill("SIGTERM");
  assert.equal(await ended, 0, said);
  assert.ok(!said.includes(TOKEN));
});

rmSync(host, { recursive: true });
console.log(`1..${n}`);
process.exit(failed > 0 ? 1 : 0);
