//! Detached payloads that come in pieces.

use sealwright_jose::{
    Alg, Digest, MacKey, SignError, SigningKey, base64url,
    jws::{Signer, Verifier, sign_general_detached, start_general_detached},
};
use serde_json::json;

use crate::support::{ED25519, HS256, RS256, outcome};

/// In pieces of `size` bytes.
fn in_pieces(signer: &Signer, payload: &[u8], size: usize) -> Result<String, SignError> {
    let mut detached = signer.start_detached()?;
    for piece in payload.chunks(size) {
        detached.update(piece);
    }
    detached.finish_compact()
}

#[test]
fn pieces_are_signed_as_the_whole() {
    let payload: Vec<u8> = (0..20_000_u32).map(|n| (n % 253) as u8).collect();
    for signer in [Signer::new(&RS256), Signer::mac(&HS256)] {
        for signer in [signer.clone(), signer.clone().verify_after_signing(), signer.unencoded()] {
            for len in [0, 1, 2, 3, 100, payload.len()] {
                let whole = signer.sign_detached(&payload[..len]).unwrap();
                for size in [1, 2, 3, 1000, payload.len()] {
                    assert_eq!(in_pieces(&signer, &payload[..len], size).unwrap(), whole, "{len} by {size}");
                }
            }
            let mut detached = signer.start_detached().unwrap();
            detached.update(&payload);
            assert_eq!(
                detached.finish_flattened().unwrap(),
                signer.sign_flattened_detached(&payload).unwrap()
            );
        }
    }
}

/// ECDSA and PSS sign differently each time, so the payload is put back and the token verified.
#[test]
fn every_algorithm_streams_or_says_that_it_cannot() {
    let payload = b"a payload of some length".repeat(1000);
    for alg in Alg::ALL.iter().copied() {
        let (signer, builder) = if alg.is_mac() {
            let key = MacKey::generate(alg).unwrap();
            (Signer::mac(&key), Verifier::builder_from(&[alg]).mac_key(key))
        } else {
            let key = SigningKey::generate(alg).unwrap();
            (Signer::new(&key), Verifier::builder_from(&[alg]).key(key.verifying_key()))
        };
        let streamed = in_pieces(&signer.verify_after_signing(), &payload, 777);
        if alg.is_mac() || alg.digest().is_some() {
            let token = streamed.unwrap().replace("..", &format!(".{}.", base64url::encode(&payload)));
            assert_eq!(outcome(&builder.build().unwrap(), &token).unwrap(), payload, "{alg}");
        } else {
            assert_eq!(streamed, Err(SignError::NeedsWholeMessage(alg)));
        }
    }
}

#[test]
fn several_keys_sign_the_pieces_in_one_pass() {
    let payload: Vec<u8> = (0..20_000_u32).map(|n| (n % 251) as u8).collect();
    let plain = [Signer::new(&RS256).unprotected("x", json!(1)), Signer::mac(&HS256), Signer::new(&RS256)];
    for signers in [plain.clone(), plain.clone().map(Signer::unencoded)] {
        let signers: Vec<&Signer> = signers.iter().collect();
        for len in [0, 1, 2, 3, payload.len()] {
            let whole = sign_general_detached(&signers, &payload[..len]).unwrap();
            for size in [1, 3, 1000, payload.len()] {
                let mut signing = start_general_detached(&signers).unwrap();
                payload[..len].chunks(size).for_each(|piece| signing.update(piece));
                assert_eq!(signing.finish().unwrap(), whole, "{len} by {size}");
            }
        }
    }
    let refused = |signers: &[&Signer]| start_general_detached(signers).err();
    assert_eq!(refused(&[]), Some(SignError::Signatures(16)));
    assert_eq!(refused(&[&plain[0]; 17]), Some(SignError::Signatures(16)));
    assert_eq!(refused(&[&plain[0], &plain[1].clone().unencoded()]), Some(SignError::MixedEncoding));
    let whole = Signer::new(&ED25519);
    assert_eq!(refused(&[&plain[0], &whole]), Some(SignError::NeedsWholeMessage(Alg::Ed25519)));
}

#[test]
fn a_digest_of_the_input_is_what_is_signed() {
    let key = SigningKey::generate(Alg::Es384).unwrap();
    let token = in_pieces(&Signer::new(&key).unencoded(), b"a.b", 1).unwrap();
    let (protected, signature) = token.split_once("..").unwrap();
    let digest = Digest::of(Alg::Es384.digest().unwrap(), format!("{protected}.a.b").as_bytes());
    let signature = base64url::decode(signature).unwrap();
    assert!(key.verifying_key().verify_digest(&digest, &signature).is_ok());
}

#[test]
fn faults_are_told_before_the_payload_is_read_where_they_can_be() {
    let faulty = Signer::new(&RS256).typ("a").typ("b");
    assert_eq!(faulty.start_detached().map(|_| ()), Err(SignError::HeaderParameter("typ".into())));
    let verify_only = HS256.to_jwk().replace(r#""use":"sig""#, r#""key_ops":["verify"]"#);
    let verify_only = Signer::mac(&MacKey::from_jwk(&verify_only).unwrap());
    assert_eq!(verify_only.start_detached().map(|_| ()), Err(SignError::KeyUse));
    let json_only = Signer::new(&RS256).unprotected("x", json!(1));
    assert_eq!(in_pieces(&json_only, b"x", 1), Err(SignError::UnprotectedHeader));
    assert!(json_only.start_detached().unwrap().finish_flattened().is_ok());
}
