// Where a judge comes to another verdict than our API, or refuses by another answer, and the sentence of a standard, in our
// words, that explains it. The test fails when a difference is not in these tables, and when one that is has gone. The versions
// are those of Debian 12 (mod_oauth2 3.3.1 with liboauth2 1.4.5.4) and of package-lock.json.
//
// Verdicts differ by request: some requests pass here and not there.

const NO_CRIT = "RFC 7515 section 4.1.11: who does not understand an extension that `crit` names must refuse the signature";
const METHOD_CASE = "RFC 9449 section 4.3, step 8, and RFC 9110 section 9.1: `htm` must equal the method, and methods tell capitals apart";
const SAME_JTI = "RFC 9449 section 11.1: a server can limit replay by refusing a `jti` that it has seen for the same address; it may also not";
const ONE_HEADER = "RFC 9110 section 5.3: a field that is no list must not be sent twice; Node drops all but the first before anybody sees them, and we refuse";

const MOD_OAUTH2 = {
  "expired, but within a minute of skew": "RFC 7519 section 4.1.4: a few minutes of leeway may be granted after `exp`; mod_oauth2 grants none",
  "not valid for five minutes yet": "RFC 7519 section 4.1.5: before `nbf` a token must not be accepted; mod_oauth2 does not read it",
  "an ID token's typ": "RFC 9068 section 4: a resource server must check that `typ` is at+jwt; mod_oauth2 does not read it",
  "without typ": "RFC 9068 section 4: a resource server must check that `typ` is at+jwt; mod_oauth2 does not read it",
  "without client_id": "RFC 9068 section 2.2: an access token must have `client_id`; mod_oauth2 asks for what its configuration names",
  "without jti": "RFC 9068 section 2.2: an access token must have `jti`; mod_oauth2 asks for what its configuration names",
  "an algorithm that the API does not take": "RFC 8725 section 3.1: the caller must be able to name the algorithms; mod_oauth2 takes whatever the key can do",
  "an extension that nobody knows": NO_CRIT,
  "a bound token as a bearer's": "RFC 9449 section 7.2: who takes both kinds must not take a bound token as a bearer's; mod_oauth2 takes one kind in one place",
  "a proof with the query of the request": "RFC 9449 section 4.3, step 9: a query in `htu` is passed over; mod_oauth2 compares it",
  "a proof for the method in lower case": METHOD_CASE,
  "a proof for another token": "RFC 9449 section 4.3, step 12: `ath` must be the digest of the token; this version does not read it",
  "a proof without ath": "RFC 9449 section 4.2: a proof for a resource must have `ath`; this version does not read it",
  "a proof without htm": "RFC 9449 section 4.3, step 3: all claims that a proof needs must be looked for; this version crashes without `htm`",
  "a proof without htu": "RFC 9449 section 4.3, step 3: all claims that a proof needs must be looked for; this version crashes without `htu`",
  "a proof without jti": "RFC 9449 section 4.2: a proof must have `jti`; this version does without",
  "another proof with a jti that was seen before": SAME_JTI,
  "a proof with the private key in it": "RFC 9449 section 4.3, step 7: the key in a proof must not be private; mod_oauth2 does not look",
};

const EXPRESS = {
  "a token in the query": "RFC 9700 section 4.3.2: a token must not be in a query; RFC 6750 section 2.3, which allows it, is older",
  "two Authorization headers": ONE_HEADER,
  "a bad header behind a good one": ONE_HEADER,
  "two DPoP tokens": ONE_HEADER,
  "issued in five minutes": "RFC 7519 section 4.1.6: `iat` tells a token's age, and nobody must refuse for it; we do, since a negative age is a lie or a broken clock",
  "a proof for the method in lower case": METHOD_CASE,
  "a proof that was seen before": SAME_JTI,
  "another proof with a jti that was seen before": SAME_JTI,
};

export const VERDICTS = { mod_oauth2: MOD_OAUTH2, "express-oauth2-jwt-bearer": EXPRESS };

// Answers of those who both refuse differ by kind: status, and challenges with their errors.

const NO_ERROR = "RFC 6750 section 3.1: to who sent no credentials, or tried a method that is not supported, no error is named";
const MALFORMED = "RFC 6750 section 3.1: a request that is malformed is answered with 400 and invalid_request";
const MUST_CHALLENGE = "RFC 9110 section 15.5.2: a 401 must have a challenge; Apache's Require, by which the module asks for claims, sends none";
const IN_DPOP = "RFC 9449 section 7.1: what came under DPoP is answered by a challenge of that scheme; mod_oauth2 knows Bearer's alone";
const BAD_PROOF = "RFC 9449 section 7.1: invalid_dpop_proof says that it was the proof; mod_oauth2 says that it was the token, and in Bearer's name";
const ALSO = "RFC 9110 section 11.6.1: an answer may have several challenges; express always offers both schemes, we do to who used the wrong one or none";
const PROOF_IS_CREDENTIAL = "RFC 9110 section 15.5.2: without valid credentials the status is 401, and RFC 9449 section 7.1 has a proof's error in the challenge of one; express sends 400, as the token endpoint does by section 5";

export const ANSWERS = {
  mod_oauth2: [
    ["401 Bearer, DPoP", "401 Bearer invalid_request", NO_ERROR],
    ["400 Bearer invalid_request", "401 Bearer invalid_token", MALFORMED],
    ["401 Bearer invalid_token", "401", MUST_CHALLENGE],
    ["401 DPoP invalid_token", "401", MUST_CHALLENGE],
    ["401 DPoP invalid_token", "401 Bearer invalid_token", IN_DPOP],
    ["401 Bearer, DPoP invalid_token", "401 Bearer invalid_token", IN_DPOP],
    ["401 DPoP invalid_dpop_proof", "401 Bearer invalid_token", BAD_PROOF],
    ["401 Bearer invalid_token, DPoP", "401 Bearer invalid_request", "RFC 9449 section 7.2: a bound token that comes under Bearer is an invalid one; mod_oauth2, told to look for DPoP, sees no token"],
  ],
  "express-oauth2-jwt-bearer": [
    ["401 Bearer, DPoP", "400 Bearer, DPoP", "RFC 6750 section 3.1: who tried a method that is not supported is answered as who sent nothing; express takes it for malformed"],
    ["400 Bearer invalid_request", "400 Bearer, DPoP", MALFORMED],
    ["401 Bearer invalid_token", "401 Bearer invalid_token, DPoP", ALSO],
    ["401 DPoP invalid_token", "401 Bearer, DPoP invalid_token", ALSO],
    ["401 DPoP invalid_dpop_proof", "400 Bearer, DPoP invalid_dpop_proof", PROOF_IS_CREDENTIAL],
    ["401 DPoP invalid_dpop_proof", "400 Bearer, DPoP", PROOF_IS_CREDENTIAL],
  ],
};
