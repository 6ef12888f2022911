//! One signature, many texts: laxly read base64url lets a token be changed without being broken
//! (joserfc 1.7.2, panva/jose#879), which defeats lists of revoked or used tokens.

use sealwright_jose::{VerifyErrorKind as Kind, base64url, jws::Unverified};

use crate::{
    support::{PAYLOAD, es256_verifier, outcome, signed},
    tally::refused,
};

#[test]
pub(super) fn base64url_in_another_spelling() {
    let verifier = es256_verifier().build().unwrap();
    // 16 and 17 bytes, so that header and payload have unused bits in their last character.
    let token = signed(r#"{"alg":"ES256" }"#, b"seventeen bytes !");
    assert!(outcome(&verifier, &token).is_ok());
    let parts: Vec<_> = token.split('.').collect();
    let mut bent = Vec::new();
    for at in 0..3 {
        let part = parts[at];
        let mut variants = vec![
            format!("{part}="),
            format!("{part}=="),
            format!("={part}"),
            format!("{part}\n"),
            format!("{part}\r\n"),
            format!(" {part}"),
            format!("{part}\0"),
            format!("{}\n{}", &part[..8], &part[8..]),
            format!("{part}é"),
            format!("{}%3D", part),
        ];
        if part.contains(['-', '_']) {
            variants.push(part.replace('-', "+").replace('_', "/"));
        }
        // The same bytes for a lax decoder: another last character, with unused bits set.
        let last = part.chars().last().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let value = alphabet.find(last).unwrap();
        let next = alphabet.chars().nth(value + 1).unwrap();
        variants.push(format!("{}{next}", &part[..part.len() - 1]));
        for variant in variants {
            let mut parts = parts.clone();
            parts[at] = &variant;
            bent.push(parts.join("."));
        }
    }
    assert!(bent.len() >= 33);
    for token in bent {
        refused(format_args!("{token:?}"), outcome(&verifier, &token), Kind::Malformed);
        refused(
            format_args!("{token:?}"),
            Unverified::peek_compact(&token).map_err(|error| error.kind()),
            Kind::Malformed,
        );
    }
}

#[test]
pub(super) fn white_space_around_the_token() {
    let verifier = es256_verifier().build().unwrap();
    let token = signed(r#"{"alg":"ES256"}"#, PAYLOAD);
    for bent in [format!("{token} "), format!("{token}\n"), format!(" {token}"), format!("\u{feff}{token}")] {
        refused(format_args!("{bent:.4} {}", bent.len()), outcome(&verifier, &bent), Kind::Malformed);
    }
}

#[test]
pub(super) fn length_one_over_a_multiple_of_four() {
    for text in ["A", "AAAAA", &"A".repeat(4001)] {
        refused(text.len(), base64url::decode(text), base64url::DecodeError);
    }
}
