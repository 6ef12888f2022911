//! What holds of every algorithm: keys in every encoding, halves that must belong together, digests,
//! and signatures bent in form.

use sealwright_jose::jws::{BuildError, Policy, Signer, Verifier};
use sealwright_jose::{
    Alg, Digest, Hash, Hasher, Key, KeyError, MacKey, SignError, SigningKey, VerifyingKey, base64url,
};
use serde_json::{Value, json};

use crate::support::{generate, outcome};

fn asymmetric() -> impl Iterator<Item = Alg> {
    Alg::ALL.iter().copied().filter(|alg| !alg.is_mac())
}

/// One algorithm of each kind of key.
fn kinds() -> impl Iterator<Item = Alg> {
    asymmetric().filter(|alg| !alg.is_rsa() || *alg == Alg::Ps384)
}

fn jwk(key: &SigningKey) -> Value {
    serde_json::from_str(&key.to_jwk().unwrap()).unwrap()
}

/// The members of a private JWK that hold its secret, and of a public one that hold the key.
fn halves(alg: Alg) -> (&'static str, &'static [&'static str]) {
    match alg {
        Alg::MlDsa44 | Alg::MlDsa65 | Alg::MlDsa87 => ("priv", &["pub"]),
        Alg::Es256 | Alg::Es384 | Alg::Es512 | Alg::Es256k => ("d", &["x", "y"]),
        _ => ("d", &["x"]),
    }
}

#[test]
fn a_key_goes_out_and_comes_in_again() {
    for alg in kinds() {
        let key = generate(alg);
        let public = key.verifying_key();
        let text = key.to_jwk().unwrap();
        let again = [
            SigningKey::from_jwk(&text).unwrap(),
            SigningKey::from_pem(alg, &key.to_pem().unwrap()).unwrap().with_kid("k"),
            SigningKey::from_pkcs8_der(alg, &key.to_pkcs8_der().unwrap()).unwrap().with_kid("k"),
        ];
        for again in again {
            assert_eq!(again.verifying_key(), public, "{alg}");
            assert_eq!(again.to_jwk().unwrap(), text, "{alg}");
            assert_eq!(again.to_pkcs8_der().unwrap(), key.to_pkcs8_der().unwrap(), "{alg}");
            assert!(public.verify(b"m", &again.sign(b"m").unwrap()).is_ok(), "{alg}");
        }
        assert!(text.len() > public.to_jwk().len());
        assert_eq!(VerifyingKey::from_jwk(&public.to_jwk()).unwrap(), public);
        assert_eq!(VerifyingKey::from_spki_der(alg, &public.to_spki_der()).unwrap().with_kid("k"), public);
        assert!(matches!(Key::parse_der(&public.to_spki_der(), alg), Ok(Key::Verifying(_))), "{alg}");
        assert!(matches!(Key::parse_der(&key.to_pkcs8_der().unwrap(), alg), Ok(Key::Signing(_))), "{alg}");
    }
}

#[test]
fn a_key_serves_the_algorithms_of_its_kind_and_no_other() {
    for alg in kinds() {
        let key = generate(alg);
        let (pkcs8, spki) = (key.to_pkcs8_der().unwrap(), key.verifying_key().to_spki_der());
        for other in Alg::ALL.iter().copied() {
            let fits = other == alg || alg.is_rsa() && other.is_rsa();
            match (SigningKey::from_pkcs8_der(other, &pkcs8), VerifyingKey::from_spki_der(other, &spki)) {
                (Ok(signing), Ok(verifying)) if fits => {
                    let signature = signing.sign(b"m").unwrap();
                    assert!(verifying.verify(b"m", &signature).is_ok(), "{other}");
                    // Neither padding nor hash of another algorithm of the same key.
                    assert_eq!(key.verifying_key().verify(b"m", &signature).is_ok(), other == alg, "{other}");
                }
                (Err(KeyError::Type { alg: a, .. }), Err(KeyError::Type { alg: b, .. })) if !fits => {
                    assert_eq!((a, b), (other, other));
                }
                result => panic!("{alg} as {other}: {result:?}"),
            }
        }
    }
}

#[test]
fn signatures_have_the_length_that_is_said_and_no_other_is_accepted() {
    for alg in kinds() {
        let key = generate(alg);
        let public = key.verifying_key();
        let signature = key.sign(b"m").unwrap();
        assert_eq!(signature.len(), alg.signature_len().unwrap_or(256), "{alg}");
        let mut bent = vec![
            vec![],
            signature[1..].to_vec(),
            signature[..signature.len() - 1].to_vec(),
            [&signature[..], &[0]].concat(),
            [&[0], &signature[..]].concat(),
            vec![0; signature.len()],
            vec![0xFF; signature.len()],
        ];
        for at in [0, signature.len() / 2 - 1, signature.len() / 2, signature.len() - 1] {
            let mut flipped = signature.clone();
            flipped[at] ^= 1;
            bent.push(flipped);
        }
        for (row, bent) in bent.iter().enumerate() {
            assert!(public.verify(b"m", bent).is_err(), "{alg} {row}");
        }
        assert!(public.verify(b"M", &signature).is_err(), "{alg}");
        assert!(public.verify(b"m", &signature).is_ok(), "{alg}");
    }
}

#[test]
fn digests_are_signed_where_the_algorithm_hashes_first() {
    let message = vec![0x5A; 100_000];
    for alg in asymmetric() {
        let key = generate(alg);
        let public = key.verifying_key();
        let signature = key.sign(&message).unwrap();
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let mut hasher = Hasher::new(hash);
            message.chunks(777).for_each(|piece| hasher.update(piece));
            let digest = hasher.finish();
            assert_eq!(Digest::of(hash, &message), digest);
            if alg.digest() == Some(hash) {
                assert!(public.verify_digest(&digest, &signature).is_ok(), "{alg}");
                assert!(public.verify(&message, &key.sign_digest(&digest).unwrap()).is_ok(), "{alg}");
                assert!(public.verify_digest(&Digest::of(hash, b"m"), &signature).is_err(), "{alg}");
            } else {
                assert_eq!(key.sign_digest(&digest), Err(SignError::Digest { alg, hash }));
                assert!(public.verify_digest(&digest, &signature).is_err(), "{alg}");
            }
        }
    }
}

#[test]
fn private_half_of_another_key_or_of_a_wrong_length() {
    for alg in kinds().filter(|alg| !alg.is_rsa()) {
        let (private, public) = halves(alg);
        let (key, other) = (jwk(&generate(alg)), jwk(&generate(alg)));
        let with = |member: &str, value: Value| {
            let mut bent = key.clone();
            bent[member] = value;
            SigningKey::from_jwk(&bent.to_string()).unwrap_err()
        };
        assert!(matches!(with(private, other[private].clone()), KeyError::Invalid(_)), "{alg}");
        let len = base64url::decode(key[private].as_str().unwrap()).unwrap().len();
        for wrong in [0, 1, len - 1, len + 1, 2 * len, 2560] {
            let error = with(private, base64url::encode(vec![1; wrong]).into());
            assert!(
                matches!(error, KeyError::Member { member, .. } if member == private),
                "{alg} {wrong}: {error}"
            );
        }
        for member in public {
            assert!(matches!(with(member, other[*member].clone()), KeyError::Invalid(_)), "{alg} {member}");
            let error = with(member, base64url::encode([1; 31]).into());
            assert!(matches!(error, KeyError::Member { .. }), "{alg} {member}: {error}");
            let mut bare = key.clone();
            bare.as_object_mut().unwrap().remove(*member);
            let error = SigningKey::from_jwk(&bare.to_string()).unwrap_err();
            assert_eq!(error, KeyError::MemberMissing(member), "{alg}");
        }
        if private == "d" && alg.digest().is_some() {
            for byte in [0, 0xFF] {
                let error = with(private, base64url::encode(vec![byte; len]).into());
                assert!(matches!(error, KeyError::Invalid(_)), "{alg} {byte}: {error}");
            }
        }
    }
}

#[test]
fn points_off_their_curve() {
    for alg in [Alg::Es256, Alg::Es384, Alg::Es512, Alg::Es256k] {
        let key = generate(alg).verifying_key();
        let good: Value = serde_json::from_str(&key.to_jwk()).unwrap();
        let y = base64url::decode(good["y"].as_str().unwrap()).unwrap();
        let mut bent = y.clone();
        *bent.last_mut().unwrap() ^= 1;
        let table = [
            ("y", bent, "the numbers are not a public key"),
            ("y", vec![0; y.len()], "the numbers are not a public key"),
            ("x", vec![0xFF; y.len()], "the numbers are not a public key"),
            ("y", y[1..].to_vec(), "has the wrong length"),
            ("x", [&[0], &y[..]].concat(), "has the wrong length"),
            ("x", vec![], "has the wrong length"),
        ];
        for (member, value, why) in table {
            let mut jwk = good.clone();
            jwk[member] = base64url::encode(value).into();
            let error = VerifyingKey::from_jwk(&jwk.to_string()).unwrap_err().to_string();
            assert!(error.contains(why), "{alg} {member}: {error}");
        }
        // Infinity and a compressed point, in SPKI.
        let spki = key.to_spki_der();
        let start = spki.len() - 2 * y.len() - 1;
        let mut infinity = spki.clone();
        infinity[start + 1..].fill(0);
        assert!(VerifyingKey::from_spki_der(alg, &infinity).is_err(), "{alg}");
        let mut hybrid = spki.clone();
        hybrid[start] = 6;
        assert!(VerifyingKey::from_spki_der(alg, &hybrid).is_err(), "{alg}");
        assert!(VerifyingKey::from_spki_der(alg, &spki).is_ok(), "{alg}");
        // A point is public, so it is no secret.
        for secret in [&spki[start..], &spki] {
            let refused = MacKey::from_bytes(Alg::Hs256, secret);
            assert!(matches!(refused, Err(KeyError::Format { .. })), "{alg}: {refused:?}");
        }
    }
    // The same x and y are on one curve only.
    let mut jwk: Value = serde_json::from_str(&generate(Alg::Es256).verifying_key().to_jwk()).unwrap();
    (jwk["crv"], jwk["alg"]) = (json!("secp256k1"), json!("ES256K"));
    assert!(matches!(VerifyingKey::from_jwk(&jwk.to_string()), Err(KeyError::Invalid(_))));
}

#[test]
fn akp_keys_that_are_none() {
    let good: Value = serde_json::from_str(&generate(Alg::MlDsa44).verifying_key().to_jwk()).unwrap();
    let key = base64url::decode(good["pub"].as_str().unwrap()).unwrap();
    let wrong_length = "the JWK's member `pub` has the wrong length";
    let table = [
        ("alg", json!("ML-DSA-65"), wrong_length),
        ("alg", json!("ML-DSA-87"), wrong_length),
        ("alg", json!("ES256"), "the key is for an algorithm that is not supported"),
        ("alg", json!("HashML-DSA-44"), "the key is for an algorithm that is not supported"),
        ("alg", json!(7), "the JWK's member `alg` is not a string"),
        ("pub", base64url::encode(&key[1..]).into(), wrong_length),
        ("pub", base64url::encode([&[0], &key[..]].concat()).into(), wrong_length),
        ("pub", json!(""), wrong_length),
        (
            "priv",
            base64url::encode([0; 32]).into(),
            "found a private or symmetric JWK, but a public one is needed",
        ),
    ];
    for (member, value, why) in table {
        let mut jwk = good.clone();
        jwk[member] = value;
        assert_eq!(VerifyingKey::from_jwk(&jwk.to_string()).unwrap_err().to_string(), why);
    }
    let mut nameless = good.clone();
    nameless.as_object_mut().unwrap().remove("alg");
    assert_eq!(VerifyingKey::from_jwk(&nameless.to_string()).unwrap_err(), KeyError::AlgMissing);
    // The caller cannot make up for it: `alg` is a part of such a key (RFC 9964 §3).
    let error = VerifyingKey::from_jwk_as(Alg::MlDsa44, &nameless.to_string()).unwrap_err();
    assert_eq!(error, KeyError::MemberMissing("alg"));
    let wanted = VerifyingKey::from_jwk_as(Alg::MlDsa65, &good.to_string()).unwrap_err();
    assert_eq!(wanted, KeyError::AlgMismatch { key: Alg::MlDsa44, wanted: Alg::MlDsa65 });
}

#[test]
fn rsa_keys_are_made_in_four_sizes() {
    for bits in [0, 1024, 2047, 2056, 16384] {
        assert!(
            matches!(SigningKey::generate_rsa(Alg::Rs512, bits), Err(KeyError::Unsupported(_))),
            "{bits}"
        );
    }
    let key = SigningKey::generate_rsa(Alg::Rs512, 3072).unwrap();
    assert_eq!(key.sign(b"m").unwrap().len(), 384);
    assert_eq!(
        SigningKey::generate_rsa(Alg::Ed25519, 2048).unwrap_err(),
        KeyError::Type { alg: Alg::Ed25519, seen: "an RSA key" }
    );
}

#[test]
fn a_secret_is_as_long_as_its_hash() {
    for (alg, min) in [(Alg::Hs256, 32), (Alg::Hs384, 48), (Alg::Hs512, 64)] {
        let key = MacKey::generate(alg).unwrap();
        assert_eq!(key.sign(b"m").unwrap().len(), min);
        assert!(!key.is_weak());
        for len in [0, 1, min - 1] {
            let secret = vec![0xA5; len];
            let error = MacKey::from_bytes(alg, &secret).unwrap_err();
            assert!(
                matches!(error, KeyError::Size { bits, min: least, .. } if bits == 8 * len && least == 8 * min)
            );
            let jwk = json!({"kty": "oct", "k": base64url::encode(&secret)}).to_string();
            assert_eq!(MacKey::from_jwk_as(alg, &jwk).unwrap_err(), error);
            // Only who says so gets a weak key, and even so not an empty one.
            let weak = MacKey::insecure_from_short_bytes(alg, &secret);
            let from_jwk = MacKey::insecure_from_short_jwk_as(alg, &jwk);
            assert_eq!((weak.is_ok(), from_jwk.is_ok()), (len > 0, len > 0));
            for key in weak.into_iter().chain(from_jwk) {
                assert!(key.is_weak());
                assert!(key.verify(b"m", &key.sign(b"m").unwrap()).is_ok());
            }
        }
        assert!(!MacKey::insecure_from_short_bytes(alg, &vec![0xA5; min]).unwrap().is_weak());
        let tag = key.sign(b"m").unwrap();
        for bent in [&[][..], &tag[1..], &tag[..min - 1], &[&tag[..], &[0]].concat()] {
            assert!(key.verify(b"m", bent).is_err());
        }
    }
    let pem = generate(Alg::Ed25519).verifying_key().to_pem().unwrap();
    assert!(MacKey::insecure_from_short_bytes(Alg::Hs256, pem.as_bytes()).is_err());
    assert!(MacKey::insecure_from_short_bytes(Alg::Es256, b"secret").is_err());
}

#[test]
fn a_weak_secret_serves_under_one_policy_only() {
    let key = MacKey::insecure_from_short_bytes(Alg::Hs256, b"secret").unwrap();
    let token = Signer::mac(&key).policy(Policy::Joserfc).sign_compact(b"m").unwrap();
    for policy in [Policy::Strict, Policy::Rfc] {
        let signed = Signer::mac(&key).policy(policy).sign_compact(b"m");
        assert_eq!(signed, Err(SignError::WeakKey));
        let verifier = Verifier::builder([Alg::Hs256]).mac_key(key.clone()).policy(policy).build();
        assert_eq!(verifier.err(), Some(BuildError::WeakKey));
    }
    let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).policy(Policy::Joserfc).build().unwrap();
    assert_eq!(outcome(&verifier, &token).unwrap(), b"m");
}

#[cfg(feature = "ed448")]
#[test]
fn eddsa_is_what_the_key_makes_it() {
    let keys = [generate(Alg::Ed25519).with_kid("a"), generate(Alg::Ed448).with_kid("b")];
    let [a, b] = keys.each_ref().map(SigningKey::verifying_key);
    let verifier = Verifier::builder([Alg::Ed25519, Alg::Ed448]).key(a.clone()).key(b).build().unwrap();
    let one_curve = Verifier::builder([Alg::Ed25519]).key(a).build().unwrap();
    for key in &keys {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, key.kid().unwrap());
        let input = format!("{}.{}", base64url::encode(header), base64url::encode("m"));
        let signature = key.sign(input.as_bytes()).unwrap();
        let token = format!("{input}.{}", base64url::encode(signature));
        let mut scratch = sealwright_jose::jws::Scratch::new();
        assert_eq!(verifier.verify_compact(&token, &mut scratch).unwrap().alg(), key.alg());
        assert_eq!(outcome(&one_curve, &token).is_ok(), key.alg() == Alg::Ed25519);
    }
}

#[cfg(feature = "ed448")]
#[test]
fn ed448_points_and_signatures_that_are_none() {
    let key = generate(Alg::Ed448);
    let public: Value = serde_json::from_str(&key.verifying_key().to_jwk()).unwrap();
    let refused = |point: &[u8]| {
        let mut jwk = public.clone();
        jwk["x"] = base64url::encode(point).into();
        VerifyingKey::from_jwk(&jwk.to_string()).unwrap_err().to_string()
    };
    // p, little-endian: 448 ones but for the one at 224.
    let mut p = [0xFF; 57];
    (p[28], p[56]) = (0xFE, 0);
    let minus_one = |sign: u8| {
        let mut point = p;
        (point[0], point[56]) = (0xFE, sign);
        point
    };
    let small = |y: u8, sign: u8| {
        let mut point = [0; 57];
        (point[0], point[56]) = (y, sign);
        point
    };
    let p_and = |more: u8| {
        let mut point = p;
        // 2²²⁴ + 1 more than p is 2⁴⁴⁸, so a small number fits in one byte after the carry.
        let mut carry = u16::from(more);
        for byte in &mut point[..56] {
            let sum = u16::from(*byte) + carry;
            (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
        }
        point
    };
    let good = base64url::decode(public["x"].as_str().unwrap()).unwrap();
    let mut bits_beside_the_sign = good.clone();
    bits_beside_the_sign[56] |= 1;
    let why = "not a valid key: the Ed448 point is of small order or not canonical";
    for point in [
        &small(0, 0)[..],
        &small(0, 0x80),
        &small(1, 0),
        &small(1, 0x80),
        &minus_one(0),
        &minus_one(0x80),
        &p,
        &p_and(1),
        &p_and(2),
        &bits_beside_the_sign,
        &[0xFF; 57],
    ] {
        assert_eq!(refused(point), why, "{point:x?}");
    }
    // Off the curve, or on it with a part of small order.
    let off = (2..40).filter(|y| {
        let mut jwk = public.clone();
        jwk["x"] = base64url::encode(small(*y, 0)).into();
        match VerifyingKey::from_jwk(&jwk.to_string()) {
            Err(error) => error == KeyError::Invalid("the numbers are not a public key"),
            Ok(_) => false,
        }
    });
    assert!((15..38).contains(&off.count()));

    // S + L stands for the same number as S, for L of RFC 8032 §5.2.
    const L: [u8; 57] = [
        0xF3, 0x44, 0x58, 0xAB, 0x92, 0xC2, 0x78, 0x23, 0x55, 0x8F, 0xC5, 0x8D, 0x72, 0xC2, 0x6C, 0x21, 0x90,
        0x36, 0xD6, 0xAE, 0x49, 0xDB, 0x4E, 0xC4, 0xE9, 0x23, 0xCA, 0x7C, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0x3F, 0x00,
    ];
    let signature = key.sign(b"m").unwrap();
    assert!(key.verifying_key().verify(b"m", &signature).is_ok());
    let mut malleable = signature.clone();
    let mut carry = 0;
    for (byte, l) in malleable[57..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(l) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert!(key.verifying_key().verify(b"m", &malleable).is_err());
    let mut r_with_bits = signature.clone();
    r_with_bits[56] |= 1;
    assert!(key.verifying_key().verify(b"m", &r_with_bits).is_err());
    // A point of small order as key and R would verify any message with S = 0.
    assert!(key.verifying_key().verify(b"m", &[&small(1, 0)[..], &[0; 57]].concat()).is_err());
    // An Ed25519 key is not for Ed448, whatever the token's name for both is.
    let ed25519: Value = serde_json::from_str(&generate(Alg::Ed25519).verifying_key().to_jwk()).unwrap();
    let mut bent = ed25519.clone();
    bent["alg"] = json!("Ed448");
    assert!(matches!(VerifyingKey::from_jwk(&bent.to_string()), Err(KeyError::Type { alg: Alg::Ed448, .. })));
    bent["alg"] = json!("EdDSA");
    assert_eq!(VerifyingKey::from_jwk(&bent.to_string()).unwrap().alg(), Alg::Ed25519);
}
