//! Tokens that are encrypted, and keys to encrypt with: recognised and refused, before anything is
//! decrypted, inflated or derived (CVE-2023-51774, CVE-2024-28122, CVE-2024-28180, CVE-2022-36083,
//! CVE-2023-6681).

use sealwright_jose::{
    Alg, JwkSet, KeyError, VerifyErrorKind as Kind, VerifyingKey, base64url,
    jws::{Policy, Require, Scratch, Unverified},
};
use serde_json::json;

use super::jwk_of;
use crate::{
    support::{ES256, PAYLOAD, RS256, es256_verifier, outcome, outcome_flattened, signed},
    tally::refused,
};

const HEADERS: [&str; 14] = [
    r#"{"alg":"dir","enc":"A256GCM"}"#,
    r#"{"alg":"dir","enc":"A128CBC-HS256"}"#,
    r#"{"alg":"RSA1_5","enc":"A128CBC-HS256"}"#,
    r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#,
    r#"{"alg":"A128KW","enc":"A128GCM"}"#,
    r#"{"alg":"A256GCMKW","enc":"A256GCM","iv":"AAAAAAAAAAAAAAAA","tag":"AAAAAAAAAAAAAAAAAAAAAA"}"#,
    // A million rounds for each guess (CVE-2022-36083), and some more.
    r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2s":"AAAAAAAAAAA","p2c":2147483647}"#,
    r#"{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2s":"","p2c":1e300}"#,
    // An inflated payload of gigabytes (CVE-2024-28180).
    r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#,
    // A point off the curve, of small order, and none.
    r#"{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}"#,
    r#"{"alg":"ECDH-ES+A128KW","enc":"A256GCM","epk":{"kty":"OKP","crv":"X25519","x":"AA"}}"#,
    r#"{"alg":"ECDH-1PU","enc":"A256GCM","epk":null}"#,
    r#"{"alg":"none","enc":"none"}"#,
    r#"{"alg":"ES256","enc":"ES256"}"#,
];

#[test]
pub(super) fn jwe_in_every_serialization() {
    let verifier = es256_verifier().build().unwrap();
    for header in HEADERS {
        let protected = base64url::encode(header);
        let compact = format!("{protected}.AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA");
        refused(header, outcome(&verifier, &compact), Kind::Encrypted);
        assert_eq!(Unverified::peek_compact(&compact).unwrap_err().kind(), Kind::Encrypted, "{header}");
        let flattened = format!(
            r#"{{"protected":"{protected}","encrypted_key":"AAAA","iv":"AAAA","ciphertext":"AAAA","tag":"AAAA"}}"#
        );
        refused(header, outcome_flattened(&verifier, &flattened), Kind::Encrypted);
        let general = format!(
            r#"{{"protected":"{protected}","recipients":[{{"encrypted_key":"AAAA"}}],"iv":"AAAA","ciphertext":"AAAA"}}"#
        );
        let mut scratch = Scratch::new();
        let got = verifier.verify_json(&general, Require::Any, &mut scratch).map_err(|error| error.kind());
        refused(header, got, Kind::Encrypted);
    }
}

#[test]
pub(super) fn jwe_header_in_three_parts_under_every_policy() {
    for policy in [Policy::Strict, Policy::Rfc, Policy::Joserfc] {
        let verifier = es256_verifier().policy(policy).build().unwrap();
        for header in HEADERS {
            // Signed by the right key, so that only `enc` speaks against it.
            let token = signed(header, PAYLOAD);
            refused(format_args!("{policy:?} {header}"), outcome(&verifier, &token), Kind::Encrypted);
        }
    }
}

#[test]
pub(super) fn key_to_encrypt_with() {
    let rsa = jwk_of(&RS256.verifying_key());
    let ec = jwk_of(&ES256.verifying_key());
    for (jwk, algs) in [
        (&rsa, &["RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-512"][..]),
        (&ec, &["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW", "ECDH-1PU"]),
        (&ec, &["dir", "A128KW", "A256GCMKW", "A256GCM", "PBES2-HS256+A128KW"]),
    ] {
        for alg in algs {
            let mut jwk = jwk.clone();
            jwk["alg"] = json!(alg);
            refused(alg, VerifyingKey::from_jwk(&jwk.to_string()), KeyError::AlgUnsupported);
            let set = JwkSet::parse(&json!({"keys": [jwk]}).to_string(), Alg::ALL).unwrap();
            assert!(set.keys().is_empty(), "{alg}");
        }
    }
}
