//! A key that lives elsewhere: prepare, sign, finish.

use sealwright_jose::{
    Alg, Digest, SignError, SigningKey, VerifyingKey, ecdsa,
    jws::{
        Header, Prepared, Require, Scratch, Signed, Signer, SigningInput, Verifier, general,
        general_detached, prepare, sign_general, sign_general_detached,
    },
};

use crate::support::{ED25519, ES256, HS256, PAYLOAD, RS256, outcome, outcome_flattened};

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
    let refused = prepared.clone().signed(der.clone());
    assert!(matches!(refused, Err(SignError::SignatureLength { alg: Alg::Es256, .. })));
    let token = prepared.signed(ecdsa::der_to_fixed(Alg::Es256, &der).unwrap()).unwrap().compact().unwrap();
    assert_eq!(outcome(&verifier, &token).unwrap(), PAYLOAD);
}

#[test]
fn every_form_can_be_finished() {
    let verifier = Verifier::builder([Alg::Rs256]).key(RS256.verifying_key()).build().unwrap();
    let prepared = prepare(Header::new(Alg::Rs256), PAYLOAD).unwrap();
    let signature = RS256.sign(message(&prepared)).unwrap();
    let signer = Signer::new(&RS256).header(Header::new(Alg::Rs256));
    let signed = prepared.signed(signature).unwrap();
    let compact = signed.clone().compact().unwrap();
    assert_eq!(compact, signer.sign_compact(PAYLOAD).unwrap());
    assert_eq!(outcome(&verifier, &compact).unwrap(), PAYLOAD);
    let flattened = signed.flattened().unwrap();
    assert_eq!(flattened, signer.sign_flattened(PAYLOAD).unwrap());
    assert_eq!(outcome_flattened(&verifier, &flattened).unwrap(), PAYLOAD);
    assert_eq!(signed.detached().unwrap(), signer.sign_detached(PAYLOAD).unwrap());
    assert_eq!(signed.flattened_detached(), signer.sign_flattened_detached(PAYLOAD).unwrap());
    let signed = [signed];
    assert_eq!(general(&signed).unwrap(), sign_general(&[&signer], PAYLOAD).unwrap());
    assert_eq!(general_detached(&signed).unwrap(), sign_general_detached(&[&signer], PAYLOAD).unwrap());
}

#[test]
fn keys_in_several_places_sign_one_payload() {
    let sign = |key: &SigningKey, header: Header, payload: &[u8]| {
        let prepared = prepare(header, payload).unwrap();
        let signature = key.sign(message(&prepared)).unwrap();
        (prepared, signature)
    };
    let mut signed = Vec::new();
    for (key, kid) in [(&*ES256, "one"), (&*ED25519, "two"), (&*RS256, "three")] {
        let (prepared, signature) = sign(key, Header::new(key.alg()), PAYLOAD);
        let prepared = prepared.unprotected("kid", kid.into()).unwrap();
        signed.push(prepared.signed_by(&key.verifying_key(), signature).unwrap());
    }
    let verifier = Verifier::builder([Alg::Es256, Alg::Ed25519, Alg::Rs256])
        .key(ES256.verifying_key().with_kid("one"))
        .key(ED25519.verifying_key().with_kid("two"))
        .key(RS256.verifying_key().with_kid("three"))
        .build()
        .unwrap();
    let mut scratch = Scratch::new();
    let json = general(&signed).unwrap();
    let verified = verifier.verify_general(&json, Require::AtLeast(3), &mut scratch).unwrap();
    assert_eq!(verified.payload(), PAYLOAD);
    let detached = general_detached(&signed).unwrap();
    assert!(verifier.verify_detached_json(&detached, PAYLOAD, Require::All, &mut scratch).is_ok());

    // Each part alone fits no compact form, and together they are over one payload or refused.
    assert_eq!(signed[0].clone().compact(), Err(SignError::UnprotectedHeader));
    assert_eq!(signed[0].detached(), Err(SignError::UnprotectedHeader));
    assert_eq!(general(&[]), Err(SignError::Signatures(16)));
    let many: Vec<_> = signed.iter().cycle().take(17).cloned().collect();
    assert_eq!(general_detached(&many), Err(SignError::Signatures(16)));
    let (other, signature) = sign(&ES256, Header::new(Alg::Es256), b"another");
    let other = [signed[0].clone(), other.signed(signature).unwrap()];
    assert_eq!(general(&other), Err(SignError::Payloads));
    assert_eq!(general_detached(&other), Err(SignError::Payloads));
    let (raw, signature) = sign(&ES256, Header::new(Alg::Es256).unencoded(), PAYLOAD);
    let mixed = [signed[0].clone(), raw.signed(signature).unwrap()];
    assert_eq!(general(&mixed), Err(SignError::MixedEncoding));
}

#[test]
fn an_unprotected_header_has_nothing_that_must_be_protected() {
    let prepared = || prepare(Header::new(Alg::Es256).typ("JWT"), PAYLOAD).unwrap();
    for (name, value) in [
        ("alg", "ES256".into()),
        ("crit", serde_json::json!(["exp"])),
        ("b64", false.into()),
        ("enc", "A128GCM".into()),
        ("typ", "JWT".into()),
    ] {
        let refused = prepared().unprotected(name, value).err();
        assert_eq!(refused, Some(SignError::HeaderParameter(name.to_owned())));
    }
    let refused = prepared().unprotected("kid", 1.into()).err();
    assert!(matches!(refused, Some(SignError::HeaderValue { .. })), "{refused:?}");
    let twice = prepared().unprotected("kid", "a".into()).and_then(|one| one.unprotected("kid", "b".into()));
    assert_eq!(twice.err(), Some(SignError::HeaderParameter("kid".to_owned())));
    let long = prepared().unprotected("note", "x".repeat(20_000).into()).unwrap();
    assert!(matches!(long.signed([7; 64]), Err(SignError::HeaderTooLarge(_))));
}

#[test]
fn an_unprotected_header_of_a_text_is_that_text() {
    let prepared = || prepare(Header::new(Alg::Es256).typ("JWT"), PAYLOAD).unwrap();
    let text = " {\"x\": {\"b\":1, \"a\":1.50},\n\"\\u0077\": [\"\\u00e9\", 1e2]}";
    let both = prepared().unprotected("y", 2.into()).unwrap().unprotected_json(text).unwrap();
    let json = both.signed([7; 64]).unwrap().flattened().unwrap();
    assert!(json.contains(r#""header":{"y":2,"x":{"b":1,"a":1.50},"w":["\u00e9",1e2]},"#), "{json}");
    // It is what a key at hand signs with.
    let signer = Signer::mac(&HS256).unprotected_json(text);
    let here = prepare(Header::new(Alg::Hs256).kid("k"), PAYLOAD).unwrap().unprotected_json(text).unwrap();
    let signature = HS256.sign(message(&here)).unwrap();
    assert_eq!(here.signed(signature).unwrap().flattened().unwrap(), signer.sign_flattened(PAYLOAD).unwrap());

    let refused = |text: &str| prepared().unprotected_json(text).err();
    for text in ["", "[]", r#"{"a":1} x"#, r#"{"x":1,"\u0078":2}"#, r#"{"x":{"a":1,"a":2}}"#] {
        assert_eq!(refused(text), Some(SignError::HeaderJson), "{text}");
    }
    let long = format!("{{\"x\":1{}}}", " ".repeat(16 * 1024));
    assert_eq!(refused(&long), Some(SignError::HeaderTooLarge(16 * 1024)));
    for (text, name) in [
        (r#"{"alg":"ES256"}"#, "alg"),
        (r#"{"b64":false}"#, "b64"),
        (r#"{"crit":["x"]}"#, "crit"),
        (r#"{"enc":"A128GCM"}"#, "enc"),
        (r#"{"x":1,"typ":"JWT"}"#, "typ"),
    ] {
        assert_eq!(refused(text), Some(SignError::HeaderParameter(name.to_owned())), "{text}");
    }
    let twice = prepared().unprotected("x", 1.into()).and_then(|one| one.unprotected_json(r#"{"x":1}"#));
    assert_eq!(twice.err(), Some(SignError::HeaderParameter("x".to_owned())));
}

#[test]
fn an_unencoded_payload_is_finished_where_it_fits() {
    let prepared = |payload: &[u8]| prepare(Header::new(Alg::Ed25519).unencoded(), payload).unwrap();
    let signature = [7; 64];
    let signed = |payload| prepared(payload).signed(signature).unwrap();
    assert!(signed(b"hello").compact().unwrap().contains(".hello."));
    assert!(matches!(signed(b"a.b").compact(), Err(SignError::Unencoded(_))));
    assert!(signed(b"a.b").flattened().unwrap().starts_with(r#"{"payload":"a.b","#));
    assert!(matches!(signed(b"\xff").flattened(), Err(SignError::Unencoded(_))));
    assert!(matches!(general(&[signed(b"\xff")]), Err(SignError::Unencoded(_))));
    assert!(signed(b"\xff").detached().unwrap().contains(".."));
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
    let checked =
        |signature: &[u8], key: &VerifyingKey| prepared().signed_by(key, signature).and_then(Signed::compact);
    let unchecked = |signature: &[u8]| prepared().signed(signature).and_then(Signed::compact);
    assert_eq!(checked(&good, &public), unchecked(&good));
    assert!(unchecked(&bent).is_ok(), "nobody looked");
    assert_eq!(checked(&bent, &public), Err(SignError::Unverified));
    assert_eq!(checked(&good, &other.verifying_key()), Err(SignError::Unverified));
    let mismatch = Err(SignError::AlgMismatch { key: Alg::Es256 });
    assert_eq!(checked(&good, &ES256.verifying_key()), mismatch);
    let short = Err(SignError::SignatureLength { alg: Alg::Ed25519, len: 63 });
    assert_eq!(checked(&good[1..], &public), short);
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
            assert!(prepared.clone().signed(vec![1; *len]).is_ok(), "{alg} {len}");
        }
        let (least, most) = (lengths[0], lengths[lengths.len() - 1]);
        for len in [0, 1, least - 1, most + 1] {
            let refused = prepared.clone().signed(vec![1; len]).err();
            assert_eq!(refused, Some(SignError::SignatureLength { alg, len }));
        }
    }
}

#[test]
fn a_digest_is_offered_where_it_is_all_that_a_key_needs() {
    for alg in Alg::ALL.iter().copied() {
        let prepared = prepare(Header::new(alg), PAYLOAD).unwrap();
        let Some(digest) = prepared.digest() else {
            assert_eq!(alg.digest(), None);
            continue;
        };
        assert_eq!(Some(digest.hash()), alg.digest());
        assert_eq!(digest.as_bytes(), Digest::of(digest.hash(), message(&prepared)).as_bytes());
        assert_eq!(prepared.message(), message(&prepared));
        let key = SigningKey::generate(alg).unwrap();
        let signature = key.sign_digest(digest).unwrap();
        let token = prepared.signed_by(&key.verifying_key(), signature);
        assert!(token.is_ok(), "{alg}: {token:?}");
    }
}
