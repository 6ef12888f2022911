//! Signatures that no one made, and one signature in another form (CVE-2022-21449 and its kin).

use sealwright_jose::{SigningKey, VerifyErrorKind as Kind, VerifyingKey, ecdsa};

use crate::support::{ED25519, ES256, HS256, RS256};

const MESSAGE: &[u8] = b"message";
const N: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA,
    0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

fn refuse(key: &VerifyingKey, table: &[&[u8]]) {
    for (row, signature) in table.iter().enumerate() {
        let error = key.verify(MESSAGE, signature).expect_err(&format!("row {row}"));
        assert_eq!(error.kind(), Kind::Signature);
    }
}

fn good(key: &SigningKey) -> Vec<u8> {
    let signature = key.sign(MESSAGE).unwrap();
    assert!(key.verifying_key().verify(MESSAGE, &signature).is_ok());
    signature
}

#[test]
fn psychic_ecdsa() {
    let mut one = [0; 32];
    one[31] = 1;
    let mut table = Vec::new();
    for r in [[0; 32], one, N, [0xFF; 32]] {
        for s in [[0; 32], one, N, [0xFF; 32]] {
            table.push([r, s].concat());
        }
    }
    let table: Vec<_> = table.iter().map(Vec::as_slice).collect();
    refuse(&ES256.verifying_key(), &table);
    let good = good(&ES256);
    refuse(
        &ES256.verifying_key(),
        &[
            &[&[0; 32], &good[32..]].concat(),
            &[&good[..32], &[0; 32]].concat(),
            &[&good[32..], &good[..32]].concat(),
        ],
    );
}

#[test]
fn ecdsa_in_another_form() {
    let good = good(&ES256);
    let der = ecdsa::fixed_to_der(&good).unwrap();
    let padded = [&[0][..], &good[..32], &[0], &good[32..]].concat();
    refuse(
        &ES256.verifying_key(),
        &[
            &[],
            &der,
            &padded,
            &good[..63],
            &good[1..],
            &[&good[..], &[0]].concat(),
            &[&[0], &good[..]].concat(),
            &[&good[..], &good[..]].concat(),
            &[&[0; 16], &good[..32], &[0; 16], &good[32..]].concat(),
        ],
    );
}

#[test]
fn eddsa_degenerate_or_not_canonical() {
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
fn rsa_of_another_length_or_no_padding() {
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
fn mac_cut_or_extended() {
    let good = HS256.sign(MESSAGE).unwrap();
    assert!(HS256.verify(MESSAGE, &good).is_ok());
    for tag in
        [&[][..], &[0; 32], &good[..1], &good[..16], &good[..31], &[&good[..], &[0]].concat(), &good[1..]]
    {
        assert_eq!(HS256.verify(MESSAGE, tag).unwrap_err().kind(), Kind::Signature);
    }
    let mut bent = good.clone();
    bent[31] ^= 1;
    assert!(HS256.verify(MESSAGE, &bent).is_err());
}
