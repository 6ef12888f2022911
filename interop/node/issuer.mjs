// A real issuer, npm's oidc-provider, with a client that gets access tokens for an API (RFC 9068), free or bound to a key
// (RFC 9449); and whatever else a holder of the issuer's key could sign.

import * as jose from "jose";
import Provider from "oidc-provider";
import express from "express";
import { listen } from "./started.mjs";

export const API = "urn:example:api";
const OTHER_API = "urn:example:other-api";
const CLIENT = { client_id: "app", client_secret: "a secret between two processes of one test" };

export async function issuer() {
  const app = express();
  const url = await listen(app);
  const keys = {};
  for (const alg of ["ES256", "RS256"]) {
    const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
    keys[alg] = { privateKey, jwk: { ...(await jose.exportJWK(privateKey)), alg, use: "sig", kid: `issuer-${alg}` } };
  }
  const provider = new Provider(url, {
    clients: [{ ...CLIENT, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] }],
    jwks: { keys: [keys.ES256.jwk, keys.RS256.jwk] },
    scopes: ["read"],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "read",
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  });
  app.use(provider.callback());

  /** A token by client credentials; bound to `holder`, if there is one. */
  async function token({ resource = API, holder } = {}) {
    const endpoint = `${url}/token`;
    const basic = Buffer.from(`${CLIENT.client_id}:${encodeURIComponent(CLIENT.client_secret)}`).toString("base64");
    const headers = { authorization: `Basic ${basic}` };
    if (holder) headers.dpop = await holder.proof({ htm: "POST", htu: endpoint });
    const body = new URLSearchParams({ grant_type: "client_credentials", resource, scope: "read" });
    const response = await fetch(endpoint, { method: "POST", headers, body });
    const answer = await response.json();
    if (response.status !== 200) throw new Error(`the issuer answered ${response.status} ${JSON.stringify(answer)}`);
    return answer.access_token;
  }

  /** `token` with some claims changed (`undefined` takes one away), signed by the issuer's key unless said otherwise. */
  async function resigned(token, claims = {}, { header = {}, key, alg = "ES256" } = {}) {
    const protectedHeader = { ...jose.decodeProtectedHeader(token), alg, kid: keys[alg]?.jwk.kid, ...header };
    const payload = JSON.stringify({ ...jose.decodeJwt(token), ...claims });
    const sign = new jose.CompactSign(new TextEncoder().encode(payload));
    return sign.setProtectedHeader(JSON.parse(JSON.stringify(protectedHeader))).sign(key ?? keys[alg].privateKey, {
      crit: Object.fromEntries((header.crit ?? []).map((name) => [name, true])),
    });
  }

  const forAnotherApi = () => token({ resource: OTHER_API });
  const { d, ...publicJwk } = keys.ES256.jwk;
  return { url, jwksUri: `${url}/jwks`, publicJwk, token, forAnotherApi, resigned };
}

/** A client's key, and the proofs that it makes (RFC 9449 §4.2). */
export async function holder(alg = "ES256") {
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
  const jwk = await jose.exportJWK(publicKey);
  const secretJwk = await jose.exportJWK(privateKey);
  async function proof(claims, { header = {}, key = privateKey } = {}) {
    const protectedHeader = { typ: "dpop+jwt", alg, jwk, ...header };
    const all = { jti: crypto.randomUUID(), iat: now(), ...claims };
    const sign = new jose.CompactSign(new TextEncoder().encode(JSON.stringify(all)));
    return sign.setProtectedHeader(protectedHeader).sign(key);
  }
  return { proof, jwk, secretJwk, privateKey, thumbprint: await jose.calculateJwkThumbprint(jwk) };
}

export const now = () => Math.floor(Date.now() / 1000);

/** RFC 9449 §4.2: the digest of the token that a proof goes with. */
export async function ath(token) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return Buffer.from(digest).toString("base64url");
}

/** A compact token with `alg` none, or with another header or payload over the old signature. */
export function spliced(token, { header = {}, claims = {}, signature } = {}) {
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const parts = token.split(".");
  const head = Object.keys(header).length ? encoded({ ...jose.decodeProtectedHeader(token), ...header }) : parts[0];
  const body = Object.keys(claims).length ? encoded({ ...jose.decodeJwt(token), ...claims }) : parts[1];
  return `${head}.${body}.${signature ?? parts[2]}`;
}
