// Debian's mod_oauth2 and npm's express-oauth2-jwt-bearer judge the requests that our API judges, with tokens of npm's
// oidc-provider. Where a judge comes to another verdict, the table below says which sentence of a standard explains it.
//
// usage: node judges.mjs API APACHE

import { request as send } from "node:http";
import express from "express";
import { auth } from "express-oauth2-jwt-bearer";
import { MOD_OAUTH2, apache } from "./apache.mjs";
import { DIFFERENCES } from "./differences.mjs";
import { API, issuer as startIssuer } from "./issuer.mjs";
import { bearerRequests, dpopRequests } from "./requests.mjs";
import { listen, start } from "./started.mjs";
import { expect, judge } from "./verdict.mjs";

const [, , ourApi, apacheProgram] = process.argv;
const CRASHED = "crashed";

const issuer = await startIssuer();
const requests = [...(await bearerRequests(issuer)), ...(await dpopRequests(issuer))];
const { url: ours } = await start(ourApi, [], { ISSUER: issuer.url, AUDIENCE: API });
const judges = { mod_oauth2: await modOauth2(), "express-oauth2-jwt-bearer": await expressBearer() };

const differences = {};
for (const { name, ours: expected, at, make } of requests) {
  await judge(`ours: ${name}`, async () => {
    const answer = await ask(`${ours}/${at}/`, make);
    expect(answer === expected, `${answer}, not ${expected}`);
    return answer;
  });
  for (const [who, url] of Object.entries(judges)) {
    const answer = await ask(`${url}/${at}/`, make);
    if (verdict(answer) !== verdict(expected)) (differences[who] ??= new Map()).set(name, answer);
  }
}

for (const who of Object.keys(judges)) {
  await judge(`${who}: comes to our verdict, but where a standard explains it`, async () => {
    const found = differences[who] ?? new Map();
    const known = new Map(DIFFERENCES.filter(({ judge }) => judge === who).map(({ request, why }) => [request, why]));
    const names = new Set(requests.map(({ name }) => name));
    const faults = [
      ...[...known.keys()].filter((name) => !names.has(name)).map((name) => `there is no request "${name}"`),
      ...[...found].filter(([name]) => !known.has(name)).map(([name, answer]) => `not explained: ${name}: ${answer}`),
      ...[...known.keys()].filter((name) => !found.has(name)).map((name) => `no difference any more: ${name}`),
    ];
    expect(faults.length === 0, faults.join("\n"));
    return `${requests.length} requests, ${found.size} differences, each explained`;
  });
}

process.exit();

/** To crash is not to refuse: it is a verdict of its own. */
function verdict(answer) {
  if (answer === CRASHED) return answer;
  return answer === "200" ? "accepted" : "refused";
}

/** The status, and the error that the challenge names; or that the connection ended without an answer. */
async function ask(url, make) {
  const exchange = async ({ method = "GET", query = "", headers = [] }) => {
    const response = await new Promise((resolve, reject) => {
      // Flat, so that a header can be sent twice.
      const flat = ["host", new URL(url).host, ...headers.flat()];
      if (method === "POST") flat.push("content-length", "0");
      send(url + query, { method, headers: flat, agent: false }, resolve).once("error", reject).end();
    }).catch((error) => {
      if (error.code === "ECONNRESET") return null;
      throw error;
    });
    if (!response) return CRASHED;
    response.resume();
    const error = String(response.headers["www-authenticate"] ?? "").match(/error="([a-z_]+)"/)?.[1];
    return error ? `${response.statusCode} ${error}` : String(response.statusCode);
  };
  return exchange(await make(url, exchange));
}

/** mod_oauth2, once for bearer tokens and once for bound ones, since it takes one kind in one place. */
function modOauth2() {
  const options = "verify.exp=required&verify.iat=required&verify.iat.slack_before=3600";
  const verify = `OAuth2TokenVerify jwks_uri ${issuer.jwksUri} ${options}`;
  const required = [`iss:${issuer.url}`, `aud:${API}`].map((claim) => `Require oauth2_claim ${claim}`);
  const claims = ["<RequireAll>", ...required, "</RequireAll>"];
  return apache(apacheProgram, MOD_OAUTH2, {
    "/bearer/": [verify, ...claims],
    "/dpop/": ["OAuth2AcceptTokenIn header name=Authorization&type=DPoP", `${verify}&type=dpop`, ...claims],
  }).then(({ url }) => url);
}

/** The middleware as its documentation sets it up, with RFC 9068 asked for. */
function expressBearer() {
  const app = express();
  const { url, jwksUri } = issuer;
  const strict = { audience: API, tokenSigningAlg: "ES256", strict: true, clockTolerance: 60 };
  app.use(auth({ issuer: url, jwksUri, ...strict }));
  app.use((request, response) => response.send("accepted\n"));
  app.use((error, request, response, next) => response.status(error.status ?? 500).set(error.headers ?? {}).end());
  return listen(app);
}
