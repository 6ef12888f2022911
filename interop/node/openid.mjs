// Sign-in by OpenID Connect: panva's openid-client discovers a running server, goes through its code flow with PKCE and
// validates the ID tokens of two clients, each with an algorithm of its own. The login pages are forms that are posted.
//
// usage: node openid.mjs SEALWRIGHT

import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import express from "express";
import { decodeProtectedHeader } from "jose";
import * as openid from "openid-client";
import { logIn } from "./pages.mjs";
import { folder, freePort, listen, startServer } from "./started.mjs";
import { expect, judge } from "./verdict.mjs";

const [, , sealwright] = process.argv;
const USER = { username: "alice", password: randomBytes(12).toString("hex") };
const SECRET = randomBytes(32).toString("hex");
const ID_TOKEN_S = 120;
// The servers of this test are on this machine, without TLS; so the ID token's signature is what there is to believe.
const execute = [openid.allowInsecureRequests, openid.enableNonRepudiationChecks];

const issuer = await server();
let called;
const application = express();
application.get("/callback", (request, response) => {
  called = new URL(request.originalUrl, redirectUri);
  response.end("back at the application");
});
const redirectUri = `${await listen(application)}/callback`;

const found = {};
await judge("openid-client discovers the server", async () => {
  found.portal = await openid.discovery(new URL(issuer), "default_portal", SECRET, openid.ClientSecretBasic(SECRET), { execute });
  const app = { id_token_signed_response_alg: "ES256" };
  found.app = await openid.discovery(new URL(issuer), "default_app", app, openid.None(), { execute });
  const { id_token_signing_alg_values_supported: algs, subject_types_supported, scopes_supported } = found.app.serverMetadata();
  expect(algs.join() === "ES256,RS256", `algorithms ${algs}`);
  expect(subject_types_supported.join() === "public", `subject types ${subject_types_supported}`);
  expect(scopes_supported.includes("openid"), `scopes ${scopes_supported}`);
  return algs.join(", ");
});

for (const [name, alg] of [["portal", "RS256"], ["app", "ES256"]]) {
  await judge(`openid-client validates an ID token by ${alg}`, async () => {
    const tokens = await signIn(found[name], { max_age: "300" }, { maxAge: 300 });
    const header = decodeProtectedHeader(tokens.id_token);
    expect(header.alg === alg && header.typ === "JWT", JSON.stringify(header));
    const claims = tokens.claims();
    expect(claims.exp - claims.iat === ID_TOKEN_S, `it lives ${claims.exp - claims.iat} s`);
    expect(claims.given_name === "Alice" && claims.amr.join() === "pwd", JSON.stringify(claims));
    const hash = createHash("sha256").update(tokens.access_token).digest().subarray(0, 16);
    expect(claims.at_hash === hash.toString("base64url"), `at_hash ${claims.at_hash}`);
    return `${Object.keys(claims).sort().join(" ")}, kid ${header.kid}`;
  });
}

await judge("so it does where the request was pushed", async () => {
  const tokens = await signIn(found.portal, {}, {}, openid.buildAuthorizationUrlWithPAR);
  return `nonce ${tokens.claims().nonce.length} characters`;
});

await judge("without `openid` there is no ID token", async () => {
  const tokens = await signIn(found.app, { scope: "read", nonce: undefined }, { expectedNonce: undefined, idTokenExpected: false });
  expect(tokens.id_token === undefined && tokens.scope === "read", JSON.stringify(tokens));
});

await judge("openid-client refuses another nonce than that of its request", () =>
  refusedFor("nonce", () => signIn(found.app, {}, { expectedNonce: openid.randomNonce() })));

await judge("openid-client refuses a nonce that it did not send", () =>
  refusedFor("nonce", () => signIn(found.app, {}, { expectedNonce: undefined })));

await judge("openid-client refuses another algorithm than that of its registration", async () => {
  const other = { id_token_signed_response_alg: "RS256" };
  const mistaken = await openid.discovery(new URL(issuer), "default_app", other, openid.None(), { execute });
  return refused("ES256", ({ header, expected }) => header?.alg === "ES256" && expected === "RS256", () => signIn(mistaken));
});

await judge("openid-client refuses what another client was given", async () => {
  const nonce = openid.randomNonce();
  const stolen = await signIn(found.app, { nonce }, { expectedNonce: nonce });
  const foreign = await openid.discovery(new URL(issuer), "default_other", {}, openid.None(), { execute });
  foreign[openid.customFetch] = async (url, options) => {
    const isToken = String(url).endsWith("/oauth2/token");
    return isToken ? Response.json(stolen) : fetch(url, options);
  };
  return refusedFor("aud", () => signIn(foreign, { nonce }, { expectedNonce: nonce }));
});

process.exit();

/** Fails unless an ID token is refused for what it says as `claim`. */
function refusedFor(claim, attempt) {
  return refused(claim, (reason) => reason.claim === claim, attempt);
}

/** Fails unless an ID token is refused, for a reason of the client's own that `fits`. */
async function refused(what, fits, attempt) {
  const accepted = await attempt().then(() => true, (error) => {
    expect(fits(error.cause?.cause ?? {}), `${error.code}: ${error.message}`);
  });
  expect(!accepted, `another ${what} was accepted`);
  return what;
}

/** Goes through the code flow as a client does, with some parameters and some checks other than usual. */
async function signIn(config, parameters = {}, checks = {}, address = openid.buildAuthorizationUrl) {
  const [verifier, state, nonce] = [openid.randomPKCECodeVerifier(), openid.randomState(), openid.randomNonce()];
  const asked = {
    redirect_uri: redirectUri,
    scope: "openid",
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    ...parameters,
  };
  const url = await address(config, Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)));
  called = undefined;
  await logIn(url.href, USER);
  expect(called, "nobody came back from the login");
  return openid.authorizationCodeGrant(config, called, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
    ...checks,
  });
}

/** One server with two algorithms, and clients of which one chooses. */
async function server() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const private_ = { mode: 0o600 };
  writeFileSync(join(folder, "kek"), randomBytes(32).toString("base64url"), private_);
  writeFileSync(join(folder, "portal.secret"), SECRET, private_);
  const hash = execFileSync(sealwright, ["user", "hash-password"], { input: USER.password });
  writeFileSync(join(folder, "password"), hash, private_);
  const client = (name, ...lines) => `---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {name: ${name}}
spec:
  authServerSelector: {matchLabels: {env: openid}}
  redirectURIs: ["http://127.0.0.1:9/callback"]
  audiences: ["https://api.example.com"]
  claims: [given_name]
  scopes: [{name: openid}, {name: read}]
  ${lines.join("\n  ")}
`;
  const file = join(folder, "openid.yaml");
  writeFileSync(
    file,
    `apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata: {name: main, labels: {env: openid}}
spec:
  issuerURI: ${url}
  listen: 127.0.0.1:${port}
  tokenSignature: {algorithms: [ES256, RS256], keysDir: keys}
  token: {idToken: {expiry: ${ID_TOKEN_S}s}}
  storage: {sqlite: {path: server.db}}
  secrets: {kek: [{id: k1, file: kek}]}
  acknowledge: [unsafeIssuerUri]
---
apiVersion: sealwright.dev/v1alpha1
kind: User
metadata: {name: alice}
spec: {username: ${USER.username}, password: {file: password}, claims: {given_name: Alice}}
${client("portal", "clientSecret: {file: portal.secret}")}${client(
      "app",
      "clientAuthenticationMethod: none",
      "idTokenSignedResponseAlg: ES256",
    )}${client("other", "clientAuthenticationMethod: none", "idTokenSignedResponseAlg: ES256")}`,
  );
  await startServer(sealwright, file, url);
  return url;
}
