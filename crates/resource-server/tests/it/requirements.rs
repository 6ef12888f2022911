//! What a valid token does not reach: each requirement through every way in, with the whole answer.

use crate::support::*;
use axum::{Router, body::Body, routing::get};
use http::Request;
use sealwright_resource_server::{
    AuthLayer, Authenticator, Requirements,
    assurance::Assurance,
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
