// The tutorial pair in three pairings: our token service with an API on express, jsonwebtoken and jwks-rsa; a token service
// on express and node-jose with our API; and ours with ours, while the keys change.
//
// usage: node pairs.mjs TOKEN-SERVICE PROTECTED-API

import { createHmac, randomUUID } from "node:crypto";
import express from "express";
import jwt from "jsonwebtoken";
import jwksClient from "jwks-rsa";
import nodeJose from "node-jose";
import { listen, start } from "./started.mjs";
import { expect, judge } from "./verdict.mjs";

const [, , tokenService, protectedApi] = process.argv;
const LIFETIME_S = 20 * 60;
/** How long each key signs in the last pairing. The API meets both kinds of new key: announced before, and unknown. */
const ROTATE_S = 6;
const RUN_MS = 17_000;
const EVERY_MS = 25;

const nodeService = await ourNodeService();
const ours = await start(tokenService, [], { JWKPORT: "0", ROTATE_S: "86400" });
const passwords = Object.fromEntries(
  ours.lines.flatMap((line) => {
    const found = line.match(/^made the user (\S+) with the password (\S+)$/);
    return found ? [found.slice(1)] : [];
  }),
);

await judge("our token service: a login by JSON and by form", async () => {
  for (const [kind, userName, role] of [["json", "Jane", "write"], ["form", "John", "read"]]) {
    const { status, body } = await logIn(ours.url, userName, passwords[userName], kind);
    expect(status === 200 && Object.keys(body).join() === "jwt", `${status} ${JSON.stringify(body)}`);
    const { header, payload } = jwt.decode(body.jwt, { complete: true });
    const { sessionId, jti, iat, nbf, exp, ...rest } = payload;
    expect(JSON.stringify(rest) === JSON.stringify({ role }), JSON.stringify(payload));
    expect(sessionId.length >= 20 && jti.length >= 20 && sessionId !== jti, JSON.stringify(payload));
    expect(exp - iat === LIFETIME_S && nbf === iat && Math.abs(Date.now() / 1000 - iat) < 5, JSON.stringify(payload));
    expect(header.alg === "RS256" && header.kid, JSON.stringify(header));
  }
});

await judge("our token service: what is no login", async () => {
  const refused = async (status, answer) => {
    expect(answer.status === status, `${answer.status} ${JSON.stringify(answer.body)}, not ${status}`);
    if (status === 401) expect(answer.body.message === "credentials not correct", JSON.stringify(answer.body));
  };
  await refused(401, await logIn(ours.url, "Jane", passwords.John));
  await refused(401, await logIn(ours.url, "jane", passwords.Jane));
  await refused(401, await logIn(ours.url, "' OR 1=1 --", passwords.Jane, "form"));
  await refused(401, await logIn(ours.url, "Nobody", passwords.Jane));
  await refused(401, await post(ours.url, "application/json", "{}"));
  await refused(401, await post(ours.url, "application/json", '{"userName":["Jane"],"password":{}}'));
  await refused(400, await post(ours.url, "application/json", "{"));
  await refused(415, await post(ours.url, "text/plain", "userName=Jane"));
});

await judge("our token service: its key set has public keys only", async () => {
  const { status, body } = await get(`${ours.url}/.well-known/jwks.json`);
  expect(status === 200 && body.keys.length === 2, JSON.stringify(body));
  for (const key of body.keys) {
    expect(Object.keys(key).sort().join() === "alg,e,kid,kty,n,use", Object.keys(key).join());
    expect(key.alg === "RS256" && key.use === "sig", JSON.stringify(key));
  }
});

await judge("our token service, an API on express, jsonwebtoken and jwks-rsa", async () => {
  const api = await nodeApi(`${ours.url}/.well-known/jwks.json`);
  const { body } = await logIn(ours.url, "Jane", passwords.Jane);
  await accepted(api, body.jwt, "write");
  await eachRefused(api, { ...damaged(body.jwt), "another service's": await nodeService.token() });
});

await judge("a token service on express and node-jose, our API", async () => {
  const api = await start(protectedApi, [], { PORT: "0", JWKS_SERVER: `${nodeService.url}/.well-known/jwks.json` });
  const { body } = await logIn(nodeService.url, "Jane", "pass123");
  await accepted(api.url, body.jwt, "write");
  const { body: foreign } = await logIn(ours.url, "Jane", passwords.Jane);
  const keys = await get(`${nodeService.url}/.well-known/jwks.json`);
  const now = Math.floor(Date.now() / 1000);
  await eachRefused(api.url, {
    ...damaged(body.jwt),
    "another service's": foreign.jwt,
    "expired a minute and a half ago": await nodeService.token({ exp: now - 90 }),
    "valid in five minutes": await nodeService.token({ nbf: now + 300 }),
    "without an end": await nodeService.token({ exp: undefined }),
    "an end that is no number": await nodeService.token({ exp: "tomorrow" }),
    "signed with the public key as a secret": confused(body.jwt, keys.body),
  });
});

await judge("ours with ours: the keys change under load, and no request fails", async () => {
  const service = await start(tokenService, [], { JWKPORT: "0", ROTATE_S: String(ROTATE_S) });
  // The users are there already: the passwords are those of the first start.
  expect(service.lines.length === 1, service.lines.join("\n"));
  const api = await start(protectedApi, [], { PORT: "0", JWKS_SERVER: `${service.url}/.well-known/jwks.json` });
  const kids = new Set();
  const failures = [];
  const tokens = [];
  let answered = 0;
  const renew = async () => {
    const { status, body } = await logIn(service.url, "Jane", passwords.Jane);
    expect(status === 200, `a login failed: ${status}`);
    kids.add(jwt.decode(body.jwt, { complete: true }).header.kid);
    tokens.push(body.jwt);
  };
  await renew();
  const waiting = [];
  const end = Date.now() + RUN_MS;
  for (let round = 0; Date.now() < end; round += 1) {
    if (round % 10 === 0) waiting.push(renew());
    // The newest token, and one of any age.
    for (const token of [tokens.at(-1), tokens[round % tokens.length]])
      waiting.push(
        get(`${api.url}/api/v1/protected`, { authorization: token }).then(({ status }) => {
          answered += 1;
          if (status !== 200) failures.push(status);
        }),
      );
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await Promise.all(waiting);
  const { body } = await get(`${service.url}/.well-known/jwks.json`);
  const published = new Set(body.keys.map(({ kid }) => kid));
  expect(kids.size >= 3, `only ${kids.size} keys signed`);
  expect([...kids].every((kid) => published.has(kid)), "a key was withdrawn while its tokens live");
  expect(failures.length === 0, `${failures.length} of ${answered} failed: ${[...new Set(failures)].join()}`);
  return `${answered} requests, ${tokens.length} tokens, ${kids.size} keys, none failed`;
});

process.exit();

/** The API of the tutorial, on its libraries. */
async function nodeApi(jwksUri) {
  const client = jwksClient({ jwksUri });
  const key = ({ kid }, done) => client.getSigningKey(kid, (error, found) => done(error, found?.getPublicKey()));
  const app = express();
  app.get("/api/v1/protected", (request, response) => {
    const token = request.get("authorization");
    if (!token) return response.status(401).json({ message: "no token" });
    jwt.verify(token, key, { algorithms: ["RS256"] }, (error, user) =>
      error ? response.status(403).json({ message: "no" }) : response.json({ message: "yes", user }),
    );
  });
  return listen(app);
}

/** The token service of the tutorial, on its libraries; it also makes tokens with other claims. */
async function ourNodeService() {
  const store = nodeJose.JWK.createKeyStore();
  const key = await store.generate("RSA", 2048, { use: "sig", alg: "RS256" });
  const users = new Map([["Jane", { password: "pass123", role: "write" }]]);
  const token = (claims = {}) => {
    const iat = Math.floor(Date.now() / 1000);
    const all = { sessionId: randomUUID(), role: "write", exp: iat + LIFETIME_S, iat, nbf: iat, jti: randomUUID(), ...claims };
    return nodeJose.JWS.createSign({ alg: "RS256", format: "compact" }, key).update(JSON.stringify(all), "utf8").final();
  };
  const app = express();
  app.use(express.json(), express.urlencoded({ extended: false }));
  app.post("/api/v1/auth", async (request, response) => {
    const user = users.get(request.body.userName);
    if (user?.password !== request.body.password) return response.status(401).json({ message: "no" });
    response.json({ jwt: await token({ role: user.role }) });
  });
  app.get("/.well-known/jwks.json", (request, response) => response.json(store.toJSON()));
  return { url: await listen(app), token };
}

async function accepted(api, token, role) {
  const { status, body } = await get(`${api}/api/v1/protected`, { authorization: token });
  expect(status === 200 && body.user.role === role, `${status} ${JSON.stringify(body)}`);
  expect(body.user.jti === jwt.decode(token).jti, "another token's claims");
}

async function eachRefused(api, tokens) {
  const missing = await get(`${api}/api/v1/protected`);
  expect(missing.status === 401 && missing.body.message, `no token: ${missing.status} ${JSON.stringify(missing.body)}`);
  for (const [what, token] of Object.entries(tokens)) {
    const { status, body } = await get(`${api}/api/v1/protected`, { authorization: token });
    expect(status === 403 && body.message && !body.user, `${what}: ${status} ${JSON.stringify(body)}`);
  }
}

/** What nobody may take for the token. */
function damaged(token) {
  const [header, payload, signature] = token.split(".");
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { ...JSON.parse(Buffer.from(payload, "base64url")), role: "admin" };
  const named = JSON.parse(Buffer.from(header, "base64url"));
  return {
    "with other claims": [header, encoded(claims), signature].join("."),
    "without a signature": `${header}.${payload}.`,
    "with alg none": `${encoded({ ...named, alg: "none" })}.${payload}.`,
    "with an unknown kid": [encoded({ ...named, kid: "another" }), payload, signature].join("."),
    "cut short": token.slice(0, -10),
    "no token at all": "nonsense",
  };
}

/** The public key taken for the secret of an HMAC. */
function confused(token, { keys: [jwk] }) {
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encoded({ alg: "HS256", kid: jwk.kid })}.${token.split(".")[1]}`;
  return `${input}.${createHmac("sha256", JSON.stringify(jwk)).update(input).digest("base64url")}`;
}

function logIn(service, userName, password, kind = "json") {
  const login = { userName, password };
  return kind === "json"
    ? post(service, "application/json", JSON.stringify(login))
    : post(service, "application/x-www-form-urlencoded", String(new URLSearchParams(login)));
}

async function post(service, type, body) {
  return answer(await fetch(`${service}/api/v1/auth`, { method: "POST", headers: { "content-type": type }, body }));
}

async function get(url, headers = {}) {
  return answer(await fetch(url, { headers }));
}

async function answer(response) {
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: text };
  }
}
