//! The examples of the RFCs.

use sealwright_jose::{
    Alg, MacKey, SigningKey, VerifyingKey, base64url,
    jws::{Scratch, Signer, Verifier},
};

use crate::support::{outcome, outcome_flattened};

const CLAIMS: &[u8] = b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("vectors/", $name)).trim_end()
    };
}

#[test]
fn rfc7515_a1_hs256() {
    let key = MacKey::from_jwk_as(Alg::Hs256, vector!("rfc7515_a1.jwk")).unwrap();
    let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).typ("JWT").build().unwrap();
    assert_eq!(outcome(&verifier, vector!("rfc7515_a1.jws")).unwrap(), CLAIMS);
}

#[test]
fn rfc7515_a2_rs256_is_verified_and_made_again() {
    let key = SigningKey::from_jwk_as(Alg::Rs256, vector!("rfc7515_a2.jwk")).unwrap();
    let verifier = Verifier::builder([Alg::Rs256]).key(key.verifying_key()).build().unwrap();
    assert_eq!(outcome(&verifier, vector!("rfc7515_a2.jws")).unwrap(), CLAIMS);
    assert_eq!(Signer::new(&key).sign_compact(CLAIMS).unwrap(), vector!("rfc7515_a2.jws"));
}

#[test]
fn rfc7515_a3_es256() {
    let key = SigningKey::from_jwk_as(Alg::Es256, vector!("rfc7515_a3.jwk")).unwrap();
    let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).build().unwrap();
    assert_eq!(outcome(&verifier, vector!("rfc7515_a3.jws")).unwrap(), CLAIMS);
    let ours = Signer::new(&key).sign_compact(CLAIMS).unwrap();
    assert_eq!(outcome(&verifier, &ours).unwrap(), CLAIMS);
}

#[test]
fn rfc7515_a7_flattened_with_a_kid_in_the_unprotected_header() {
    let key = SigningKey::from_jwk_as(Alg::Es256, vector!("rfc7515_a3.jwk")).unwrap().verifying_key();
    let key = key.with_kid("e9bc097a-ce51-4036-9562-d2ade882db0d");
    let other = SigningKey::generate(Alg::Es256).unwrap().verifying_key().with_kid("other");
    let verifier = Verifier::builder([Alg::Es256]).key(other).key(key.clone()).build().unwrap();
    assert_eq!(outcome_flattened(&verifier, vector!("rfc7515_a7.json")).unwrap(), CLAIMS);

    let mut scratch = Scratch::new();
    let verified = verifier.verify_flattened(vector!("rfc7515_a7.json"), &mut scratch).unwrap();
    assert_eq!(verified.key(), Some(&key));
    assert_eq!(verified.kid(), None, "it was not signed");
}

#[test]
fn rfc7638_3_1_thumbprint() {
    let key = VerifyingKey::from_jwk(vector!("rfc7638_3_1.jwk")).unwrap();
    assert_eq!(key.thumbprint_base64url(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!((key.alg(), key.kid()), (Alg::Rs256, Some("2011-04-29")));
}

#[test]
fn rfc8037_a_ed25519() {
    let key = SigningKey::from_jwk_as(Alg::Ed25519, vector!("rfc8037_a1.jwk")).unwrap();
    let public = VerifyingKey::from_jwk_as(Alg::Ed25519, vector!("rfc8037_a2.jwk")).unwrap();
    assert_eq!(key.verifying_key(), public);
    assert_eq!(public.thumbprint_base64url(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");

    // The example's header says `EdDSA`, which is read and means Ed25519, the algorithm of the key.
    let token = vector!("rfc8037_a4.jws");
    let verifier = Verifier::builder([Alg::Ed25519]).key(public).build().unwrap();
    assert_eq!(outcome(&verifier, token).unwrap(), b"Example of Ed25519 signing");
    let (input, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(base64url::encode(key.sign(input.as_bytes()).unwrap()), signature);

    // We write the fully specified name (RFC 9864).
    let ours = Signer::new(&key).sign_compact(b"x").unwrap();
    assert!(ours.starts_with(&base64url::encode(r#"{"alg":"Ed25519"}"#)));
}

/// The tokens are among the files of `vectors/jws`; the keys hold more.
#[test]
fn rfc9964_a_ml_dsa_keys() {
    for text in
        [vector!("jws/rfc9964_44.json"), vector!("jws/rfc9964_65.json"), vector!("jws/rfc9964_87.json")]
    {
        let example: serde_json::Value = serde_json::from_str(text).unwrap();
        // The seed is there with the public key, so reading them shows that the one makes the other.
        let key = SigningKey::from_jwk(&example["keys"][0]["jwk"].to_string()).unwrap();
        assert_eq!(key.kid(), Some(&*key.verifying_key().thumbprint_base64url()));
    }
}

/// Seed, public key, message (`-` for none) and signature of those without context.
#[cfg(feature = "ed448")]
#[test]
fn rfc8032_7_4_ed448() {
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16));
        digits.collect::<Result<_, _>>().unwrap_or_default()
    };
    let mut rows = 0;
    for row in vector!("rfc8032_7_4.txt").lines() {
        let [seed, public, message, signature] =
            row.split(' ').map(bytes).collect::<Vec<_>>().try_into().unwrap();
        let jwk = format!(
            r#"{{"kty":"OKP","crv":"Ed448","alg":"EdDSA","x":"{}","d":"{}"}}"#,
            base64url::encode(public),
            base64url::encode(seed)
        );
        let key = SigningKey::from_jwk(&jwk).unwrap();
        assert_eq!(key.alg(), Alg::Ed448, "the curve decides what EdDSA is");
        assert_eq!(key.sign(&message).unwrap(), signature);
        assert!(key.verifying_key().verify(&message, &signature).is_ok());
        rows += 1;
    }
    assert_eq!(rows, 3);
}
