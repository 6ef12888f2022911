//! Rules compare with types unless they are told otherwise, and an empty `any` lets nobody in.

use sealwright_jose::jwt::Claims;
use sealwright_resource_server::rules::{ClaimPath, Compare, Op, Rule, RuleError};
use serde_json::{Value, json};

/// Numbers stand in it as issuers write them, which a `Value` would no longer show.
const CLAIMS: &str = r#"{
    "groups": ["staff", "signers"], "level": 42, "admin": true, "name": "Alice", "none": null, "empty": "",
    "nothing": [], "realm_access": {"roles": ["sign"], "limit": {"count": 1}}, "a.b": "dotted",
    "mixed": [1, "1", [2], null], "scope": "orders:read  orders:write", "float": 42.0, "exponent": 4.2e1,
    "third": 0.3, "max": 9223372036854775807, "umax": 18446744073709551615, "beyond": 18446744073709551616,
    "safe": 9007199254740991, "unsafe": 9007199254740993, "rounded": 9007199254740993.0, "zero": -0,
    "numbers": [1, 2.0, 3]
}"#;

fn claims() -> Claims<'static> {
    Claims::parse(CLAIMS.as_bytes()).unwrap().into_owned()
}

fn path(path: &str) -> ClaimPath {
    ClaimPath::new(path.split('/').map(String::from))
}

fn equals(claim: &str, value: Value) -> Rule {
    Rule::claim(path(claim)).equals(value)
}

fn contains(claim: &str, value: Value) -> Rule {
    Rule::claim(path(claim)).contains(value)
}

fn one_of<const N: usize>(claim: &str, values: [Value; N]) -> Rule {
    Rule::claim(path(claim)).one_of(values)
}

fn any_in<const N: usize>(claim: &str, values: [Value; N]) -> Rule {
    Rule::claim(path(claim)).contains_any(values)
}

fn prefix(claim: &str, start: &str) -> Rule {
    Rule::claim(path(claim)).prefix(start)
}

fn present(claim: &str) -> Rule {
    Rule::claim(path(claim)).present()
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
        (equals("groups", json!(["signers", "staff"])), mismatch("groups")),
        (equals("groups", json!("signers")), mismatch("groups")),
        (equals("none", json!("x")), missing("none")),
        (equals("none", json!(null)), missing("none")),
        (equals("absent", json!(null)), missing("absent")),
        (equals("empty", json!("")), Ok(())),
        (contains("groups", json!("signers")), Ok(())),
        (contains("groups", json!("sign")), mismatch("groups")),
        (contains("groups", json!("Signers")), mismatch("groups")),
        (contains("level", json!(42)), Ok(())),
        (contains("level", json!("42")), mismatch("level")),
        (contains("name", json!("Ali")), mismatch("name")),
        (contains("mixed", json!(1)), Ok(())),
        (contains("mixed", json!("1")), Ok(())),
        (contains("mixed", json!(2)), mismatch("mixed")),
        (contains("mixed", json!([2])), Ok(())),
        (contains("nothing", json!("x")), mismatch("nothing")),
        (contains("realm_access", json!("roles")), mismatch("realm_access")),
        (contains("absent", json!("x")), missing("absent")),
        (contains("realm_access/roles", json!("sign")), Ok(())),
        (equals("realm_access/limit/count", json!(1)), Ok(())),
        (equals("realm_access/limit", json!({"count": 1})), Ok(())),
        (equals("realm_access/limit", json!({"count": 1, "more": 1})), mismatch("realm_access.limit")),
        (equals("realm_access/limit/absent", json!(1)), missing("realm_access.limit.absent")),
        (equals("groups/0", json!("staff")), missing("groups.0")),
        (equals("name/first", json!("Alice")), missing("name.first")),
        (equals("a.b", json!("dotted")), Ok(())),
        (equals("a/b", json!("dotted")), missing("a.b")),
        (one_of("level", [json!(41), json!(42)]), Ok(())),
        (one_of("level", [json!("42"), json!(41)]), mismatch("level")),
        (one_of("level", []), mismatch("level")),
        (one_of("groups", [json!("staff"), json!("signers")]), mismatch("groups")),
        (one_of("absent", [json!(null)]), missing("absent")),
        (any_in("groups", [json!("admins"), json!("signers")]), Ok(())),
        (any_in("groups", [json!("admins"), json!("sign")]), mismatch("groups")),
        (any_in("groups", []), mismatch("groups")),
        (any_in("name", [json!("Alice"), json!("Bob")]), Ok(())),
        (any_in("absent", [json!("x")]), missing("absent")),
        (prefix("name", "Al"), Ok(())),
        (prefix("name", "Alice"), Ok(())),
        (prefix("name", "Alice "), mismatch("name")),
        (prefix("name", "al"), mismatch("name")),
        (prefix("level", "4"), mismatch("level")),
        (prefix("groups", "st"), mismatch("groups")),
        (prefix("absent", ""), missing("absent")),
        (present("empty"), Ok(())),
        (present("nothing"), Ok(())),
        (present("admin"), Ok(())),
        (present("none"), missing("none")),
        (present("absent"), missing("absent")),
        (present("realm_access/limit/count"), Ok(())),
        (Rule::scope("orders:read"), Ok(())),
        (Rule::scope("orders:write"), Ok(())),
        (Rule::scope("orders"), mismatch("scope")),
        (Rule::scope("orders:read  orders:write"), mismatch("scope")),
        (Rule::scope(""), mismatch("scope")),
    ] {
        assert_eq!(rule.check(&claims(), Compare::Typed), expected, "{rule:?}");
        assert_eq!(Rule::all([rule.clone()]).check(&claims(), Compare::Typed), expected, "{rule:?}");
        assert_eq!(Rule::any([rule.clone()]).check(&claims(), Compare::Typed), expected, "{rule:?}");
    }
}

#[test]
fn numbers_are_compared_by_value_and_never_rounded() {
    for (claim, value, same) in [
        ("float", json!(42), true),
        ("exponent", json!(42), true),
        ("level", json!(42.0), true),
        ("level", json!(42.5), false),
        ("third", json!(0.3), true),
        ("third", json!(0.1 + 0.2), false),
        ("zero", json!(0), true),
        ("max", json!(i64::MAX), true),
        ("max", json!(i64::MAX - 1), false),
        ("max", json!(i64::MAX as u64 + 1), false),
        ("max", json!(i64::MAX as f64), false),
        ("umax", json!(u64::MAX), true),
        ("umax", json!(-1), false),
        // A double cannot tell these from their neighbours.
        ("safe", json!(9_007_199_254_740_991_i64), true),
        ("safe", json!(9_007_199_254_740_991_f64), true),
        ("unsafe", json!(9_007_199_254_740_993_i64), true),
        ("unsafe", json!(9_007_199_254_740_992_i64), false),
        ("unsafe", json!(9_007_199_254_740_992_f64), false),
        ("rounded", json!(9_007_199_254_740_992_i64), false),
        ("rounded", json!(9_007_199_254_740_992_f64), false),
        ("beyond", json!(18_446_744_073_709_551_616_f64), false),
        ("numbers", json!([1.0, 2, 3]), true),
    ] {
        let held = equals(claim, value.clone()).check(&claims(), Compare::Typed).is_ok();
        assert_eq!(held, same, "{claim} and {value}");
    }
}

#[test]
fn as_text_compares_as_the_replaced_system_does() {
    for (rule, expected) in [
        (equals("level", json!("42")), Ok(())),
        (equals("level", json!(42)), Ok(())),
        (equals("name", json!("Alice")), Ok(())),
        (equals("admin", json!("true")), Ok(())),
        (equals("admin", json!("True")), mismatch("admin")),
        (equals("groups", json!("signers")), Ok(())),
        (equals("groups", json!("sign")), mismatch("groups")),
        (equals("mixed", json!("1")), Ok(())),
        (equals("mixed", json!("2")), mismatch("mixed")),
        (equals("mixed", json!("null")), mismatch("mixed")),
        (contains("numbers", json!("3")), Ok(())),
        (one_of("level", [json!("41"), json!("42")]), Ok(())),
        (one_of("groups", [json!("x"), json!("staff")]), Ok(())),
        (any_in("groups", [json!("x"), json!("staff")]), Ok(())),
        (prefix("level", "4"), Ok(())),
        (prefix("groups", "st"), Ok(())),
        (prefix("groups", "x"), mismatch("groups")),
        (present("level"), Ok(())),
        // A text is a text: here `42.0` is another one than `42`.
        (equals("float", json!("42.0")), Ok(())),
        (equals("float", json!("42")), mismatch("float")),
        (equals("umax", json!("18446744073709551615")), Ok(())),
        (equals("beyond", json!("18446744073709552000")), mismatch("beyond")),
        (equals("realm_access", json!("{}")), mismatch("realm_access")),
        (equals("nothing", json!("")), mismatch("nothing")),
        (equals("none", json!("null")), missing("none")),
        (equals("none", json!("")), missing("none")),
        (Rule::scope("orders:read"), Ok(())),
    ] {
        assert_eq!(rule.check(&claims(), Compare::AsText), expected, "{rule:?}");
    }
}

#[test]
fn a_scope_may_be_a_list_and_nothing_else() {
    for (scope, expected) in [
        (json!(["a", "b c"]), Ok(())),
        (json!(["x"]), mismatch("scope")),
        (json!([7]), mismatch("scope")),
        (json!({"a": true}), mismatch("scope")),
        (json!(7), mismatch("scope")),
        (json!(null), missing("scope")),
    ] {
        let claims = json!({"scope": scope}).to_string();
        let claims = Claims::parse(claims.as_bytes()).unwrap();
        assert_eq!(Rule::scope("a").check(&claims, Compare::Typed), expected, "{scope}");
    }
}

#[test]
fn a_path_of_nothing_leads_nowhere() {
    assert_eq!(ClaimPath::new([]).lookup(&claims()), None);
    assert_eq!(Rule::claim([]).present().check(&claims(), Compare::Typed), missing(""));
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
        // Nested: all of (any of …), any of (all of …).
        (vec![Rule::any([wrong(), holds()]), holds()], Ok(()), Ok(())),
        (vec![Rule::any([wrong(), absent()]), holds()], mismatch("name"), Ok(())),
        (vec![Rule::all([holds(), wrong()]), absent()], mismatch("name"), mismatch("name")),
        (vec![Rule::all([holds(), holds()]), absent()], missing("absent"), Ok(())),
        (vec![Rule::any([]), holds()], missing(""), Ok(())),
        (vec![Rule::all([])], Ok(()), Ok(())),
        (vec![Rule::any([Rule::all([Rule::any([holds()])])])], Ok(()), Ok(())),
    ] {
        assert_eq!(Rule::all(rules.clone()).check(&claims(), Compare::Typed), all, "all of {rules:?}");
        assert_eq!(Rule::any(rules.clone()).check(&claims(), Compare::Typed), any, "any of {rules:?}");
    }
}

#[test]
fn what_is_built_is_what_is_meant() {
    assert_eq!(
        Rule::claim(["a", "b"]).one_of(["x", "y"]),
        Rule::Claim { path: path("a/b"), op: Op::OneOf(vec![json!("x"), json!("y")]) }
    );
    assert_eq!(Rule::claim("a").must(Op::Present), present("a"));
}
