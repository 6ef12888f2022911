// The requests that the judges and our API decide about. Each is made anew for each of them: `make(url)` gives the rest of it,
// where `url` is the address that is asked. `ours` is what our API must answer: the status, and the
// challenges by name, each with its error.

import { API, ath, holder, now, spliced } from "./issuer.mjs";

const NO_TOKEN = "401 Bearer, DPoP";
const MALFORMED = "400 Bearer invalid_request";
const BAD_TOKEN = "401 Bearer invalid_token";
const BAD_PROOF = "401 DPoP invalid_dpop_proof";
// The token is bound and came under Bearer, or is not and came under DPoP: both schemes are offered.
const BOUND_AS_BEARER = "401 Bearer invalid_token, DPoP";
const FREE_AS_DPOP = "401 Bearer, DPoP invalid_token";
const BAD_BOUND_TOKEN = "401 DPoP invalid_token";

/** Requests with bearer tokens (RFC 6750, RFC 9068). */
export async function bearerRequests(issuer) {
  const good = await issuer.token();
  const bound = await issuer.token({ holder: await holder() });
  const foreign = await holder();
  const { resigned } = issuer;
  const bearer = (token) => ({ headers: [["authorization", `Bearer ${token}`]] });
  const twice = (first, second) => ({ headers: [first, second].map((token) => ["authorization", `Bearer ${token}`]) });
  const bySomebodyElse = { key: foreign.privateKey };
  const bySecret = {
    alg: "HS256",
    header: { kid: issuer.publicJwk.kid },
    key: new TextEncoder().encode(JSON.stringify(issuer.publicJwk)),
  };
  const unknownExtension = { header: { crit: ["urn:example:x"], "urn:example:x": 1 } };
  const withClaims = async (claims, options) => bearer(await resigned(good, claims, options));
  const list = [
    ["a token of the issuer", "200", bearer(good)],
    ["the scheme in lower case", "200", { headers: [["authorization", `bearer ${good}`]] }],
    ["by POST", "200", { method: "POST", ...bearer(good) }],
    ["an audience among others", "200", await withClaims({ aud: ["urn:example:else", API] })],
    ["the long form of typ", "200", await withClaims({}, { header: { typ: "application/at+jwt" } })],
    ["nothing", NO_TOKEN, {}],
    ["another scheme", NO_TOKEN, { headers: [["authorization", "Basic YXBwOmFwcA=="]] }],
    ["a token in the query", NO_TOKEN, { query: `?access_token=${good}` }],
    ["a scheme and no token", MALFORMED, { headers: [["authorization", "Bearer"]] }],
    ["two tokens in one header", MALFORMED, { headers: [["authorization", `Bearer ${good} ${good}`]] }],
    ["two Authorization headers", MALFORMED, twice(good, good)],
    ["a bad header behind a good one", MALFORMED, twice(good, "x")],
    ["a word that is no token", BAD_TOKEN, bearer("nonsense")],
    ["expired five minutes ago", BAD_TOKEN, await withClaims({ iat: now() - 600, exp: now() - 300 })],
    ["expired, but within a minute of skew", "200", await withClaims({ iat: now() - 300, exp: now() - 20 })],
    ["without exp", BAD_TOKEN, await withClaims({ exp: undefined })],
    ["exp that is a string", BAD_TOKEN, await withClaims({ exp: String(now() + 300) })],
    ["not valid for five minutes yet", BAD_TOKEN, await withClaims({ nbf: now() + 300 })],
    ["issued in five minutes", BAD_TOKEN, await withClaims({ iat: now() + 300, exp: now() + 600 })],
    ["for another API", BAD_TOKEN, bearer(await issuer.forAnotherApi())],
    ["for nobody", BAD_TOKEN, await withClaims({ aud: undefined })],
    ["of another issuer", BAD_TOKEN, await withClaims({ iss: "https://id.example" })],
    ["of an issuer with one slash more", BAD_TOKEN, await withClaims({ iss: `${issuer.url}/` })],
    ["an ID token's typ", BAD_TOKEN, await withClaims({}, { header: { typ: "JWT" } })],
    ["without typ", BAD_TOKEN, await withClaims({}, { header: { typ: undefined } })],
    ["without sub", BAD_TOKEN, await withClaims({ sub: undefined })],
    ["without client_id", BAD_TOKEN, await withClaims({ client_id: undefined })],
    ["without jti", BAD_TOKEN, await withClaims({ jti: undefined })],
    ["alg none", BAD_TOKEN, bearer(spliced(good, { header: { alg: "none" }, signature: "" }))],
    ["without a signature", BAD_TOKEN, bearer(spliced(good, { signature: "" }))],
    ["another audience under the old signature", BAD_TOKEN, bearer(spliced(await issuer.forAnotherApi(), { claims: { aud: API } }))],
    ["a stranger's signature", BAD_TOKEN, await withClaims({}, bySomebodyElse)],
    ["a stranger's signature, with the key", BAD_TOKEN, await withClaims({}, { ...bySomebodyElse, header: { jwk: foreign.jwk, kid: undefined } })],
    ["the public key as a secret", BAD_TOKEN, await withClaims({}, bySecret)],
    ["an algorithm that the API does not take", BAD_TOKEN, await withClaims({}, { alg: "RS256" })],
    ["an unknown kid", BAD_TOKEN, await withClaims({}, { header: { kid: "unknown" } })],
    ["an extension that nobody knows", BAD_TOKEN, await withClaims({}, unknownExtension)],
    ["a bound token as a bearer's", BOUND_AS_BEARER, bearer(bound)],
  ];
  return list.map(([name, ours, parts]) => ({ name, ours, at: "bearer", make: async () => parts }));
}

/** Requests with tokens that are bound to a key (RFC 9449). */
export async function dpopRequests(issuer) {
  const owner = await holder();
  const thief = await holder();
  const token = await issuer.token({ holder: owner });
  const unbound = await issuer.token();
  const digest = await ath(token);
  /** A request whose proof has these claims and this header; `url` is that of the API. */
  const proved = (changes = {}, signing = {}, request = {}) => async (url) => {
    const { sent = token, method = "GET", query = "", scheme = "DPoP", by = owner } = request;
    const changed = typeof changes === "function" ? changes(url) : changes;
    const proof = await by.proof({ htm: method, htu: url, ath: digest, ...changed }, signing);
    return { method, query, headers: [["authorization", `${scheme} ${sent}`], ["dpop", proof]] };
  };
  const secret = { header: { alg: "HS256", jwk: { kty: "oct", k: "c2VjcmV0" } }, key: new TextEncoder().encode("secret") };
  const old = await issuer.resigned(token, { iat: now() - 600, exp: now() - 300 });
  const foreign = await issuer.resigned(token, { aud: "urn:example:other-api" });
  const list = [
    ["a token with a proof", "200", proved()],
    ["a POST with a proof", "200", proved({}, {}, { method: "POST" })],
    ["a proof without the query of the request", "200", proved({}, {}, { query: "?a=b" })],
    ["a proof with the query of the request", "200", proved((url) => ({ htu: `${url}?a=b` }), {}, { query: "?a=b" })],
    ["a proof with the scheme and host in capitals", "200", proved((url) => ({ htu: url.replace("http://", "HTTP://") }))],
    ["the scheme in lower case, with a proof", "200", proved({}, {}, { scheme: "dpop" })],
    ["no proof", BAD_PROOF, async () => ({ headers: [["authorization", `DPoP ${token}`]] })],
    ["two proofs", BAD_PROOF, async (url) => {
      const { headers } = await proved()(url);
      return { headers: [...headers, ["dpop", await owner.proof({ htm: "GET", htu: url, ath: digest })]] };
    }],
    ["a proof that is no JWT", BAD_PROOF, async () => ({ headers: [["authorization", `DPoP ${token}`], ["dpop", "nonsense"]] })],
    ["a proof for another method", BAD_PROOF, proved({ htm: "POST" })],
    ["a proof for the method in lower case", BAD_PROOF, proved({ htm: "get" })],
    ["a proof for another path", BAD_PROOF, proved((url) => ({ htu: `${url}else` }))],
    ["a proof for another host", BAD_PROOF, proved((url) => ({ htu: url.replace("127.0.0.1", "api.example") }))],
    ["a proof for another token", BAD_PROOF, proved({ ath: await ath(unbound) })],
    ["a proof without ath", BAD_PROOF, proved({ ath: undefined })],
    ["a proof without htm", BAD_PROOF, proved({ htm: undefined })],
    ["a proof without htu", BAD_PROOF, proved({ htu: undefined })],
    ["a proof without jti", BAD_PROOF, proved({ jti: undefined })],
    ["a proof without iat", BAD_PROOF, proved({ iat: undefined })],
    ["a proof of an hour ago", BAD_PROOF, proved({ iat: now() - 3600 })],
    ["a proof of the next hour", BAD_PROOF, proved({ iat: now() + 3600 })],
    ["a proof that was seen before", BAD_PROOF, async (url, ask) => {
      const request = await proved()(url);
      await ask(request);
      return request;
    }],
    ["another proof with a jti that was seen before", BAD_PROOF, async (url, ask) => {
      const jti = crypto.randomUUID();
      await ask(await proved({ jti })(url));
      return proved({ jti, iat: now() - 1 })(url);
    }],
    ["a thief's proof", BAD_BOUND_TOKEN, proved({}, {}, { by: thief })],
    ["a thief's signature under the owner's key", BAD_PROOF, proved({}, { key: thief.privateKey })],
    ["a proof with alg none", BAD_PROOF, async (url) => {
      const { headers: [authorization, [, proof]] } = await proved()(url);
      return { headers: [authorization, ["dpop", spliced(proof, { header: { alg: "none" }, signature: "" })]] };
    }],
    ["a proof with a secret's algorithm", BAD_PROOF, proved({}, secret)],
    ["a proof with another typ", BAD_PROOF, proved({}, { header: { typ: "JWT" } })],
    ["a proof with the private key in it", BAD_PROOF, proved({}, { header: { jwk: owner.secretJwk } })],
    ["a proof without a key", BAD_PROOF, proved({}, { header: { jwk: undefined } })],
    ["a bound token and a proof under Bearer", BOUND_AS_BEARER, proved({}, {}, { scheme: "Bearer" })],
    ["an unbound token with a proof", FREE_AS_DPOP, proved({ ath: await ath(unbound) }, {}, { sent: unbound })],
    ["an expired token with a proof", BAD_BOUND_TOKEN, proved({ ath: await ath(old) }, {}, { sent: old })],
    ["a token for another API with a proof", BAD_BOUND_TOKEN, proved({ ath: await ath(foreign) }, {}, { sent: foreign })],
    ["two DPoP tokens", MALFORMED, async (url) => {
      const { headers } = await proved()(url);
      return { headers: [headers[0], ...headers] };
    }],
  ];
  return list.map(([name, ours, make]) => ({ name, ours, at: "dpop", make }));
}
