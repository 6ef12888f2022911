//! Which of our crates may use which. `ARCHITECTURE.md` says the same in words.

use serde_json::Value;

use crate::Result;
use crate::command::tail;
use crate::places::Places;

const JOSE: &str = "sealwright-jose";
const SERVICE: &str = "sealwright-service";
const KEYSTORE: &str = "sealwright-keystore";
const AUDIT: &str = "sealwright-audit";
const RESOURCE_SERVER: &str = "sealwright-resource-server";
const AUTHORIZATION_SERVER: &str = "sealwright-authorization-server";
const SIGNING_SERVER: &str = "sealwright-signing-server";
const TESTKIT: &str = "sealwright-testkit";

/// A crate and what it may use. The two servers never name each other: they meet over HTTP, as in two companies.
const ALLOWED: [(&str, &[&str]); 14] = [
    (JOSE, &[]),
    (SERVICE, &[]),
    (RESOURCE_SERVER, &[JOSE]),
    (KEYSTORE, &[SERVICE, JOSE]),
    (AUDIT, &[KEYSTORE, SERVICE, JOSE]),
    (AUTHORIZATION_SERVER, &[RESOURCE_SERVER, KEYSTORE, AUDIT, SERVICE, JOSE]),
    (SIGNING_SERVER, &[RESOURCE_SERVER, KEYSTORE, AUDIT, SERVICE, JOSE]),
    ("sealwright", &[AUTHORIZATION_SERVER, SIGNING_SERVER, AUDIT, KEYSTORE, SERVICE, JOSE]),
    (TESTKIT, &[RESOURCE_SERVER, KEYSTORE, AUDIT, SERVICE, JOSE]),
    ("sealwright-interop", &[RESOURCE_SERVER, JOSE]),
    ("sealwright-jose-examples", &[JOSE]),
    ("sealwright-token-service", &[SERVICE, JOSE]),
    ("sealwright-protected-api", &[RESOURCE_SERVER, JOSE]),
    ("xtask", &[]),
];

/// What else the tests of a crate may use. Those of the program play an API that accepts its tokens.
const IN_TESTS: [(&str, &str); 1] = [("sealwright", RESOURCE_SERVER)];

/// What cargo knows of the workspace.
pub(super) fn metadata(places: &Places) -> Result<Value> {
    let output = places
        .cargo()
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", tail(&String::from_utf8_lossy(&output.stderr), 10)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata is not JSON: {error}"))
}

/// Every edge between our crates that the table does not allow.
pub(super) fn check(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            problems.push(format!("{name}: a crate that the table of who may use whom does not know"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let ours = ALLOWED.iter().any(|(known, _)| *known == used);
            let for_tests = dependency["kind"] == "dev";
            let in_tests = for_tests && (used == TESTKIT || IN_TESTS.contains(&(name, used)));
            let fine = allowed.contains(&used) || in_tests;
            if ours && !fine {
                let purpose = if for_tests { " in its tests" } else { "" };
                problems.push(format!("{name} may not use {used}{purpose}"));
            }
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check;

    fn package(name: &str, used: &str, kind: Option<&str>) -> Value {
        json!({"packages": [{"name": name, "dependencies": [{"name": used, "kind": kind}]}]})
    }

    #[test]
    fn downwards_is_allowed() {
        assert_eq!(check(&package("sealwright-audit", "sealwright-jose", None)), Ok(vec![]));
        assert_eq!(check(&package("sealwright-audit", "serde", None)), Ok(vec![]));
    }

    #[test]
    fn upwards_is_refused() {
        let problems = check(&package("sealwright-jose", "sealwright-service", None));
        assert_eq!(problems, Ok(vec!["sealwright-jose may not use sealwright-service".to_owned()]));
    }

    #[test]
    fn the_servers_never_name_each_other_not_even_in_tests() {
        let problems =
            check(&package("sealwright-signing-server", "sealwright-authorization-server", Some("dev")));
        let expected = "sealwright-signing-server may not use sealwright-authorization-server in its tests";
        assert_eq!(problems, Ok(vec![expected.to_owned()]));
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        assert_eq!(check(&package("sealwright-audit", "sealwright-testkit", Some("dev"))), Ok(vec![]));
        let problems = check(&package("sealwright-audit", "sealwright-testkit", None));
        assert_eq!(problems, Ok(vec!["sealwright-audit may not use sealwright-testkit".to_owned()]));
    }

    #[test]
    fn what_is_for_the_tests_of_the_program_is_for_nothing_else() {
        let of = |kind| check(&package("sealwright", "sealwright-resource-server", kind));
        assert_eq!(of(Some("dev")), Ok(vec![]));
        assert_eq!(of(None), Ok(vec!["sealwright may not use sealwright-resource-server".to_owned()]));
    }

    #[test]
    fn an_unknown_crate_is_refused() {
        assert_eq!(check(&package("helpers", "serde", None)).map(|problems| problems.len()), Ok(1));
    }
}
