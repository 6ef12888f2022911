//! Faults of a configuration: each with its place, all at once.

mod faults;

use sealwright_keystore::KekRing;
use sealwright_service::resource::{self, Report};
use sealwright_signing_server::{Config, configure};

use crate::support::resources;

const ISSUER: &str = "http://127.0.0.1:8080";

fn read(text: &str) -> (Vec<Config>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kek"), KekRing::generate_text().as_str()).unwrap();
    let mut report = Report::default();
    let documents = resource::parse(&folder.path().join("sign.yaml"), text, &mut report);
    let configs = configure(&documents, &mut report);
    let said = report.to_string().replace(&format!("{}/", folder.path().display()), "");
    (configs, said.lines().map(str::to_owned).collect())
}

fn good() -> String {
    resources(ISSUER, "{sqlite: {path: sign.db}}")
}

#[test]
fn the_resources_of_the_contract_are_read() {
    let (configs, faults) = read(&good());
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(configs.len(), 1);
}

#[test]
fn rules_use_each_operator_and_stand_in_each_other() {
    let rules = r#"
    - {claim: email, op: present}
    - {claim: level, op: equals, value: 42}
    - {claim: [realm_access, roles], op: contains_any, values: [sign, seal]}
    - {claim: department, op: one_of, values: [legal, 7, true]}
    - {claim: sub, op: prefix, value: emp-}
    - scope: sign
    - any:
        - {claim: groups, op: contains, value: signers}
        - all: [{scope: seal}, {claim: groups, op: contains, value: seal}]
  compare: text"#;
    let text = good()
        .replace(" [{claim: groups, op: contains, value: signers}]", rules)
        .replace("acrAny: [", "acrOrder: [pwd, mfa], acrAny: [");
    let (configs, faults) = read(&text);
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(configs.len(), 1);
}

#[test]
fn each_fault_is_said_where_it_is() {
    for (from, to, expected) in faults::cases() {
        let text = good();
        assert!(text.contains(&from), "{from} is not in the resources");
        let (configs, faults) = read(&text.replacen(&from, &to, 1));
        assert!(configs.is_empty(), "{to}");
        let [fault] = &faults[..] else { panic!("{to}: {faults:#?}") };
        let said = fault.splitn(4, ':').nth(3).unwrap().trim_start();
        assert!(fault.starts_with("sign.yaml:") && said.starts_with(expected), "{to}\n{said}\n{expected}");
    }
}

#[test]
fn plain_http_must_be_acknowledged_everywhere() {
    let (configs, faults) = read(&good().replace("acknowledge: [unsafeHttp]", "acknowledge: []"));
    assert!(configs.is_empty());
    let places: Vec<&str> = faults.iter().map(|fault| fault.split(": ").nth(2).unwrap()).collect();
    assert_eq!(places, ["spec.publicURL", "spec.jwksURI"], "{faults:#?}");
}

/// An issuer that is discovered is asked at its own name.
#[test]
fn plain_http_must_be_acknowledged_for_discovery_as_well() {
    let discovered = good().replace(&format!("  jwksURI: {ISSUER}/oauth2/jwks\n"), "  discovery: true\n");
    assert_eq!(read(&discovered).1, Vec::<String>::new());
    let (configs, faults) = read(&discovered.replace("acknowledge: [unsafeHttp]", "acknowledge: []"));
    assert!(configs.is_empty());
    let places: Vec<&str> = faults.iter().map(|fault| fault.split(": ").nth(2).unwrap()).collect();
    assert_eq!(places, ["spec.publicURL", "spec.issuer"], "{faults:#?}");
}

#[test]
fn all_faults_are_said_at_once() {
    let text = good()
        .replace("listen: 127.0.0.1:0", "listen: here")
        .replace("algs: [ES256]", "algs: []")
        .replace("issuers: [id]", "issuers: [nobody]")
        .replace("ca: internal-short", "ca: none")
        .replace("backdate: 60s", "backdate: 5h")
        .replace("alg: ES256, packaging", "algo: ES256, packaging")
        .replace("trust: [{certificateAuthority: internal-short}]", "trust: []");
    let (configs, faults) = read(&text);
    assert!(configs.is_empty());
    for place in [
        "SigningServer/main: spec.listen",
        "TrustedIssuer/id: spec.algs",
        "Authorizer/staff-mfa: spec.issuers[0]",
        "CryptoToken/onetime: spec.ca",
        "CertificateAuthority/internal-short: spec.backdate",
        "Worker/contracts: spec: missing field `alg`",
        "Worker/contracts: spec.algo: unknown field",
        "Worker/verify: spec.trust",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(place)), "{place} is not in {faults:#?}");
    }
    assert_eq!(faults.len(), 8, "{faults:#?}");
}

#[test]
fn workers_need_a_server_and_a_server_needs_workers() {
    let text = good();
    let documents: Vec<&str> = text.split("---").collect();
    let (configs, faults) = read(documents[6]);
    assert!(configs.is_empty());
    assert!(faults[0].contains("there is no SigningServer that would run this worker"), "{faults:#?}");
    let (configs, faults) = read(documents[0]);
    assert!(configs.is_empty());
    assert!(faults[0].contains("no Worker is declared"), "{faults:#?}");
    let mut report = Report::default();
    assert!(configure(&[], &mut report).is_empty() && report.is_empty());
}

#[test]
fn fixed_keys_are_read_in_both_forms() {
    let key = sealwright_jose::SigningKey::generate(sealwright_jose::Alg::Es256).unwrap().verifying_key();
    let jwks = format!("  jwksURI: {ISSUER}/oauth2/jwks\n");
    let spki = base64_simd::STANDARD.encode_to_string(key.to_spki_der());
    for keys in [
        format!("  keys: [{{kid: k1, spki: {spki:?}, alg: ES256}}]\n"),
        format!("  keys: [{{spki: {spki:?}}}]\n"),
        format!("  keys: [{{jwk: {}}}]\n", key.to_jwk()),
    ] {
        let (configs, faults) = read(&good().replace(&jwks, &keys));
        assert_eq!((configs.len(), faults), (1, vec![]), "{keys}");
    }
}
