//! JWK sets: what is kept, what is passed over, what spoils the whole.

use sealwright_jose::{
    Alg, JwkSet, JwkSetLimits, KeyError, MacKey, SelectError, Selection, SigningKey, VerifyErrorKind,
    VerifyingKey,
    jws::{BuildError, Scratch, Signer, Verifier, VerifierBuilder},
};

use crate::support::{ED25519, ES256, HS256, RS256, generate};

const ALL: &[Alg] = &[Alg::Rs256, Alg::Es256, Alg::Ed25519];

fn set(keys: &[&str]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

#[test]
fn a_published_set_is_read_again() {
    let keys =
        [ES256.verifying_key(), RS256.verifying_key().with_kid("r"), ED25519.verifying_key().with_kid("e")];
    let published = JwkSet::from_keys(keys.clone()).unwrap().to_json();
    let read = JwkSet::parse(&published, ALL).unwrap();
    assert_eq!(read.keys(), keys);
    assert!(read.skipped().is_empty());
    assert_eq!(JwkSet::parse_any(&published, ALL).unwrap().keys(), keys);
    assert_eq!(JwkSet::parse_any(&keys[0].to_jwk(), ALL).unwrap().keys(), &keys[..1]);
    assert!(JwkSet::parse(&keys[0].to_jwk(), ALL).unwrap_err().to_string().contains("a single JWK"));
}

#[test]
fn a_key_that_cannot_be_used_is_passed_over_and_listed() {
    let good = ES256.verifying_key().to_jwk();
    let private = ED25519.to_jwk().unwrap();
    let secret = HS256.to_jwk();
    let table = [
        (r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AAAA"}"#, "the key is for none of the allowed algorithms"),
        (r#"{"kty":"AKP","alg":"SLH-DSA-SHA2-128s"}"#, "the key is for an algorithm that is not supported"),
        (r#"{"kty":"AKP","alg":"ES256"}"#, "the key is for an algorithm that is not supported"),
        (r#"{"kty":"AKP","pub":"AAAA"}"#, "the JWK has no member `alg`"),
        (r#"{"kty":"XYZ"}"#, "a key type (`kty`) other than EC, OKP, AKP, RSA and oct is not supported"),
        (r#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#, "the key is for none of the allowed algorithms"),
        (
            r#"{"kty":"EC","crv":"P-192","x":"AA","y":"AA"}"#,
            "a curve (`crv`) other than P-256, P-384, P-521 and secp256k1 for EC is not supported",
        ),
        (
            r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#,
            if cfg!(feature = "ed448") {
                "a curve (`crv`) other than Ed25519 and Ed448 for OKP is not supported"
            } else {
                "a curve (`crv`) other than Ed25519 for OKP is not supported"
            },
        ),
        (
            r#"{"kty":"RSA","alg":"RSA-OAEP","n":"AQ","e":"AQAB"}"#,
            "the key is for an algorithm that is not supported",
        ),
        (
            r#"{"kty":"RSA","alg":"PS256","n":"AQ","e":"AQAB"}"#,
            "the key is for none of the allowed algorithms",
        ),
        (r#"{"kty":"RSA","n":"AQ","e":"AQAB"}"#, "the RSA modulus has 1 bits; 2048 to 8192 are accepted"),
        (r#"{"kty":"RSA","e":"AQAB"}"#, "the JWK has no member `n`"),
        (r#"{"kty":7}"#, "the JWK's member `kty` is not a string"),
        (r#"{}"#, "the JWK has no member `kty`"),
        (r#""a string""#, "found an unknown format, but a JWK is needed"),
        (&private, "found a private or symmetric JWK, but a public one is needed"),
        (&secret, "found a private or symmetric JWK, but a public one is needed"),
    ];
    for (bad, why) in table {
        let read = JwkSet::parse(&set(&[bad, &good]), ALL).unwrap();
        assert_eq!(read.keys(), [ES256.verifying_key()], "{bad}");
        let [(0, error)] = read.skipped() else { panic!("{bad}") };
        assert_eq!(error.to_string(), why);
    }
    let enc = good.replace(r#""use":"sig""#, r#""use":"enc""#);
    assert_eq!(JwkSet::parse(&set(&[&enc]), ALL).unwrap().skipped(), [(0, KeyError::Use("use"))]);
}

#[test]
fn a_key_without_alg_gets_the_only_one_that_fits() {
    let rsa = RS256.verifying_key().to_jwk().replace(r#""alg":"RS256","#, "");
    let read = |allowed: &[Alg]| JwkSet::parse(&set(&[&rsa]), allowed).unwrap();
    assert_eq!(read(&[Alg::Es256, Alg::Ps256]).keys()[0].alg(), Alg::Ps256);
    assert_eq!(read(&[Alg::Rs256, Alg::Rs256]).keys()[0].alg(), Alg::Rs256);
    assert_eq!(read(&[Alg::Rs256, Alg::Ps256]).skipped(), [(0, KeyError::AlgAmbiguous)]);
    assert_eq!(read(&[Alg::Es256]).skipped(), [(0, KeyError::AlgNotAllowed)]);
    assert_eq!(read(&[]).skipped(), [(0, KeyError::AlgNotAllowed)]);
}

#[test]
fn two_keys_with_one_kid_both_stay_and_that_kid_is_ambiguous() {
    let other = generate(Alg::Es256).verifying_key();
    let third = generate(Alg::Es256).with_kid("third");
    let keys = [ES256.verifying_key(), other.clone(), third.verifying_key()];
    let set =
        JwkSet::parse(&set(&keys.each_ref().map(VerifyingKey::to_jwk).each_ref().map(|jwk| &**jwk)), ALL);
    let set = set.unwrap();
    assert_eq!(set.keys(), keys);
    let verifier = Verifier::builder([Alg::Es256]).keys(&set).build().unwrap();
    let verify = |key: &SigningKey| {
        let token = Signer::new(key).sign_compact(b"m").unwrap();
        verifier.verify_compact(&token, &mut Scratch::new()).map(drop).map_err(|error| error.kind())
    };
    assert_eq!(verify(&ES256), Err(VerifyErrorKind::KeyAmbiguous));
    assert_eq!(verify(&third), Ok(()));
    // The same of keys that were read one by one, each once.
    let collected: JwkSet = keys.iter().chain(&keys).cloned().collect();
    assert_eq!(collected.keys(), keys);
    assert_eq!(collected.skipped(), []);

    // Who publishes a set is told.
    let error = JwkSet::from_keys([ES256.verifying_key(), other]).unwrap_err();
    assert_eq!(error, KeyError::DuplicateKid);
    // Of another type as well (RFC 7520 §4.8 does that).
    assert_eq!(
        JwkSet::from_keys([ES256.verifying_key(), ED25519.verifying_key()]).unwrap_err(),
        KeyError::DuplicateKid
    );
    let same = JwkSet::from_keys([ES256.verifying_key(), ES256.verifying_key()]).unwrap();
    assert_eq!(same.keys().len(), 1);
    let nameless = || SigningKey::generate(Alg::Es256).unwrap().verifying_key();
    assert_eq!(JwkSet::from_keys([nameless(), nameless()]).unwrap().keys().len(), 2);
}

#[test]
fn secrets_of_a_set_may_have_one_kid_and_one_named_by_itself_may_not() {
    let mac = |kid: &str| MacKey::generate(Alg::Hs256).unwrap().with_kid(kid);
    let (one, two, third) = (mac("k"), mac("k"), mac("third"));
    let other_alg = MacKey::generate(Alg::Hs512).unwrap();
    let verifier =
        Verifier::builder([Alg::Hs256]).mac_keys([&one, &two, &third, &other_alg]).build().unwrap();
    let verify = |key: &MacKey| {
        let token = Signer::mac(key).sign_compact(b"m").unwrap();
        verifier.verify_compact(&token, &mut Scratch::new()).map(drop).map_err(|error| error.kind())
    };
    assert_eq!(verify(&one), Err(VerifyErrorKind::KeyAmbiguous));
    assert_eq!(verify(&two), Err(VerifyErrorKind::KeyAmbiguous));
    assert_eq!(verify(&third), Ok(()));
    assert_eq!(verify(&other_alg), Err(VerifyErrorKind::AlgNotAllowed));

    let build = |builder: VerifierBuilder| builder.build().map(drop);
    let builder = || Verifier::builder([Alg::Hs256, Alg::Es256]);
    assert_eq!(build(builder().mac_key(&one).mac_key(&two)), Err(BuildError::DuplicateKid));
    assert_eq!(build(builder().mac_keys([&one; 0])), Ok(()), "no token verifies");
    let short = MacKey::insecure_from_short_jwk_as(Alg::Hs256, r#"{"kty":"oct","k":"c2VjcmV0"}"#).unwrap();
    assert_eq!(build(builder().mac_keys([&short])), Err(BuildError::WeakKey));
}

#[test]
fn exactly_one_key_is_selected() {
    let key = |alg, kid: &str| SigningKey::generate(alg).unwrap().with_kid(kid).verifying_key();
    let (a, b) = (key(Alg::Es256, "a"), key(Alg::Es256, "b"));
    let (a_ed, nameless) =
        (key(Alg::Ed25519, "a"), SigningKey::generate(Alg::Ed25519).unwrap().verifying_key());
    let text = [&a, &b, &a_ed, &nameless].map(VerifyingKey::to_jwk);
    let set = JwkSet::parse(&set(&text.each_ref().map(|jwk| &**jwk)), ALL).unwrap();
    let select = |selection: Selection<'_>| set.select(&selection);
    let any = Selection::new;
    assert_eq!(select(any().kid("b")), Ok(&b));
    assert_eq!(select(any().kid("a").alg(Alg::Es256)), Ok(&a));
    assert_eq!(select(any().kid("a").alg(Alg::Ed25519)), Ok(&a_ed));
    assert_eq!(select(any().thumbprint(b.thumbprint())), Ok(&b));
    // A name that no key has means the one without.
    assert_eq!(select(any().kid("c")), Ok(&nameless));
    assert_eq!(select(any().kid("c").alg(Alg::Es256)), Err(SelectError::None));
    assert_eq!(select(any().alg(Alg::Rs256)), Err(SelectError::None));
    assert_eq!(select(any().kid("b").alg(Alg::Ed25519)), Ok(&nameless));
    assert_eq!(select(any().kid("a")), Err(SelectError::Several(vec![a.clone(), a_ed.clone()])));
    assert_eq!(select(any().alg(Alg::Es256)), Err(SelectError::Several(vec![a.clone(), b.clone()])));
    let Err(SelectError::Several(all)) = select(any()) else { panic!("several fit") };
    assert_eq!(all, [a, b, a_ed, nameless]);
    assert_eq!(JwkSet::default().select(&any()), Err(SelectError::None));
}

#[test]
fn use_and_key_ops_decide_whether_a_key_can_be_selected() {
    let jwk = ES256.verifying_key().to_jwk();
    for (member, kept) in [
        (r#""use":"sig""#, true),
        (r#""use":"enc""#, false),
        (r#""key_ops":["verify"]"#, true),
        (r#""key_ops":["sign"]"#, false),
        (r#""key_ops":[]"#, false),
        (r#""key_ops":["verify","verify"]"#, false),
        (r#""key_ops":"verify""#, false),
    ] {
        let text = set(&[&jwk.replace(r#""use":"sig""#, member)]);
        let set = JwkSet::parse(&text, ALL).unwrap();
        assert_eq!(set.select(&Selection::new()).is_ok(), kept, "{member}");
    }
}

#[test]
fn what_is_no_set_is_refused() {
    let many = set(&vec!["{}"; 257]);
    let large = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(1024 * 1024));
    let table = [
        ("", "found an unknown format, but a JWK set is needed"),
        ("[]", "found an unknown format, but a JWK set is needed"),
        ("{}", "the JWK has no member `keys`"),
        (r#"{"keys":{}}"#, "the JWK's member `keys` is not an array"),
        (r#"{"keys":[]}x"#, "malformed JWK set: not strict JSON"),
        (r#"{"keys":[],"keys":[]}"#, "malformed JWK set: a name stands twice in one object"),
        (r#"{"keys":[{"kty":"EC","kty":"EC"}]}"#, "malformed JWK set: a name stands twice in one object"),
        (&many, "more than 256 keys"),
        (&large, "more than 1048576 bytes"),
    ];
    for (text, why) in table {
        assert_eq!(JwkSet::parse(text, ALL).unwrap_err().to_string(), why);
    }
    let limits = JwkSetLimits::default().keys(300).bytes(1000);
    assert!(JwkSet::parse_with(&many, ALL, limits).is_ok());
    assert_eq!(JwkSet::parse_with(&many, ALL, limits.bytes(700)).unwrap_err(), KeyError::TooLarge(700));
    let any = |limits| JwkSet::parse_any_with(&many, ALL, limits).map(drop);
    assert_eq!((any(limits), any(limits.keys(256))), (Ok(()), Err(KeyError::TooManyKeys(256))));
    let jwk = ES256.verifying_key().to_jwk();
    let one = |bytes| JwkSet::parse_any_with(&jwk, ALL, limits.bytes(bytes)).map(|set| set.keys().len());
    assert_eq!(one(jwk.len()), Ok(1));
    assert_eq!(one(jwk.len() - 1), Err(KeyError::TooLarge(jwk.len() - 1)));
    assert!(JwkSet::parse(r#"{"keys":[],"unknown":1}"#, ALL).unwrap().keys().is_empty());
}

/// Whatever key it is: what is public has none of its private members, and a JWK that has one is
/// not taken for public.
#[test]
fn nothing_private_comes_out_of_public_keys_or_goes_in_as_public() {
    const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
    for alg in Alg::ALL.iter().copied().filter(|alg| !alg.is_mac()) {
        let key = SigningKey::generate(alg).unwrap().with_kid("k");
        let public = key.verifying_key().to_jwk();
        let published = JwkSet::from_keys([key.verifying_key()]).unwrap().to_json();
        let private: serde_json::Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
        let mut secrets = 0;
        for name in PRIVATE {
            if let Some(secret) = private[name].as_str() {
                secrets += 1;
                assert!(!public.contains(secret) && !published.contains(secret), "{alg} {name}");
            }
            assert!(!published.contains(&format!("\"{name}\":")), "{alg} {name}");
            let with = public.replacen('{', &format!(r#"{{"{name}":"AAAA","#), 1);
            assert!(VerifyingKey::from_jwk(&with).is_err(), "{alg} {name}");
            let set = JwkSet::parse(&set(&[&with]), &[alg]).unwrap();
            assert!(set.keys().is_empty() && set.skipped().len() == 1, "{alg} {name}");
        }
        assert!(secrets > 0, "{alg}");
    }
}

#[test]
fn keys_are_counted_and_nested_as_the_limits_say() {
    let key = ES256.verifying_key().to_jwk();
    let read = |text: &str, limits| JwkSet::parse_with(text, ALL, limits).map(|set| set.keys().len());
    let two = JwkSetLimits::default().keys(2);
    assert_eq!(read(&set(&[&key, &key]), two), Ok(1), "the same key twice");
    assert_eq!(read(&set(&[&key, &key, &key]), two), Err(KeyError::TooManyKeys(2)));
    // Elements that are no objects are keys that cannot be used, and count.
    assert_eq!(read(&set(&[&key, "1", "null"]), two), Err(KeyError::TooManyKeys(2)));
    assert_eq!(read(&set(&["1", "2", "3"]), two), Err(KeyError::TooManyKeys(2)));
    assert_eq!(read(&set(&[&key, "[{},{},{}]"]), two), Ok(1), "objects in another element are none");
    assert_eq!(read(&format!(r#"{{"x":[{{}},{{}},{{}}],"keys":[{key}]}}"#), two), Ok(1));
    assert!(matches!(read(r#"{"keys":[{},{},{}"#, two), Err(KeyError::Malformed { .. })));

    let deep =
        |depth: usize| format!(r#"{{"keys":[],"x":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
    let nesting = |depth| JwkSetLimits::default().nesting(depth);
    assert_eq!(read(&deep(16), JwkSetLimits::default()), Ok(0));
    assert!(read(&deep(17), JwkSetLimits::default()).is_err());
    assert_eq!(read(&deep(64), nesting(usize::MAX)), Ok(0));
    assert!(read(&deep(65), nesting(usize::MAX)).is_err());
    assert_eq!(read(&deep(3), nesting(3)), Ok(0));
    assert!(read(&deep(4), nesting(3)).is_err());
    assert_eq!(nesting(100).max_nesting(), 64);
}
