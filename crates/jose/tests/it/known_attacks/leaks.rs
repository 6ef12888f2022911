//! Input or secrets that come out again in errors and logs (CVE-2025-65015).

use sealwright_jose::{
    Alg, Inspected, JwkSet, Key, KeyError, MacKey, SigningKey, VerifyErrorKind as Kind, VerifyingKey,
    base64url,
    jws::{BuildError, Scratch, Signer, Unverified, Verifier},
    jwt::Claims,
};

use crate::{
    support::{ED25519, ES256, HS256, PAYLOAD, RS256, es256_verifier},
    tally::{refused, refused_if},
};

const MARK: &str = "Zm9vYmFyMARK";

/// Everything that an error says, by itself and through its sources.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    text
}

#[test]
pub(super) fn input_in_an_error() {
    let verifier = es256_verifier().build().unwrap();
    let mut scratch = Scratch::new();
    let header = base64url::encode(format!(r#"{{"alg":"{MARK}","kid":"{MARK}","crit":["{MARK}"]}}"#));
    for token in [MARK.to_owned(), format!("{MARK}.{MARK}.{MARK}"), format!("{header}.{MARK}.{MARK}")] {
        assert!(!said(&verifier.verify_compact(&token, &mut scratch).unwrap_err()).contains(MARK));
        assert!(!said(&verifier.verify_flattened(&token, &mut scratch).unwrap_err()).contains(MARK));
    }
    for text in [
        MARK.to_owned(),
        format!(r#"{{"kty":"{MARK}"}}"#),
        format!(r#"{{"kty":"EC","crv":"{MARK}"}}"#),
        format!(r#"{{"kty":"oct","alg":"{MARK}","k":"{MARK}"}}"#),
        format!(r#"{{"kty":"oct","alg":"HS256","k":"{MARK}"}}"#),
        format!(r#"{{"kty":"oct","alg":"HS256","k":"{MARK}="}}"#),
        format!(r#"{{"{MARK}":1,"{MARK}":1}}"#),
        format!("-----BEGIN {MARK}-----\n{MARK}\n-----END {MARK}-----"),
        format!("-----BEGIN PRIVATE KEY-----\n{MARK}\n-----END PRIVATE KEY-----"),
    ] {
        assert!(!said(&Key::parse(&text, Some(Alg::Hs256)).unwrap_err()).contains(MARK), "{text}");
        assert!(!said(&JwkSet::parse(&text, Alg::ALL).unwrap_err()).contains(MARK), "{text}");
        assert!(!said(&VerifyingKey::from_pem(Alg::Es256, &text).unwrap_err()).contains(MARK), "{text}");
    }
    for payload in [MARK.to_owned(), format!(r#"{{"iss":["{MARK}"]}}"#), format!(r#"{{"exp":"{MARK}"}}"#)] {
        assert!(!said(&Claims::parse(payload.as_bytes()).unwrap_err()).contains(MARK));
    }
}

#[test]
pub(super) fn the_caller_cannot_tell_refusals_apart() {
    let verifier = es256_verifier().build().unwrap();
    let mut scratch = Scratch::new();
    for (token, kind) in [
        ("", Kind::Malformed),
        ("a.b.c", Kind::Malformed),
        ("e30..", Kind::Malformed),
        ("eyJhbGciOiJub25lIn0..", Kind::AlgNotAllowed),
        ("....", Kind::Encrypted),
        ("eyJhbGciOiJFUzI1NiJ9..AA", Kind::Signature),
        ("eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ..AA", Kind::KeyUnknown),
        ("eyJhbGciOiJFUzI1NiIsImNyaXQiOltdfQ..AA", Kind::Critical),
    ] {
        let error =
            refused_if(token, verifier.verify_compact(token, &mut scratch), |error| error.kind() == kind);
        assert_eq!(error.to_string(), "the signature is not valid");
        assert!(std::error::Error::source(&error).is_none());
    }
}

#[test]
pub(super) fn secret_in_debug() {
    for key in [&*ES256, &*ED25519, &*RS256] {
        let jwk: serde_json::Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
        let d = jwk["d"].as_str().unwrap();
        let raw = base64url::decode(d).unwrap();
        let shown = format!("{key:?} {:?} {:?}", Signer::new(key), Key::Signing(key.clone()));
        assert!(!shown.contains(d) && !shown.contains(&format!("{raw:?}")), "{shown}");
    }
    let jwk: serde_json::Value = serde_json::from_str(&HS256.to_jwk()).unwrap();
    let k = jwk["k"].as_str().unwrap();
    let raw = base64url::decode(k).unwrap();
    let verifier = Verifier::builder([Alg::Hs256]).mac_key(HS256.clone()).build().unwrap();
    let shown = format!("{:?} {:?} {verifier:?}", *HS256, Signer::mac(&HS256));
    assert!(!shown.contains(k) && !shown.contains(&format!("{raw:?}")), "{shown}");
}

#[test]
pub(super) fn token_in_debug() {
    let payload = std::str::from_utf8(PAYLOAD).unwrap();
    let token = Signer::new(&ES256).sign_compact(PAYLOAD).unwrap();
    let verifier = es256_verifier().build().unwrap();
    let mut scratch = Scratch::new();
    let verified = format!("{:?}", verifier.verify_compact(&token, &mut scratch).unwrap());
    let shown = format!("{verified} {scratch:?} {:?}", Unverified::peek_compact(&token).unwrap());
    assert!(!shown.contains(payload) && !shown.contains(&format!("{PAYLOAD:?}")), "{shown}");
    assert!(!shown.contains(token.split('.').next_back().unwrap()));
}

#[test]
pub(super) fn password_or_secret_in_an_error() {
    let pem = include_str!("../vectors/encrypted/ec_pbkdf2_sha384_aes192.pem");
    let wrong = SigningKey::from_pem_with_password(Alg::Es256, pem, MARK.as_bytes());
    let error = refused("wrong password", wrong, KeyError::Password);
    assert!(!said(&error).contains(MARK));
    let private: serde_json::Value = serde_json::from_str(&ES256.to_jwk().unwrap()).unwrap();
    let d = private["d"].as_str().unwrap();
    let quoted = serde_json::to_string(&private).unwrap();
    let own = |jwk: &str| SigningKey::from_jwk(jwk);
    let public = |jwk: &str| VerifyingKey::from_jwk(jwk).map(|_| unreachable!("a private key is not public"));
    let secrets: [(&str, Result<SigningKey, KeyError>, KeyError); 6] = [
        ("no password", SigningKey::from_pem(Alg::Es256, pem), KeyError::PasswordNeeded),
        (
            "long",
            own(&quoted.replace(d, &format!("{d}AAAA"))),
            KeyError::Member { member: "d", problem: "has the wrong length" },
        ),
        (
            "padded",
            own(&quoted.replace(d, &format!("{d}="))),
            KeyError::Member { member: "d", problem: "is not base64url" },
        ),
        ("as public", public(&quoted), KeyError::Secret),
        (
            "of another algorithm",
            own(&quoted.replace("ES256", "ES384")),
            KeyError::Type { alg: Alg::Es384, seen: "a P-256 key" },
        ),
        (
            "cut",
            own(&quoted[..quoted.len() - 1]),
            KeyError::Malformed { format: "JWK", problem: "not strict JSON" },
        ),
    ];
    for (name, got, why) in secrets {
        let error = refused(name, got, why);
        assert!(!said(&error).contains(&d[..8]), "{name}");
    }
    let weak = MacKey::insecure_from_short_bytes(Alg::Hs256, MARK.as_bytes()).unwrap();
    let error = refused(
        "weak secret",
        Verifier::builder([Alg::Hs256]).mac_key(weak.clone()).build(),
        BuildError::WeakKey,
    );
    assert!(!said(&error).contains(MARK) && !format!("{weak:?}").contains(MARK));
    let builder = format!("{:?}", Verifier::builder([Alg::Hs256]).mac_key(weak));
    assert!(!builder.contains(MARK) && !builder.contains(&format!("{:?}", MARK.as_bytes())));
}

#[test]
pub(super) fn private_number_in_any_debug() {
    for key in super::keys() {
        let (alg, jwk) = (key.alg(), key.to_jwk().unwrap());
        let private: serde_json::Value = serde_json::from_str(&jwk).unwrap();
        let set = JwkSet::parse(&format!(r#"{{"keys":[{}]}}"#, *jwk), Alg::ALL).unwrap();
        let [(0, skipped)] = set.skipped() else { panic!("{alg}") };
        let error = refused_if(alg, Err::<(), _>(skipped.clone()), |error| *error == KeyError::Secret);
        let signer = Signer::new(key);
        let shown = [
            format!("{key:?} {:?}", Key::parse(&jwk, None).unwrap()),
            format!("{:?} {:?}", Inspected::read(jwk.as_bytes(), None).unwrap(), key.verifying_key()),
            format!("{set:?} {} {signer:?} {:?}", said(&error), signer.start_detached()),
            format!("{:?}", Verifier::builder_from(&[alg]).key(key.verifying_key())),
            set.to_json(),
            key.verifying_key().to_jwk(),
        ]
        .concat();
        for member in ["d", "p", "q", "dp", "dq", "qi", "priv"] {
            if let Some(number) = private[member].as_str() {
                let bytes = base64url::decode(number).unwrap();
                let list = format!("{bytes:?}");
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                for form in [number, &list[1..list.len() - 1], &hex] {
                    assert!(!shown.contains(form), "{alg} {member}");
                }
            }
        }
    }
}
