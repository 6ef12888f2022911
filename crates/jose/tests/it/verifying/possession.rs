//! Proofs of possession: the one kind of token that is verified by a key of its own.

use sealwright_jose::{
    Alg, VerifyErrorKind as Kind, base64url,
    jws::{BuildError, Limits, PossessionError, PossessionVerifier, Scratch, Verifier},
};
use serde_json::{Value, json};

use super::By;
use crate::support::{ED25519, ES256, HS256, PAYLOAD, RS256, generate};

const TYP: &str = "dpop+jwt";

fn verifier() -> PossessionVerifier {
    PossessionVerifier::new(&[Alg::Es256, Alg::Ed25519, Alg::Ps256], TYP).unwrap()
}

fn jwk(by: By) -> Value {
    let key = match by {
        By::Rs256 => &*RS256,
        By::Ed25519 => &*ED25519,
        _ => &*ES256,
    };
    let mut jwk: Value = serde_json::from_str(&key.verifying_key().to_jwk()).unwrap();
    // As clients send it: what makes up the key and nothing else.
    let members = jwk.as_object_mut().unwrap();
    members.retain(|name, _| !["alg", "use", "kid"].contains(&&**name));
    jwk
}

fn header() -> Value {
    json!({"typ": TYP, "alg": "ES256", "jwk": jwk(By::Es256)})
}

/// `object` with some members replaced, or removed by `null`.
fn with(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}

fn outcome(verifier: &PossessionVerifier, proof: &str) -> String {
    match verifier.verify_compact(proof, &mut Scratch::new()) {
        Ok(proof) => {
            assert_eq!(proof.payload(), PAYLOAD);
            format!("by {}", proof.key().alg())
        }
        Err(PossessionError::Token(error)) => error.kind().to_string(),
        Err(error) => error.to_string(),
    }
}

fn proof(by: By, header: &Value) -> String {
    by.compact(&header.to_string(), &base64url::encode(PAYLOAD))
}

#[test]
fn the_key_in_the_header_verifies_it() {
    for (by, changes, expected) in [
        (By::Es256, json!({}), "by ES256"),
        (By::Es256, json!({"typ": "application/DPoP+JWT"}), "by ES256"),
        (By::Es256, json!({"jwk": with(jwk(By::Es256), json!({"alg": "ES256", "use": "sig"}))}), "by ES256"),
        (By::Es256, json!({"jwk": with(jwk(By::Es256), json!({"key_ops": ["verify"]}))}), "by ES256"),
        (By::Ed25519, json!({"alg": "Ed25519", "jwk": jwk(By::Ed25519)}), "by Ed25519"),
        // The older name of the same (RFC 9864).
        (By::Ed25519, json!({"alg": "EdDSA", "jwk": jwk(By::Ed25519)}), "by Ed25519"),
        // A `kid` names nothing here, and is not looked up.
        (By::Es256, json!({"kid": "of nobody"}), "by ES256"),
    ] {
        let header = with(header(), changes);
        assert_eq!(outcome(&verifier(), &proof(by, &header)), expected, "{header}");
    }
}

#[test]
fn what_proves_nothing_is_refused() {
    let es = || jwk(By::Es256);
    let private: Value = serde_json::from_str(&ES256.to_jwk().unwrap()).unwrap();
    let secret: Value = serde_json::from_str(&HS256.to_jwk()).unwrap();
    let other = serde_json::from_str::<Value>(&generate(Alg::Es256).verifying_key().to_jwk()).unwrap();
    for (by, changes, expected) in [
        (By::Es256, json!({"jwk": null}), "the token brings no key"),
        (By::Es256, json!({"jwk": "text"}), "malformed"),
        (By::Es256, json!({"jwk": [es()]}), "malformed"),
        (By::Es256, json!({"jwk": {}}), "the token's key cannot be used"),
        (By::Es256, json!({"jwk": {"keys": [es()]}}), "the token's key cannot be used"),
        (By::Es256, json!({"jwk": private}), "the token brings a secret key"),
        (By::Es256, json!({"jwk": with(es(), json!({"d": "AA"}))}), "the token brings a secret key"),
        (By::Hs256, json!({"alg": "HS256", "jwk": secret}), "algorithm not allowed"),
        (By::Hs256, json!({"jwk": secret}), "the token brings a secret key"),
        (By::Es256, json!({"jwk": with(es(), json!({"x": "AA"}))}), "the token's key cannot be used"),
        (By::Es256, json!({"jwk": with(es(), json!({"use": "enc"}))}), "the token's key cannot be used"),
        (
            By::Es256,
            json!({"jwk": with(es(), json!({"key_ops": ["sign"]}))}),
            "the token's key cannot be used",
        ),
        (By::Es256, json!({"jwk": with(es(), json!({"alg": "ES384"}))}), "the token's key cannot be used"),
        (By::Es256, json!({"jwk": jwk(By::Ed25519)}), "the token's key cannot be used"),
        (By::Rs256, json!({"jwk": jwk(By::Rs256)}), "the token's key cannot be used"),
        (By::Rs256, json!({"alg": "RS256", "jwk": jwk(By::Rs256)}), "algorithm not allowed"),
        (By::Es256, json!({"alg": "none"}), "algorithm not allowed"),
        (By::Es256, json!({"alg": null}), "malformed"),
        (By::Es256, json!({"typ": null}), "wrong `typ`"),
        (By::Es256, json!({"typ": "JWT"}), "wrong `typ`"),
        (By::Es256, json!({"crit": ["jwk"]}), "critical header parameter not understood"),
        (By::Es256, json!({"crit": ["b64"], "b64": false}), "critical header parameter not understood"),
        (By::Es256, json!({"jwk": other}), "signature does not match"),
        (By::Forger, json!({}), "signature does not match"),
        (By::Ed25519, json!({}), "signature does not match"),
    ] {
        let header = with(header(), changes);
        assert_eq!(outcome(&verifier(), &proof(by, &header)), expected, "{header}");
    }
    let good = proof(By::Es256, &header());
    assert_eq!(outcome(&verifier(), &good[1..]), "malformed");
    assert_eq!(outcome(&verifier(), &format!("{good}.")), "malformed");
    assert_eq!(outcome(&verifier(), ""), "malformed");
    let header = header().to_string();
    let twice = header.replacen('{', r#"{"jwk":{},"#, 1);
    let inner = header.replace(r#""kty":"#, r#""kty":"EC","kty":"#);
    for header in [twice, inner] {
        let proof = By::Es256.compact(&header, &base64url::encode(PAYLOAD));
        assert_eq!(outcome(&verifier(), &proof), "malformed", "{header}");
    }
}

#[test]
fn its_limits_hold_before_any_key_is_read() {
    let good = proof(By::Es256, &header());
    let limited = |limits: Limits| outcome(&verifier().limits(limits), &good);
    assert_eq!(limited(Limits::default().token_bytes(good.len())), "by ES256");
    for limits in [
        Limits::default().token_bytes(good.len() - 1),
        Limits::default().header_bytes(100),
        Limits::default().payload_bytes(PAYLOAD.len() - 1),
        Limits::default().signature_bytes(63),
    ] {
        assert_eq!(limited(limits), "over a limit", "{limits:?}");
    }
}

#[test]
fn one_kind_of_verifier_does_not_do_the_work_of_the_other() {
    // The key in the header is not one of the verifier's, and does not become one.
    let stranger = generate(Alg::Es256);
    let keyed = Verifier::builder([Alg::Es256]).key(stranger.verifying_key()).build().unwrap();
    let proof = proof(By::Es256, &header());
    let error = keyed.verify_compact(&proof, &mut Scratch::new()).map(drop).unwrap_err();
    assert_eq!(error.kind(), Kind::Signature);

    assert_eq!(PossessionVerifier::new(&[], TYP).map(drop), Err(BuildError::NoAlgorithm));
    let mac = PossessionVerifier::new(&[Alg::Es256, Alg::Hs256], TYP).map(drop);
    assert_eq!(mac, Err(BuildError::MacProvesNothing));
}
