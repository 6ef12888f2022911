// Judges the demo's access token with panva's jose, against the running authorization server.
//
// usage: node token.mjs DEMO.json

import { readFileSync } from "node:fs";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { expect, judge, mustRefuse, readDemo } from "./verdict.mjs";

const demo = readDemo();
const issuer = demo.servers.authorization;
const token = readFileSync(demo.files.token, "utf8").trim();
const wanted = { issuer, audience: demo.servers.signing, typ: "at+jwt", algorithms: ["ES256"] };

const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri ?? `${issuer}/oauth2/jwks`));

await judge("the server's metadata names the issuer and its keys (RFC 8414)", () => {
  expect(metadata.issuer === issuer, `issuer ${metadata.issuer}`);
  expect(metadata.jwks_uri?.startsWith(issuer), `jwks_uri ${metadata.jwks_uri}`);
  expect(metadata.code_challenge_methods_supported?.join() === "S256", "PKCE methods");
  expect(metadata.authorization_response_iss_parameter_supported === true, "RFC 9207");
  return metadata.jwks_uri;
});

await judge("npm jose verifies the token with the running server's keys (RFC 9068)", async () => {
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    ...wanted,
    requiredClaims: ["sub", "client_id", "iat", "exp", "jti", "auth_time", "acr", "amr", "authorization_details"],
  });
  expect(payload.client_id === demo.client.client_id, `client_id ${payload.client_id}`);
  expect(JSON.stringify(payload) === JSON.stringify(demo.claims), "the claims are not those that the demo shows");
  return `kid ${protectedHeader.kid}, acr ${payload.acr}`;
});

await judge("npm jose refuses it for another audience", () =>
  mustRefuse("another audience", () => jwtVerify(token, keys, { ...wanted, audience: "https://api.example" })));

await judge("npm jose refuses it from another issuer", () =>
  mustRefuse("another issuer", () => jwtVerify(token, keys, { ...wanted, issuer: "https://issuer.example" })));

await judge("npm jose refuses it once it has expired", () =>
  mustRefuse("an expired token", () =>
    jwtVerify(token, keys, { ...wanted, currentDate: new Date((demo.claims.exp + 1) * 1000) })));

await judge("npm jose refuses a claim that was changed", () => {
  const [header, payload, signature] = token.split(".");
  const claims = { ...JSON.parse(Buffer.from(payload, "base64url")), sub: "mallory" };
  const forged = [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  return mustRefuse("a changed claim", () => jwtVerify(forged, keys, wanted));
});

await judge("the key set holds public keys only, each with kid, alg and use", async () => {
  const { keys: published } = await (await fetch(metadata.jwks_uri)).json();
  expect(published.length > 0, "no key");
  for (const key of published) {
    const secret = ["d", "p", "q", "dp", "dq", "qi", "k"].filter((name) => name in key);
    expect(secret.length === 0, `a private part: ${secret}`);
    expect(key.kid && key.alg && key.use === "sig", JSON.stringify(key));
  }
  expect(published.some((key) => key.kid === decodeProtectedHeader(token).kid), "the token's key is not published");
  return `${published.length} published`;
});
