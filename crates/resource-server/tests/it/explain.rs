//! Explanations: the decision itself, check by check.

use crate::support::*;
use http::{HeaderMap, Method, Uri};
use sealwright_jose::SigningKey;
use sealwright_resource_server::{
    Authenticator, Check, Compat, Explanation, IssuerConfig, Outcome, Request, Requirements, Revocation,
    TokenError, Waived, sender::dpop::DpopError,
};
use serde_json::json;

async fn explain(authenticator: &Authenticator, headers: &HeaderMap) -> Explanation {
    explain_for(authenticator, headers, &Requirements::none()).await
}

async fn explain_for(
    authenticator: &Authenticator,
    headers: &HeaderMap,
    requirements: &Requirements,
) -> Explanation {
    let (method, uri) = (Method::GET, Uri::from_static("/hello"));
    authenticator.explain(&Request::new(&method, &uri, headers), requirements, NOW).await
}

/// Which check each error comes from: said a second time, so that the two can be held against each other.
fn check_of(error: TokenError) -> &'static [Check] {
    match error {
        TokenError::Missing | TokenError::RequestMalformed => &[Check::Request],
        TokenError::Malformed => &[Check::Form],
        TokenError::IssuerUnknown => &[Check::Issuer],
        TokenError::KeysUnavailable => &[Check::Keys],
        TokenError::AlgNotAllowed => &[Check::Algorithm],
        TokenError::CriticalUnknown => &[Check::Critical],
        TokenError::TypMismatch => &[Check::Type],
        TokenError::KeyUnknown => &[Check::Key],
        TokenError::SignatureInvalid => &[Check::Signature],
        TokenError::ClaimsMalformed => &[Check::Claims],
        TokenError::Expired => &[Check::Expiry],
        TokenError::NotYetValid => &[Check::NotBefore],
        TokenError::TooOld => &[Check::Age],
        TokenError::AudienceMismatch => &[Check::Audience],
        TokenError::Revoked => &[Check::Revocation],
        TokenError::Proof(DpopError::Replayed | DpopError::WindowFull) => &[Check::Replay],
        _ => &[Check::Sender],
    }
}

/// Holds an explanation against a decision: the same error, from one check, behind checks that hold.
pub(crate) async fn agrees(
    authenticator: &Authenticator,
    headers: &HeaderMap,
    error: TokenError,
    name: &str,
) {
    let explanation = explain(authenticator, headers).await;
    assert_eq!(explanation.code(), Some(error.code()), "{name}\n{explanation}");
    let failed = explanation.failure().unwrap_or_else(|| panic!("{name}: nothing failed\n{explanation}"));
    assert!(check_of(error).contains(&failed.check), "{name}: {error:?}\n{explanation}");
    assert!(!failed.why.is_empty(), "{name}: it does not say why\n{explanation}");
    well_formed(&explanation, name);
}

/// Every check stands there once; what was not reached is behind the one that failed, and nothing else is.
fn well_formed(explanation: &Explanation, name: &str) {
    let outcomes: Vec<_> = explanation.checks().iter().map(|seen| seen.outcome).collect();
    let decided = outcomes.iter().position(|outcome| *outcome == Outcome::Failed);
    let reached = decided.map_or(outcomes.len(), |at| at + 1);
    assert_eq!(decided.is_none(), explanation.is_accepted(), "{name}\n{explanation}");
    assert!(!outcomes[..reached].contains(&Outcome::NotReached), "{name}\n{explanation}");
    let behind = &outcomes[reached..];
    assert!(behind.iter().all(|outcome| *outcome == Outcome::NotReached), "{name}\n{explanation}");
    let mut checks: Vec<_> = explanation.checks().iter().map(|seen| seen.check.name()).collect();
    checks.sort_unstable();
    checks.dedup();
    assert_eq!(checks.len(), Check::ALL.len(), "{name}\n{explanation}");
}

#[tokio::test]
async fn a_good_token_passes_every_check() {
    let explanation = explain(&trusting(terms()), &bearer(&good())).await;
    well_formed(&explanation, "good");
    insta::assert_snapshot!(explanation, @r"
    request     passed
    keys        passed       fixed
    form        passed
    algorithm   passed       `ES256`
    critical    passed
    type        passed       `at+jwt`
    key         passed       `k1`
    signature   passed
    issuer      passed
    claims      passed
    expiry      passed
    not_before  passed
    age         passed
    audience    passed
    revocation  passed
    sender      passed
    replay      waived       there is no proof
    scope       waived       nothing is asked for
    rules       waived       nothing is asked for
    assurance   waived       nothing is asked for
    accepted
    ");
}

#[tokio::test]
async fn a_refusal_says_what_was_not_reached() {
    let token = token(json!({"kid": "k9\u{1b}[2J"}), json!({}));
    let explanation = explain(&trusting(terms()), &bearer(&token)).await;
    well_formed(&explanation, "kid");
    insta::assert_snapshot!(explanation, @r"
    request     passed
    keys        passed       fixed
    form        passed
    algorithm   passed       `ES256`
    critical    passed
    type        passed       `at+jwt`
    key         FAILED       no key fits: `kid` is `k9\u{1b}[2J`
    issuer      not reached
    signature   not reached
    claims      not reached
    expiry      not reached
    not_before  not reached
    age         not reached
    audience    not reached
    revocation  not reached
    sender      not reached
    replay      not reached
    scope       not reached
    rules       not reached
    assurance   not reached
    refused: key_unknown
    ");
}

#[tokio::test]
async fn each_reason_says_why() {
    let other = SigningKey::generate(sealwright_jose::Alg::Es256).unwrap();
    let two = builder(terms())
        .issuer(IssuerConfig::new("https://other.example.com", AUDIENCE).fixed_keys([other.verifying_key()]))
        .build()
        .unwrap();
    let changed = |changes| token(json!({}), changes);
    let mut shown = String::new();
    for (name, token) in [
        ("expired", changed(json!({"exp": NOW - 61}))),
        ("early", changed(json!({"nbf": NOW + 99}))),
        ("old", changed(json!({"iat": NOW - 1000}))),
        ("elsewhere", changed(json!({"aud": ["one\n", "two"]}))),
        ("no jti", changed(json!({"jti": null}))),
        ("acr", changed(json!({"acr": 1}))),
        ("issuer", changed(json!({"iss": "https://evil.example.com"}))),
        ("no issuer", changed(json!({"iss": null}))),
        ("alg", token(json!({"alg": "none"}), json!({}))),
        ("typ", token(json!({"typ": "JWT"}), json!({}))),
        ("forged", forge(&header().to_string(), &claims().to_string(), &STRANGER)),
    ] {
        for authenticator in [&trusting(terms()), &two] {
            let explanation = explain(authenticator, &bearer(&token)).await;
            let failed = explanation.failure().unwrap();
            let line = format!("{name}: {}: {}\n", failed.check.name(), failed.why);
            if !shown.ends_with(&line) {
                shown.push_str(&line);
            }
        }
    }
    insta::assert_snapshot!(shown, @r"
    expired: expiry: expired 61 s ago, of which 60 s are granted
    early: not_before: valid in 99 s, of which 60 s are granted
    old: age: issued 1000 s ago, 600 s are allowed
    elsewhere: audience: `aud` is `one\n`, `two`
    no jti: claims: `jti` is missing or empty
    acr: claims: a claim is not of the type that its standard gives it
    issuer: issuer: `iss` is `https://evil.example.com`, which is not trusted
    no issuer: issuer: `iss` is missing
    alg: algorithm: algorithm not allowed: `alg` is `none`
    typ: type: wrong `typ`: `typ` is `JWT`
    forged: signature: signature does not match
    ");
}

#[tokio::test]
async fn what_is_waived_says_so() {
    let terms = terms().max_token_age(None).plain_jwt();
    let authenticator = builder(terms)
        .compat(Compat::TutorialPair)
        .waive([Waived::Issuer, Waived::Audience, Waived::Typ, Waived::Subject])
        .build()
        .unwrap();
    let token = token(json!({"typ": "JWT"}), json!({"iss": null, "aud": null, "sub": null}));
    let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, token.parse().unwrap())]);
    let explanation = explain(&authenticator, &headers).await;
    well_formed(&explanation, "tutorial");
    let waived: Vec<_> = explanation
        .checks()
        .iter()
        .filter(|seen| seen.outcome == Outcome::Waived)
        .map(|seen| seen.check)
        .collect();
    assert!(
        [Check::Issuer, Check::Age, Check::Audience].iter().all(|check| waived.contains(check)),
        "{explanation}"
    );
}

#[tokio::test]
async fn requirements_are_explained_too() {
    let authenticator = trusting(terms());
    let headers = bearer(&token(json!({}), json!({"scope": "read"})));
    let write = Requirements::none().scopes(["read", "write"]);
    let explanation = explain_for(&authenticator, &headers, &write).await;
    let failed = explanation.failure().unwrap();
    assert_eq!((failed.check, &*failed.why), (Check::Scope, "`write` is not granted"));
    assert!(
        explain_for(&authenticator, &headers, &Requirements::none().scopes(["read"])).await.is_accepted()
    );
}

#[tokio::test]
async fn to_explain_leaves_no_trace() {
    let authenticator = trusting(terms());
    let token = good();
    let status = authenticator.verified_tokens();
    assert!(explain(&authenticator, &bearer(&token)).await.is_accepted());
    assert!(authenticator.explain_token(&token, NOW).await.is_accepted());
    assert_eq!(authenticator.verified_tokens(), status);
    // And a token that is remembered is looked at as if it were not.
    authenticator.authenticate_token(&token, NOW).await.unwrap();
    let passed = authenticator.authenticate_token(&token, NOW).await.unwrap();
    authenticator.revoke(Revocation::of_token(&passed)).unwrap();
    let explanation = authenticator.explain_token(&token, NOW).await;
    assert_eq!(explanation.code(), Some("token_revoked"));
    assert_eq!(explanation.failure().unwrap().check, Check::Revocation);
}

#[tokio::test]
async fn keys_from_afar_are_fetched_as_for_a_request() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let authenticator = builder(source.terms()).build().unwrap();
    let cannot_pass = authenticator.explain_token("a.b.c", NOW).await;
    assert_eq!((cannot_pass.code(), source.requests()), (Some("token_malformed"), 0));
    assert!(authenticator.explain_token(&good(), NOW).await.is_accepted());
    assert_eq!(source.requests(), 1);
    let down = Source::start(Answer::Raw("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".into())).await;
    let authenticator = builder(down.terms()).build().unwrap();
    let explanation = authenticator.explain_token(&good(), NOW).await;
    assert_eq!(explanation.code(), Some("authorization_server_unavailable"));
    assert_eq!(explanation.failure().unwrap().check, Check::Keys);
}
