//! What is said about a key file, also one that cannot be used; and thumbprints.

use sealwright_jose::{
    Alg, Hash, Inspected, KeyError, KeyFormat, MacKey, SigningKey, VerifyingKey, base64url,
};

use crate::support::{ED25519, ES256, HS256, RS256};

fn facts(key: &[u8]) -> String {
    let facts = Inspected::read(key, Some(b"correct horse")).unwrap();
    let algs: Vec<_> = facts.fitting_algs().iter().map(|alg| alg.name()).collect();
    format!(
        "{}{}, {} {} {} {}; {}; {}",
        facts.format(),
        if facts.is_encrypted() { " (password)" } else { "" },
        if facts.is_secret() { "secret" } else { "public" },
        facts.key_type().unwrap_or("-"),
        facts.curve().unwrap_or("-"),
        facts.bits().map_or("-".into(), |bits| bits.to_string()),
        algs.join(" "),
        facts.faults().join("; "),
    )
}

#[test]
fn each_format_is_described() {
    const RSA: &str = "RS256 RS384 RS512 PS256 PS384 PS512";
    let vectors: [(&[u8], String); 17] = [
        (include_bytes!("../vectors/openssl/ec8.pem"), "PKCS#8, secret EC P-256 256; ES256; ".into()),
        (include_bytes!("../vectors/openssl/ecsec1.pem"), "SEC1, secret EC P-256 256; ES256; ".into()),
        (include_bytes!("../vectors/openssl/ecpub.pem"), "SPKI, public EC P-256 256; ES256; ".into()),
        (include_bytes!("../vectors/openssl/eccert.pem"), "X.509 certificate, public EC P-256 256; ES256; ".into()),
        (include_bytes!("../vectors/openssl/k256.pem"), "SEC1, secret EC secp256k1 256; ES256K; ".into()),
        (include_bytes!("../vectors/openssl/rsa1.pem"), format!("PKCS#1, secret RSA - 2048; {RSA}; ")),
        (include_bytes!("../vectors/openssl/rsa1pub.pem"), format!("PKCS#1, public RSA - 2048; {RSA}; ")),
        (include_bytes!("../vectors/openssl/ed8.pem"), "PKCS#8, secret OKP Ed25519 256; Ed25519; ".into()),
        (
            include_bytes!("../vectors/encrypted/rsa_pbkdf2_sha256_aes256.der"),
            format!("encrypted PKCS#8 (password), secret RSA - 2048; {RSA}; "),
        ),
        (include_bytes!("../vectors/openssh/p384"), "OpenSSH (password), secret EC P-384 384; ES384; ".into()),
        (include_bytes!("../vectors/openssh/p521.pub"), "OpenSSH, public EC P-521 521; ES512; ".into()),
        (include_bytes!("../vectors/openssh/ed25519"), "OpenSSH, secret OKP Ed25519 256; Ed25519; ".into()),
        (
            include_bytes!("../vectors/openssl/rsa1024.pem"),
            "PKCS#8, secret - - -; ; the RSA modulus has 1024 bits; 2048 to 8192 are accepted".into(),
        ),
        (
            include_bytes!("../vectors/openssl/ecpubc.pem"),
            "SPKI, public - - -; ; a compressed elliptic curve point is not supported".into(),
        ),
        (
            br#"{"kty":"EC","crv":"P-256","alg":"ES384","x":"AA","y":"AA"}"#,
            "JWK, public EC P-256 -; ; ES384 cannot use a P-256 key; the JWK's member `x` has the wrong length"
                .into(),
        ),
        (
            br#"{"kty":"RSA","alg":"RSA-OAEP","use":"enc"}"#,
            "JWK, public RSA - -; ; the JWK's `use` forbids this use; the key is for an algorithm that is not \
             supported; the JWK has no member `n`"
                .into(),
        ),
        (
            br#"{"kty":"QUX"}"#,
            "JWK, public QUX - -; ; a key type (`kty`) other than EC, OKP, AKP, RSA and oct is not supported".into(),
        ),
    ];
    for (key, want) in vectors {
        assert_eq!(facts(key), want);
    }
    let secret = |len: usize| format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url::encode(vec![7; len]));
    assert_eq!(facts(secret(48).as_bytes()), "JWK, secret oct - 384; HS256 HS384; ");
    assert_eq!(
        facts(secret(16).as_bytes()),
        "JWK, secret oct - 128; ; the secret has 128 bits; 256 to 524288 are accepted"
    );
}

#[test]
fn members_of_a_jwk_are_reported_as_they_stand() {
    let jwk = r#"{"kty":"EC","crv":"P-256","kid":"a","use":"sig","key_ops":["verify","x"],"alg":"ES256","#;
    let jwk = ES256.verifying_key().to_jwk().replacen(r#"{"kty":"EC","crv":"P-256","#, jwk, 1);
    let jwk = jwk.replace(r#","use":"sig","alg":"ES256","kid":"k"}"#, "}");
    let facts = Inspected::read(jwk.as_bytes(), None).unwrap();
    assert_eq!((facts.format(), facts.kid()), (KeyFormat::Jwk, Some("a")));
    assert_eq!((facts.usage(), facts.named_alg()), (Some("sig"), Some("ES256")));
    assert_eq!(facts.key_ops(), Some(&["verify".to_owned(), "x".to_owned()][..]));
    assert_eq!(facts.fitting_algs(), [Alg::Es256]);
    assert_eq!(facts.thumbprint(), Some(ES256.verifying_key().thumbprint()));
    assert!(facts.faults().is_empty());
}

#[test]
fn halves_that_do_not_belong_together_are_a_fault() {
    let (one, other) = (SigningKey::generate(Alg::Es256).unwrap(), SigningKey::generate(Alg::Es256).unwrap());
    let (one, other) = (one.to_jwk().unwrap(), other.to_jwk().unwrap());
    let d = |jwk: &str| jwk.split(r#""d":""#).nth(1).unwrap()[..43].to_owned();
    let facts = Inspected::read(one.replace(&d(&one), &d(&other)).as_bytes(), None).unwrap();
    assert_eq!(
        facts.faults(),
        ["not a valid key: the private numbers do not fit each other or the public ones"]
    );
    assert!(facts.fitting_algs().is_empty() && facts.thumbprint().is_none());
}

#[test]
fn what_cannot_be_seen_is_an_error() {
    let read = |key: &[u8], password| Inspected::read(key, password).unwrap_err();
    let encrypted = include_bytes!("../vectors/encrypted/ec_scrypt.pem");
    assert_eq!(read(encrypted, None), KeyError::PasswordNeeded);
    assert_eq!(read(encrypted, Some(b"wrong")), KeyError::Password);
    for key in [&b""[..], b"garbage", &[0x30, 0x80], &[0xFF; 100], b"{", br#"{"keys":[]}"#] {
        assert!(matches!(read(key, None), KeyError::Format { .. } | KeyError::Malformed { .. }), "{key:?}");
    }
}

#[test]
fn nothing_secret_is_in_the_facts() {
    for jwk in [ES256.to_jwk().unwrap(), RS256.to_jwk().unwrap(), ED25519.to_jwk().unwrap(), HS256.to_jwk()] {
        let shown = format!("{:?}", Inspected::read(jwk.as_bytes(), None).unwrap());
        let parsed: serde_json::Value = serde_json::from_str(&jwk).unwrap();
        for name in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            if let Some(secret) = parsed[name].as_str() {
                assert!(!shown.contains(secret), "{name}");
            }
        }
    }
}

/// RFC 7638 §3.1 and RFC 9278; the longer digests are those that Python's `hashlib` gives of the
/// same canonical text.
#[test]
fn thumbprints_are_the_published_ones() {
    let key = VerifyingKey::from_jwk(include_str!("../vectors/rfc7638_3_1.jwk")).unwrap();
    let with = |hash| base64url::encode(key.thumbprint_with(hash));
    assert_eq!(with(Hash::Sha256), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(
        key.thumbprint_uri(Hash::Sha256),
        "urn:ietf:params:oauth:jwk-thumbprint:sha-256:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(with(Hash::Sha384), SHA384);
    assert_eq!(with(Hash::Sha512), SHA512);
    assert!(key.thumbprint_uri(Hash::Sha512).starts_with("urn:ietf:params:oauth:jwk-thumbprint:sha-512:"));
}

const SHA384: &str = "R9_OfJjSjaw8Fuum86UzK5ixTdN9bo9BaqPSiseq89DWfmqCdpSgUHus-cxDUNc8";
const SHA512: &str = "DpvEwocfn3FjeWWQjcJHzWrpKTIymKwgoL1xVgQcud48-qZDSRCr1zfWZQdHAJn_ciqXqPTSARyg-L-NyNGpVA";

/// RFC 9964 §6: with its algorithm, unlike other keys.
#[test]
fn the_thumbprint_of_an_akp_key_covers_its_algorithm() {
    let key = SigningKey::generate(Alg::MlDsa44).unwrap().verifying_key();
    let jwk: serde_json::Value = serde_json::from_str(&key.to_jwk()).unwrap();
    let canonical = format!(r#"{{"alg":"ML-DSA-44","kty":"AKP","pub":{}}}"#, jwk["pub"]);
    let digest = sealwright_jose::Digest::of(Hash::Sha256, canonical.as_bytes());
    assert_eq!(key.thumbprint(), digest.as_bytes());
}

#[test]
fn the_thumbprint_of_a_secret_is_the_digest_of_its_jwk() {
    let key = MacKey::from_bytes(Alg::Hs256, &[7; 32]).unwrap();
    let canonical = format!(r#"{{"k":"{}","kty":"oct"}}"#, base64url::encode([7; 32]));
    let digest = sealwright_jose::Digest::of(Hash::Sha384, canonical.as_bytes());
    assert_eq!(key.thumbprint_of_secret(Hash::Sha384), digest.as_bytes());
}
