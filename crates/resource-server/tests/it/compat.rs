//! The profile of the usual Node tutorial, through every door, with the whole answer.

use crate::support::*;
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use sealwright_resource_server::{
    Authenticator, AuthenticatorBuilder, Compat, IssuerConfig, Requirements, TokenError, Waived,
    metadata::ProtectedResource,
};
use serde_json::{Value, json};

const MISSING: &str = r#"401
content-type: application/json; charset=utf-8
cache-control: no-store

{"message":"Missing token"}"#;

const INVALID: &str = r#"403
content-type: application/json; charset=utf-8
cache-control: no-store

{"message":"Invalid token"}"#;

const ALL: [Waived; 4] = [Waived::Issuer, Waived::Audience, Waived::Typ, Waived::Subject];

fn tutorial() -> AuthenticatorBuilder {
    let issuer = IssuerConfig::new(ISSUER, AUDIENCE).fixed_keys([K1.verifying_key()]).plain_jwt();
    builder(issuer).compat(Compat::TutorialPair)
}

/// What the tutorial's service signs, but for these changes.
fn its_token(header_changes: Value, claim_changes: Value) -> String {
    let claims = json!({
        "sessionId": "5f0c", "role": "admin", "jti": "t-1", "iat": NOW - 10, "nbf": NOW - 10, "exp": NOW + 1190,
    });
    let header = with(json!({"alg": "ES256", "kid": "k1"}), header_changes);
    forge(&header.to_string(), &with(claims, claim_changes).to_string(), &K1)
}

fn bare(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(token.as_bytes()).unwrap())])
}

#[tokio::test]
async fn its_requests_pass() {
    let authenticator = tutorial().waive(ALL).build().unwrap();
    for typ in [json!(null), json!("JWT"), json!("jwt")] {
        let token = its_token(json!({ "typ": typ }), json!({}));
        for (door, router) in doors(&authenticator) {
            let shown = ask(router, "/hello", bare(&token)).await;
            assert!(shown.starts_with("200\n"), "{typ} at the {door}: {shown}");
        }
        let passed = authenticator.authenticate_token(&token, NOW).await.unwrap();
        assert_eq!((passed.issuer(), passed.subject(), passed.jti()), (ISSUER, "", Some("t-1")));
        assert_eq!(passed.claims().get("role"), Some(&json!("admin")));
    }
}

#[tokio::test]
async fn its_refusals_are_answered_as_it_does() {
    let authenticator = tutorial().waive(ALL);
    // It would be named in the challenge, and there is none.
    let authenticator = authenticator.resource(ProtectedResource::new(AUDIENCE).unwrap()).build().unwrap();
    let good = its_token(json!({}), json!({}));
    let changed = |changes| bare(&its_token(json!({}), changes));
    let mut twice = bare(&good);
    twice.append(AUTHORIZATION, HeaderValue::from_str(&good).unwrap());
    for (name, headers, expected) in [
        ("no header", HeaderMap::new(), MISSING),
        ("an empty header", bare(""), MISSING),
        ("with a scheme", bearer(&good), INVALID),
        ("another scheme", bare("Basic eA=="), INVALID),
        ("two headers", twice, INVALID),
        ("not ASCII", bare("é"), INVALID),
        ("no token", bare("hello"), INVALID),
        ("expired", changed(json!({"exp": NOW - 60})), INVALID),
        ("no exp", changed(json!({"exp": null})), INVALID),
        ("not valid yet", changed(json!({"nbf": NOW + 61})), INVALID),
        ("another issuer", changed(json!({"iss": "https://evil.example.com"})), INVALID),
        ("another audience", changed(json!({"aud": "https://other.example.com"})), INVALID),
        ("another type", bare(&its_token(json!({"typ": "dpop+jwt"}), json!({}))), INVALID),
        ("bound to a key", changed(json!({"cnf": {"jkt": "x"}})), INVALID),
        ("an unknown key", bare(&its_token(json!({"kid": "k9"}), json!({}))), INVALID),
        ("unsigned", bare(&its_token(json!({"alg": "none"}), json!({}))), INVALID),
        (
            "another's signature",
            bare(&forge(r#"{"alg":"ES256","kid":"k1"}"#, r#"{"exp":1800001190}"#, &STRANGER)),
            INVALID,
        ),
    ] {
        for (door, router) in doors(&authenticator) {
            assert_eq!(ask(router, "/hello", headers.clone()).await, expected, "{name} at the {door}");
        }
    }
    let parts = request_with(bare(&good));
    let more = Requirements::none().scopes(["read"]);
    let refusal = authenticator.authorize_for(&parts, &more).await.unwrap_err();
    assert_eq!(show(refusal.into_http().map(Into::into)).await, INVALID, "a missing scope");
}

#[tokio::test]
async fn each_claim_is_waived_by_its_own_name() {
    let full = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice"});
    for (waived, name, error) in [
        (Waived::Issuer, "iss", TokenError::IssuerUnknown),
        (Waived::Audience, "aud", TokenError::AudienceMismatch),
        (Waived::Subject, "sub", TokenError::ClaimsMalformed),
    ] {
        let lacking = its_token(json!({}), with(full.clone(), json!({ (name): null })));
        let others = ALL.into_iter().filter(|other| *other != waived);
        let decided = tutorial().waive(others).build().unwrap().authenticate_token(&lacking, NOW).await;
        assert_eq!(decided.map(drop), Err(error), "{name} is not waived");
        tutorial().waive([waived]).build().unwrap().authenticate_token(&lacking, NOW).await.unwrap();
    }
    // Terms that demand a type.
    let strict = || {
        let issuer = IssuerConfig::new(ISSUER, AUDIENCE).fixed_keys([K1.verifying_key()]);
        builder(issuer).compat(Compat::TutorialPair)
    };
    let lacking = its_token(json!({}), full);
    let decided = strict().build().unwrap().authenticate_token(&lacking, NOW).await;
    assert_eq!(decided.map(drop), Err(TokenError::TypMismatch));
    strict().waive([Waived::Typ]).build().unwrap().authenticate_token(&lacking, NOW).await.unwrap();
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_no_fault_of_the_token() {
    let source = Source::start(Answer::Raw("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".into())).await;
    let authenticator = builder(source.terms()).compat(Compat::TutorialPair).waive(ALL).build().unwrap();
    for (door, router) in doors(&authenticator) {
        let shown = ask(router, "/hello", bare(&its_token(json!({}), json!({})))).await;
        let expected = "503\nretry-after: 5\ncontent-type: application/json; charset=utf-8\ncache-control: no-store\n\n\
                        {\"message\":\"Try again later\"}";
        assert_eq!(shown, expected, "{door}");
    }
}

#[test]
fn it_is_for_one_issuer_and_waives_nothing_by_itself() {
    let two = tutorial()
        .issuer(IssuerConfig::new("https://b.example.com", AUDIENCE).fixed_keys([K2.verifying_key()]));
    assert_eq!(
        two.build().map(drop).unwrap_err().to_string(),
        "the compatibility profile takes one issuer, and there are 2"
    );
    for (waived, name) in ALL.into_iter().zip(["iss", "aud", "typ", "sub"]) {
        let strict = Authenticator::builder().issuer(terms()).waive([waived]);
        assert_eq!(
            strict.build().map(drop).unwrap_err().to_string(),
            format!("`{name}` is waived, which only a compatibility profile may do")
        );
    }
}
