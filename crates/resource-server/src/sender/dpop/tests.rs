//! What proves something, and above all what does not.

use super::*;
use sealwright_jose::SigningKey;
use serde_json::{Value, json};
use std::sync::LazyLock;

const NOW: i64 = 1_800_000_000;
const URL: &str = "https://api.example.com/orders";
const TOKEN: &str = "any-access-token";

static ES256: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Alg::Es256).unwrap());
static OTHER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Alg::Es256).unwrap());
static ED25519: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Alg::Ed25519).unwrap());
static PS256: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Alg::Ps256).unwrap());

fn verifier() -> DpopVerifier {
    DpopVerifier::new(DpopOptions::default()).unwrap()
}

fn nonces() -> Nonces {
    Nonces::with_secret(Duration::from_secs(60), &[1; 32]).unwrap()
}

fn with_nonces() -> DpopVerifier {
    DpopVerifier::new(DpopOptions { nonces: Some(nonces()), ..DpopOptions::default() }).unwrap()
}

fn jwk(key: &SigningKey) -> Value {
    let mut jwk: Value = serde_json::from_str(&key.verifying_key().to_jwk()).unwrap();
    jwk.as_object_mut().unwrap().retain(|name, _| !["alg", "use"].contains(&&**name));
    jwk
}

fn header() -> Value {
    json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&ES256)})
}

fn claims() -> Value {
    json!({"jti": "p-1", "htm": "GET", "htu": URL, "iat": NOW, "ath": token_digest(TOKEN)})
}

/// `object` with some members replaced, or removed by `null`.
fn with(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}

fn forge(header: &str, payload: &str, key: &SigningKey) -> String {
    let input = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let signature = base64url::encode(key.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

fn proof(header_changes: Value, claim_changes: Value) -> String {
    proof_by(&ES256, header_changes, claim_changes)
}

fn proof_by(key: &SigningKey, header_changes: Value, claim_changes: Value) -> String {
    forge(&with(header(), header_changes).to_string(), &with(claims(), claim_changes).to_string(), key)
}

fn expect() -> Expect<'static> {
    Expect { method: "GET", url: URL, access_token: Some(TOKEN), now_s: NOW }
}

fn outcome(verifier: &DpopVerifier, proof: &str) -> Result<(), DpopError> {
    verifier.check(proof, &expect()).map(drop)
}

/// RFC 9449 §4.1 and §7.1: the proof for a token endpoint, and the one for a protected resource.
#[test]
fn the_examples_of_the_rfc_pass() {
    let header = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19";
    let at_token_endpoint = "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    let at_resource = "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    let token = Expect {
        method: "POST",
        url: "https://server.example.com/token",
        access_token: None,
        now_s: 1_562_262_616,
    };
    let resource = Expect {
        method: "GET",
        url: "https://resource.example.org/protectedresource",
        access_token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
        now_s: 1_562_262_618,
    };
    for (rest, jti, expect) in
        [(at_token_endpoint, "-BwC3ESc6acc2lTc", token), (at_resource, "e1j3V_bKic8-LAEB", resource)]
    {
        let proof = verifier().check(&format!("{header}.{rest}"), &expect).unwrap();
        // §6.1 has this thumbprint in its access token.
        assert_eq!(base64url::encode(proof.jkt()), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(proof.jti(), jti);
        // And a minute and a second later it does not pass any more.
        let late = Expect { now_s: expect.now_s + 63, ..expect };
        assert_eq!(verifier().check(&format!("{header}.{rest}"), &late), Err(DpopError::TooOld));
    }
}

#[test]
fn what_follows_the_rfc_passes() {
    let rsa = json!({"alg": "PS256", "jwk": jwk(&PS256)});
    for (name, proof) in [
        ("as it should be", proof(json!({}), json!({}))),
        ("Ed25519", proof_by(&ED25519, json!({"alg": "Ed25519", "jwk": jwk(&ED25519)}), json!({}))),
        ("EdDSA", proof_by(&ED25519, json!({"alg": "EdDSA", "jwk": jwk(&ED25519)}), json!({}))),
        ("PS256", proof_by(&PS256, rsa, json!({}))),
        ("typ in full", proof(json!({"typ": "application/dpop+jwt"}), json!({}))),
        ("typ in capitals", proof(json!({"typ": "DPoP+JWT"}), json!({}))),
        ("more in the header", proof(json!({"kid": "x", "extra": 1}), json!({}))),
        ("more claims", proof(json!({}), json!({"iss": "someone", "extra": {"a": 1}}))),
        ("a nonce that nobody asked for", proof(json!({}), json!({"nonce": "n"}))),
        ("with a query and fragment", proof(json!({}), json!({"htu": format!("{URL}?a=b#c")}))),
        (
            "in another spelling",
            proof(json!({}), json!({"htu": "HTTPS://API.example.com:443/a/../%6Frders"})),
        ),
        ("the last second", proof(json!({}), json!({"iat": NOW - 60}))),
        ("the last second ahead", proof(json!({}), json!({"iat": NOW + 10}))),
        ("a time with a fraction", proof(json!({}), json!({"iat": NOW as f64 + 0.5}))),
        ("still valid", proof(json!({}), json!({"exp": NOW + 1, "nbf": NOW}))),
        ("a long jti", proof(json!({}), json!({"jti": "j".repeat(256)}))),
        ("a jti with escapes", proof(json!({}), json!({"jti": "\"\\\u{1F980}"}))),
    ] {
        assert_eq!(outcome(&verifier(), &proof), Ok(()), "{name}");
    }
}

#[test]
fn each_fault_of_a_proof_has_its_name() {
    use DpopError::*;
    let private: Value = serde_json::from_str(&ES256.to_jwk().unwrap()).unwrap();
    let good = || proof(json!({}), json!({}));
    let (h, c) = (header().to_string(), claims().to_string());
    let in_header = |changes| proof(changes, json!({}));
    let in_claims = |changes| proof(json!({}), changes);
    let text = |payload: &str| forge(&h, payload, &ES256);
    let table = [
        // 2: one well-formed JWT.
        ("nothing", String::new(), Malformed),
        ("not a token", "DPoP".to_owned(), Malformed),
        ("two parts", good().rsplit_once('.').unwrap().0.to_owned(), Malformed),
        ("four parts", good() + ".", Malformed),
        ("five parts, a JWE", good() + "..", Malformed),
        ("two proofs in one header", format!("{}, {}", good(), good()), Malformed),
        ("padding", good() + "=", Malformed),
        ("space in front", format!(" {}", good()), Malformed),
        ("JSON form", r#"{"payload":"","protected":"","signature":""}"#.to_owned(), Malformed),
        ("header is no JSON", forge("x", &c, &ES256), Malformed),
        ("a header parameter twice", forge(&h.replacen('{', r#"{"alg":"ES256","#, 1), &c, &ES256), Malformed),
        ("a key member twice", forge(&h.replace(r#""kty":"#, r#""kty":"EC","kty":"#), &c, &ES256), Malformed),
        ("too long", in_claims(json!({"x": "x".repeat(MAX_PROOF_BYTES)})), Malformed),
        ("too long a header", in_header(json!({"x": "x".repeat(MAX_HEADER_BYTES)})), Malformed),
        ("too long a payload", in_claims(json!({"x": "x".repeat(MAX_PAYLOAD_BYTES)})), Malformed),
        // 4: typ.
        ("without typ", in_header(json!({"typ": null})), TypMismatch),
        ("an access token's typ", in_header(json!({"typ": "at+jwt"})), TypMismatch),
        ("a plain JWT", in_header(json!({"typ": "JWT"})), TypMismatch),
        ("typ beside it", in_header(json!({"typ": "dpop"})), TypMismatch),
        // 5: alg.
        ("alg none", in_header(json!({"alg": "none"})), AlgNotAllowed),
        ("HMAC", in_header(json!({"alg": "HS256"})), AlgNotAllowed),
        (
            "not in the list",
            proof_by(&PS256, json!({"alg": "RS256", "jwk": jwk(&PS256)}), json!({})),
            AlgNotAllowed,
        ),
        ("unknown alg", in_header(json!({"alg": "ES257"})), AlgNotAllowed),
        ("alg in small letters", in_header(json!({"alg": "es256"})), AlgNotAllowed),
        ("without alg", in_header(json!({"alg": null})), Malformed),
        ("critical extension", in_header(json!({"crit": ["x"], "x": 1})), CriticalUnknown),
        ("unencoded payload", in_header(json!({"crit": ["b64"], "b64": false})), CriticalUnknown),
        // 6 and 7: the key and its signature.
        ("without a key", in_header(json!({"jwk": null})), KeyMissing),
        ("a kid instead", in_header(json!({"jwk": null, "kid": "k1"})), KeyMissing),
        ("key is a string", in_header(json!({"jwk": "key"})), Malformed),
        ("key is empty", in_header(json!({"jwk": {}})), KeyUnusable),
        ("private key", in_header(json!({"jwk": private})), KeySecret),
        ("symmetric key", in_header(json!({"jwk": {"kty": "oct", "k": "AAAA"}})), KeySecret),
        ("a set of keys", in_header(json!({"jwk": {"keys": [jwk(&ES256)]}})), KeyUnusable),
        (
            "not a point",
            in_header(json!({"jwk": with(jwk(&ES256), json!({"y": jwk(&OTHER)["y"]}))})),
            KeyUnusable,
        ),
        ("another curve", in_header(json!({"jwk": with(jwk(&ES256), json!({"crv": "P-384"}))})), KeyUnusable),
        (
            "a key for encryption",
            in_header(json!({"jwk": with(jwk(&ES256), json!({"use": "enc"}))})),
            KeyUnusable,
        ),
        ("a key of another type", in_header(json!({"jwk": jwk(&ED25519)})), KeyUnusable),
        (
            "a short RSA key",
            in_header(json!({"alg": "PS256", "jwk": {"kty": "RSA", "e": "AQAB", "n": "u".repeat(171)}})),
            KeyUnusable,
        ),
        ("another key's signature", proof_by(&OTHER, json!({}), json!({})), SignatureInvalid),
        (
            "the signature of another text",
            {
                let (one, other) = (good(), in_claims(json!({"jti": "p-2"})));
                format!("{}.{}", one.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1)
            },
            SignatureInvalid,
        ),
        ("no signature", format!("{}.", good().rsplit_once('.').unwrap().0), SignatureInvalid),
        // 3: the claims.
        ("payload is no JSON", text("x"), ClaimsMalformed),
        ("payload is a list", text("[]"), ClaimsMalformed),
        ("a claim twice", text(&c.replacen('{', r#"{"htm":"POST","#, 1)), ClaimsMalformed),
        ("without jti", in_claims(json!({"jti": null})), ClaimsMalformed),
        ("an empty jti", in_claims(json!({"jti": ""})), ClaimsMalformed),
        ("a jti that is a number", in_claims(json!({"jti": 7})), ClaimsMalformed),
        ("too long a jti", in_claims(json!({"jti": "j".repeat(257)})), ClaimsMalformed),
        ("without htm", in_claims(json!({"htm": null})), ClaimsMalformed),
        ("without htu", in_claims(json!({"htu": null})), ClaimsMalformed),
        ("htu is a list", in_claims(json!({"htu": [URL]})), ClaimsMalformed),
        ("without iat", in_claims(json!({"iat": null})), ClaimsMalformed),
        ("iat is text", in_claims(json!({"iat": NOW.to_string()})), ClaimsMalformed),
        ("iat in milliseconds", in_claims(json!({"iat": NOW * 1000})), ClaimsMalformed),
        ("ath is a number", in_claims(json!({"ath": 7})), ClaimsMalformed),
        ("nonce is a number", in_claims(json!({"nonce": 7})), ClaimsMalformed),
        // 8: htm.
        ("another method", in_claims(json!({"htm": "POST"})), MethodMismatch),
        ("method in small letters", in_claims(json!({"htm": "get"})), MethodMismatch),
        ("an empty method", in_claims(json!({"htm": ""})), MethodMismatch),
        // 9: htu.
        ("another path", in_claims(json!({"htu": "https://api.example.com/order"})), UrlMismatch),
        ("a slash more", in_claims(json!({"htu": "https://api.example.com/orders/"})), UrlMismatch),
        ("path in capitals", in_claims(json!({"htu": "https://api.example.com/Orders"})), UrlMismatch),
        ("another host", in_claims(json!({"htu": "https://api.example.org/orders"})), UrlMismatch),
        (
            "a longer host",
            in_claims(json!({"htu": "https://api.example.com.evil.example/orders"})),
            UrlMismatch,
        ),
        (
            "a user before the host",
            in_claims(json!({"htu": "https://x@api.example.com/orders"})),
            UrlMismatch,
        ),
        ("another port", in_claims(json!({"htu": "https://api.example.com:8443/orders"})), UrlMismatch),
        ("plain http", in_claims(json!({"htu": "http://api.example.com/orders"})), UrlMismatch),
        ("the path alone", in_claims(json!({"htu": "/orders"})), UrlMismatch),
        ("an escaped slash", in_claims(json!({"htu": "https://api.example.com%2Forders"})), UrlMismatch),
        ("a backslash", in_claims(json!({"htu": "https://api.example.com\\orders"})), UrlMismatch),
        ("space around it", in_claims(json!({"htu": format!(" {URL}")})), UrlMismatch),
        ("an empty URL", in_claims(json!({"htu": ""})), UrlMismatch),
        // 12: ath.
        ("without ath", in_claims(json!({"ath": null})), TokenMismatch),
        ("of another token", in_claims(json!({"ath": token_digest("another")})), TokenMismatch),
        ("ath with padding", in_claims(json!({"ath": token_digest(TOKEN) + "="})), TokenMismatch),
        ("the token itself", in_claims(json!({"ath": TOKEN})), TokenMismatch),
        ("an empty ath", in_claims(json!({"ath": ""})), TokenMismatch),
        // 11: time.
        ("a second too old", in_claims(json!({"iat": NOW - 61})), TooOld),
        ("long ago", in_claims(json!({"iat": 0})), TooOld),
        ("expired", in_claims(json!({"exp": NOW - 10})), TooOld),
        ("a second too far ahead", in_claims(json!({"iat": NOW + 11})), NotYetValid),
        ("of the far future", in_claims(json!({"iat": 253_402_300_799_i64})), NotYetValid),
        ("not before", in_claims(json!({"nbf": NOW + 11})), NotYetValid),
    ];
    assert!(table.len() >= 40, "{}", table.len());
    for (name, proof, expected) in table {
        assert_eq!(outcome(&verifier(), &proof), Err(expected), "{name}");
    }
}

#[test]
fn a_proof_that_is_bent_in_any_place_is_refused() {
    let (verifier, good) = (verifier(), proof(json!({}), json!({})));
    for at in 0..good.len() {
        let mut bent = good.clone().into_bytes();
        bent[at] = if bent[at] == b'A' { b'Q' } else { b'A' };
        let bent = String::from_utf8(bent).unwrap();
        assert!(outcome(&verifier, &bent).is_err(), "byte {at}");
        assert!(outcome(&verifier, &good[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn each_fault_of_a_nonce_has_its_name() {
    let current = || nonces().current(NOW);
    let stale = || nonces().current(NOW - 120);
    for (name, nonce, expected) in [
        ("no nonce", json!(null), Err(DpopError::NonceMissing)),
        ("an empty one", json!(""), Err(DpopError::NonceStale)),
        ("of nobody", json!("nonce"), Err(DpopError::NonceStale)),
        ("two steps old", json!(stale()), Err(DpopError::NonceStale)),
        ("of a step to come", json!(nonces().current(NOW + 60)), Err(DpopError::NonceStale)),
        ("with padding", json!(current() + "="), Err(DpopError::NonceStale)),
        ("of the step before", json!(nonces().current(NOW - 60)), Ok(true)),
        ("the current one", json!(current()), Ok(false)),
    ] {
        let proof = with_nonces().check(&proof(json!({}), json!({"nonce": nonce})), &expect());
        assert_eq!(proof.map(|proof| proof.needs_new_nonce()), expected, "{name}");
    }
    // A fresh nonce makes no old proof new, and is not asked for where another thing is wrong.
    let old = proof(json!({}), json!({"nonce": current(), "iat": NOW - 61}));
    assert_eq!(outcome(&with_nonces(), &old), Err(DpopError::TooOld));
    assert_eq!(
        outcome(&with_nonces(), &proof(json!({}), json!({"htm": "PUT"}))),
        Err(DpopError::MethodMismatch)
    );
    assert_eq!(with_nonces().nonce(NOW), Some(current()));
    assert_eq!(verifier().nonce(NOW), None);
}

#[test]
fn a_proof_passes_once() {
    let verifier = verifier();
    let proof = verifier.check(&proof(json!({}), json!({})), &expect()).unwrap();
    assert_eq!(verifier.pass_once(&proof, NOW), Ok(()));
    assert_eq!(verifier.pass_once(&proof, NOW), Err(DpopError::Replayed));
    assert_eq!(verifier.pass_once(&proof, NOW + 60), Err(DpopError::Replayed), "its last second");
    assert_eq!(verifier.remembered(), 1);
}

#[test]
fn there_is_one_header() {
    let of = |values: &[&'static [u8]]| {
        let pairs = values.iter().map(|value| (DPOP, http::HeaderValue::from_bytes(value).unwrap()));
        let mut headers = HeaderMap::new();
        pairs.for_each(|(name, value)| {
            headers.append(name, value);
        });
        DpopVerifier::proof(&headers).map(str::to_owned)
    };
    assert_eq!(of(&[b"a.b.c"]), Ok("a.b.c".to_owned()));
    assert_eq!(of(&[]), Err(DpopError::Missing));
    assert_eq!(of(&[b"a.b.c", b"a.b.c"]), Err(DpopError::Several));
    assert_eq!(of(&[b"\xFF"]), Err(DpopError::Malformed));
}

#[test]
fn options_that_could_pass_nothing_are_refused() {
    let build = |options| DpopVerifier::new(options).map(drop).unwrap_err().to_string();
    let of = DpopOptions::default;
    let url = |url: &str| DpopOptions { external_url: Some(url.parse().unwrap()), ..of() };
    for (options, expected) in [
        (DpopOptions { algs: vec![], ..of() }, "the algorithms of DPoP proofs cannot be used"),
        (
            DpopOptions { algs: vec![Alg::Es256, Alg::Hs256], ..of() },
            "the algorithms of DPoP proofs cannot be used",
        ),
        (DpopOptions { max_age: Duration::ZERO, ..of() }, "`max_age` of the DPoP options must not be zero"),
        (DpopOptions { replay_entries: 0, ..of() }, "`replay_entries` of the DPoP options must not be zero"),
        (
            url("ftp://api.example.com/"),
            "the external URL must be http or https, without a user name, a query or a fragment",
        ),
        (
            url("https://x@api.example.com/"),
            "the external URL must be http or https, without a user name, a query or a fragment",
        ),
        (
            url("https://api.example.com/?a"),
            "the external URL must be http or https, without a user name, a query or a fragment",
        ),
    ] {
        assert_eq!(build(options), expected);
    }
    assert!(DpopVerifier::new(url("https://example.com/api")).is_ok());
}

#[test]
fn challenges_name_both_names_of_ed25519() {
    assert_eq!(verifier().algs(), "ES256 Ed25519 PS256 EdDSA");
}

#[test]
fn codes_are_distinct_and_complete() {
    let mut codes: Vec<_> = DpopError::ALL.iter().map(DpopError::code).collect();
    assert!(codes.iter().all(|code| code.starts_with("dpop_")));
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), DpopError::ALL.len());
}
