//! A key that lives elsewhere: prepare, sign, finish.

use sealwright_jose::{
    Alg, Digest, SignError, SigningKey, ecdsa,
    jws::{Header, Prepared, SigningInput, Verifier, prepare},
};

use crate::support::{ED25519, ES256, PAYLOAD, RS256, outcome, outcome_flattened};

fn message(prepared: &Prepared) -> &[u8] {
    match prepared.signing_input() {
        SigningInput::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_that_returns_der_is_used() {
    let verifier = Verifier::builder([Alg::Es256]).key(ES256.verifying_key()).build().unwrap();
    let prepared = prepare(Header::new(Alg::Es256).kid("k"), PAYLOAD).unwrap();
    assert_eq!(prepared.alg(), Alg::Es256);
    let der = ecdsa::fixed_to_der(&ES256.sign(message(&prepared)).unwrap()).unwrap();
    let refused = prepared.clone().finish_compact(&der);
    assert!(matches!(refused, Err(SignError::SignatureLength { alg: Alg::Es256, .. })));
    let token = prepared.finish_compact(&ecdsa::der_to_fixed(Alg::Es256, &der).unwrap()).unwrap();
    assert_eq!(outcome(&verifier, &token).unwrap(), PAYLOAD);
}

#[test]
fn every_form_can_be_finished() {
    let verifier = Verifier::builder([Alg::Rs256]).key(RS256.verifying_key()).build().unwrap();
    let prepared = prepare(Header::new(Alg::Rs256), PAYLOAD).unwrap();
    let signature = RS256.sign(message(&prepared)).unwrap();
    let signer = sealwright_jose::jws::Signer::new(&RS256).header(Header::new(Alg::Rs256));
    let compact = prepared.clone().finish_compact(&signature).unwrap();
    assert_eq!(compact, signer.sign_compact(PAYLOAD).unwrap());
    assert_eq!(outcome(&verifier, &compact).unwrap(), PAYLOAD);
    let flattened = prepared.clone().finish_flattened(&signature).unwrap();
    assert_eq!(flattened, signer.sign_flattened(PAYLOAD).unwrap());
    assert_eq!(outcome_flattened(&verifier, &flattened).unwrap(), PAYLOAD);
    let detached = prepared.clone().finish_detached(&signature).unwrap();
    assert_eq!(detached, signer.sign_detached(PAYLOAD).unwrap());
    let detached = prepared.finish_flattened_detached(&signature).unwrap();
    assert_eq!(detached, signer.sign_flattened_detached(PAYLOAD).unwrap());
}

#[test]
fn an_unencoded_payload_is_finished_where_it_fits() {
    let prepared = |payload: &[u8]| prepare(Header::new(Alg::Ed25519).unencoded(), payload).unwrap();
    let signature = [7; 64];
    assert!(prepared(b"hello").finish_compact(&signature).unwrap().contains(".hello."));
    assert!(matches!(prepared(b"a.b").finish_compact(&signature), Err(SignError::Unencoded(_))));
    assert!(prepared(b"a.b").finish_flattened(&signature).unwrap().starts_with(r#"{"payload":"a.b","#));
    assert!(matches!(prepared(b"\xff").finish_flattened(&signature), Err(SignError::Unencoded(_))));
    assert!(prepared(b"\xff").finish_detached(&signature).unwrap().contains(".."));
    assert!(message(&prepared(b"\xff")).ends_with(b".\xff"));
}

#[test]
fn a_signature_can_be_checked_before_it_is_given_out() {
    let prepared = || prepare(Header::new(Alg::Ed25519), PAYLOAD).unwrap();
    let (key, public) = (&*ED25519, ED25519.verifying_key());
    let good = key.sign(message(&prepared())).unwrap();
    let other = SigningKey::generate(Alg::Ed25519).unwrap();
    let mut bent = good.clone();
    bent[3] ^= 1;
    type Checked = fn(Prepared, &[u8], &sealwright_jose::VerifyingKey) -> Result<String, SignError>;
    type Unchecked = fn(Prepared, &[u8]) -> Result<String, SignError>;
    let table: [(Checked, Unchecked); 4] = [
        (Prepared::finish_compact_checked, Prepared::finish_compact),
        (Prepared::finish_detached_checked, Prepared::finish_detached),
        (Prepared::finish_flattened_checked, Prepared::finish_flattened),
        (Prepared::finish_flattened_detached_checked, Prepared::finish_flattened_detached),
    ];
    for (checked, unchecked) in table {
        assert_eq!(checked(prepared(), &good, &public), unchecked(prepared(), &good));
        assert!(unchecked(prepared(), &bent).is_ok(), "nobody looked");
        assert_eq!(checked(prepared(), &bent, &public), Err(SignError::Unverified));
        assert_eq!(checked(prepared(), &good, &other.verifying_key()), Err(SignError::Unverified));
        let mismatch = Err(SignError::AlgMismatch { key: Alg::Es256 });
        assert_eq!(checked(prepared(), &good, &ES256.verifying_key()), mismatch);
        assert_eq!(
            checked(prepared(), &good[1..], &public),
            Err(SignError::SignatureLength { alg: Alg::Ed25519, len: 63 })
        );
    }
}

#[test]
fn lengths_are_those_of_the_algorithm() {
    for (alg, lengths) in [
        (Alg::Hs256, &[32][..]),
        (Alg::Hs384, &[48]),
        (Alg::Hs512, &[64]),
        (Alg::Es256, &[64]),
        (Alg::Es384, &[96]),
        (Alg::Es512, &[132]),
        (Alg::Es256k, &[64]),
        (Alg::Ed25519, &[64]),
        (Alg::Rs256, &[256, 384, 512, 1024]),
        (Alg::Ps512, &[256, 384, 512, 1024]),
        (Alg::MlDsa44, &[2420]),
        (Alg::MlDsa65, &[3309]),
        (Alg::MlDsa87, &[4627]),
    ] {
        let prepared = prepare(Header::new(alg), b"").unwrap();
        for len in lengths {
            assert!(prepared.clone().finish_compact(&vec![1; *len]).is_ok(), "{alg} {len}");
        }
        let (least, most) = (lengths[0], lengths[lengths.len() - 1]);
        for len in [0, 1, least - 1, most + 1] {
            let refused = prepared.clone().finish_compact(&vec![1; len]);
            assert_eq!(refused, Err(SignError::SignatureLength { alg, len }));
        }
    }
}

#[test]
fn a_digest_is_offered_where_it_is_all_that_a_key_needs() {
    for alg in Alg::ALL.iter().copied() {
        let prepared = prepare(Header::new(alg), PAYLOAD).unwrap();
        let Some(SigningInput::Digest(hash, bytes)) = prepared.digest() else {
            assert_eq!(alg.digest(), None);
            continue;
        };
        assert_eq!(Some(hash), alg.digest());
        assert_eq!(bytes, Digest::of(hash, message(&prepared)).as_bytes());
        let key = SigningKey::generate(alg).unwrap();
        let signature = key.sign_digest(&Digest::from_bytes(hash, bytes).unwrap()).unwrap();
        let token = prepared.finish_compact_checked(&signature, &key.verifying_key());
        assert!(token.is_ok(), "{alg}: {token:?}");
    }
}
