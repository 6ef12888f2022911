//! Step-up: what passes, and the challenge for what does not.

use crate::support::*;
use sealwright_resource_server::{
    IssuerConfig,
    assurance::{Assurance, check},
};
use serde_json::{Value, json};
use std::time::Duration;

fn required() -> Assurance {
    Assurance {
        acr_any: vec!["hardware".into(), "mfa".into()],
        acr_order: Vec::new(),
        amr_all: vec!["pwd".into(), "otp".into()],
        max_auth_age: Some(Duration::from_secs(300)),
    }
}

const CHALLENGE: &str = r#"401 Bearer error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="hardware mfa", max_age="300""#;

async fn outcome(required: &Assurance, terms: IssuerConfig, changes: Value) -> String {
    let login = json!({"acr": "mfa", "amr": ["pwd", "otp", "mfa"], "auth_time": NOW - 20});
    let token = decide(terms, &token(json!({}), with(login, changes))).await.unwrap();
    match check(required, &token, NOW) {
        Ok(()) => "passes".to_owned(),
        Err(challenge) => {
            format!("{} {}", challenge.status().as_u16(), challenge.header_value().to_str().unwrap())
        }
    }
}

#[tokio::test]
async fn each_demand_is_met_or_asked_for() {
    for (name, changes, passes) in [
        ("all of it", json!({}), true),
        ("the better class", json!({"acr": "hardware"}), true),
        ("a weaker class", json!({"acr": "password"}), false),
        ("no class", json!({"acr": null}), false),
        ("another case", json!({"acr": "MFA"}), false),
        ("exactly the methods", json!({"amr": ["otp", "pwd"]}), true),
        ("one method of two", json!({"amr": ["pwd"]}), false),
        ("no methods", json!({"amr": null}), false),
        ("the last second with skew", json!({"auth_time": NOW - 360}), true),
        ("too long ago", json!({"auth_time": NOW - 361}), false),
        ("ahead within the skew", json!({"auth_time": NOW + 60}), true),
        ("in the future", json!({"auth_time": NOW + 61}), false),
        ("far in the future", json!({"auth_time": i64::MAX}), false),
        ("before all time", json!({"auth_time": i64::MIN}), false),
        ("no login at all", json!({"auth_time": null}), false),
    ] {
        let expected = if passes { "passes" } else { CHALLENGE };
        assert_eq!(outcome(&required(), terms(), changes).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_stronger_class_will_do_where_the_operator_ordered_them() {
    let ordered = |wanted: &[&str]| Assurance {
        acr_any: wanted.iter().map(|acr| (*acr).to_owned()).collect(),
        acr_order: vec!["pwd".into(), "mfa".into(), "hardware".into()],
        ..Assurance::default()
    };
    for (wanted, acr, passes) in [
        (&["mfa"][..], "pwd", false),
        (&["mfa"], "mfa", true),
        (&["mfa"], "hardware", true),
        (&["hardware"], "mfa", false),
        (&["hardware", "pwd"], "mfa", true),
        // What has no place in the order stands for itself alone.
        (&["mfa"], "smartcard", false),
        (&["smartcard"], "hardware", false),
        (&["smartcard"], "smartcard", true),
        (&["smartcard", "mfa"], "hardware", true),
        (&["mfa"], "MFA", false),
    ] {
        let outcome = outcome(&ordered(wanted), terms(), json!({"acr": acr})).await;
        assert_eq!(outcome == "passes", passes, "{acr} where {wanted:?} is asked for");
    }
    let challenge = outcome(&ordered(&["mfa"]), terms(), json!({"acr": "pwd"})).await;
    assert!(challenge.ends_with(r#"acr_values="mfa""#), "{challenge}");
}

#[tokio::test]
async fn without_skew_the_age_is_exact() {
    let strict = || terms().clock_skew(Duration::ZERO);
    assert_eq!(outcome(&required(), strict(), json!({"auth_time": NOW - 300})).await, "passes");
    assert_eq!(outcome(&required(), strict(), json!({"auth_time": NOW - 301})).await, CHALLENGE);
    assert_eq!(outcome(&required(), strict(), json!({"auth_time": NOW + 1})).await, CHALLENGE);
}

#[tokio::test]
async fn what_is_not_demanded_is_not_looked_at() {
    let nothing = json!({"acr": null, "amr": null, "auth_time": null});
    assert_eq!(outcome(&Assurance::default(), terms(), nothing.clone()).await, "passes");

    let methods = Assurance { amr_all: vec!["otp".into()], ..Assurance::default() };
    let challenge = outcome(&methods, terms(), nothing).await;
    assert!(!challenge.contains("acr_values") && !challenge.contains("max_age"), "{challenge}");
}
