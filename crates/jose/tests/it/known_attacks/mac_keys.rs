//! Secrets that are no secrets: too short, or a key of another kind in text or DER (CVE-2016-10555,
//! CVE-2022-29217, CVE-2024-54150, CVE-2026-48526, CVE-2026-45363).

use sealwright_jose::{Alg, KeyError, MacKey, VerifyingKey, base64url};
use serde_json::json;

use crate::{
    support::{ED25519, ES256, RS256},
    tally::{refused, refused_if},
};

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../vectors/openssl/", $name))
    };
}

#[test]
pub(super) fn short_secret() {
    for len in [0, 1, 16, 31] {
        let secret = vec![0xA5; len];
        let error = refused_if(
            len,
            MacKey::from_bytes(Alg::Hs256, &secret),
            |error| matches!(error, KeyError::Size { bits, min: 256, .. } if *bits == 8 * len),
        );
        let jwk = json!({"kty": "oct", "alg": "HS256", "k": base64url::encode(&secret)});
        refused(len, MacKey::from_jwk(&jwk.to_string()), error);
    }
    assert!(MacKey::from_bytes(Alg::Hs256, &[0xA5; 32]).is_ok());
}

fn der_of(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    of_padded(&lines)
}

/// What `ssh-keygen` writes in base64 between the type and the comment (RFC 4253 §6.6).
fn ssh_blob() -> Vec<u8> {
    of_padded(file!("ssh_ed.pub").split_whitespace().nth(1).unwrap())
}

fn of_padded(base64: &str) -> Vec<u8> {
    base64url::decode(&base64.trim_end_matches('=').replace('+', "-").replace('/', "_")).unwrap()
}

#[test]
pub(super) fn key_of_another_kind_as_secret() {
    let public = ES256.verifying_key();
    let pkcs8 = ES256.to_pkcs8_der().unwrap();
    let jwk = public.to_jwk();
    let point = public.to_spki_der()[26..].to_vec();
    let rsa = RS256.verifying_key();
    let rsa_pkcs1 = rsa.to_spki_der()[24..].to_vec();
    let certificate = file!("eccert.pem");
    let certificate_der = der_of(certificate);
    assert!(VerifyingKey::from_certificate_der(Alg::Es256, &certificate_der).is_ok());
    let table: Vec<Vec<u8>> = vec![
        file!("ecpub.pem").into(),
        file!("rsapub.pem").into(),
        file!("rsa1pub.pem").into(),
        file!("ec8.pem").into(),
        certificate.into(),
        format!("\n\t  {}", file!("ecpub.pem")).into(),
        format!("a note first\n{}", file!("ecpub.pem")).into(),
        file!("ecpub.pem").replace('\n', "\r\n").into(),
        file!("ecpub.pem").trim().into(),
        file!("ssh_ed.pub").into(),
        file!("ssh_ed").into(),
        public.to_spki_der(),
        rsa.to_spki_der(),
        rsa_pkcs1,
        ED25519.verifying_key().to_spki_der(),
        certificate_der,
        pkcs8.to_vec(),
        jwk.clone().into(),
        format!("  {jwk}").into(),
        jwk.replace(':', " : ").into(),
        format!(r#"{{"keys":[{jwk}]}}"#).into(),
        point,
        ssh_blob(),
        der_of(file!("ecenc.pem")),
    ];
    for (row, secret) in table.iter().enumerate() {
        let error = refused_if(row, MacKey::from_bytes(Alg::Hs256, secret), |error| {
            matches!(error, KeyError::Format { .. })
        });
        let jwk = json!({"kty": "oct", "alg": "HS256", "k": base64url::encode(secret)});
        refused(format_args!("row {row}"), MacKey::from_jwk(&jwk.to_string()), error);
    }
}

#[test]
pub(super) fn symmetric_and_public_jwk_swapped() {
    let public = ES256.verifying_key().to_jwk();
    let format = |error: &KeyError| matches!(error, KeyError::Format { .. });
    let a_secret = |error: &KeyError| *error == KeyError::Secret;
    let another_type = |error: &KeyError| matches!(error, KeyError::Type { .. });
    refused_if("public as secret", MacKey::from_jwk(&public), format);
    refused_if("public for HS256", MacKey::from_jwk(&public.replace("ES256", "HS256")), another_type);
    let secret = json!({"kty": "oct", "alg": "HS256", "k": base64url::encode([0xA5; 32])});
    assert!(MacKey::from_jwk(&secret.to_string()).is_ok());
    refused_if("secret as public", VerifyingKey::from_jwk(&secret.to_string()), a_secret);
    let bent = secret.to_string().replace("HS256", "ES256");
    refused_if("secret for ES256", VerifyingKey::from_jwk(&bent), another_type);
    // A public key with a secret beside it is no public key.
    let both = public.replacen('{', r#"{"k":"AAAA","#, 1);
    refused_if("both", VerifyingKey::from_jwk(&both), a_secret);
}
