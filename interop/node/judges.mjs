// Debian's mod_oauth2 and npm's express-oauth2-jwt-bearer judge the requests that our API judges, with tokens of npm's
// oidc-provider. Where a judge comes to another verdict, or refuses by another status, scheme or error, the tables of
// differences.mjs say which sentence of a standard explains it.
//
// usage: node judges.mjs API APACHE

import { request as send } from "node:http";
import express from "express";
import { auth } from "express-oauth2-jwt-bearer";
import { MOD_OAUTH2, apache } from "./apache.mjs";
import { ANSWERS, VERDICTS } from "./differences.mjs";
import { API, issuer as startIssuer } from "./issuer.mjs";
import { bearerRequests, dpopRequests } from "./requests.mjs";
import { listen, start } from "./started.mjs";
import { expect, judge } from "./verdict.mjs";

const [, , ourApi, apacheProgram] = process.argv;
const CRASHED = "crashed";
/** What explains a difference begins with where it stands. */
const CITES = /^RFC \d+ section [\d.]+/;

const issuer = await startIssuer();
const requests = [...(await bearerRequests(issuer)), ...(await dpopRequests(issuer))];
const { url: ours } = await start(ourApi, [], { ISSUER: issuer.url, AUDIENCE: API });
const judges = { mod_oauth2: await modOauth2(), "express-oauth2-jwt-bearer": await expressBearer() };

const found = Object.fromEntries(Object.keys(judges).map((who) => [who, { verdicts: new Map(), answers: new Map() }]));
for (const { name, ours: expected, at, make } of requests) {
  await judge(`ours: ${name}`, async () => {
    const answer = await ask(`${ours}/${at}/`, make);
    expect(answer === expected, `${answer}, not ${expected}`);
    return answer;
  });
  for (const [who, url] of Object.entries(judges)) {
    const answer = await ask(`${url}/${at}/`, make);
    const { verdicts, answers } = found[who];
    if (verdict(answer) !== verdict(expected)) verdicts.set(name, answer);
    else if (answer !== expected) answers.set(name, pair(expected, answer));
  }
}

for (const who of Object.keys(judges)) {
  const { verdicts, answers } = found[who];
  await judge(`${who}: comes to our verdict, but where a standard explains it`, async () => {
    const known = VERDICTS[who];
    const names = new Set(requests.map(({ name }) => name));
    const faults = [
      ...Object.keys(known).filter((name) => !names.has(name)).map((name) => `there is no request "${name}"`),
      ...[...verdicts].filter(([name]) => !(name in known)).map(([name, answer]) => `not explained: ${name}: ${answer}`),
      ...Object.keys(known).filter((name) => !verdicts.has(name)).map((name) => `no difference any more: ${name}`),
      ...Object.entries(known).filter(([, why]) => !CITES.test(why)).map(([name]) => `no standard is named: ${name}`),
    ];
    expect(faults.length === 0, faults.join("\n"));
    return `${requests.length} requests, ${verdicts.size} differences, each explained`;
  });
  await judge(`${who}: refuses by our status, scheme and error, but where a standard explains it`, async () => {
    const known = new Map(ANSWERS[who].map(([ours, theirs, why]) => [pair(ours, theirs), why]));
    const seen = new Set(answers.values());
    const faults = [
      ...[...answers].filter(([, pair]) => !known.has(pair)).map(([name, pair]) => `not explained: ${name}: ${pair}`),
      ...[...known.keys()].filter((pair) => !seen.has(pair)).map((pair) => `no difference any more: ${pair}`),
      ...[...known].filter(([, why]) => !CITES.test(why)).map(([pair]) => `no standard is named: ${pair}`),
    ];
    expect(faults.length === 0, faults.join("\n"));
    return `${answers.size} answers differ, in ${known.size} ways, each explained`;
  });
}

process.exit();

/** Two answers to one request, as the table of answers has them. */
function pair(ours, theirs) {
  return `${ours} here, ${theirs} there`;
}

/** To crash is not to refuse: it is a verdict of its own. */
function verdict(answer) {
  if (answer === CRASHED) return answer;
  return answer === "200" ? "accepted" : "refused";
}

/** The status, and each challenge with the error in it; or that the connection ended without an answer. */
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
    const said = challenges(response.headersDistinct["www-authenticate"] ?? []);
    return [response.statusCode, said.join(", ")].join(" ").trim();
  };
  return exchange(await make(url, exchange));
}

/** The challenges of an answer by name, each as `scheme` or `scheme error`; one field may hold several (RFC 9110 section 11.6.1). */
function challenges(fields) {
  // No text in quotes is taken for a scheme, and of all parameters `error` alone is kept.
  const kept = (all, name, text) => (name === "error" ? `error=${text}` : "");
  const said = fields.map((field) => field.replace(/([\w-]+)\s*=\s*"((?:[^"\\]|\\.)*)"/g, kept)).join(", ");
  const found = said.match(/\b(?:Bearer|DPoP|Basic)\b|error=\w+/gi) ?? [];
  return found.join("\n").replaceAll("\nerror=", " ").split("\n").filter(Boolean).sort();
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
