// fast-jwt with tokens that it has seen before, as a candidate of the driver: one line each way, as `house/src/serve.rs` says.
// Usage: cached.mjs FIXTURE

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { createVerifier } from "fast-jwt";

const fixture = JSON.parse(readFileSync(process.argv[2], "utf8"));
const BATCH_NS = 500_000n;
// Longer than the others': code that runs often is compiled again.
const WARM_UP_NS = 500_000_000n;

const operations = new Map();
for (const alg of ["RS256", "PS256", "ES256", "ES384", "EdDSA"]) {
  const { public_pem: key, token } = fixture.algs[alg];
  const verify = createVerifier({
    key,
    algorithms: [alg],
    allowedIss: fixture.issuer,
    allowedAud: fixture.audience,
    requiredClaims: ["exp", "nbf"],
    checkTyp: "JWT",
    cache: true,
  });
  operations.set(`hit/${alg}/cached`, () => verify(token));
}

function time(operation, times) {
  const started = process.hrtime.bigint();
  for (let n = 0; n < times; n++) operation();
  return process.hrtime.bigint() - started;
}

function calibrate(operation) {
  let times = 1;
  for (let spent = 0n; ; times *= 2) {
    let took = time(operation, times);
    spent += took;
    if (spent < WARM_UP_NS) continue;
    return (BATCH_NS * BigInt(times)) / took || 1n;
  }
}

function answer([question, name, times]) {
  if (question === "list") return [...operations.keys()].join(" ");
  const operation = operations.get(name);
  if (question === "calibrate") return calibrate(operation);
  // The process was asleep while others ran: the first call would pay for its caches.
  time(operation, 1);
  return time(operation, Number(times));
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${answer(line.split(" "))}\n`);
}
