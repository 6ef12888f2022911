//! Keys in every format that is read.

use sealwright_jose::{Alg, JwkSet, Key, KeyError, MacKey, SigningKey, VerifyingKey, base64url};

use crate::{json_oracle::Json, time::bounded};

/// One algorithm of each type of key. Which others fit a type is no matter of a key's format.
const TYPES: [Alg; 10] = [
    Alg::Hs256,
    Alg::Rs256,
    Alg::Es256,
    Alg::Es384,
    Alg::Es512,
    Alg::Es256k,
    Alg::Ed25519,
    Alg::MlDsa44,
    Alg::MlDsa65,
    Alg::MlDsa87,
];

/// A JWK: what is read is written, and read as the same key.
pub fn jwk(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    // To find the primes of an RSA key that leaves them out is meant to take long.
    let json = Json::object(data, 16);
    if json.is_some_and(|json| json.get("n").is_some() && json.get("d").is_some() && json.get("p").is_none())
    {
        if let Ok(key) = Key::parse(text, Some(Alg::Rs256)) {
            whole(&key);
        }
        return;
    }
    bounded(data.len(), || {
        if let Ok(key) = Key::parse(text, None) {
            whole(&key);
        }
        for alg in TYPES {
            if let Ok(key) = Key::parse(text, Some(alg)) {
                assert_eq!(key.alg(), alg);
                whole(&key);
            }
            if let Ok(key) = VerifyingKey::from_jwk_as(alg, text) {
                verifying(&key);
            }
        }
    });
}

/// A JWK set, or one JWK: the keys that can be used are published, and read as the same.
pub fn jwk_set(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    bounded(data.len(), || {
        let Ok(set) = JwkSet::parse_any(text, Alg::ALL) else { return };
        let again = JwkSet::parse(&set.to_json(), Alg::ALL).expect("what was read can be published");
        assert_eq!(again.keys(), set.keys());
        assert_eq!(again.skipped(), []);
        assert_eq!(again.to_json(), set.to_json());
    });
}

/// A text in PEM, or what a person takes for one.
pub fn pem(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    // A JWK is another target's.
    if text.trim_ascii_start().starts_with('{') {
        return;
    }
    bounded(data.len(), || {
        for alg in TYPES {
            if let Ok(key) = Key::parse(text, Some(alg)) {
                assert!(!matches!(key, Key::Mac(_)), "a MAC key from a text that is no JWK");
                whole(&key);
            }
            let _ = VerifyingKey::from_pem(alg, text);
        }
    });
}

/// A key as OpenSSH writes it, one line or a private key file, without a password: to derive a key from
/// one is meant to take long.
pub fn openssh(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    bounded(data.len(), || {
        for alg in TYPES {
            if let Ok(key) = SigningKey::from_openssh(alg, text, None) {
                signing(&key);
            }
            if let Ok(key) = VerifyingKey::from_openssh(alg, text) {
                verifying(&key);
            }
        }
    });
}

/// DER of any kind.
pub fn der(data: &[u8]) {
    bounded(data.len(), || {
        for alg in TYPES {
            if let Ok(key) = Key::parse_der(data, alg) {
                assert!(!matches!(key, Key::Mac(_)), "a MAC key from DER");
                whole(&key);
            }
            if let Ok(key) = SigningKey::from_pkcs8_der(alg, data) {
                signing(&key);
            }
            if let Ok(key) = VerifyingKey::from_spki_der(alg, data) {
                verifying(&key);
            }
        }
        let _ = MacKey::from_bytes(Alg::Hs256, data);
    });
}

/// A certificate in DER: its key alone is read.
pub fn certificate(data: &[u8]) {
    bounded(data.len(), || {
        for alg in TYPES {
            if let Ok(key) = VerifyingKey::from_certificate_der(alg, data) {
                verifying(&key);
                let spki = key.to_spki_der();
                // Where certificates are read, nothing but the key decides.
                assert!(data.windows(8).any(|window| spki.windows(8).any(|other| other == window)));
                // And as a secret it is refused.
                assert!(matches!(MacKey::from_bytes(Alg::Hs256, data), Err(KeyError::Format { .. })));
            }
        }
    });
}

fn whole(key: &Key) {
    match key {
        Key::Signing(key) => signing(key),
        Key::Verifying(key) => verifying(key),
        Key::Mac(key) => mac(key),
        _ => {}
    }
}

/// A private key: its halves belong together, it survives every format, and it does not show itself.
fn signing(key: &SigningKey) {
    let (alg, public) = (key.alg(), key.verifying_key());
    let message = b"message";
    if let Ok(signature) = key.sign(message) {
        assert_eq!(public.verify(message, &signature), Ok(()), "its halves do not belong together");
    }
    let jwk = key.to_jwk().expect("what was read can be written");
    let again = SigningKey::from_jwk(&jwk).expect("what was written can be read");
    assert_eq!(again.verifying_key(), public);
    assert_eq!(again.to_jwk().as_deref(), Ok(&*jwk));
    let kid = |key: SigningKey| match public.kid() {
        Some(kid) => key.with_kid(kid),
        None => key,
    };
    let der = key.to_pkcs8_der().expect("what was read can be written");
    let again = kid(SigningKey::from_pkcs8_der(alg, &der).expect("what was written can be read"));
    assert_eq!(again.to_jwk().as_deref(), Ok(&*jwk));
    let pem = key.to_pem().expect("what was read can be written");
    let again = kid(SigningKey::from_pem(alg, &pem).expect("what was written can be read"));
    assert_eq!(again.to_jwk().as_deref(), Ok(&*jwk));
    hides(&format!("{key:?}"), &jwk);
    verifying(&public);
}

fn verifying(key: &VerifyingKey) {
    let kid = |read: VerifyingKey| match key.kid() {
        Some(kid) => read.with_kid(kid),
        None => read,
    };
    let alg = key.alg();
    assert_eq!(VerifyingKey::from_jwk(&key.to_jwk()).as_ref(), Ok(key));
    assert_eq!(VerifyingKey::from_spki_der(alg, &key.to_spki_der()).map(kid).as_ref(), Ok(key));
    let pem = key.to_pem().expect("what was read can be written");
    assert_eq!(VerifyingKey::from_pem(alg, &pem).map(kid).as_ref(), Ok(key));
    let set = JwkSet::from_keys([key.clone()]).expect("one key is a set");
    assert_eq!(JwkSet::parse(&set.to_json(), &[alg]).expect("it was written so").keys(), [key.clone()]);
    assert!(key.verify(b"message", b"").is_err() && key.verify(b"message", &[0; 64]).is_err());
}

fn mac(key: &MacKey) {
    let jwk = key.to_jwk();
    let again = MacKey::from_jwk(&jwk).expect("what was written can be read");
    assert_eq!(again.to_jwk(), jwk);
    // The copy may do what the original may, and nothing else.
    assert_eq!(again.sign(b"message"), key.sign(b"message"));
    if let Ok(tag) = key.sign(b"message") {
        assert_eq!(again.verify(b"message", &tag), key.verify(b"message", &tag));
    }
    hides(&format!("{key:?}"), &jwk);
}

/// Whether a text for logs shows nothing of the secret in its JWK.
fn hides(shown: &str, jwk: &str) {
    let json: serde_json::Value = serde_json::from_str(jwk).expect("a JWK is JSON");
    for member in ["d", "p", "q", "dp", "dq", "qi", "k", "priv"] {
        let Some(secret) = json[member].as_str().filter(|secret| secret.len() > 8) else { continue };
        // Who writes a secret into the name of a key has shown it.
        if json["kid"].as_str().is_some_and(|kid| kid.contains(secret)) {
            continue;
        }
        assert!(!shown.contains(secret), "`{member}` is shown");
        let bytes = base64url::decode(secret).expect("it was written so");
        assert!(!shown.contains(&format!("{bytes:?}")), "`{member}` is shown");
    }
}
