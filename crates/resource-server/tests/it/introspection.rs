//! The page's program that revokes what an introspection endpoint (RFC 7662) says is not active any more.

use crate::support::*;
use sealwright_resource_server::{TokenError, VerifiedTokens};
use serde_json::json;

include!("introspection/answer.rs");

const PAGE: &str = include_str!("../../../../docs/src/howto/protect-an-api.md");

#[test]
fn the_page_shows_what_is_run_here() {
    assert!(PAGE.contains(&format!("```rust\n{}```\n", include_str!("introspection/answer.rs"))));
}

async fn statuses(authenticator: &Authenticator, token: &str) -> Vec<String> {
    let mut shown = Vec::new();
    for (_, router) in doors(authenticator) {
        shown.push(ask(router, "/hello", bearer(token)).await);
    }
    shown
}

#[tokio::test]
async fn a_token_that_is_not_active_any_more_is_refused_at_every_door() {
    for remembered in [VerifiedTokens::default(), VerifiedTokens::off()] {
        let authenticator = builder(terms()).verified_tokens(remembered).build().unwrap();
        let (token, other) = (good(), token(json!({}), json!({"jti": "t-2"})));
        let passed = authenticator.authenticate_token(&token, NOW).await.unwrap();
        // What is no answer (RFC 7662 §2.2: `active` is a boolean, and always there) revokes nothing and is told.
        for said in ["", "{}", "null", r#"{"active":"false"}"#, r#"{"active":0}"#, r#"{"active":null}"#] {
            assert!(introspected(&authenticator, &passed, said.as_bytes()).is_err(), "{said}");
        }
        introspected(&authenticator, &passed, br#"{"active":true,"sub":"alice"}"#).unwrap();
        for shown in statuses(&authenticator, &token).await {
            assert!(shown.ends_with("\n\nhello alice"), "{shown}");
        }
        introspected(&authenticator, &passed, br#"{"active":false}"#).unwrap();
        for shown in statuses(&authenticator, &token).await {
            assert!(shown.starts_with("401\nwww-authenticate: Bearer error=\"invalid_token\""), "{shown}");
        }
        let decided = authenticator.authenticate_token(&token, NOW).await;
        assert_eq!(decided.map(drop), Err(TokenError::Revoked));
        for shown in statuses(&authenticator, &other).await {
            assert!(shown.ends_with("\n\nhello alice"), "another token: {shown}");
        }
    }
}
