//! RSA: forged padding (Bleichenbacher 2006, CVE-2006-4339), moduli that can be factored, and
//! numbers that cost too much.

use sealwright_jose::{Alg, KeyError, SigningKey, VerifyErrorKind as Kind, VerifyingKey, base64url};
use serde_json::{Value, json};

use super::hex;
use crate::{
    support::RS256,
    tally::{refused, refused_if},
};

#[test]
pub(super) fn forged_padding() {
    // A key with the exponent 3, for which a cube root is enough where padding is read laxly.
    let vectors: Value = serde_json::from_str(include_str!("../vectors/forged_pkcs1.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let jwk = json!({"kty": "RSA", "alg": "RS256", "n": vectors["n"], "e": vectors["e"]});
    let key = VerifyingKey::from_jwk(&jwk.to_string()).unwrap();
    let pss = VerifyingKey::from_spki_der(Alg::Ps256, &key.to_spki_der()).unwrap();
    let message = text(&vectors["message"]);
    let verify = |key: &VerifyingKey, signature: &Value| {
        let signature = base64url::decode(&text(signature)).unwrap();
        key.verify(message.as_bytes(), &signature).map_err(|error| error.kind())
    };
    assert_eq!(verify(&key, &vectors["good"]), Ok(()));
    for (name, signature) in vectors["forged"].as_object().unwrap() {
        refused(name, verify(&key, signature), Kind::Signature);
    }
    refused("PKCS#1 v1.5 as PSS", verify(&pss, &vectors["good"]), Kind::Signature);
}

fn public(n: &[u8], e: &[u8]) -> Result<VerifyingKey, KeyError> {
    let (n, e) = (base64url::encode(n), base64url::encode(e));
    let jwk = json!({"kty": "RSA", "alg": "RS256", "n": n, "e": e});
    VerifyingKey::from_jwk(&jwk.to_string())
}

#[test]
pub(super) fn modulus_that_can_be_factored_or_costs_too_much() {
    let roca = hex(include_str!("../vectors/roca2048.hex").trim());
    refused_if("ROCA", public(&roca, &[1, 0, 1]), |error| matches!(error, KeyError::Weak(_)));
    let odd = |bits: usize| {
        let mut n = vec![0xA7; bits.div_ceil(8)];
        if !bits.is_multiple_of(8) {
            n[0] = 1;
        }
        n
    };
    for bits in [8, 512, 768, 1024, 1536, 2040, 2041, 8193, 8200, 16384, 32768] {
        refused_if(
            bits,
            public(&odd(bits), &[1, 0, 1]),
            |error| matches!(error, KeyError::Size { what: "the RSA modulus", bits: seen, .. } if *seen == bits),
        );
    }
    // A giant exponent makes each verification as slow as a signature.
    for len in [5, 32, 128, 256] {
        let mut e = vec![0xFF; len];
        e[0] = if len == 5 { 2 } else { 0xFF };
        refused_if(len, public(&odd(2048), &e), |error| {
            matches!(error, KeyError::Size { what: "the RSA exponent", .. })
        });
    }
}

#[test]
pub(super) fn private_numbers_that_would_leak_the_key() {
    // A signature with a wrong CRT number gives the primes away (Boneh, DeMillo, Lipton 1997).
    let good: Value = serde_json::from_str(&RS256.to_jwk().unwrap()).unwrap();
    let bytes = |member: &str| base64url::decode(good[member].as_str().unwrap()).unwrap();
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        let mut bent = bytes(member);
        let last = bent.len() - 1;
        bent[last] ^= 2;
        let mut jwk = good.clone();
        jwk[member] = json!(base64url::encode(&bent));
        refused_if(format_args!("{member} bent"), SigningKey::from_jwk(&jwk.to_string()), |error| {
            matches!(error, KeyError::Invalid(_))
        });
        jwk[member] = json!("");
        refused_if(format_args!("{member} empty"), SigningKey::from_jwk(&jwk.to_string()), |error| {
            matches!(error, KeyError::Invalid(_))
        });
    }
    let mut bare = good.clone();
    for member in ["p", "q", "dp", "dq", "qi"] {
        bare.as_object_mut().unwrap().remove(member);
    }
    assert!(SigningKey::from_jwk(&bare.to_string()).is_ok(), "`d` alone is enough (RFC 7518 §6.3.2)");
    for (name, d) in [("0", vec![0]), ("1", vec![1]), ("e", vec![1, 0, 1]), ("n", bytes("n"))] {
        bare["d"] = json!(base64url::encode(d));
        refused_if(format_args!("d alone is {name}"), SigningKey::from_jwk(&bare.to_string()), |error| {
            matches!(error, KeyError::Invalid(_))
        });
    }
}

#[test]
pub(super) fn primes_that_are_close() {
    // Fermat's method finds them at once: a square root of the modulus is next to both.
    let keys: Vec<Value> = serde_json::from_str(include_str!("../vectors/close_primes.json")).unwrap();
    assert_eq!(keys.len(), 3);
    for (at, case) in keys.iter().enumerate() {
        let mut jwk = case["key"].clone();
        let whole = SigningKey::from_jwk_as(Alg::Rs256, &jwk.to_string());
        for member in ["p", "q", "dp", "dq", "qi"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        let bare = SigningKey::from_jwk_as(Alg::Rs256, &jwk.to_string());
        for (form, key) in [("with its primes", whole), ("by `d` alone", bare)] {
            if case["far_enough"] == true {
                assert!(key.is_ok(), "{form}: {key:?}");
            } else {
                let error = KeyError::Weak("the primes of the RSA key are nearly the same");
                refused(format_args!("{at} {form}"), key, error);
            }
        }
    }
}
