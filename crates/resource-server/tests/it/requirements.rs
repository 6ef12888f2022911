//! What a valid token does not reach: each requirement through every way in, with the whole answer.

use crate::support::*;
use axum::{Router, body::Body, extract::State, routing::get};
use http::{HeaderMap, Request, header};
use sealwright_resource_server::{
    AuthLayer, Authenticator, Challenge, Compat, Refusal, Requirements, Token, TokenError,
    assurance::Assurance,
    metadata::ProtectedResource,
    rules::{Compare, Rule},
};
use serde_json::{Value, json};
use std::time::Duration;

fn everything() -> Requirements {
    Requirements::none()
        .scopes(["orders:read", "orders:refund"])
        .rule(Rule::claim("groups").contains("clerks"))
        .rule(Rule::claim("level").one_of([2, 3]))
        .assurance(Assurance {
            acr_any: vec!["mfa".into()],
            max_auth_age: Some(Duration::from_secs(300)),
            ..Assurance::default()
        })
}

fn enough() -> Value {
    json!({
        "scope": "orders:refund orders:read", "groups": ["clerks"], "level": 2, "acr": "mfa",
        "auth_time": NOW - 10,
    })
}

/// The code of the answer to whoever has these claims.
async fn unmet(requirements: &Requirements, changes: Value) -> Option<&'static str> {
    let token = decide(terms(), &token(json!({}), with(enough(), changes))).await.unwrap();
    requirements.check(&token, NOW).err().map(|refusal| refusal.code())
}

/// The status line, challenge and code of the layer and of the plain function, which are the same.
async fn answer(requirements: &Requirements, changes: Value) -> String {
    let authenticator: Authenticator = trusting(terms());
    let headers = bearer(&token(json!({}), with(enough(), changes)));
    let layer = AuthLayer::new(authenticator.clone()).require(requirements.clone());
    let router = Router::new().route("/hello", get(async || "hello")).layer(layer);
    let layered = ask(router, "/hello", headers.clone()).await;
    let mut request = Request::get("/hello").body(()).unwrap();
    *request.headers_mut() = headers;
    match authenticator.authorize_for(&request.into_parts().0, requirements).await {
        Ok(_) => assert!(layered.starts_with("200"), "{layered}"),
        Err(refusal) => {
            let (parts, body) = refusal.into_http().into_parts();
            assert_eq!(show(http::Response::from_parts(parts, Body::from(body))).await, layered);
        }
    }
    layered
}

#[tokio::test]
async fn each_requirement_is_met_or_named() {
    let (scope, rule, login) =
        (Some("scope_insufficient"), Some("access_denied"), Some("assurance_insufficient"));
    for (name, changes, expected) in [
        ("all of it", json!({}), None),
        ("more than that", json!({"scope": "a orders:read b orders:refund", "level": 3}), None),
        ("scopes as a list", json!({"scope": ["orders:read", "orders:refund"]}), None),
        ("one scope", json!({"scope": "orders:read"}), scope),
        ("no scope", json!({"scope": null}), scope),
        ("a scope's beginning", json!({"scope": "orders:read orders:refunds"}), scope),
        ("no group", json!({"groups": null}), rule),
        ("another group", json!({"groups": ["staff"]}), rule),
        ("another level", json!({"level": 1}), rule),
        ("a level of another type", json!({"level": "2"}), rule),
        ("a weak login", json!({"acr": "pwd"}), login),
        ("an old login", json!({"auth_time": NOW - 361}), login),
        ("no scope and a weak login", json!({"scope": null, "acr": null}), scope),
        ("no group and a weak login", json!({"groups": null, "acr": null}), rule),
    ] {
        assert_eq!(unmet(&everything(), changes).await, expected, "{name}");
    }
    let nothing = json!({"scope": null, "groups": null, "acr": null});
    assert_eq!(unmet(&Requirements::none(), nothing).await, None);
    let as_text = everything().compare(Compare::AsText);
    assert_eq!(unmet(&as_text, json!({"level": "2"})).await, None);
}

/// What [`Authenticator::explain`] says to operators, and a stranger is not told.
#[tokio::test]
async fn an_explanation_names_what_is_not_met() {
    for (changes, check, why) in [
        (json!({"scope": "orders:read"}), "scope", "`orders:refund` is not granted"),
        (json!({"groups": ["staff"]}), "rules", "claim `groups` does not match"),
        (json!({"acr": null}), "assurance", "the login is too weak or too long ago"),
    ] {
        let mut request = Request::get("/hello").body(()).unwrap();
        *request.headers_mut() = bearer(&token(json!({}), with(enough(), changes)));
        let request = sealwright_resource_server::Request::from(&request);
        let explanation = trusting(terms()).explain(&request, &everything(), NOW).await;
        let failure = explanation.failure().unwrap();
        assert_eq!((failure.check.name(), &*failure.why), (check, why));
    }
}

#[tokio::test]
async fn each_refusal_is_answered_as_its_rfc_says() {
    let challenge = |said: &str| said.lines().nth(1).unwrap_or_default().to_owned();
    for (changes, status, expected, code) in [
        (
            json!({"scope": "orders:read"}),
            "403",
            r#"www-authenticate: Bearer error="insufficient_scope", error_description="The access token does not reach that far", scope="orders:read orders:refund""#,
            "scope_insufficient",
        ),
        (
            json!({"groups": []}),
            "403",
            r#"www-authenticate: Bearer error="insufficient_scope", error_description="The access token does not reach that far""#,
            "access_denied",
        ),
        (
            json!({"acr": "pwd"}),
            "401",
            r#"www-authenticate: Bearer error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="mfa", max_age="300""#,
            "assurance_insufficient",
        ),
    ] {
        let said = answer(&everything(), changes).await;
        assert!(said.starts_with(status), "{said}");
        assert_eq!(challenge(&said), expected);
        assert!(said.contains(&format!(r#""code":"{code}""#)), "{said}");
    }
    assert!(answer(&everything(), json!({})).await.ends_with("hello"));
}

/// A handler that asks for more answers as the layer does, also where answers have another form or a pointer.
#[tokio::test]
async fn a_handler_that_asks_for_more_answers_as_the_layer_does() {
    async fn asks(
        State(authenticator): State<Authenticator>,
        Token(token): Token,
    ) -> Result<String, Refusal> {
        authenticator.check(&token, &everything()).map(|()| "hello".to_owned())
    }
    let described = || builder(terms()).resource(ProtectedResource::new(AUDIENCE).unwrap()).build().unwrap();
    let tutorial = || builder(terms()).compat(Compat::TutorialPair).build().unwrap();
    let of = |changes| token(json!({}), with(enough(), changes));
    let bare = |token: String| HeaderMap::from_iter([(header::AUTHORIZATION, token.parse().unwrap())]);
    for changes in [json!({}), json!({"scope": null}), json!({"groups": []}), json!({"acr": "pwd"})] {
        for (authenticator, headers, refused) in [
            (
                described(),
                bearer(&of(changes.clone())),
                "resource_metadata=\"https://api.example.com/.well-known",
            ),
            (tutorial(), bare(of(changes.clone())), "403\ncontent-type: application/json; charset=utf-8"),
        ] {
            let layer = AuthLayer::new(authenticator.clone()).require(everything());
            let layered = Router::new().route("/hello", get(async || "hello")).layer(layer);
            let handled = Router::new().route("/hello", get(asks)).with_state(authenticator);
            let (layered, handled) =
                (ask(layered, "/hello", headers.clone()).await, ask(handled, "/hello", headers).await);
            if changes == json!({}) {
                assert!(handled.starts_with("200") && layered.starts_with("200"), "{handled}\n{layered}");
            } else {
                assert_eq!(handled, layered);
                assert!(handled.contains(refused), "{handled}");
            }
        }
    }
}

/// What the application itself refuses has the same form.
#[tokio::test]
async fn a_refusal_of_the_application_has_the_same_form() {
    let described = builder(terms()).resource(ProtectedResource::new(AUDIENCE).unwrap()).build().unwrap();
    let shown = show(described.refuse(TokenError::Revoked).into_http().map(Body::from)).await;
    assert!(shown.starts_with("401") && shown.contains("resource_metadata=\""), "{shown}");
    let own = Refusal::new(Challenge::insufficient_scope(""), "quota_exceeded");
    let shown = show(described.complete(own.clone()).into_http().map(Body::from)).await;
    assert!(shown.contains("resource_metadata=\"") && shown.contains("quota_exceeded"), "{shown}");
    let tutorial = builder(terms()).compat(Compat::TutorialPair).build().unwrap();
    for refusal in [tutorial.refuse(TokenError::Revoked), tutorial.complete(own)] {
        let shown = show(refusal.into_http().map(Body::from)).await;
        assert!(shown.ends_with("{\"message\":\"Invalid token\"}"), "{shown}");
    }
}
