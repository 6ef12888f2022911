//! JWK sets: what is kept, what is passed over, what spoils the whole.

use sealwright_jose::{Alg, JwkSet, KeyError, SigningKey};

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
            "a curve (`crv`) other than Ed25519 for OKP is not supported",
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
        (&secret, "found a symmetric key, but a public one is needed"),
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
fn two_keys_with_one_kid_spoil_the_set() {
    let other = generate(Alg::Es256).verifying_key();
    let text = set(&[&ES256.verifying_key().to_jwk(), &other.to_jwk()]);
    assert_eq!(JwkSet::parse(&text, ALL).unwrap_err(), KeyError::DuplicateKid);
    assert_eq!(JwkSet::from_keys([ES256.verifying_key(), other]).unwrap_err(), KeyError::DuplicateKid);
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
    assert!(JwkSet::parse(r#"{"keys":[],"unknown":1}"#, ALL).unwrap().keys().is_empty());
}

#[test]
fn a_private_key_never_comes_out_of_a_set() {
    let json = JwkSet::from_keys([ES256.verifying_key()]).unwrap().to_json();
    assert!(!json.contains("\"d\""), "{json}");
}
