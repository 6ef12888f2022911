//! The token chooses the algorithm: `none`, HMAC with a public key, another algorithm for the same
//! key (CVE-2015-9235, CVE-2016-10555, CVE-2022-29217, CVE-2022-23540; RFC 8725bis §3.1).

use sealwright_jose::{
    Alg, KeyError, SigningKey, VerifyErrorKind as Kind, VerifyingKey, base64url,
    jws::{BuildError, Verifier},
};

use crate::support::{
    ED25519, ES256, HS256, PAYLOAD, RS256, es256_verifier, outcome, outcome_flattened, refuse_headers, signed,
};

#[test]
fn alg_none() {
    let verifier = es256_verifier().build().unwrap();
    for none in ["none", "None", "NONE", "nOnE", "none ", " none", "", "null", "n\\u006fne"] {
        let header = format!(r#"{{"alg":"{none}"}}"#);
        let input = format!("{}.{}", base64url::encode(&header), base64url::encode(PAYLOAD));
        for signature in ["", "AA", &base64url::encode(ES256.sign(input.as_bytes()).unwrap())] {
            assert_eq!(
                outcome(&verifier, &format!("{input}.{signature}")),
                Err(Kind::AlgNotAllowed),
                "{header}"
            );
        }
    }
    for (header, kind) in [
        (r#"{"alg":null}"#, Kind::Malformed),
        (r#"{"alg":[]}"#, Kind::Malformed),
        (r#"{"alg":["ES256"]}"#, Kind::Malformed),
        (r#"{"alg":true}"#, Kind::Malformed),
        (r#"{"alg":256}"#, Kind::Malformed),
        (r#"{"typ":"JWT"}"#, Kind::Malformed),
        (r#"{}"#, Kind::Malformed),
    ] {
        assert_eq!(outcome(&verifier, &signed(header, PAYLOAD)), Err(kind), "{header}");
    }
}

#[test]
fn alg_in_another_spelling() {
    let verifier = es256_verifier().build().unwrap();
    let table: Vec<_> =
        ["es256", "Es256", "ES256 ", "ES-256", "ECDSA", "SHA256withECDSA", "ESP256", "ES256\\u0000"]
            .map(|name| format!(r#"{{"alg":"{name}"}}"#))
            .into();
    for header in table {
        assert_eq!(outcome(&verifier, &signed(&header, PAYLOAD)), Err(Kind::AlgNotAllowed), "{header}");
    }
}

#[test]
fn public_key_as_hmac_secret() {
    // The verifier even allows HS256, and has a MAC key of its own.
    let public = RS256.verifying_key();
    let verifier = Verifier::builder([Alg::Rs256, Alg::Hs256])
        .key(public.clone())
        .mac_key(HS256.clone())
        .build()
        .unwrap();
    let input =
        format!("{}.{}", base64url::encode(r#"{"alg":"HS256","kid":"k"}"#), base64url::encode(PAYLOAD));
    let pem = public.to_pem().unwrap();
    for secret in [pem.as_bytes(), pem.trim().as_bytes(), &public.to_spki_der(), public.to_jwk().as_bytes()] {
        let tag = hmac_sha256(secret, input.as_bytes());
        let token = format!("{input}.{}", base64url::encode(tag));
        assert_eq!(outcome(&verifier, &token), Err(Kind::Signature));
    }
    let without = Verifier::builder([Alg::Rs256, Alg::Hs256]).key(public).build().unwrap();
    assert_eq!(outcome(&without, &format!("{input}.AA")), Err(Kind::KeyUnknown));
}

fn hmac_sha256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    aws_lc_rs::hmac::sign(&key, message).as_ref().to_vec()
}

#[test]
fn another_algorithm_for_the_same_key() {
    // Both algorithms are allowed, but the key is for one.
    let verifier = Verifier::builder([Alg::Rs256, Alg::Ps256]).key(RS256.verifying_key()).build().unwrap();
    let pss = SigningKey::from_pem(Alg::Ps256, &RS256.to_pem().unwrap()).unwrap();
    let token = sealwright_jose::jws::Signer::new(&pss.with_kid("k")).sign_compact(PAYLOAD).unwrap();
    assert_eq!(outcome(&verifier, &token), Err(Kind::KeyUnknown));
    let narrow = Verifier::builder([Alg::Rs256]).key(RS256.verifying_key()).build().unwrap();
    assert_eq!(outcome(&narrow, &token), Err(Kind::AlgNotAllowed));

    // The header lies about the padding: the key's algorithm is what counts.
    let input = format!("{}.{}", base64url::encode(r#"{"alg":"RS256"}"#), base64url::encode(PAYLOAD));
    let lie = format!("{input}.{}", base64url::encode(pss_sign(&input)));
    assert_eq!(outcome(&narrow, &lie), Err(Kind::Signature));

    refuse_headers(
        &es256_verifier().build().unwrap(),
        &[
            (r#"{"alg":"ES384"}"#, Kind::AlgNotAllowed),
            (r#"{"alg":"ES512"}"#, Kind::AlgNotAllowed),
            (r#"{"alg":"ES256K"}"#, Kind::AlgNotAllowed),
            (r#"{"alg":"Ed25519"}"#, Kind::AlgNotAllowed),
            (r#"{"alg":"EdDSA"}"#, Kind::AlgNotAllowed),
            (r#"{"alg":"HS256"}"#, Kind::AlgNotAllowed),
            (r#"{"alg":"RSA1_5"}"#, Kind::AlgNotAllowed),
        ],
    );
}

fn pss_sign(input: &str) -> Vec<u8> {
    SigningKey::from_pem(Alg::Ps256, &RS256.to_pem().unwrap()).unwrap().sign(input.as_bytes()).unwrap()
}

#[test]
fn eddsa_names_no_other_key() {
    // `EdDSA` is read as Ed25519; it must not reach a key of another algorithm.
    let verifier = Verifier::builder([Alg::Es256, Alg::Ed25519]).key(ES256.verifying_key()).build().unwrap();
    assert_eq!(outcome(&verifier, &signed(r#"{"alg":"EdDSA"}"#, PAYLOAD)), Err(Kind::KeyUnknown));
    let ed448 = r#"{"alg":"Ed448"}"#;
    let verifier = Verifier::builder([Alg::Ed25519]).key(ED25519.verifying_key()).build().unwrap();
    assert_eq!(outcome(&verifier, &signed(ed448, PAYLOAD)), Err(Kind::AlgNotAllowed));
}

#[test]
fn jwk_of_another_algorithm_or_use() {
    let jwk = ES256.verifying_key().to_jwk();
    let replaced = |from: &str, to: &str| VerifyingKey::from_jwk(&jwk.replace(from, to)).unwrap_err();
    let usage = r#""use":"sig""#;
    assert_eq!(replaced("ES256", "RS256"), KeyError::Type { alg: Alg::Rs256, seen: "a P-256 key" });
    assert_eq!(replaced("ES256", "HS256"), KeyError::Type { alg: Alg::Hs256, seen: "a P-256 key" });
    assert_eq!(replaced("ES256", "ES384"), KeyError::Type { alg: Alg::Es384, seen: "a P-256 key" });
    assert_eq!(replaced("ES256", "ES256K"), KeyError::Type { alg: Alg::Es256k, seen: "a P-256 key" });
    assert_eq!(replaced("ES256", "ECDH-ES"), KeyError::AlgUnsupported);
    assert_eq!(replaced("ES256", "none"), KeyError::AlgUnsupported);
    assert_eq!(replaced(r#""alg":"ES256","#, ""), KeyError::AlgMissing);
    assert_eq!(replaced(usage, r#""use":"enc""#), KeyError::Use("use"));
    assert_eq!(replaced(usage, r#""use":"SIG""#), KeyError::Use("use"));
    assert_eq!(replaced(usage, r#""key_ops":["sign"]"#), KeyError::Use("key_ops"));
    assert_eq!(replaced(usage, r#""key_ops":["encrypt","wrapKey"]"#), KeyError::Use("key_ops"));
    assert_eq!(replaced(usage, r#""key_ops":[]"#), KeyError::Use("key_ops"));
    let member = |problem| KeyError::Member { member: "key_ops", problem };
    assert_eq!(replaced(usage, r#""key_ops":["verify","verify"]"#), member("repeats a value"));
    assert_eq!(replaced(usage, r#""key_ops":"verify""#), member("is not an array of strings"));
    assert_eq!(
        VerifyingKey::from_jwk_as(Alg::Ed25519, &jwk).unwrap_err(),
        KeyError::AlgMismatch { key: Alg::Es256, wanted: Alg::Ed25519 }
    );
}

#[test]
fn verifier_that_would_be_unsafe() {
    let ed = || ED25519.verifying_key();
    let other = || SigningKey::generate(Alg::Ed25519).unwrap().with_kid("k").verifying_key();
    let table = [
        (Verifier::builder_from(&[]).key(ed()), BuildError::NoAlgorithm),
        (Verifier::builder([Alg::Ed25519]), BuildError::NoKey),
        (Verifier::builder([Alg::Es256]).key(ed()), BuildError::KeyNotAllowed),
        (Verifier::builder([Alg::Es256]).mac_key(HS256.clone()), BuildError::KeyNotAllowed),
        (Verifier::builder([Alg::Ed25519]).key(ed()).key(other()), BuildError::DuplicateKid),
    ];
    for (builder, error) in table {
        assert_eq!(builder.build().unwrap_err(), error);
    }
    // The raw 32 bytes of an Ed25519 key are a fine secret for all that the bytes show.
    let jwk = ed().to_jwk();
    let x = jwk.split(r#""x":""#).nth(1).unwrap().split('"').next().unwrap();
    let mac = sealwright_jose::MacKey::from_bytes(Alg::Hs256, &base64url::decode(x).unwrap()).unwrap();
    for builder in [
        Verifier::builder([Alg::Ed25519, Alg::Hs256]).key(ed()).mac_key(mac.clone()),
        Verifier::builder([Alg::Ed25519, Alg::Hs256]).mac_key(mac).key(ed()),
    ] {
        assert_eq!(builder.build().unwrap_err(), BuildError::SecretIsPublic);
    }
}

#[test]
fn alg_outside_the_protected_header() {
    let verifier = es256_verifier().build().unwrap();
    for (header, more) in [
        (r#"{"kid":"k"}"#, r#""header":{"alg":"ES256"},"#),
        (r#"{}"#, r#""header":{"alg":"ES256"},"#),
        (r#"{"alg":"ES256"}"#, r#""header":{"alg":"ES256"},"#),
        (r#"{"alg":"ES256"}"#, r#""header":{"\u0061lg":"none"},"#),
    ] {
        let json = crate::support::signed_flattened(header, more);
        assert_eq!(outcome_flattened(&verifier, &json), Err(Kind::Malformed), "{header} {more}");
    }
}
