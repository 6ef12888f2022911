//! Every request that must not pass, through every door, with the whole answer.

use crate::{explain, support::*};
use TokenError::*;
use aws_lc_rs::hmac;
use axum::{Router, routing::get};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use sealwright_jose::{base64url, ecdsa};
use sealwright_resource_server::{
    AuthLayer, Authenticator, IssuerConfig, Request, Requirements, TokenError, metadata::ProtectedResource,
};
use serde_json::json;
use std::time::Duration;

pub(crate) const MISSING: &str = r#"401
www-authenticate: Bearer resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
www-authenticate: DPoP algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"token_missing","status":401,"title":"Unauthorized","type":"about:blank"}"#;

pub(crate) const MALFORMED_REQUEST: &str = r#"400
www-authenticate: Bearer error="invalid_request", error_description="The request is malformed", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"request_malformed","status":400,"title":"Bad Request","type":"about:blank"}"#;

pub(crate) const INVALID: &str = r#"401
www-authenticate: Bearer error="invalid_token", error_description="The access token is not valid", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"token_invalid","status":401,"title":"Unauthorized","type":"about:blank"}"#;

fn answer(error: TokenError) -> &'static str {
    match error {
        Missing => MISSING,
        RequestMalformed => MALFORMED_REQUEST,
        _ => INVALID,
    }
}

/// What every challenge ends with.
const METADATA: &str = r#"resource_metadata="https://api.example.com/.well-known/oauth-protected-resource""#;

/// One request through every door.
async fn refused_alike(authenticator: &Authenticator, name: &str, headers: HeaderMap, error: TokenError) {
    let parts = request_with(headers.clone());
    let decided = authenticator.authenticate(&Request::from(&parts), NOW).await;
    assert_eq!(decided.map(|token| token.subject().to_owned()), Err(error), "{name}");
    explain::agrees(authenticator, &headers, error, name).await;
    for (door, router) in doors(authenticator) {
        let shown = ask(router, "/hello", headers.clone()).await;
        assert_eq!(shown, answer(error), "{name} at the {door}");
    }
}

/// Walks a table of `Authorization` headers through every door.
async fn all_refused(table: Vec<(&str, HeaderMap, TokenError)>) {
    let api = ProtectedResource::new("https://api.example.com").unwrap();
    let authenticator = builder(terms()).resource(api).build().unwrap();
    for (name, headers, error) in table {
        refused_alike(&authenticator, name, headers, error).await;
    }
}

async fn all_tokens_refused(table: Vec<(&str, String, TokenError)>) {
    all_refused(table.into_iter().map(|(name, token, error)| (name, bearer(&token), error)).collect()).await;
}

fn headers<const N: usize>(values: [&str; N]) -> HeaderMap {
    values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap())).collect()
}

/// The payload as text, so that it can say what JSON of our own making never would.
fn payload(text: &str) -> String {
    forge(&header().to_string(), text, &K1)
}

/// The payload that passes, with text put in front of its first member.
fn payload_with(member: &str) -> String {
    payload(&claims().to_string().replacen('{', &format!("{{{member},"), 1))
}

#[tokio::test]
async fn a_good_token_passes_every_door() {
    for (door, router) in doors(&trusting(terms())) {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let headers = headers([format!("{scheme} {}", good()).as_str()]);
            let shown = ask(router.clone(), "/hello", headers).await;
            assert!(shown.starts_with("200\n") && shown.ends_with("\n\nhello alice"), "{door}: {shown}");
        }
    }
}

#[tokio::test]
async fn requests_without_a_readable_token_are_refused() {
    let good = good();
    let bearer = |gap: &str| headers([format!("Bearer{gap}{good}").as_str()]);
    let twice = format!("Bearer {good}");
    all_refused(vec![
        ("no header", HeaderMap::new(), Missing),
        ("Basic", headers(["Basic YWxpY2U6c2VjcmV0"]), Missing),
        ("Negotiate, which is not spoken here", headers([format!("Negotiate {good}").as_str()]), Missing),
        ("a token without a scheme", headers([good.as_str()]), Missing),
        ("an empty header", headers([""]), Missing),
        ("a tab", bearer("\t"), Missing),
        ("no token", headers(["Bearer"]), RequestMalformed),
        ("an empty token", headers(["Bearer "]), RequestMalformed),
        ("two spaces", bearer("  "), RequestMalformed),
        ("two tokens", headers([format!("Bearer {good} {good}").as_str()]), RequestMalformed),
        ("a space behind", headers([format!("Bearer {good} ").as_str()]), RequestMalformed),
        ("a list", headers([format!("Bearer {good}, Bearer {good}").as_str()]), RequestMalformed),
        ("two headers", headers([twice.as_str(), twice.as_str()]), RequestMalformed),
        ("two headers of which one is another's", headers([twice.as_str(), "Basic eA=="]), RequestMalformed),
        ("not ASCII", headers(["Bearer é.é.é"]), RequestMalformed),
    ])
    .await;
}

#[tokio::test]
async fn a_token_in_the_query_is_none() {
    for (door, router) in doors(&trusting(terms())) {
        let shown = ask(router, &format!("/hello?access_token={}", good()), HeaderMap::new()).await;
        assert!(shown.starts_with("401\nwww-authenticate: Bearer\n"), "{door}: {shown}");
    }
}

#[tokio::test]
async fn malformed_tokens_are_refused() {
    let good = good();
    let parts: Vec<_> = good.split('.').collect();
    let [header, body, signature] = parts[..] else { unreachable!() };
    let flattened = json!({"protected": header, "payload": body, "signature": signature}).to_string();
    let general =
        json!({"payload": body, "signatures": [{"protected": header, "signature": signature}]}).to_string();
    let long = token(json!({}), json!({"padding": "x".repeat(16 * 1024)}));
    // The last character of 64 signature bytes carries two bits of them and four of nothing.
    let trailing_bits = {
        let last = signature.chars().last().unwrap();
        let next = char::from_u32(u32::from(last) + 1).unwrap();
        format!("{header}.{body}.{}{next}", &signature[..signature.len() - 1])
    };
    all_tokens_refused(vec![
        ("one part", header.to_owned(), Malformed),
        ("two parts: the signature cut off", format!("{header}.{body}"), Malformed),
        ("four parts", format!("{good}.{signature}"), Malformed),
        ("five parts: a JWE", format!("{good}.{signature}.{signature}"), Malformed),
        ("nothing between the dots", "..".to_owned(), Malformed),
        ("ten thousand dots", ".".repeat(10_000), Malformed),
        ("the flattened JSON form", flattened, Malformed),
        ("the general JSON form", general, Malformed),
        ("longer than 16 KiB", long, Malformed),
        ("padding", format!("{header}.{body}=.{signature}"), Malformed),
        ("padding behind the signature", format!("{good}=="), Malformed),
        ("trailing bits", trailing_bits, Malformed),
        ("the other base64", good.replacen(header, &format!("+/{header}"), 1), Malformed),
        ("a payload that is no JSON", payload("hello"), ClaimsMalformed),
        ("a payload that is a list", payload("[]"), ClaimsMalformed),
        ("a payload that is null", payload("null"), ClaimsMalformed),
        ("an empty payload", payload(""), ClaimsMalformed),
        ("a payload with something behind", payload(&format!("{}{{}}", claims())), ClaimsMalformed),
        ("a payload with a BOM", payload(&format!("\u{feff}{}", claims())), ClaimsMalformed),
        (
            "a deeply nested payload",
            payload_with(&format!("\"x\":{}{}", "[".repeat(5000), "]".repeat(5000))),
            ClaimsMalformed,
        ),
        ("a header that is no JSON", forge("hello", &claims().to_string(), &K1), Malformed),
        (
            "a header with two alg",
            forge(r#"{"alg":"none","alg":"ES256","typ":"at+jwt"}"#, &claims().to_string(), &K1),
            Malformed,
        ),
    ])
    .await;
}

#[tokio::test]
async fn foreign_issuers_are_refused() {
    all_tokens_refused(vec![
        ("no iss", token(json!({}), json!({"iss": null})), IssuerUnknown),
        ("an unknown iss", token(json!({}), json!({"iss": "https://evil.example.com"})), IssuerUnknown),
        ("a slash more", token(json!({}), json!({"iss": format!("{ISSUER}/")})), IssuerUnknown),
        ("upper case", token(json!({}), json!({"iss": ISSUER.to_uppercase()})), IssuerUnknown),
        ("an empty iss", token(json!({}), json!({"iss": ""})), IssuerUnknown),
        ("iss is a number", token(json!({}), json!({"iss": 1})), ClaimsMalformed),
        ("iss is a list", token(json!({}), json!({"iss": [ISSUER]})), ClaimsMalformed),
        ("two iss, the same", payload_with(&format!(r#""iss":"{ISSUER}""#)), ClaimsMalformed),
        ("two iss, one foreign", payload_with(r#""iss":"https://evil.example.com""#), ClaimsMalformed),
        (
            "two iss, one spelt with an escape",
            payload_with(r#""i\u0073s":"https://evil.example.com""#),
            ClaimsMalformed,
        ),
    ])
    .await;
}

#[tokio::test]
async fn algorithm_confusion_is_refused() {
    // Made by hand, because `MacKey` refuses the bytes of a public key.
    let mac = |secret: &[u8]| {
        let header = with(header(), json!({"alg": "HS256"})).to_string();
        let input = format!("{}.{}", base64url::encode(header), base64url::encode(claims().to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
        format!("{input}.{}", base64url::encode(tag))
    };
    let unsigned = |alg: &str| {
        let header = with(header(), json!({"alg": alg})).to_string();
        format!("{}.{}.", base64url::encode(header), base64url::encode(claims().to_string()))
    };
    let public = K1.verifying_key();
    all_tokens_refused(vec![
        ("none", unsigned("none"), AlgNotAllowed),
        ("None", unsigned("None"), AlgNotAllowed),
        ("nOnE", unsigned("nOnE"), AlgNotAllowed),
        ("none, with a signature", token(json!({"alg": "none"}), json!({})), AlgNotAllowed),
        ("HS256 keyed with the SPKI", mac(&public.to_spki_der()), AlgNotAllowed),
        ("HS256 keyed with the JWK", mac(public.to_jwk().as_bytes()), AlgNotAllowed),
        ("RS256", token(json!({"alg": "RS256"}), json!({})), AlgNotAllowed),
        ("Ed25519", token(json!({"alg": "Ed25519"}), json!({})), AlgNotAllowed),
        ("an algorithm that nobody knows", token(json!({"alg": "XX999"}), json!({})), AlgNotAllowed),
        ("lower case", token(json!({"alg": "es256"}), json!({})), AlgNotAllowed),
        ("no alg", token(json!({"alg": null}), json!({})), Malformed),
        ("alg is a number", token(json!({"alg": 256}), json!({})), Malformed),
    ])
    .await;
}

#[tokio::test]
async fn header_tricks_are_refused() {
    let own = STRANGER.verifying_key().to_jwk();
    let own: serde_json::Value = serde_json::from_str(&own).unwrap();
    let by_stranger = |changes: serde_json::Value| {
        forge(&with(header(), changes).to_string(), &claims().to_string(), &STRANGER)
    };
    all_tokens_refused(vec![
        ("an unknown critical parameter", token(json!({"crit": ["x"], "x": 1}), json!({})), CriticalUnknown),
        ("crit b64", token(json!({"crit": ["b64"], "b64": false}), json!({})), CriticalUnknown),
        ("an empty crit", token(json!({"crit": []}), json!({})), CriticalUnknown),
        ("no typ", token(json!({"typ": null}), json!({})), TypMismatch),
        ("typ JWT", token(json!({"typ": "JWT"}), json!({})), TypMismatch),
        ("an ID token", token(json!({"typ": "id_token+jwt"}), json!({})), TypMismatch),
        ("an unknown kid", token(json!({"kid": "k9"}), json!({})), KeyUnknown),
        ("no kid where there are two keys", token(json!({"kid": null}), json!({})), KeyUnknown),
        ("kid is a path", token(json!({"kid": "../../dev/null"}), json!({})), KeyUnknown),
        ("kid is SQL", token(json!({"kid": "k1' OR '1'='1"}), json!({})), KeyUnknown),
        ("kid is a number", token(json!({"kid": 1}), json!({})), Malformed),
        ("an own key in jwk", by_stranger(json!({"jwk": own})), SignatureInvalid),
        ("an own key behind jku", by_stranger(json!({"jku": "http://127.0.0.1:9/jwks"})), SignatureInvalid),
    ])
    .await;
}

#[tokio::test]
async fn forged_signatures_are_refused() {
    let good = good();
    let (input, signature) = good.rsplit_once('.').unwrap();
    let signed_with = |bytes: &[u8]| format!("{input}.{}", base64url::encode(bytes));
    let bytes = base64url::decode(signature).unwrap();
    let other = token(json!({}), json!({"sub": "mallory"}));
    let (other_input, _) = other.rsplit_once('.').unwrap();
    let mut flipped = bytes.clone();
    flipped[63] ^= 1;
    all_tokens_refused(vec![
        ("another's key", forge(&header().to_string(), &claims().to_string(), &STRANGER), SignatureInvalid),
        (
            "the other key of the issuer",
            forge(&header().to_string(), &claims().to_string(), &K2),
            SignatureInvalid,
        ),
        ("a signature of another token", format!("{other_input}.{signature}"), SignatureInvalid),
        ("one bit flipped", signed_with(&flipped), SignatureInvalid),
        ("zeros", signed_with(&[0; 64]), SignatureInvalid),
        ("no signature", format!("{input}."), SignatureInvalid),
        ("half a signature", signed_with(&bytes[..32]), SignatureInvalid),
        ("a signature and a byte", signed_with(&[&bytes[..], &[0]].concat()), SignatureInvalid),
        ("DER", signed_with(&ecdsa::fixed_to_der(&bytes).unwrap()), SignatureInvalid),
    ])
    .await;
}

#[tokio::test]
async fn claims_out_of_order_are_refused() {
    let changed = |changes| token(json!({}), changes);
    let signing = json!([{"credentialID": "contracts"}]);
    all_tokens_refused(vec![
        ("expired", changed(json!({"exp": NOW - 60})), Expired),
        ("expired long ago", changed(json!({"exp": 0, "iat": 0})), Expired),
        ("exp below zero", changed(json!({"exp": -1})), ClaimsMalformed),
        ("no exp", changed(json!({"exp": null})), ClaimsMalformed),
        ("exp is text", changed(json!({"exp": "1800000290"})), ClaimsMalformed),
        ("exp is a yes", changed(json!({"exp": true})), ClaimsMalformed),
        ("nbf in the future", changed(json!({"nbf": NOW + 61})), NotYetValid),
        ("nbf is text", changed(json!({"nbf": "now"})), ClaimsMalformed),
        ("iat in the future", changed(json!({"iat": NOW + 61})), NotYetValid),
        ("iat in milliseconds", changed(json!({"iat": NOW * 1000})), ClaimsMalformed),
        ("no iat", changed(json!({"iat": null})), ClaimsMalformed),
        ("too old", changed(json!({"iat": NOW - 661})), TooOld),
        ("another audience", changed(json!({"aud": "https://other.example.com"})), AudienceMismatch),
        ("other audiences", changed(json!({"aud": ["a", "b"]})), AudienceMismatch),
        (
            "an audience that starts alike",
            changed(json!({"aud": format!("{AUDIENCE}.evil")})),
            AudienceMismatch,
        ),
        ("no aud", changed(json!({"aud": null})), ClaimsMalformed),
        ("an empty list of audiences", changed(json!({"aud": []})), ClaimsMalformed),
        ("aud is a number", changed(json!({"aud": 1})), ClaimsMalformed),
        ("aud holds a number", changed(json!({"aud": [AUDIENCE, 1]})), ClaimsMalformed),
        ("no sub", changed(json!({"sub": null})), ClaimsMalformed),
        ("an empty sub", changed(json!({"sub": ""})), ClaimsMalformed),
        ("sub is a number", changed(json!({"sub": 1})), ClaimsMalformed),
        ("no client_id", changed(json!({"client_id": null})), ClaimsMalformed),
        ("client_id is a list", changed(json!({"client_id": ["portal"]})), ClaimsMalformed),
        ("no jti", changed(json!({"jti": null})), ClaimsMalformed),
        ("jti is a number", changed(json!({"jti": 1})), ClaimsMalformed),
        ("acr is a number", changed(json!({"acr": 2})), ClaimsMalformed),
        ("amr is text", changed(json!({"amr": "otp"})), ClaimsMalformed),
        ("amr holds a number", changed(json!({"amr": ["otp", 1]})), ClaimsMalformed),
        ("auth_time is text", changed(json!({"auth_time": "today"})), ClaimsMalformed),
        ("details are no list", changed(json!({"authorization_details": {"type": "x"}})), ClaimsMalformed),
        ("a detail without a type", changed(json!({"authorization_details": signing})), ClaimsMalformed),
        ("bound to a DPoP key", changed(json!({"cnf": {"jkt": "x"}})), SenderConstraintFailed),
        ("bound to a certificate", changed(json!({"cnf": {"x5t#S256": "x"}})), SenderConstraintFailed),
        ("a claim twice", payload_with(r#""sub":"mallory""#), ClaimsMalformed),
        ("a claim twice, deep down", payload_with(r#""x":{"a":1,"a":2}"#), ClaimsMalformed),
    ])
    .await;
}

/// With several issuers `iss` is read before the signature is verified, and what is refused is the same.
#[tokio::test]
async fn issuers_of_one_api_are_kept_apart() {
    let other = "https://other.example.com";
    let issuers = builder(terms()).issuer(
        IssuerConfig::new(other, "https://other.example.com/api")
            .fixed_keys([STRANGER.verifying_key()])
            .typ(["JWT"])
            .clock_skew(Duration::ZERO),
    );
    let authenticator =
        issuers.resource(ProtectedResource::new("https://api.example.com").unwrap()).build().unwrap();
    let of_other = |header_changes, claim_changes, key| {
        let header = with(with(header(), json!({"typ": "JWT"})), header_changes);
        let own = json!({"iss": other, "aud": "https://other.example.com/api"});
        forge(&header.to_string(), &with(with(claims(), own), claim_changes).to_string(), key)
    };
    authenticator.authenticate_token(&good(), NOW).await.unwrap();
    let passed = authenticator.authenticate_token(&of_other(json!({}), json!({}), &STRANGER), NOW).await;
    assert_eq!(passed.unwrap().issuer(), other);
    let none = || json!({});
    let iss = |iss| of_other(none(), json!({ "iss": iss }), &STRANGER);
    let table = vec![
        ("signed by the other one's key", of_other(none(), none(), &K1), SignatureInvalid),
        ("the key of the one, named by the other", iss(json!(ISSUER)), TypMismatch),
        (
            "the key of the one, in the type of the other",
            of_other(json!({"typ": "at+jwt"}), json!({"iss": ISSUER}), &STRANGER),
            SignatureInvalid,
        ),
        ("the type of the other", of_other(json!({"typ": "at+jwt"}), none(), &STRANGER), TypMismatch),
        (
            "the audience of the other",
            of_other(none(), json!({"aud": AUDIENCE}), &STRANGER),
            AudienceMismatch,
        ),
        ("the skew of the other", of_other(none(), json!({"exp": NOW}), &STRANGER), Expired),
        ("a key that only the other one has", of_other(json!({"kid": "k2"}), none(), &K2), KeyUnknown),
        ("nobody", iss(json!(null)), IssuerUnknown),
        ("somebody else", iss(json!("https://evil.example.com")), IssuerUnknown),
        ("both", iss(json!([ISSUER, other])), ClaimsMalformed),
        ("a slash more", iss(json!(format!("{other}/"))), IssuerUnknown),
        ("the port that goes without saying", iss(json!("https://other.example.com:443")), IssuerUnknown),
        ("with a dot at the end of the host", iss(json!("https://other.example.com.")), IssuerUnknown),
        ("with a space behind", iss(json!(format!("{other} "))), IssuerUnknown),
        ("a NUL behind", iss(json!(format!("{other}\0"))), IssuerUnknown),
        ("two iss", payload_with(&format!(r#""iss":"{other}""#)), ClaimsMalformed),
        ("no JSON", payload("hello"), ClaimsMalformed),
        ("one part", "hello".to_owned(), Malformed),
        ("unsigned", of_other(json!({"alg": "none"}), none(), &STRANGER), AlgNotAllowed),
    ];
    for (name, token, error) in table {
        refused_alike(&authenticator, name, bearer(&token), error).await;
    }
}

#[tokio::test]
async fn a_token_that_does_not_reach_as_far_is_told_what_would() {
    let granted = token(json!({}), json!({"scope": "orders:read profile"}));
    let layer = |scopes: &[&str]| {
        let api = ProtectedResource::new("https://api.example.com").unwrap();
        let authenticator = builder(terms()).resource(api).build().unwrap();
        let layer = AuthLayer::new(authenticator).require(Requirements::none().scopes(scopes.to_vec()));
        Router::new().route("/hello", get(async || "hello")).layer(layer)
    };
    for scopes in [&["orders:read"][..], &["profile", "orders:read"], &[]] {
        let shown = ask(layer(scopes), "/hello", bearer(&granted)).await;
        assert!(shown.ends_with("\n\nhello"), "{scopes:?}: {shown}");
    }
    for (scopes, named) in [
        (&["orders:write"][..], "orders:write"),
        (&["orders:read", "orders:write"], "orders:read orders:write"),
        (&["orders"], "orders"),
        (&["Orders:read"], "Orders:read"),
        (&["orders:read profile"], "orders:read profile"),
    ] {
        let shown = ask(layer(scopes), "/hello", bearer(&granted)).await;
        let challenge = format!(
            r#"Bearer error="insufficient_scope", error_description="The access token does not reach that far", scope="{named}", {METADATA}"#
        );
        assert!(shown.starts_with(&format!("403\nwww-authenticate: {challenge}\n")), "{scopes:?}: {shown}");
    }
    // What it may do is nobody's business whose token is not valid.
    let forged = format!("{granted}A");
    assert_eq!(ask(layer(&["orders:write"]), "/hello", bearer(&forged)).await, INVALID);
    assert_eq!(ask(layer(&["orders:write"]), "/hello", HeaderMap::new()).await, MISSING);
}
