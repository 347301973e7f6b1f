// smtp-server.mjs - nodemailer's smtp-server, as test-smtp-servers.py needs it.
// SPDX-License-Identifier: MIT
//
//   node smtp-server.mjs CERTIFICATES DIRECTORY
//
// Prints {"listener": port, ...} and ends when standard input does.  What
// each listener is: tests/e2e/test-smtp-servers.py.

import { createRequire } from "node:module";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const require = createRequire(
  resolve(process.env.top_builddir ?? ".", "tests/interop", "x.js"));
const { SMTPServer } = require("smtp-server");

const [certificates, directory] = process.argv.slice(2);
let count = 0;

function pem(name) {
  return {
    key: readFileSync(join(certificates, `${name}.key`)),
    cert: readFileSync(join(certificates, `${name}.pem`)),
  };
}

function problem(code, text) {
  return Object.assign(new Error(text), { responseCode: code });
}

const common = {
  onAuth(auth, session, done) {
    if (auth.username === "herald" && auth.password === "sandbox")
      done(null, { user: `${auth.method} ${auth.username}` });
    else
      done(problem(535, "5.7.8 wrong login"));
  },
  onRcptTo(address, session, done) {
    done(address.address.startsWith("refuse@")
      ? problem(550, "5.1.1 no such mailbox") : undefined);
  },
  onData(stream, session, done) {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("end", () => {
      const name = join(directory, `${++count}`);
      writeFileSync(`${name}.eml`, Buffer.concat(parts));
      writeFileSync(`${name}.new`, JSON.stringify({
        from: session.envelope.mailFrom.address,
        to: session.envelope.rcptTo.map((one) => one.address),
        mechanism: (session.user ?? "").split(" ")[0],
        tls: session.secure,
        connection: session.id,
      }));
      renameSync(`${name}.new`, `${name}.json`);
      done(null, "2.0.0 kept");
    });
  },
};

const listeners = {
  plain: { ...pem("server"), authMethods: ["PLAIN"] },
  login: { ...pem("server"), authMethods: ["LOGIN"] },
  tls: { ...pem("server"), authMethods: ["PLAIN"], secure: true },
  stranger: { ...pem("stranger"), authMethods: ["PLAIN"] },
  bare: { authOptional: true, disabledCommands: ["AUTH", "STARTTLS"] },
};

const servers = Object.entries(listeners).map(([name, options]) => {
  const server = new SMTPServer({ ...common, ...options });
  server.on("error", () => {});         // of a client's connection
  return new Promise((ready) => {
    server.listen(0, "127.0.0.1", () =>
      ready([name, server.server.address().port]));
  });
});

console.log(JSON.stringify(Object.fromEntries(await Promise.all(servers))));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
