//! What is said about a key file, also one that cannot be used; and thumbprints.

use sealwright_jose::{
    Alg, Hash, Inspected, Key, KeyError, KeyFormat, MacKey, SigningKey, VerifyingKey, base64url,
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

/// DER of this tag around these parts.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&[tag, u8::try_from(content.len()).unwrap()][..], &content].concat()
}

/// A public key of this algorithm and curve, whose bits do not matter.
fn spki(algorithm: &str, curve: Option<&str>) -> Vec<u8> {
    let oid = |oid: &str| {
        let mut content = Vec::new();
        let arcs: Vec<u32> = oid.split('.').map(|arc| arc.parse().unwrap()).collect();
        for arc in [&[arcs[0] * 40 + arcs[1]][..], &arcs[2..]].concat() {
            let digits = (0..5).rev().map(|n| (arc >> (7 * n)) as u8 & 0x7F).skip_while(|digit| *digit == 0);
            let mut digits: Vec<u8> = digits.map(|digit| digit | 0x80).collect();
            match digits.last_mut() {
                Some(last) => *last &= 0x7F,
                None => digits.push(0),
            }
            content.extend(digits);
        }
        tlv(6, &[&content])
    };
    let curve = curve.map(oid).unwrap_or_default();
    tlv(0x30, &[&tlv(0x30, &[&oid(algorithm), &curve]), &tlv(3, &[&[0, 4, 1]])])
}

#[test]
fn keys_of_other_kinds_are_named() {
    const EC: &str = "1.2.840.10045.2.1";
    let ed448 = if cfg!(feature = "ed448") { "" } else { "an Ed448 key (without the feature `ed448`)" };
    for (algorithm, curve, described, seen) in [
        ("1.3.101.110", None, "OKP X25519 256", "an X25519 key, which is for key agreement,"),
        ("1.3.101.111", None, "OKP X448 448", "an X448 key, which is for key agreement,"),
        ("1.3.101.113", None, "OKP Ed448 456", ed448),
        ("1.2.840.10040.4.1", None, "DSA - -", "a DSA key"),
        ("1.2.840.113549.1.1.10", None, "RSA - -", "an RSA key for PSS alone (`id-RSASSA-PSS`)"),
        ("2.16.840.1.101.3.4.3.24", None, "SLH-DSA-SHA2-256s - -", "an SLH-DSA key"),
        (EC, Some("1.3.36.3.3.2.8.1.1.7"), "EC brainpoolP256r1 256", "a brainpoolP256r1 key"),
        (EC, Some("1.3.132.0.33"), "EC P-224 224", "a P-224 key"),
    ] {
        let key = spki(algorithm, curve);
        let error = VerifyingKey::from_spki_der(Alg::Es256, &key).unwrap_err();
        if !seen.is_empty() {
            assert_eq!(facts(&key), format!("SPKI, public {described}; ; {seen} is not supported"));
            assert_eq!(error, KeyError::Unsupported(seen));
        }
    }
    // One that nobody has heard of repeats nothing of its own.
    let unknown = facts(&spki("1.2.3.4", None));
    assert!(unknown.starts_with("SPKI, public - - -; ; a key type other than RSA"), "{unknown}");
    let unknown = facts(&spki(EC, Some("1.2.3.4")));
    assert!(unknown.starts_with("SPKI, public - - -; ; an elliptic curve other than"), "{unknown}");
}

#[test]
fn files_that_are_no_key_are_named() {
    let seen = |file: &[u8]| match Inspected::read(file, None) {
        Err(KeyError::Format { seen, wanted }) => format!("{seen}; {wanted}"),
        other => format!("{other:?}"),
    };
    let pem = |label| format!("-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n");
    assert_eq!(
        seen(pem("CERTIFICATE REQUEST").as_bytes()),
        "a certificate request (PEM labelled `CERTIFICATE REQUEST`); a key or a certificate in PEM"
    );
    assert_eq!(
        seen(pem("X509 CRL").as_bytes()),
        "a list of revoked certificates (PEM labelled `X509 CRL`); a key or a certificate in PEM"
    );
    assert_eq!(
        seen(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n\nMAA=\n=AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"),
        "an OpenPGP public key (PEM labelled `PGP PUBLIC KEY BLOCK`); a key or a certificate in PEM"
    );
    // A label that nobody knows may be anything, so it is not repeated; its last words tell of what kind it is.
    for (label, kind) in [
        ("HUNTER2 PRIVATE KEY", "a private key in PEM with an unknown label"),
        ("Private Key", "a private key in PEM with an unknown label"),
        ("HUNTER2 PUBLIC KEY", "a public key in PEM with an unknown label"),
        ("HUNTER2 CERTIFICATE", "a certificate in PEM with an unknown label"),
        ("HUNTER2 PARAMETERS", "parameters without a key, in PEM with an unknown label"),
        ("HUNTER2", "PEM whose label is of no key"),
    ] {
        let wanted = "a key or a certificate in PEM (labelled `PUBLIC KEY`, `PRIVATE KEY`, `CERTIFICATE`, or as OpenSSL \
            and OpenSSH label their keys)";
        assert_eq!(seen(pem(label).as_bytes()), format!("{kind}; {wanted}"));
    }
    for p12 in [&[0x30, 0x03, 2, 1, 3][..], &[0x30, 0x82, 0, 3, 2, 1, 3], &[0x30, 0x80, 2, 1, 3]] {
        let seen = seen(p12);
        assert!(
            seen.starts_with("a PKCS#12 file; a key as JWK, in PEM or DER, or of OpenSSH (`Pkcs12` takes"),
            "{seen}"
        );
    }
    for other in [&[0x30, 0x03, 2, 1, 2][..], &[0x30, 0x85, 0, 3, 2, 1, 3], &[0x30]] {
        assert!(seen(other).starts_with("an unknown format;"), "{other:?}");
    }
}

#[test]
fn what_no_algorithm_can_use_is_not_refused_for_want_of_one() {
    for (jwk, error) in [
        (r#"{"kty":"XX"}"#, "a key type (`kty`) other than EC, OKP, AKP, RSA and oct is not supported"),
        (r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#, "is not supported"),
        (r#"{"kty":"EC"}"#, "the JWK has no member `crv`"),
        (r#"{"kty":"RSA"}"#, "the key names no algorithm, so the caller must"),
        (r#"{"kty":"RSA","alg":"XS256"}"#, "the key is for an algorithm that is not supported"),
    ] {
        let seen = Key::parse(jwk, None).unwrap_err().to_string();
        assert!(seen.contains(error), "{jwk}: {seen}");
    }
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
            "PKCS#8, secret RSA - 1024; ; the RSA modulus has 1024 bits; 2048 to 8192 are accepted".into(),
        ),
        (
            include_bytes!("../vectors/openssl/ecpubc.pem"),
            "SPKI, public EC P-256 256; ; a compressed elliptic curve point is not supported".into(),
        ),
        (
            br#"{"kty":"EC","crv":"P-256","alg":"ES384","x":"AA","y":"AA"}"#,
            "JWK, public EC P-256 256; ; ES384 cannot use a P-256 key; the JWK's member `x` has the wrong length"
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
    assert_eq!(key.thumbprint_of_secret(Hash::Sha384)[..], digest.as_bytes()[..]);
}
