// Keys rotate under load, and no verifier notices: three replicas on one PostgreSQL behind a load balancer, and verifiers
// that keep the published keys as they always do: jwks-rsa, jose, PyJWT, Debian's mod_auth_openidc and our own API.
//
// usage: node rotation.mjs SEALWRIGHT API PYTHON APACHE WRK POSTGRES-URL SECONDS [POSTGRES-PID POSTGRES-COMMAND-AS-JSON]
//
// With the last two a replica and PostgreSQL itself are killed on the way, the latter for twenty seconds.

import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { createRemoteJWKSet, jwtVerify } from "jose";
import jwt from "jsonwebtoken";
import jwksClient from "jwks-rsa";
import { MOD_AUTH_OPENIDC, apache } from "./apache.mjs";
import { folder, freePort, isReady, start, startServer, stopWithUs } from "./started.mjs";
import { expect, judge, mustRefuse } from "./verdict.mjs";

const [, , sealwright, apiProgram, python, apacheProgram, wrk, ...rest] = process.argv;
const [postgresUrl, seconds, postgresPid, postgresCommand] = rest;
const RUN_MS = Number(seconds) * 1000;
const REPLICAS = 3;
/** Longer than the verifiers' cool-down of 30 s, which is what an announcement is for. */
const TIMINGS = { rotateEvery: "40s", publishLead: "32s", jwksMaxAge: "5s", evictGrace: "2s", poll: "1s" };
const TOKEN_MS = 30_000;
/** The verifiers know no skew, and on a busy machine a token waits for them. */
const BEFORE_EXPIRY_MS = 8_000;
const EVERY_MS = 40;
const AUDIENCE = "https://api.example.com";
const SECRET = randomBytes(24).toString("hex");
const BASIC = Buffer.from(`default_robot:${SECRET}`).toString("base64");
const CONNECTIONS = 4;

const distinct = new Set();
while (distinct.size < REPLICAS + 2) distinct.add(await freePort());
const ports = [...distinct];
const issuer = `http://127.0.0.1:${ports[0]}`;
const replicas = await startReplicas(ports.slice(2));
await balance(ports[0], ports[1]);
const openidc = await modAuthOpenidc(ports[1]);

const verifiers = {
  "jwks-rsa": byJwksRsa(),
  jose: byJose(),
  PyJWT: await byPyJwt(),
  mod_auth_openidc: openidc.verify,
  "our API": await byOurApi(),
};
const counts = Object.fromEntries(Object.keys(verifiers).map((name) => [name, { good: 0, bad: [] }]));
const tokens = [];
const kids = new Map();
const gaps = [];
let refusedIssues = 0;

await judge("keys rotate under load: every verifier accepts every token", async () => {
  const end = Date.now() + RUN_MS;
  const disturbed = postgresPid ? disturb() : Promise.resolve();
  const loaded = load();
  const waiting = new Set();
  while (Date.now() < end) {
    const asked = Date.now();
    const token = await issue();
    if (token) {
      gaps.push(Date.now() - asked);
      const { header, payload } = jwt.decode(token, { complete: true });
      tokens.push({ token, until: payload.exp * 1000 - BEFORE_EXPIRY_MS });
      const { kid } = header;
      kids.set(kid, (kids.get(kid) ?? 0) + 1);
    } else {
      refusedIssues += 1;
    }
    while (tokens.length > 0 && tokens[0].until < Date.now()) tokens.shift();
    // The newest, and one of any age: those of the key before must still be good.
    for (const chosen of new Set([tokens.at(-1), tokens[Math.floor(Math.random() * tokens.length)]]))
      for (const [name, verify] of Object.entries(verifiers)) {
        if (!chosen) continue;
        const verdict = verify(chosen.token).then(
          () => (counts[name].good += 1),
          (error) => counts[name].bad.push(`${new Date().toISOString()} ${error.message ?? error}`),
        );
        waiting.add(verdict);
        verdict.finally(() => waiting.delete(verdict));
      }
    if (waiting.size > 200) await Promise.all(waiting);
    await sleep(EVERY_MS);
  }
  await Promise.all(waiting);
  await disturbed;
  const { requests, refused, broken, p999Ms } = await loaded;
  if (!postgresPid) {
    expect(refusedIssues === 0, `${refusedIssues} times no token was issued`);
    expect(refused + broken === 0, `of ${requests} requests of the load ${refused} were refused, ${broken} broken off`);
  }
  const failures = Object.entries(counts).flatMap(([name, { bad }]) => bad.map((what) => `${name}: ${what}`));
  expect(failures.length === 0, `${failures.length} failed, such as ${failures.slice(0, 5).join("; ")}`);
  const least = Math.floor((RUN_MS / 1000 - 2) / 40) + 1;
  expect(kids.size >= least, `only ${kids.size} keys signed, not ${least}`);
  for (const [name, { good }] of Object.entries(counts)) expect(good > 100, `${name} saw ${good} tokens only`);
  gaps.sort((a, b) => a - b);
  const all = Object.entries(counts).map(([name, { good }]) => `${name} ${good}`);
  return (
    `${gaps.length} tokens of ${kids.size} keys, none refused by ${all.join(", ")}; ` +
    `issuing took ${gaps[Math.floor(gaps.length / 2)]} ms, at most ${gaps.at(-1)} ms; ${refusedIssues} times none was issued; ` +
    `beside a load of ${requests} tokens, ${refused} refused and ${broken} broken off, p99.9 ${p999Ms} ms`
  );
});

await judge("replicas agree on the set, and it has no private part", async () => {
  const sets = [];
  for (const { port } of replicas) sets.push(await (await fetch(`http://127.0.0.1:${port}/oauth2/jwks`)).text());
  expect(new Set(sets).size === 1, sets.join("\n"));
  for (const key of JSON.parse(sets[0]).keys) expect(key.d === undefined && key.alg && key.kid && key.use === "sig", sets[0]);
  return `${JSON.parse(sets[0]).keys.length} keys`;
});

await judge("mod_auth_openidc: refuses what it should, and says how it came by new keys", async () => {
  let token = await issue();
  for (const since = Date.now(); !token && Date.now() - since < 30_000; token = await issue()) await sleep(500);
  const [header, payload, signature] = token.split(".");
  // Its signature alone is wrong: no requirement looks at the id.
  const changed = Buffer.from(payload, "base64url").toString().replace('"jti":"tok_', '"jti":"tok-');
  expect(changed.includes("tok-"), changed);
  await mustRefuse("another payload", () =>
    openidc.verify(`${header}.${Buffer.from(changed).toString("base64url")}.${signature}`),
  );
  await mustRefuse("no token", () => openidc.verify(""));
  await openidc.verify(token);
  const refetched = openidc.log().split("doing a forced refresh").length - 1;
  expect(refetched > 0, "it never met a kid that it did not know");
  return `${refetched} times it met an unknown kid and fetched the set again`;
});

process.exit();

/** One token by client credentials; `undefined` where none is issued. */
async function issue() {
  try {
    const response = await fetch(`${issuer}/oauth2/token`, {
      method: "POST",
      headers: {
        authorization: `Basic ${BASIC}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: "grant_type=client_credentials",
      signal: AbortSignal.timeout(5_000),
    });
    return response.status === 200 ? (await response.json()).access_token : undefined;
  } catch {
    return undefined;
  }
}

/** Tokens that others ask for all the while, by wrk; what came of it. */
async function load() {
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "--latency", "-s", join(import.meta.dirname, "load.lua")];
  const child = stopWithUs(
    spawn(wrk, [...args, `${issuer}/oauth2/token`, "--", BASIC], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  await once(child, "close");
  return JSON.parse(text.trim().split("\n").at(-1));
}

function byJwksRsa() {
  const client = jwksClient({ jwksUri: `${issuer}/oauth2/jwks` });
  const key = ({ kid }, done) => client.getSigningKey(kid, (error, found) => done(error, found?.getPublicKey()));
  return (token) =>
    new Promise((resolve, reject) => {
      const expected = { algorithms: ["ES256"], issuer, audience: AUDIENCE };
      jwt.verify(token, key, expected, (error, claims) => (error ? reject(error) : resolve(claims)));
    });
}

function byJose() {
  const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`));
  return (token) => jwtVerify(token, keys, { algorithms: ["ES256"], issuer, audience: AUDIENCE, typ: "at+jwt" });
}

/** PyJWT in a process of its own: a token a line in, `ok` or why not a line out. */
async function byPyJwt() {
  const script = `
import sys, jwt
client = jwt.PyJWKClient(sys.argv[1])
for line in sys.stdin:
    token = line.strip()
    try:
        key = client.get_signing_key_from_jwt(token)
        jwt.decode(token, key, algorithms=["ES256"], issuer=sys.argv[2], audience=sys.argv[3])
        print("ok", flush=True)
    except Exception as error:
        print(repr(error), flush=True)
`;
  const args = ["-c", script, `${issuer}/oauth2/jwks`, issuer, AUDIENCE];
  const child = stopWithUs(spawn(python, args, { stdio: ["pipe", "pipe", "inherit"] }));
  const asked = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { resolve, reject } = asked.shift();
    if (line === "ok") resolve();
    else reject(new Error(line));
  });
  return (token) =>
    new Promise((resolve, reject) => {
      asked.push({ resolve, reject });
      child.stdin.write(`${token}\n`);
    });
}

async function byOurApi() {
  const api = await start(apiProgram, [], { ISSUER: issuer, AUDIENCE });
  return (token) => mustPass(`${api.url}/`, token);
}

/** mod_auth_openidc with its own settings for keys. It takes them over TLS only, so that the balancer has a door for it. */
async function modAuthOpenidc(tlsPort) {
  const asked = [`iss:${issuer}`, `aud:${AUDIENCE}`].map((claim) => `Require claim ${claim}`);
  const server = await apache(
    apacheProgram,
    MOD_AUTH_OPENIDC,
    { "/": ["<RequireAll>", ...asked, "</RequireAll>"] },
    [
      `OIDCOAuthVerifyJwksUri https://127.0.0.1:${tlsPort}/oauth2/jwks`,
      "# The certificate is made for this run.",
      "OIDCOAuthSSLValidateServer Off",
      "OIDCOAuthRemoteUserClaim sub",
    ],
  );
  return { verify: (token) => mustPass(`${server.url}/`, token), log: server.log };
}

async function mustPass(url, token) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const answer = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${answer}`);
}

/** Kills a replica, and PostgreSQL for twenty seconds; both come back. */
async function disturb() {
  await sleep(RUN_MS / 4);
  await replicas[0].kill();
  await sleep(5_000);
  await replicas[0].start();
  await sleep(RUN_MS / 4);
  process.kill(Number(postgresPid), "SIGKILL");
  await sleep(20_000);
  const [program, ...args] = JSON.parse(postgresCommand);
  // Who started the server has not noticed its end, so that its number still looks taken.
  rmSync(join(args[args.indexOf("-D") + 1], "postmaster.pid"));
  // Not in our folder, into which its user cannot look.
  const again = stopWithUs(spawn(program, args, { cwd: "/", stdio: "ignore" }));
  await sleep(3_000);
  expect(again.exitCode === null, "PostgreSQL did not start again");
}

async function startReplicas(listening) {
  const private_ = { mode: 0o600 };
  const root = join(folder, "rotation");
  mkdirSync(root, { mode: 0o700 });
  writeFileSync(join(root, "kek"), randomBytes(32).toString("base64url"), private_);
  writeFileSync(join(root, "robot.secret"), SECRET, private_);
  writeFileSync(join(root, "postgres.url"), postgresUrl, private_);
  const timings = Object.entries(TIMINGS).map(([name, value]) => `    ${name}: ${value}`);
  const started = [];
  for (const [i, port] of listening.entries()) {
    const file = join(root, `replica-${i}.yaml`);
    writeFileSync(
      file,
      `apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata: {name: main, labels: {env: rotation}}
spec:
  issuerURI: ${issuer}
  listen: 127.0.0.1:${port}
  tokenSignature:
    algorithms: [ES256]
    keysDir: keys
${timings.join("\n")}
  token: {accessToken: {expiry: ${TOKEN_MS / 1000}s}}
  storage: {postgres: {url: {file: postgres.url}}}
  secrets: {kek: [{id: k1, file: kek}]}
  acknowledge: [unsafeIssuerUri, unsafeKeyTimings]
---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {name: robot}
spec:
  authServerSelector: {matchLabels: {env: rotation}}
  authorizationGrantTypes: [client_credentials]
  clientSecret: {file: robot.secret}
  audiences: ["${AUDIENCE}"]
`,
    );
    started.push(await startReplica(file, port));
  }
  return started;
}

async function startReplica(file, port) {
  const replica = { port, ready: false };
  replica.start = async () => {
    replica.child = await startServer(sealwright, file, `http://127.0.0.1:${port}`);
  };
  replica.kill = async () => {
    replica.child.kill("SIGKILL");
    await once(replica.child, "exit");
  };
  await replica.start();
  return replica;
}

/** What stands in front of the replicas: one after the other, of those that are ready; if none is, of all. */
async function balance(port, tlsPort) {
  const look = async () => {
    for (const replica of replicas) replica.ready = await isReady(`http://127.0.0.1:${replica.port}`);
  };
  await look();
  setInterval(look, 500).unref();
  let turn = 0;
  const forward = (socket) => {
    const ready = replicas.filter((replica) => replica.ready);
    const among = ready.length > 0 ? ready : replicas;
    turn += 1;
    const behind = connect(among[turn % among.length].port, "127.0.0.1");
    socket.pipe(behind).pipe(socket);
    for (const [one, other] of [[socket, behind], [behind, socket]]) one.on("error", () => other.destroy());
  };
  await once(createServer(forward).listen(port, "127.0.0.1"), "listening");
  await once(createTlsServer(certificate(), forward).listen(tlsPort, "127.0.0.1"), "listening");
}

/** A key and a certificate that nobody trusts. */
function certificate() {
  const [keyout, out] = ["balancer.key", "balancer.crt"].map((name) => join(folder, name));
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  execFileSync("openssl", [...made, "-subj", "/CN=127.0.0.1", "-keyout", keyout, "-out", out], { stdio: "pipe" });
  return { key: readFileSync(keyout), cert: readFileSync(out) };
}
