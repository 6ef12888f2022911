//! Signatures that no one made, and one signature in another form (CVE-2022-21449 and its kin).

use sealwright_jose::{KeyError, SigningKey, VerifyErrorKind as Kind, VerifyingKey, base64url};

use crate::{
    support::{ED25519, HS256, RS256},
    tally::{refused, refused_if},
};

const MESSAGE: &[u8] = b"message";
#[track_caller]
fn refuse(key: &VerifyingKey, table: &[&[u8]]) {
    for (row, signature) in table.iter().enumerate() {
        let outcome = key.verify(MESSAGE, signature).map_err(|error| error.kind());
        refused(row, outcome, Kind::Signature);
    }
}

fn good(key: &SigningKey) -> Vec<u8> {
    let signature = key.sign(MESSAGE).unwrap();
    assert!(key.verifying_key().verify(MESSAGE, &signature).is_ok());
    signature
}

#[test]
pub(super) fn eddsa_degenerate_or_not_canonical() {
    let good = good(&ED25519);
    let (r, s) = good.split_at(32);
    // S + L is the same number modulo L, and refused by RFC 8032 §5.1.7.
    const L: [u8; 32] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    let larger: Vec<u8> = (0..32)
        .map(|i| {
            let sum = u16::from(s[i]) + u16::from(L[i]) + carry;
            carry = sum >> 8;
            sum as u8
        })
        .collect();
    let mut identity = [0; 32];
    identity[0] = 1;
    refuse(
        &ED25519.verifying_key(),
        &[
            &[],
            &[0; 64],
            &[0xFF; 64],
            &[r, &larger].concat(),
            &[r, &L].concat(),
            &[&identity, s].concat(),
            &[&identity[..], &[0; 32]].concat(),
            &good[..63],
            &[&good[..], &[0]].concat(),
            &[s, r].concat(),
        ],
    );
}

#[test]
pub(super) fn rsa_of_another_length_or_no_padding() {
    let good = good(&RS256);
    let mut table =
        vec![vec![], vec![0; 256], vec![0xFF; 256], vec![0; 255], good[1..].to_vec(), good[..255].to_vec()];
    table.push([&[0], &good[..]].concat());
    table.push([&good[..], &[0]].concat());
    let mut one = vec![0; 256];
    one[255] = 1;
    table.push(one);
    let table: Vec<_> = table.iter().map(Vec::as_slice).collect();
    refuse(&RS256.verifying_key(), &table);
}

#[test]
pub(super) fn mac_cut_or_extended() {
    let good = HS256.sign(MESSAGE).unwrap();
    assert!(HS256.verify(MESSAGE, &good).is_ok());
    for tag in
        [&[][..], &[0; 32], &good[..1], &good[..16], &good[..31], &[&good[..], &[0]].concat(), &good[1..]]
    {
        refused(
            format_args!("{tag:?}"),
            HS256.verify(MESSAGE, tag).map_err(|error| error.kind()),
            Kind::Signature,
        );
    }
    let mut bent = good.clone();
    bent[31] ^= 1;
    assert!(HS256.verify(MESSAGE, &bent).is_err());
}

#[test]
pub(super) fn eddsa_key_or_signature_of_another_length() {
    let good = good(&ED25519);
    let public = super::jwk_of(&ED25519.verifying_key());
    for len in [0, 1, 32, 63, 65, 96, 114, 128] {
        let mut bent = good.clone();
        bent.resize(len, 0);
        let got = ED25519.verifying_key().verify(MESSAGE, &bent).map_err(|error| error.kind());
        refused(format_args!("signature of {len}"), got, Kind::Signature);
    }
    for len in [0, 31, 33, 56, 57, 64] {
        let mut jwk = public.clone();
        jwk["x"] = base64url::encode(vec![7; len]).into();
        let error = KeyError::Member { member: "x", problem: "has the wrong length" };
        refused(format_args!("key of {len}"), VerifyingKey::from_jwk(&jwk.to_string()), error);
    }
    // Ed448's name and size, on a key of the other curve.
    for (alg, len) in [("Ed448", 32), ("Ed448", 57), ("ES256", 32), ("X25519", 32), ("ECDH-ES", 32)] {
        let mut jwk = public.clone();
        (jwk["alg"], jwk["x"]) = (alg.into(), base64url::encode(vec![7; len]).into());
        refused_if(format_args!("{alg} {len}"), VerifyingKey::from_jwk(&jwk.to_string()), |error| {
            matches!(error, KeyError::Type { .. } | KeyError::AlgUnsupported)
        });
    }
}
