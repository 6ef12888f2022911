//! Every single byte of good input changed to every kind of other byte, and every truncation:
//! nothing panics, and no changed token verifies.

use sealwright_jose::{
    Alg, JwkSet, Key,
    jws::{Scratch, Signer, Unverified, Verifier},
    jwt::Claims,
};

use crate::support::{ED25519, ES256, HS256, PAYLOAD, RS256};

/// Bytes that mean something to one of the parsers, and some that mean nothing.
const BYTES: &[u8] = b"\0\n \"'+,-./0=9:@AQZ[\\]_az{}~\x7f";

fn mutations(good: &str) -> impl Iterator<Item = String> {
    let bytes = good.as_bytes();
    let changed = (0..bytes.len()).flat_map(move |at| {
        BYTES
            .iter()
            .chain([&(bytes[at] ^ 1), &(bytes[at] ^ 0x20)])
            .filter(move |byte| **byte != bytes[at])
            .map(move |byte| {
                let mut bent = bytes.to_vec();
                bent[at] = *byte;
                bent
            })
            .collect::<Vec<_>>()
    });
    let inserted = (0..=bytes.len())
        .flat_map(move |at| BYTES.iter().map(move |byte| [&bytes[..at], &[*byte], &bytes[at..]].concat()));
    let removed = (0..bytes.len()).map(move |at| [&bytes[..at], &bytes[at + 1..]].concat());
    let cut = (0..bytes.len()).flat_map(move |at| [bytes[..at].to_vec(), bytes[at + 1..].to_vec()]);
    changed.chain(inserted).chain(removed).chain(cut).filter_map(|bytes| String::from_utf8(bytes).ok())
}

fn pairs() -> [(Signer, Verifier); 3] {
    [
        (
            Signer::new(&ES256).typ("JWT"),
            Verifier::builder([Alg::Es256]).key(ES256.verifying_key()).build().unwrap(),
        ),
        (
            Signer::new(&ED25519).typ("JWT"),
            Verifier::builder([Alg::Ed25519]).key(ED25519.verifying_key()).build().unwrap(),
        ),
        (
            Signer::mac(&HS256).typ("JWT"),
            Verifier::builder([Alg::Hs256]).mac_key(HS256.clone()).build().unwrap(),
        ),
    ]
}

#[test]
fn no_changed_compact_token_verifies() {
    for (signer, verifier) in pairs() {
        let good = signer.sign_compact(PAYLOAD).unwrap();
        let mut scratch = Scratch::new();
        assert!(verifier.verify_compact(&good, &mut scratch).is_ok());
        for bent in mutations(&good) {
            assert!(bent == good || verifier.verify_compact(&bent, &mut scratch).is_err(), "{bent}");
            let _ = Unverified::peek_compact(&bent);
        }
    }
}

#[test]
fn a_changed_flattened_token_verifies_only_if_what_was_signed_is_the_same() {
    for (signer, verifier) in pairs() {
        let good = signer.sign_flattened(PAYLOAD).unwrap();
        let mut scratch = Scratch::new();
        for bent in mutations(&good) {
            if let Ok(verified) = verifier.verify_flattened(&bent, &mut scratch) {
                // White space between the members, for example.
                assert_eq!(verified.payload(), PAYLOAD, "{bent}");
                assert!(verified.protected_header().contains(r#""typ":"JWT""#), "{bent}");
            }
            let _ = Unverified::peek_flattened(&bent);
        }
    }
}

#[test]
fn no_changed_signature_of_rsa_verifies() {
    let message = b"message";
    let good = RS256.sign(message).unwrap();
    for at in 0..good.len() {
        let mut bent = good.clone();
        bent[at] ^= 1;
        assert!(RS256.verifying_key().verify(message, &bent).is_err());
        assert!(RS256.verifying_key().verify(message, &good[..at]).is_err());
    }
}

#[test]
fn changed_keys_and_claims_never_panic() {
    let all = Alg::ALL;
    for text in [
        ES256.verifying_key().to_jwk(),
        ED25519.to_jwk().unwrap().to_string(),
        HS256.to_jwk().to_string(),
        ES256.verifying_key().to_pem().unwrap(),
        ES256.to_pem().unwrap().to_string(),
    ] {
        for bent in mutations(&text) {
            let _ = Key::parse(&bent, None);
            let _ = Key::parse(&bent, Some(Alg::Es256));
        }
    }
    let set = JwkSet::from_keys([ED25519.verifying_key()]).unwrap().to_json();
    for bent in mutations(&set) {
        let _ = JwkSet::parse_any(&bent, all);
    }
    for bent in mutations(r#"{"iss":"i","aud":["a","b"],"exp":1.5e9,"x":{"y":"\ud83d\ude00"}}"#) {
        let _ = Claims::parse(bent.as_bytes());
    }
}

#[test]
fn changed_der_never_panics() {
    let spki = ES256.verifying_key().to_spki_der();
    let pkcs8 = ED25519.to_pkcs8_der().unwrap();
    let rsa = RS256.verifying_key().to_spki_der();
    for (der, alg) in [(&spki[..], Alg::Es256), (&pkcs8[..], Alg::Ed25519), (&rsa[..], Alg::Rs256)] {
        for at in 0..der.len() {
            for byte in [0x00, 0x01, 0x02, 0x04, 0x30, 0x7F, 0x80, 0x82, 0xFF] {
                let mut bent = der.to_vec();
                bent[at] = byte;
                let _ = sealwright_jose::VerifyingKey::from_spki_der(alg, &bent);
                let _ = sealwright_jose::VerifyingKey::from_certificate_der(alg, &bent);
                let _ = sealwright_jose::SigningKey::from_pkcs8_der(alg, &bent);
                let _ = Key::parse_der(&bent, alg);
            }
            assert!(sealwright_jose::VerifyingKey::from_spki_der(alg, &der[..at]).is_err());
            assert!(sealwright_jose::SigningKey::from_pkcs8_der(alg, &der[..at]).is_err());
        }
        let longer = [der, &[0]].concat();
        assert!(sealwright_jose::VerifyingKey::from_spki_der(alg, &longer).is_err());
        assert!(sealwright_jose::SigningKey::from_pkcs8_der(alg, &longer).is_err());
    }
}
