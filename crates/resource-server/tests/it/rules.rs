//! Rules compare with types, and an empty `any` lets nobody in.

use sealwright_jose::jwt::Claims;
use sealwright_resource_server::rules::{ClaimPath, Match, Op, Rule, RuleError, check};
use serde_json::{Value, json};

fn claims() -> Claims<'static> {
    let claims = json!({
        "groups": ["staff", "signers"], "level": 42, "admin": true, "name": "Alice", "none": null,
        "realm_access": {"roles": ["sign"], "limit": {"count": 1}}, "a.b": "dotted", "mixed": [1, "1", [2]],
    });
    Claims::parse(claims.to_string().as_bytes()).unwrap().into_owned()
}

fn path(path: &str) -> ClaimPath {
    ClaimPath::new(path.split('/').map(String::from))
}

fn equals(claim: &str, value: Value) -> Rule {
    Rule { claim: path(claim), op: Op::Equals(value) }
}

fn contains(claim: &str, value: Value) -> Rule {
    Rule { claim: path(claim), op: Op::Contains(value) }
}

fn missing(claim: &str) -> Result<(), RuleError> {
    Err(RuleError::Missing { claim: claim.into() })
}

fn mismatch(claim: &str) -> Result<(), RuleError> {
    Err(RuleError::Mismatch { claim: claim.into() })
}

#[test]
fn one_rule() {
    for (rule, expected) in [
        (equals("name", json!("Alice")), Ok(())),
        (equals("name", json!("alice")), mismatch("name")),
        (equals("level", json!(42)), Ok(())),
        (equals("level", json!("42")), mismatch("level")),
        (equals("admin", json!(true)), Ok(())),
        (equals("admin", json!("true")), mismatch("admin")),
        (equals("groups", json!(["staff", "signers"])), Ok(())),
        (equals("groups", json!("signers")), mismatch("groups")),
        (equals("none", json!("x")), mismatch("none")),
        (equals("absent", json!(null)), missing("absent")),
        (contains("groups", json!("signers")), Ok(())),
        (contains("groups", json!("sign")), mismatch("groups")),
        (contains("groups", json!("Signers")), mismatch("groups")),
        (contains("level", json!(42)), Ok(())),
        (contains("level", json!("42")), mismatch("level")),
        (contains("name", json!("Ali")), mismatch("name")),
        (contains("mixed", json!(1)), Ok(())),
        (contains("mixed", json!("1")), Ok(())),
        (contains("mixed", json!(2)), mismatch("mixed")),
        (contains("realm_access", json!("roles")), mismatch("realm_access")),
        (contains("absent", json!("x")), missing("absent")),
        (contains("realm_access/roles", json!("sign")), Ok(())),
        (equals("realm_access/limit/count", json!(1)), Ok(())),
        (equals("realm_access/limit/absent", json!(1)), missing("realm_access.limit.absent")),
        (equals("groups/0", json!("staff")), missing("groups.0")),
        (equals("name/first", json!("Alice")), missing("name.first")),
        (equals("a.b", json!("dotted")), Ok(())),
    ] {
        assert_eq!(check(std::slice::from_ref(&rule), Match::All, &claims()), expected, "{rule:?}");
        assert_eq!(check(std::slice::from_ref(&rule), Match::Any, &claims()), expected, "{rule:?}");
    }
}

#[test]
fn a_path_of_nothing_leads_nowhere() {
    assert_eq!(ClaimPath::new([]).lookup(&claims()), None);
}

#[test]
fn several_rules() {
    let holds = || contains("groups", json!("staff"));
    let wrong = || equals("name", json!("Bob"));
    let absent = || equals("absent", json!(1));
    for (rules, all, any) in [
        (vec![], Ok(()), missing("")),
        (vec![holds(), holds()], Ok(()), Ok(())),
        (vec![holds(), wrong()], mismatch("name"), Ok(())),
        (vec![wrong(), holds()], mismatch("name"), Ok(())),
        (vec![absent(), wrong()], missing("absent"), mismatch("name")),
        (vec![wrong(), absent()], mismatch("name"), mismatch("name")),
        (vec![absent(), absent()], missing("absent"), missing("absent")),
        (vec![absent(), holds()], missing("absent"), Ok(())),
    ] {
        assert_eq!(check(&rules, Match::All, &claims()), all, "all of {rules:?}");
        assert_eq!(check(&rules, Match::Any, &claims()), any, "any of {rules:?}");
    }
}
