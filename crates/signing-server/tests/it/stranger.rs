//! Refusals of strangers: one answer to everything that is wrong with a token, and a count.

use aws_lc_rs::hmac;
use sealwright_jose::{Alg, SigningKey, base64url, jws::Signer};
use sealwright_testkit::issuer::Issuer;
use serde_json::{Value, json};

use crate::{
    refuse::{changed, without},
    support::{DOCUMENT, NOW_S, World, show},
};

/// The one answer to everything that is wrong with a token.
const TOKEN_INVALID: &str = r#"401
www-authenticate: Bearer error="invalid_token", error_description="The access token is not valid"
content-type: application/problem+json
cache-control: no-store
{
  "code": "token_invalid",
  "status": 401,
  "title": "The access token is not valid",
  "type": "https://sealwright.dev/problems/token_invalid"
}"#;

/// A compact JWS with any header, signed by `key` over exactly that header.
fn with_header(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let input =
        format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(claims.to_string()));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", base64url::encode(signature))
}

/// Tokens of strangers, each with the name under which its refusal is counted.
async fn strangers(world: &World) -> Vec<(&'static str, &'static str, String)> {
    let claims = || world.claims("contracts", DOCUMENT);
    let token = |claims| world.issuer.token(claims);
    let key = world.issuer.key();
    let header = |extra: Value| {
        let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "key-1"});
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        header
    };
    let signed_with = |extra| with_header(&header(extra), &claims(), &key);
    let good = token(claims());
    let (start, signature) = good.rsplit_once('.').unwrap();
    let (protected, payload) = start.split_once('.').unwrap();

    let other = Issuer::start(Alg::Es256).await;
    let forged = Signer::new(&SigningKey::generate(Alg::Es256).unwrap().with_kid("key-1")).typ("at+jwt");
    let mut tampered = base64url::decode(payload).unwrap();
    let at = tampered.windows(5).position(|window| window == b"alice").unwrap();
    tampered[at] = b'A';
    let mut flipped = base64url::decode(signature).unwrap();
    flipped[10] ^= 1;
    // The public key's bytes as an HMAC secret. `jose` does not make such a key, so it is done by hand.
    let public = hmac::Key::new(hmac::HMAC_SHA256, &key.verifying_key().to_spki_der());
    let hs256 = base64url::encode(r#"{"alg":"HS256","typ":"at+jwt","kid":"key-1"}"#);
    let hs256 = format!("{hs256}.{payload}");
    let hs256 = format!("{hs256}.{}", base64url::encode(hmac::sign(&public, hs256.as_bytes())));
    let none = base64url::encode(r#"{"alg":"none","typ":"at+jwt"}"#);

    vec![
        ("unknown issuer", "issuer_unknown", other.token(changed(claims(), "iss", other.url().into()))),
        (
            "other audience",
            "audience_mismatch",
            token(changed(claims(), "aud", "https://other.example.com".into())),
        ),
        ("no audience", "claims_malformed", token(without(claims(), "aud"))),
        ("expired", "token_expired", token(changed(claims(), "exp", (NOW_S - 61).into()))),
        ("no jti", "claims_malformed", token(without(claims(), "jti"))),
        ("no expiry", "claims_malformed", token(without(claims(), "exp"))),
        ("not yet valid", "token_not_yet_valid", token(changed(claims(), "nbf", (NOW_S + 61).into()))),
        ("issued tomorrow", "token_not_yet_valid", token(changed(claims(), "iat", (NOW_S + 86_400).into()))),
        ("too old", "token_too_old", token(changed(claims(), "iat", (NOW_S - 661).into()))),
        (
            "tampered",
            "signature_invalid",
            format!("{protected}.{}.{signature}", base64url::encode(&tampered)),
        ),
        ("one bit of the signature", "signature_invalid", format!("{start}.{}", base64url::encode(&flipped))),
        ("signature cut off", "signature_invalid", format!("{start}.")),
        (
            "signature cut short",
            "signature_invalid",
            format!("{start}.{}", &signature[..signature.len() / 2 / 4 * 4]),
        ),
        ("signature of zeros", "signature_invalid", format!("{start}.{}", base64url::encode([0; 64]))),
        (
            "signed by somebody else",
            "signature_invalid",
            forged.sign_compact(claims().to_string().as_bytes()).unwrap(),
        ),
        ("two parts", "token_malformed", start.to_owned()),
        ("not base64url", "token_malformed", format!("{protected}.{payload}=.{signature}")),
        ("no token at all", "token_malformed", "hello".to_owned()),
        ("alg none", "alg_not_allowed", format!("{none}.{payload}.")),
        ("alg none with a signature", "alg_not_allowed", format!("{none}.{payload}.{signature}")),
        ("HS256 with the public key", "alg_not_allowed", hs256),
        ("unknown crit", "critical_unknown", signed_with(json!({"crit": ["exp2"], "exp2": 1}))),
        ("unencoded payload", "critical_unknown", signed_with(json!({"crit": ["b64"], "b64": false}))),
        ("another type", "typ_mismatch", signed_with(json!({"typ": "JWT"}))),
        ("unknown key", "key_unknown", signed_with(json!({"kid": "../../etc/passwd"}))),
        ("key of its own", "key_unknown", signed_with(json!({"kid": "x", "jwk": {"kty": "EC"}}))),
        ("key from a URL", "key_unknown", signed_with(json!({"kid": "x", "jku": "http://127.0.0.1:1/jwks"}))),
    ]
}

#[tokio::test]
async fn everything_wrong_with_a_token_gets_one_answer() {
    let mut world = World::start().await;
    let cases = strangers(&world).await;
    let mut counted = serde_json::Map::new();
    for (name, kind, token) in cases {
        let response = world.sign(&token).send().await.unwrap();
        assert!(response.headers()["x-operation-id"].to_str().unwrap().starts_with("op_"));
        assert_eq!(show(response).await, TOKEN_INVALID, "{name}");
        let count = counted.get(kind).and_then(Value::as_u64).unwrap_or(0) + 1;
        counted.insert(kind.to_owned(), count.into());
    }
    world.stop().await;
    let recorded = world.recorded().await;
    recorded.assert_nothing_signed();
    assert!(recorded.ledger.is_empty());
    // Strangers cannot fill the log: there is one entry, with counts.
    assert_eq!(recorded.strangers(), json!([counted]));
    assert_eq!(recorded.events(), ["refusals.summarised"]);
}
