// vendors.mjs - events to the receiver of the bench, by the vendors' own SDKs.
// SPDX-License-Identifier: MIT
//
//   node vendors.mjs hubspot|sendgrid MODULES URL EVENTS COUNT BATCH IN-FLIGHT
//
// Does what herald does: read the events, make of each what its mapping
// makes, send so many a call with so many calls at a time, and see that each
// was taken.

import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [vendor, modules, url, path, ...numbers] = process.argv.slice(2);
const [count, batch, inFlight] = numbers.map(Number);
const require = createRequire(join(modules, "x.js"));

const fields = ["email", "firstName", "lastName", "town", "countryCode",
                "locale", "id", "score", "timeTaken", "optinNewsletter",
                "prizeTitle", "customText"];
const values = (data, write) => Object.fromEntries(
  fields.map((name) => [name, write(data[name])]));

const makers = {
  hubspot() {
    const { Client } = require("@hubspot/api-client");
    const client = new Client({ accessToken: "pat-na1-of-the-bench",
                                basePath: url });
    return async (events) => {
      const reply = await client.crm.contacts.batchApi.upsert({
        inputs: events.map(({ id, data }) => ({
          id: data.email.toLowerCase(), idProperty: "email",
          objectWriteTraceId: id,
          properties: values(data, String) })) });
      const taken = new Map(reply.results.map(
        (one) => [one.objectWriteTraceId, one.id]));
      return events.filter(({ id }) => taken.has(id)).length;
    };
  },

  sendgrid() {
    const { Client } = require("@sendgrid/client");
    const { MailService } = require("@sendgrid/mail");
    const client = new Client();
    const mail = new MailService();
    client.setApiKey("SG.of-the-bench");
    client.setDefaultRequest("baseUrl", url);
    mail.setClient(client);
    return async (events) => {
      const [reply] = await mail.send({
        from: { name: "Acme Games", email: "play@acme.example" },
        templateId: "d-0123456789abcdef",
        personalizations: events.map(({ id, data }) => ({
          to: [{ email: data.email }], customArgs: { delivery: id },
          dynamicTemplateData: values(data, (value) => value) })) });
      return reply.statusCode === 202 ? events.length : 0;
    };
  },
};

const call = makers[vendor]();
const running = new Set();
let waiting = [];
let taken = 0;

async function send() {
  const events = waiting;
  waiting = [];
  while (running.size >= inFlight)
    await Promise.race(running);
  const one = call(events).then((number) => {
    taken += number;
    running.delete(one);
  });
  running.add(one);
}

for await (const line of createInterface({ input: createReadStream(path) })) {
  waiting.push(JSON.parse(line));
  if (waiting.length === batch)
    await send();
}
if (waiting.length > 0)
  await send();
await Promise.all(running);
if (taken !== count) {
  console.error(`${taken} of ${count} were taken`);
  process.exit(1);
}
