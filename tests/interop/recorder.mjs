// recorder.mjs - what the tests with the vendors' own SDKs share.
// SPDX-License-Identifier: MIT
//
// A recorder stands in for the vendor; the SDK and herald make the same call
// of it, and what came is compared.
//
//   const { Client } = need("@hubspot/api-client");
//   const vendor = await record(() => ({ status: 200, json: { … } }));
//   const host = makeHost();
//   host.integration("crm", "hubspot", { "base-url": vendor.url }, "<map>…");
//   await test("it is the same", async () => {
//     await host.send([{ email: "ada@example.com" }]);
//     same(vendor.take(), vendor.take());
//   });
//   finish();

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync }
  from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const modules = resolve(process.env.top_builddir ?? ".", "tests", "interop");
const require = createRequire(join(modules, "x.js"));
const endings = [];
let n = 0;

function skip(why) {
  const isRequired = process.env.HERALD_INTEROP === "required";
  console.log(isRequired ? `1..1\nnot ok 1 - ${why}` : `1..0 # SKIP ${why}`);
  process.exit(isRequired ? 1 : 0);
}

// A package of npm; the whole test is skipped where it is not installed.
export function need(name) {
  if (!existsSync(join(modules, "node_modules", name)))
    skip(`${name} of npm is not installed`);
  return require(name);
}

// The whole test is skipped where that provider was not built.
export function needProvider(name) {
  if (!existsSync(join(process.env.HERALD_PLUGINS ?? ".", `${name}.so`)))
    skip(`the provider ${name} is not built`);
}

// A server that keeps what comes.  answer (request) returns { status,
// headers, json or body }.  tls: { key, cert } makes it https.
export async function record(answer, tls) {
  const kept = [];
  const handler = (incoming, response) => {
    const parts = [];
    incoming.on("data", (part) => parts.push(part));
    incoming.on("end", () => {
      const request = { method: incoming.method, path: incoming.url,
                        headers: incoming.headers,
                        body: Buffer.concat(parts) };
      kept.push(request);
      const { status = 200, headers = {}, json, body = "" } = answer(request);
      response.writeHead(status, json === undefined ? headers
        : { "Content-Type": "application/json", ...headers });
      response.end(json === undefined ? body : JSON.stringify(json));
    });
  };
  const server = tls ? createTlsServer(tls, handler) : createServer(handler);
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  endings.push(() => server.closeAllConnections());
  endings.push(() => server.close());
  const port = server.address().port;
  return {
    port, url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    // The oldest request not yet taken.
    take() {
      assert.ok(kept.length > 0, "no request came");
      return kept.shift();
    },
    get waiting() { return kept.length; },
    forget() { kept.length = 0; },
  };
}

export const json = (request) => JSON.parse(request.body.toString("utf8"));

// Path, method, authentication exactly; bodies as JSON.  headers: further
// ones that must be equal.  adapt (body) of the SDK's takes away what differs
// on purpose, which the test must explain.
export function same(ours, theirs, { headers = [], adapt = (x) => x } = {}) {
  assert.equal(ours.method, theirs.method);
  assert.equal(ours.path, theirs.path);
  for (const name of ["authorization", ...headers])
    assert.equal(ours.headers[name], theirs.headers[name], name);
  assert.deepEqual(json(ours), adapt(json(theirs)));
}

const xml = (text) => String(text).replace(/[&<>"]/g, (one) =>
  ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;" })[one]);

// A configuration of herald's in a directory of its own.
export function makeHost(caFile) {
  const root = mkdtempSync(join(tmpdir(), "herald-interop."));
  const conf = join(root, "etc", "conf.d");
  endings.push(() => rmSync(root, { recursive: true }));
  mkdirSync(conf, { recursive: true });
  writeFileSync(join(root, "etc", "herald.xml"), `\
<herald xmlns="urn:herald:config:1">
  <workspaces><workspace name="acme"/></workspaces>
  <network><allow cidr="127.0.0.0/8"/><allow-http/></network>
  ${caFile ? `<tls ca-file="${xml(caFile)}"/>` : ""}
</herald>
`, { mode: 0o644 });

  function run(args, input = "") {
    return new Promise((done, failed) => {
      const child = execFile(process.env.HERALD, [
        "--config", join(root, "etc"), "--state", root,
        "--plugins", process.env.HERALD_PLUGINS, ...args,
      ], { timeout: 120000 }, (error, out, err) =>
        error ? failed(new Error(`${error}\n${out}\n${err}`)) : done(out));
      child.stdin.end(input);
    });
  }

  return {
    root, run,
    // parts: <map> or <mail>, <delivery>.  Secrets may be among settings.
    integration(name, provider, settings, parts) {
      const rows = Object.entries(settings).map(([key, value]) =>
        `<setting name="${key}">${xml(value)}</setting>`);
      writeFileSync(join(conf, `${name}.xml`), `\
<integration xmlns="urn:herald:integration:1" name="${name}"
             provider="${provider}" enabled="true">
  <workspaces all="true"/>
  <settings>${rows.join("\n")}</settings>
  ${parts}
</integration>
`, { mode: 0o600 });
    },
    // One event for each data; all must be delivered.
    send(list) {
      return run(["send", "--json"], list.map((data, k) => JSON.stringify({
        specversion: "1.0", id: `event-${k}`, source: "/games/quiz",
        type: "game.played", workspace: "acme", data }) + "\n").join(""));
    },
    // What a mailer asks for before it sends.
    testMail(name, to = "operator@acme.example") {
      return run(["test", "--to", to, name]);
    },
  };
}

export async function test(name, body) {
  n++;
  try {
    await body();
    console.log(`ok ${n} - ${name}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`not ok ${n} - ${name}`);
    console.log(String(error.stack).replace(/^/gm, "# "));
  }
}

export function finish() {
  console.log(`1..${n}`);
  for (const end of endings)
    end();
}
