//! Every request whose sender does not show what its token is bound to, through every door, with the whole answer.

use crate::{
    explain,
    refusals::{INVALID, MALFORMED_REQUEST, MISSING},
    sender::{decide, *},
    support::*,
};
use TokenError::*;
use axum::{
    Router,
    body::Body,
    extract::{FromRef, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, Request};
use sealwright_jose::{Alg, SigningKey};
use sealwright_resource_server::{
    AuthLayer, Authenticator, Refusal, Requirements, Token, TokenError,
    assurance::Assurance,
    rules::Rule,
    sender::{
        ClientCertificate, SenderConstraint,
        dpop::{DPOP, DpopError},
    },
};
use serde_json::json;
use std::time::Duration;
use tower::ServiceExt;

const MISSING_WHERE_DPOP_IS_REQUIRED: &str = r#"401
www-authenticate: DPoP algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"token_missing","status":401,"title":"Unauthorized","type":"about:blank"}"#;

const INVALID_DPOP: &str = r#"401
www-authenticate: DPoP error="invalid_token", error_description="The access token is not valid", algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"token_invalid","status":401,"title":"Unauthorized","type":"about:blank"}"#;

/// RFC 9449 §7.1: whoever used the wrong scheme is shown both.
const WRONGLY_BEARER: &str = r#"401
www-authenticate: Bearer error="invalid_token", error_description="The access token is not valid", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
www-authenticate: DPoP algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"token_invalid","status":401,"title":"Unauthorized","type":"about:blank"}"#;

const WRONGLY_DPOP: &str = r#"401
www-authenticate: DPoP error="invalid_token", error_description="The access token is not valid", algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
www-authenticate: Bearer resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"token_invalid","status":401,"title":"Unauthorized","type":"about:blank"}"#;

const INVALID_PROOF: &str = r#"401
www-authenticate: DPoP error="invalid_dpop_proof", error_description="The DPoP proof is not valid", algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"dpop_proof_invalid","status":401,"title":"Unauthorized","type":"about:blank"}"#;

/// With the nonce that is asked for in the place of `NONCE`.
const NONCE_WANTED: &str = r#"401
www-authenticate: DPoP error="use_dpop_nonce", error_description="The DPoP proof needs a current nonce", algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
dpop-nonce: NONCE
content-type: application/problem+json
cache-control: no-store

{"code":"dpop_nonce_required","status":401,"title":"Unauthorized","type":"about:blank"}"#;

const INVALID_PROOF_WITH_NONCE: &str = r#"401
www-authenticate: DPoP error="invalid_dpop_proof", error_description="The DPoP proof is not valid", algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
dpop-nonce: NONCE
content-type: application/problem+json
cache-control: no-store

{"code":"dpop_proof_invalid","status":401,"title":"Unauthorized","type":"about:blank"}"#;

fn request<B>(headers: &HeaderMap, certificate: Option<ClientCertificate>, body: B) -> Request<B> {
    let mut request = Request::get("/hello").body(body).unwrap();
    *request.headers_mut() = headers.clone();
    if let Some(certificate) = certificate {
        request.extensions_mut().insert(certificate);
    }
    request
}

/// One request through every door. What is refused uses up no proof, so that it can be sent again.
async fn refused_alike(
    authenticator: &Authenticator,
    name: &str,
    headers: &HeaderMap,
    certificate: Option<ClientCertificate>,
    error: TokenError,
    shown: &str,
) {
    let head = request(headers, certificate, ());
    let decided = authenticator.authenticate(&(&head).into(), NOW).await;
    assert_eq!(decided.map(drop), Err(error), "{name}");
    if certificate.is_none() {
        explain::agrees(authenticator, headers, error, name).await;
    }
    for (door, router) in doors(authenticator) {
        let answer = router.oneshot(request(headers, certificate, Body::empty())).await.unwrap();
        assert_eq!(show(answer).await, shown, "{name} at the {door}");
    }
}

#[tokio::test]
async fn whoever_does_not_prove_it_is_refused_for_its_reason() {
    let authenticator = api().build().unwrap();
    let strict = demanding(SenderConstraint::Dpop);
    let (token, good) = (bound(), good());
    let thief = SigningKey::generate(Alg::Es256).unwrap();
    let both = |scheme, proofs: &[&str]| sent(scheme, &token, proofs);
    let proof_alone = || HeaderMap::from_iter([(DPOP, proof(&token, json!({})).parse().unwrap())]);
    let other = "https://other.example.com/hello";
    let used = proven(json!({}));
    decide(&authenticator, &used).await.unwrap();
    for (name, authenticator, headers, error, shown) in [
        ("bound, sent as Bearer", &authenticator, both("Bearer", &[]), SchemeMismatch, WRONGLY_BEARER),
        (
            "bound, as Bearer with a proof",
            &authenticator,
            both("Bearer", &[&proof(&token, json!({}))]),
            SchemeMismatch,
            WRONGLY_BEARER,
        ),
        ("bound, as Bearer, DPoP only", &strict, both("Bearer", &[]), SchemeMismatch, INVALID_DPOP),
        (
            "not bound, sent as DPoP",
            &authenticator,
            sent("DPoP", &good, &[&proof(&good, json!({}))]),
            SchemeMismatch,
            WRONGLY_DPOP,
        ),
        ("not bound, DPoP only", &strict, sent("Bearer", &good, &[]), SenderUnbound, INVALID_DPOP),
        (
            "not bound, with a proof, DPoP only",
            &strict,
            sent("DPoP", &good, &[&proof(&good, json!({}))]),
            SenderUnbound,
            INVALID_DPOP,
        ),
        ("no proof", &authenticator, both("DPoP", &[]), Proof(DpopError::Missing), INVALID_PROOF),
        ("no proof, DPoP only", &strict, both("DPoP", &[]), Proof(DpopError::Missing), INVALID_PROOF),
        (
            "two proofs",
            &authenticator,
            both("DPoP", &[&proof(&token, json!({})), &proof(&token, json!({}))]),
            Proof(DpopError::Several),
            INVALID_PROOF,
        ),
        (
            "the token as proof",
            &authenticator,
            both("DPoP", &[&token]),
            Proof(DpopError::TypMismatch),
            INVALID_PROOF,
        ),
        (
            "the proof as token",
            &authenticator,
            sent("DPoP", &proof(&token, json!({})), &[]),
            IssuerUnknown,
            INVALID_DPOP,
        ),
        // The token is not theirs: no other proof would help.
        (
            "the thief's key",
            &authenticator,
            both("DPoP", &[&proof_by(&thief, &token, json!({}))]),
            Proof(DpopError::KeyMismatch),
            INVALID_DPOP,
        ),
        (
            "another method",
            &authenticator,
            proven(json!({"htm": "POST"})),
            Proof(DpopError::MethodMismatch),
            INVALID_PROOF,
        ),
        (
            "another path",
            &authenticator,
            proven(json!({"htu": "https://api.example.com/hell"})),
            Proof(DpopError::UrlMismatch),
            INVALID_PROOF,
        ),
        (
            "what the Host header may say",
            &authenticator,
            proven(json!({"htu": other})),
            Proof(DpopError::UrlMismatch),
            INVALID_PROOF,
        ),
        (
            "another token",
            &authenticator,
            both("DPoP", &[&proof(&good, json!({}))]),
            Proof(DpopError::TokenMismatch),
            INVALID_PROOF,
        ),
        (
            "an old proof",
            &authenticator,
            proven(json!({"iat": NOW - 61})),
            Proof(DpopError::TooOld),
            INVALID_PROOF,
        ),
        (
            "a proof of tomorrow",
            &authenticator,
            proven(json!({"iat": NOW + 86_400})),
            Proof(DpopError::NotYetValid),
            INVALID_PROOF,
        ),
        ("a proof that was used", &authenticator, used, Proof(DpopError::Replayed), INVALID_PROOF),
        ("no token", &authenticator, proof_alone(), Missing, MISSING),
        ("no token, DPoP only", &strict, proof_alone(), Missing, MISSING_WHERE_DPOP_IS_REQUIRED),
        ("an empty token", &authenticator, sent("DPoP", "", &[]), RequestMalformed, MALFORMED_REQUEST),
        ("another scheme", &authenticator, both("Basic", &[&proof(&token, json!({}))]), Missing, MISSING),
    ] {
        let mut headers = headers;
        headers.insert("host", "other.example.com".parse().unwrap());
        refused_alike(authenticator, name, &headers, None, error, shown).await;
    }
}

#[tokio::test]
async fn whoever_lacks_the_nonce_is_given_it() {
    let (authenticator, current) = (with_nonces(), nonces().current(NOW));
    let old = nonces().current(NOW - 120);
    for (name, headers, error, shown) in [
        ("none", proven(json!({})), DpopError::NonceMissing, NONCE_WANTED),
        ("an old one", proven(json!({"nonce": old})), DpopError::NonceStale, NONCE_WANTED),
        ("not ours", proven(json!({"nonce": "n"})), DpopError::NonceStale, NONCE_WANTED),
        (
            "the current one, for another method",
            proven(json!({"nonce": current, "htm": "PUT"})),
            DpopError::MethodMismatch,
            INVALID_PROOF_WITH_NONCE,
        ),
    ] {
        let shown = shown.replace("NONCE", &current);
        refused_alike(&authenticator, name, &headers, None, Proof(error), &shown).await;
    }
}

#[tokio::test]
async fn a_certificate_is_that_of_the_token() {
    let shown = |der: &[u8]| Some(ClientCertificate::from_der(der));
    let (bound, unbound) = (bound_to_certificate(), good());
    let both = {
        let x5t = ClientCertificate::from_der(CERTIFICATE).thumbprint().to_string();
        let jkt = CLIENT.verifying_key().thumbprint_base64url();
        token(json!({}), json!({"cnf": {"x5t#S256": x5t, "jkt": jkt}}))
    };
    let proven = |token: &str| sent("DPoP", token, &[&proof(token, json!({}))]);
    let (lenient, strict) = (api().build().unwrap(), demanding(SenderConstraint::Mtls));
    let dpop_only = demanding(SenderConstraint::Dpop);
    for (name, authenticator, headers, certificate) in [
        ("its own", &lenient, bearer(&bound), shown(CERTIFICATE)),
        ("its own, required", &strict, bearer(&bound), shown(CERTIFICATE)),
        ("not bound", &lenient, bearer(&unbound), shown(CERTIFICATE)),
        ("both", &lenient, proven(&both), shown(CERTIFICATE)),
        ("both, required", &strict, proven(&both), shown(CERTIFICATE)),
    ] {
        let head = request(&headers, certificate, ());
        let decided = authenticator.authenticate(&(&head).into(), NOW).await;
        assert_eq!(decided.map(drop), Ok(()), "{name}");
    }
    for (name, authenticator, headers, certificate, error, answer) in [
        ("none", &lenient, bearer(&bound), None, CertificateMissing, INVALID),
        ("another one", &lenient, bearer(&bound), shown(b"another"), CertificateMismatch, INVALID),
        ("an empty one", &strict, bearer(&bound), shown(b""), CertificateMismatch, INVALID),
        ("not bound, required", &strict, bearer(&unbound), shown(CERTIFICATE), SenderUnbound, WRONGLY_BEARER),
        ("bound to a key, required", &strict, self::proven(json!({})), None, SenderUnbound, WRONGLY_DPOP),
        ("key required", &dpop_only, bearer(&bound), shown(CERTIFICATE), SenderUnbound, INVALID_DPOP),
        ("under DPoP", &lenient, proven(&bound), shown(CERTIFICATE), SchemeMismatch, WRONGLY_DPOP),
        ("both, without certificate", &lenient, proven(&both), None, CertificateMissing, INVALID_DPOP),
        (
            "both, with another one",
            &lenient,
            proven(&both),
            shown(b"another"),
            CertificateMismatch,
            INVALID_DPOP,
        ),
        (
            "both, without proof",
            &lenient,
            sent("DPoP", &both, &[]),
            shown(CERTIFICATE),
            Proof(DpopError::Missing),
            INVALID_PROOF,
        ),
        ("both, as Bearer", &lenient, bearer(&both), shown(CERTIFICATE), SchemeMismatch, WRONGLY_BEARER),
    ] {
        refused_alike(authenticator, name, &headers, certificate, error, answer).await;
    }
}

const SCOPE_WANTED: &str = r#"403
www-authenticate: DPoP error="insufficient_scope", error_description="The access token does not reach that far", scope="orders:write", algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"scope_insufficient","status":403,"title":"Forbidden","type":"about:blank"}"#;

const DENIED: &str = r#"403
www-authenticate: DPoP error="insufficient_scope", error_description="The access token does not reach that far", algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"access_denied","status":403,"title":"Forbidden","type":"about:blank"}"#;

const LOGIN_WANTED: &str = r#"401
www-authenticate: DPoP error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="mfa", max_age="300", algs="ES256 Ed25519 PS256 EdDSA", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"
content-type: application/problem+json
cache-control: no-store

{"code":"assurance_insufficient","status":401,"title":"Unauthorized","type":"about:blank"}"#;

/// An API that requires more than a valid token: of all its routes, in a handler, and by the plain function.
fn demanding_doors(
    authenticator: &Authenticator,
    requirements: &Requirements,
) -> [(&'static str, Router); 3] {
    #[derive(Clone)]
    struct Api(Authenticator, Requirements);
    impl FromRef<Api> for Authenticator {
        fn from_ref(api: &Api) -> Self {
            api.0.clone()
        }
    }
    async fn asks(State(api): State<Api>, Token(token): Token) -> Result<&'static str, Refusal> {
        api.0.check(&token, &api.1).map(|()| "hello")
    }
    async fn plain(State(api): State<Api>, request: Request<Body>) -> Response {
        match api.0.authorize_for(&request.into_parts().0, &api.1).await {
            Ok(_) => "hello".into_response(),
            Err(refusal) => refusal.into_http().map(Body::from),
        }
    }
    let layer = AuthLayer::new(authenticator.clone()).require(requirements.clone());
    let state = Api(authenticator.clone(), requirements.clone());
    [
        ("layer", Router::new().route("/hello", get(async || "hello")).layer(layer)),
        ("extractor", Router::new().route("/hello", get(asks)).with_state(state.clone())),
        ("plain function", Router::new().route("/hello", get(plain)).with_state(state)),
    ]
}

/// RFC 9449 §7.1: whoever proves a key is told in the scheme `DPoP` what else it needs.
#[tokio::test]
async fn what_a_bound_token_does_not_reach_is_said_under_its_scheme() {
    let jkt = CLIENT.verifying_key().thumbprint_base64url();
    let enough = json!({
        "cnf": {"jkt": jkt}, "scope": "orders:write", "groups": ["clerks"], "acr": "mfa", "auth_time": NOW - 10,
    });
    let requirements = Requirements::none()
        .scopes(["orders:write"])
        .rule(Rule::claim("groups").contains("clerks"))
        .assurance(Assurance {
            acr_any: vec!["mfa".into()],
            max_auth_age: Some(Duration::from_secs(300)),
            ..Assurance::default()
        });
    for constraint in [SenderConstraint::IfBound, SenderConstraint::Dpop] {
        let authenticator = match constraint {
            SenderConstraint::IfBound => api().build().unwrap(),
            demanded => demanding(demanded),
        };
        for (changes, shown) in [
            (json!({}), None),
            (json!({"scope": "orders:read"}), Some(SCOPE_WANTED)),
            (json!({"groups": []}), Some(DENIED)),
            (json!({"acr": "pwd"}), Some(LOGIN_WANTED)),
            (json!({"auth_time": NOW - 361}), Some(LOGIN_WANTED)),
        ] {
            let token = token(json!({}), with(enough.clone(), changes.clone()));
            for (door, router) in demanding_doors(&authenticator, &requirements) {
                // The proof is good, and passes once.
                let headers = sent("DPoP", &token, &[&proof(&token, json!({}))]);
                let answer = ask(router, "/hello", headers).await;
                match shown {
                    Some(shown) => assert_eq!(answer, shown, "{constraint:?} {changes} at the {door}"),
                    None => assert!(answer.ends_with("\n\nhello"), "{constraint:?} at the {door}: {answer}"),
                }
            }
        }
    }
}
