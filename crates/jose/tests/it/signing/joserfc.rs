//! What joserfc 1.8.0 writes comes out byte for byte under its policy; `vectors/README.md` says
//! where the cases are from.

use sealwright_jose::{
    Alg, MacKey, SigningKey,
    jws::{Header, Policy, Signer, sign_general},
};
use serde_json::Value;

fn signer(case: &Value) -> Signer {
    let alg = match case["alg"].as_str().unwrap() {
        "EdDSA" => Alg::Ed25519,
        name => Alg::from_name(name).unwrap(),
    };
    let signer = match &case["key"] {
        Value::String(secret) => {
            Signer::mac(&MacKey::insecure_from_short_bytes(alg, secret.as_bytes()).unwrap())
        }
        jwk if alg.is_mac() => Signer::mac(&MacKey::from_jwk_as(alg, &jwk.to_string()).unwrap()),
        jwk => Signer::new(&SigningKey::from_jwk_as(alg, &jwk.to_string()).unwrap()),
    };
    let header = match case["protected"].as_str() {
        Some(json) => Header::from_json(alg, json).unwrap(),
        None => Header::new(alg),
    };
    let mut signer = signer.header(header).policy(Policy::Joserfc);
    let unprotected: Value = serde_json::from_str(case["header"].as_str().unwrap_or("{}")).unwrap();
    for (name, value) in unprotected.as_object().unwrap() {
        signer = signer.unprotected(name, value.clone());
    }
    signer
}

#[test]
fn every_case_of_joserfc_is_made_again() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../vectors/joserfc.json")).unwrap();
    assert_eq!(cases.len(), 26);
    for case in &cases {
        let payload = case["payload"].as_str().unwrap().as_bytes();
        let signers: Vec<Signer> = case["signers"].as_array().unwrap().iter().map(signer).collect();
        let ours = match case["form"].as_str().unwrap() {
            "compact" => signers[0].sign_compact(payload),
            "detached" => signers[0].sign_detached(payload),
            "flattened" => signers[0].sign_flattened(payload),
            "general" => sign_general(&signers.iter().collect::<Vec<_>>(), payload),
            other => panic!("{other}"),
        };
        let ours = ours.unwrap_or_else(|error| panic!("{case}: {error}"));
        match &case["value"] {
            Value::String(compact) => assert_eq!(&ours, compact, "{case}"),
            // joserfc returns a dictionary and leaves its order to whoever writes it.
            json => assert_eq!(&serde_json::from_str::<Value>(&ours).unwrap(), json, "{case}"),
        }
    }
}
