// Long runs against the demo's servers, each bounded: one token sent many times at once, and a flood of bad tokens.
//
// usage: node soak.mjs DEMO.json

import { readFileSync } from "node:fs";
import { randomInt } from "node:crypto";
import { Portal } from "./portal.mjs";
import { logIn } from "./pages.mjs";
import { expect, judge, readDemo } from "./verdict.mjs";

const RACES = 3;
const RUNNERS = 200;
const FLOOD = 20_000;
const AT_ONCE = 50;

const demo = readDemo();
const lease = { name: "lease.txt", mediaType: "text/plain", bytes: Buffer.from("The tenant may keep one cat.\n") };

for (let race = 1; race <= RACES; race += 1) {
  await judge(`race ${race}: one token, sent ${RUNNERS} times at once, signs once`, async () => {
    const token = await freshToken();
    const started = performance.now();
    const portal = new Portal(demo, lease);
    const answers = await Promise.all(Array.from({ length: RUNNERS }, () => portal.sign(token)));
    const by = grouped(answers);
    const counts = Object.entries(by).map(([status, list]) => `${list.length} × ${status}`).join(", ");
    expect(by[200]?.length === 1 && by[409]?.length === RUNNERS - 1, counts);
    expect(by[409].every(({ body }) => body.code === "token_replayed"), "another code than token_replayed");
    return `${counts} in ${Math.round(performance.now() - started)} ms`;
  });
}

await judge(`flood: ${FLOOD} damaged tokens, each refused alike`, async () => {
  const token = readFileSync(demo.files.token, "utf8").trim();
  const latencies = [];
  let left = FLOOD;
  const started = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    const portal = new Portal(demo, lease);
    while (left > 0) {
      left -= 1;
      const damaged = damage(token);
      const sent = performance.now();
      const { status, body } = await portal.sign(damaged);
      latencies.push(performance.now() - sent);
      expect(status === 401 && body.code === "token_invalid", `${status} ${JSON.stringify(body)} for ${damaged}`);
    }
  }));
  latencies.sort((a, b) => a - b);
  const at = (part) => latencies[Math.floor((latencies.length - 1) * part)].toFixed(1);
  const rate = Math.round(latencies.length / ((performance.now() - started) / 1000));
  return `${rate} a second, ${AT_ONCE} at once; median ${at(0.5)} ms, 99 % ${at(0.99)} ms, most ${at(1)} ms`;
});

await judge("afterwards both servers are ready", async () => {
  for (const server of Object.values(demo.servers)) {
    const { status } = await fetch(`${server}/readyz`);
    expect(status === 200, `${status} from ${server}`);
  }
});

async function freshToken() {
  const portal = new Portal(demo, lease);
  await portal.listen();
  try {
    const problem = await portal.challenge();
    await logIn(problem.context.authorize_url, demo.user);
    const { status, body } = await portal.redeem(await portal.code());
    expect(status === 200, `${status} ${JSON.stringify(body)}`);
    return body.access_token;
  } finally {
    portal.close();
  }
}

/** One change that a header field can carry: a character, a cut, a part twice, a part elsewhere. */
function damage(token) {
  const at = 1 + randomInt(token.length - 1);
  switch (randomInt(5)) {
    case 0: {
      const other = token[at] === "A" ? "B" : "A";
      // The last character of a part may hold bits that mean nothing; a strict reader refuses those too.
      return token.slice(0, at) + other + token.slice(at + 1);
    }
    case 1:
      return token.slice(0, at);
    case 2:
      return token.slice(0, at) + token.slice(Math.max(0, at - 7));
    case 3:
      return token.split(".").reverse().join(".");
    default:
      return `${token}${".=~-_A"[randomInt(6)]}`;
  }
}

function grouped(answers) {
  const by = {};
  for (const answer of answers) (by[answer.status] ??= []).push(answer);
  return by;
}
