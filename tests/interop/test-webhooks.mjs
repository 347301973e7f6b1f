// test-webhooks.mjs - what herald signs, standardwebhooks believes.
// SPDX-License-Identifier: MIT
//
// Requests of real "herald send" runs are verified by the specification's
// own library (tests/interop/install.sh fetches it).

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync }
  from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { randomBytes } from "node:crypto";

const modules = resolve(process.env.top_builddir ?? ".", "tests", "interop");
if (!existsSync(join(modules, "node_modules", "standardwebhooks"))) {
  if (process.env.HERALD_INTEROP === "required") {
    console.log("1..1\nnot ok 1 - standardwebhooks of npm is not installed");
    process.exit(1);
  }
  console.log("1..0 # SKIP standardwebhooks of npm is not installed");
  process.exit(0);
}
const { Webhook } = createRequire(join(modules, "x.js"))("standardwebhooks");

const secret = () => `whsec_${randomBytes(32).toString("base64")}`;

// -- a receiver that keeps what comes, and answers as it is told

const received = [];
const answers = [];
const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    received.push({ headers: request.headers,
                    body: Buffer.concat(parts).toString() });
    response.writeHead(answers.shift() ?? 200).end("{}");
  });
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const endpoint = `http://127.0.0.1:${server.address().port}/`;

// -- a host of herald's

const host = mkdtempSync(join(tmpdir(), "herald-interop."));
const conf = join(host, "etc", "conf.d");
mkdirSync(conf, { recursive: true });
writeFileSync(join(host, "etc", "herald.xml"), `\
<herald xmlns="urn:herald:config:1">
  <workspaces><workspace name="acme"/></workspaces>
  <network><allow cidr="127.0.0.0/8"/><allow-http/></network>
</herald>
`, { mode: 0o644 });

function configure(secrets, delivery) {
  const rows = secrets.map((value, k) => {
    writeFileSync(join(conf, `${k}.secret`), `${value}\n`, { mode: 0o600 });
    return `<setting name="signing-secret" from="file" path="${k}.secret"/>`;
  });
  writeFileSync(join(conf, "web.xml"), `\
<integration xmlns="urn:herald:integration:1" name="web"
             provider="custom-api" enabled="true">
  <workspaces all="true"/>
  <settings>
    <setting name="endpoint">${endpoint}</setting>
    ${rows.join("\n    ")}
  </settings>
  <map><field name="name" source="firstName"/></map>
  <delivery>${delivery}</delivery>
</integration>
`, { mode: 0o644 });
}

function send(names) {
  const lines = names.map((firstName, k) => JSON.stringify({
    specversion: "1.0", id: `event-${k}`, source: "/games/quiz",
    type: "game.played", workspace: "acme", data: { firstName } }));
  return new Promise((done, failed) => {
    const child = execFile(process.env.HERALD, [
      "--config", join(host, "etc"), "--state", host,
      "--plugins", process.env.HERALD_PLUGINS, "send", "--json",
    ], { timeout: 120000 }, (error, out, err) =>
      error ? failed(new Error(`${error}\n${out}\n${err}`)) : done());
    child.stdin.end(`${lines.join("\n")}\n`);
  });
}

// -- the tests

let n = 0;
async function test(name, run) {
  received.length = answers.length = 0;
  n++;
  try {
    await run();
    console.log(`ok ${n} - ${name}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`not ok ${n} - ${name}`);
    console.log(String(error.stack).replace(/^/gm, "# "));
  }
}

const names = ["Zoë", "さくら", "Jo \"Ace\" \\ \u2028 \u{1F389}"];

await test("one event a request", async () => {
  const key = secret();
  configure([key], "");
  await send(names);
  assert.equal(received.length, names.length);
  const bodies = received.map((one) => new Webhook(key)
    .verify(one.body, one.headers));
  assert.deepEqual(bodies.map((one) => one.name).sort(), [...names].sort());
  assert.equal(new Set(received.map((one) => one.headers["webhook-id"])).size,
               names.length);
});

await test("a batch", async () => {
  const key = secret();
  configure([key], '<batch max="100" wait="10s"/>');
  await send(names);
  assert.equal(received.length, 1);
  const body = new Webhook(key).verify(received[0].body, received[0].headers);
  assert.deepEqual(body, names.map((name) => ({ name })));
});

await test("two secrets, while one replaces the other", async () => {
  const keys = [secret(), secret()];
  configure(keys, "");
  await send(["Zoë"]);
  for (const key of keys)
    new Webhook(key).verify(received[0].body, received[0].headers);
});

await test("over attempts the id stays, the timestamp is new", async () => {
  const key = secret();
  // Longer than the second that timestamps count in, whatever the jitter.
  configure([key], '<retry schedule="1500ms"/>');
  answers.push(503);
  await send(["Zoë"]);
  assert.equal(received.length, 2);
  for (const one of received)
    new Webhook(key).verify(one.body, one.headers);
  const [first, second] = received.map((one) => one.headers);
  assert.equal(first["webhook-id"], second["webhook-id"]);
  assert.ok(+second["webhook-timestamp"] > +first["webhook-timestamp"]);
  assert.notEqual(first["webhook-signature"], second["webhook-signature"]);
});

await test("a batch's id is its own over attempts, too", async () => {
  const key = secret();
  configure([key], '<batch max="9" wait="10s"/><retry schedule="10ms"/>');
  answers.push(503);
  await send(names);
  assert.equal(received.length, 2);
  for (const one of received)
    new Webhook(key).verify(one.body, one.headers);
  assert.equal(received[0].headers["webhook-id"],
               received[1].headers["webhook-id"]);
});

await test("another secret or body is not believed", async () => {
  const key = secret();
  configure([key], "");
  await send(["Zoë"]);
  const [{ body, headers }] = received;
  assert.throws(() => new Webhook(secret()).verify(body, headers));
  assert.throws(() => new Webhook(key).verify(`${body} `, headers));
});

console.log(`1..${n}`);
server.close();
server.closeAllConnections?.();
rmSync(host, { recursive: true });
