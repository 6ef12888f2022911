//! ML-DSA: keys and signatures of a wrong length, hints that no signer writes, and names of
//! variants that JOSE does not have (RUSTSEC-2026-0125; FIPS 204, RFC 9964).

use sealwright_jose::{
    Alg, KeyError, SigningKey, VerifyErrorKind as Kind, VerifyingKey, base64url, jws::Verifier,
};
use serde_json::{Value, json};

use super::{jwk_of, keys};
use crate::{
    support::{PAYLOAD, outcome},
    tally::{refused, refused_if},
};

/// Each key with the length of its hints: ω places, then k ends (FIPS 204 table 1).
fn sets() -> impl Iterator<Item = (&'static SigningKey, usize, usize)> {
    keys().iter().filter_map(|key| match key.alg() {
        Alg::MlDsa44 => Some((key, 80, 4)),
        Alg::MlDsa65 => Some((key, 55, 6)),
        Alg::MlDsa87 => Some((key, 75, 8)),
        _ => None,
    })
}

#[test]
pub(super) fn ml_dsa_signature_of_no_signer() {
    const MESSAGE: &[u8] = b"message";
    for (key, omega, k) in sets() {
        let alg = key.alg();
        let good = key.sign(MESSAGE).unwrap();
        assert!(key.verifying_key().verify(MESSAGE, &good).is_ok());
        let hints = good.len() - omega - k;
        let bend = |at: usize, with: &dyn Fn(u8) -> u8| {
            let mut bent = good.clone();
            bent[at] = with(bent[at]);
            bent
        };
        let ends = hints + omega;
        let last_end = usize::from(good[good.len() - 1]);
        let mut swapped = good.clone();
        swapped.swap(hints, hints + 1);
        for (name, bent) in [
            ("empty", vec![]),
            ("all zero", vec![0; good.len()]),
            ("all ones", vec![0xFF; good.len()]),
            ("cut", good[..good.len() - 1].to_vec()),
            ("cut in front", good[1..].to_vec()),
            ("extended", [&good[..], &[0]].concat()),
            ("twice", good.repeat(2)),
            ("challenge bent", bend(0, &|byte| byte ^ 1)),
            ("response bent", bend(hints / 2, &|byte| byte ^ 1)),
            ("a hint twice", bend(hints + 1, &|_| good[hints])),
            ("hints not in order", swapped),
            ("more hints than ω", bend(ends + k - 1, &|_| 0xFF)),
            ("fewer hints than said", bend(ends + k - 1, &|end| end + 1)),
            ("ends not in order", bend(ends, &|_| good[ends + 1].wrapping_add(1))),
            // Unused places are zero, or one signature has many texts.
            ("after the last hint", if last_end < omega { bend(hints + last_end, &|_| 1) } else { vec![] }),
        ] {
            let got = key.verifying_key().verify(MESSAGE, &bent).map_err(|error| error.kind());
            refused(format_args!("{alg} {name}"), got, Kind::Signature);
        }
        for (other, _, _) in sets().filter(|(other, ..)| other.alg() != alg) {
            let signature = other.sign(MESSAGE).unwrap();
            let got = key.verifying_key().verify(MESSAGE, &signature).map_err(|error| error.kind());
            refused(format_args!("{alg} key, {} signature", other.alg()), got, Kind::Signature);
        }
    }
}

#[test]
pub(super) fn ml_dsa_key_of_a_wrong_length() {
    for (key, ..) in sets() {
        let alg = key.alg();
        let public = jwk_of(&key.verifying_key());
        let private: Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
        let bytes = base64url::decode(public["pub"].as_str().unwrap()).unwrap();
        let other = sets().find(|(other, ..)| other.alg() != alg).unwrap().0;
        let with = |jwk: &Value, member: &str, value: &[u8]| {
            let mut jwk = jwk.clone();
            jwk[member] = json!(base64url::encode(value));
            jwk.to_string()
        };
        let length = |member| KeyError::Member { member, problem: "has the wrong length" };
        for (name, value) in [
            ("empty", vec![]),
            ("cut", bytes[1..].to_vec()),
            ("extended", [&bytes[..], &[0]].concat()),
            ("seed", vec![7; 32]),
            (
                "of another set",
                base64url::decode(jwk_of(&other.verifying_key())["pub"].as_str().unwrap()).unwrap(),
            ),
        ] {
            let read = VerifyingKey::from_jwk(&with(&public, "pub", &value));
            refused(format_args!("{alg} pub {name}"), read, length("pub"));
        }
        for len in [0, 16, 31, 33, 64, 2560, 4032, 4896] {
            let read = SigningKey::from_jwk(&with(&private, "priv", &vec![7; len]));
            refused(format_args!("{alg} priv of {len}"), read, length("priv"));
        }
        let read = SigningKey::from_jwk(&with(&private, "priv", &[7; 32]));
        refused_if(format_args!("{alg} halves of two keys"), read, |error| {
            matches!(error, KeyError::Invalid(_))
        });
        let mut nameless = public.clone();
        nameless.as_object_mut().unwrap().remove("alg");
        let nameless = nameless.to_string();
        refused(format_args!("{alg} not named"), VerifyingKey::from_jwk(&nameless), KeyError::AlgMissing);
        let read = VerifyingKey::from_jwk_as(alg, &nameless);
        refused(format_args!("{alg} named by the caller"), read, KeyError::MemberMissing("alg"));
    }
}

#[test]
pub(super) fn ml_dsa_under_another_name() {
    let (key, ..) = sets().next().unwrap();
    let verifier = Verifier::builder([Alg::MlDsa44]).key(key.verifying_key()).build().unwrap();
    for name in
        ["HashML-DSA-44", "ML-DSA-44-SHA512", "MLDSA44", "ml-dsa-44", "ML-DSA-65", "ML-DSA-44-ES256", "AKP"]
    {
        let input =
            format!("{}.{}", base64url::encode(format!(r#"{{"alg":"{name}"}}"#)), base64url::encode(PAYLOAD));
        let token = format!("{input}.{}", base64url::encode(key.sign(input.as_bytes()).unwrap()));
        refused(name, outcome(&verifier, &token), Kind::AlgNotAllowed);
        let mut jwk = jwk_of(&key.verifying_key());
        jwk["alg"] = json!(name);
        refused_if(format_args!("JWK for {name}"), VerifyingKey::from_jwk(&jwk.to_string()), |error| {
            matches!(error, KeyError::AlgUnsupported | KeyError::Member { member: "pub", .. })
        });
    }
}
