//! The token chooses the algorithm: `none`, HMAC with a public key, another algorithm for the same
//! key (CVE-2015-9235, CVE-2016-10555, CVE-2022-29217, CVE-2022-23540; RFC 8725bis §3.1).

use sealwright_jose::{
    Alg, KeyError, SigningKey, VerifyError, VerifyErrorKind as Kind, VerifyingKey, base64url,
    jws::{BuildError, Policy, Require, Scratch, Verifier},
};

use crate::{
    support::{
        ED25519, ES256, HS256, PAYLOAD, RS256, es256_verifier, outcome, outcome_flattened, refuse_headers,
        signed,
    },
    tally::refused,
};

#[test]
pub(super) fn alg_none() {
    let verifier = es256_verifier().build().unwrap();
    for none in ["none", "None", "NONE", "nOnE", "none ", " none", "", "null", "n\\u006fne"] {
        let header = format!(r#"{{"alg":"{none}"}}"#);
        let input = format!("{}.{}", base64url::encode(&header), base64url::encode(PAYLOAD));
        for signature in ["", "AA", &base64url::encode(ES256.sign(input.as_bytes()).unwrap())] {
            refused(
                format_args!("{header}"),
                outcome(&verifier, &format!("{input}.{signature}")),
                Kind::AlgNotAllowed,
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
        refused(format_args!("{header}"), outcome(&verifier, &signed(header, PAYLOAD)), kind);
    }
}

#[test]
pub(super) fn alg_none_by_every_policy_and_in_every_form() {
    for policy in [Policy::Strict, Policy::Rfc, Policy::Joserfc] {
        let builder = Verifier::builder_from(Alg::ALL).policy(policy).unencoded();
        let builder = builder.key(ES256.verifying_key()).key(RS256.verifying_key()).mac_key(HS256.clone());
        let verifier = builder.build().unwrap();
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"none","kid":"k"}"#,
            r#"{"alg":"none","b64":false,"crit":["b64"]}"#,
        ] {
            let (protected, payload) = (base64url::encode(header), base64url::encode(PAYLOAD));
            let detached = format!("{protected}..");
            let member = format!(r#""protected":"{protected}","signature":"""#);
            let flattened = format!(r#"{{"payload":"{payload}",{member}}}"#);
            let general = format!(r#"{{"payload":"{payload}","signatures":[{{{member}}}]}}"#);
            let kind = |error: VerifyError| error.kind();
            let (mut scratch, mut other) = (Scratch::new(), Scratch::new());
            let got = outcome(&verifier, &format!("{protected}.{payload}."));
            refused(format_args!("{policy:?} {header}"), got, Kind::AlgNotAllowed);
            let got = outcome_flattened(&verifier, &flattened);
            refused(format_args!("{policy:?} {header}"), got, Kind::AlgNotAllowed);
            let got = verifier.verify_json(&general, Require::Any, &mut scratch).map_err(kind);
            refused(format_args!("{policy:?} {header}"), got, Kind::AlgNotAllowed);
            let got = verifier.verify_detached(&detached, PAYLOAD, &mut other).map_err(kind);
            refused(format_args!("{policy:?} {header}"), got, Kind::AlgNotAllowed);
            let got = verifier.start_detached(&detached).map_err(kind);
            refused(format_args!("{policy:?} {header}"), got, Kind::AlgNotAllowed);
        }
    }
}

/// Not even the type that is made for it takes what only resembles it.
#[cfg(feature = "unsecured")]
#[test]
fn unsecured_token_that_is_none() {
    use sealwright_jose::jws::UnsecuredJws;

    assert_eq!(UnsecuredJws::decode(&UnsecuredJws::encode(PAYLOAD)).unwrap().dangerous_payload(), PAYLOAD);
    let token = |header: &str, signature: &str| format!("{}.e30.{signature}", base64url::encode(header));
    for (token, kind) in [
        (token(r#"{"alg":"None"}"#, ""), Kind::AlgNotAllowed),
        (token(r#"{"alg":"HS256"}"#, ""), Kind::AlgNotAllowed),
        (token(r#"{"alg":"none"}"#, "AA"), Kind::Signature),
        (token(r#"{"alg":"none","alg":"none"}"#, ""), Kind::Malformed),
        (token(r#"{"alg":"none","crit":["x"],"x":1}"#, ""), Kind::Critical),
        (token(r#"{"alg":"none","b64":false,"crit":["b64"]}"#, ""), Kind::Critical),
        (token(r#"{"alg":"none","enc":"none"}"#, ""), Kind::Encrypted),
        (token("{}", ""), Kind::Malformed),
        (signed(r#"{"alg":"ES256"}"#, PAYLOAD), Kind::AlgNotAllowed),
    ] {
        refused(&token, UnsecuredJws::decode(&token).map_err(|error| error.kind()), kind);
    }
}

#[test]
pub(super) fn alg_in_another_spelling() {
    let verifier = es256_verifier().build().unwrap();
    let table: Vec<_> =
        ["es256", "Es256", "ES256 ", "ES-256", "ECDSA", "SHA256withECDSA", "ESP256", "ES256\\u0000"]
            .map(|name| format!(r#"{{"alg":"{name}"}}"#))
            .into();
    for header in table {
        refused(format_args!("{header}"), outcome(&verifier, &signed(&header, PAYLOAD)), Kind::AlgNotAllowed);
    }
}

#[test]
pub(super) fn public_key_as_hmac_secret() {
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
        refused(base64url::encode(secret), outcome(&verifier, &token), Kind::Signature);
    }
    let without = Verifier::builder([Alg::Rs256, Alg::Hs256]).key(public).build().unwrap();
    refused("HS256 without a MAC key", outcome(&without, &format!("{input}.AA")), Kind::KeyUnknown);
}

fn hmac_sha256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    aws_lc_rs::hmac::sign(&key, message).as_ref().to_vec()
}

#[test]
pub(super) fn another_algorithm_for_the_same_key() {
    // Both algorithms are allowed, but the key is for one.
    let verifier = Verifier::builder([Alg::Rs256, Alg::Ps256]).key(RS256.verifying_key()).build().unwrap();
    let pss = SigningKey::from_pem(Alg::Ps256, &RS256.to_pem().unwrap()).unwrap();
    let token = sealwright_jose::jws::Signer::new(&pss.with_kid("k")).sign_compact(PAYLOAD).unwrap();
    refused("PS256 token, RS256 key", outcome(&verifier, &token), Kind::KeyUnknown);
    let narrow = Verifier::builder([Alg::Rs256]).key(RS256.verifying_key()).build().unwrap();
    refused("PS256 token, RS256 verifier", outcome(&narrow, &token), Kind::AlgNotAllowed);

    // The header lies about the padding: the key's algorithm is what counts.
    let input = format!("{}.{}", base64url::encode(r#"{"alg":"RS256"}"#), base64url::encode(PAYLOAD));
    let lie = format!("{input}.{}", base64url::encode(pss_sign(&input)));
    refused("RS256 header, PSS signature", outcome(&narrow, &lie), Kind::Signature);

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
pub(super) fn eddsa_names_no_other_key() {
    // `EdDSA` is read as Ed25519; it must not reach a key of another algorithm.
    let verifier = Verifier::builder([Alg::Es256, Alg::Ed25519]).key(ES256.verifying_key()).build().unwrap();
    refused("EdDSA", outcome(&verifier, &signed(r#"{"alg":"EdDSA"}"#, PAYLOAD)), Kind::KeyUnknown);
    let ed448 = r#"{"alg":"Ed448"}"#;
    let verifier = Verifier::builder([Alg::Ed25519]).key(ED25519.verifying_key()).build().unwrap();
    refused("Ed448", outcome(&verifier, &signed(ed448, PAYLOAD)), Kind::AlgNotAllowed);
}

#[test]
pub(super) fn jwk_of_another_algorithm_or_use() {
    let jwk = ES256.verifying_key().to_jwk();
    let replaced = |from: &str, to: &str| VerifyingKey::from_jwk(&jwk.replace(from, to));
    let usage = r#""use":"sig""#;
    refused("RS256", replaced("ES256", "RS256"), KeyError::Type { alg: Alg::Rs256, seen: "a P-256 key" });
    refused("HS256", replaced("ES256", "HS256"), KeyError::Type { alg: Alg::Hs256, seen: "a P-256 key" });
    refused("ES384", replaced("ES256", "ES384"), KeyError::Type { alg: Alg::Es384, seen: "a P-256 key" });
    refused("ES256K", replaced("ES256", "ES256K"), KeyError::Type { alg: Alg::Es256k, seen: "a P-256 key" });
    refused("ECDH-ES", replaced("ES256", "ECDH-ES"), KeyError::AlgUnsupported);
    refused("none", replaced("ES256", "none"), KeyError::AlgUnsupported);
    refused("no alg", replaced(r#""alg":"ES256","#, ""), KeyError::AlgMissing);
    refused(r#""use":"enc""#, replaced(usage, r#""use":"enc""#), KeyError::Use("use"));
    refused(r#""use":"SIG""#, replaced(usage, r#""use":"SIG""#), KeyError::Use("use"));
    refused(r#""key_ops":["sign"]"#, replaced(usage, r#""key_ops":["sign"]"#), KeyError::Use("key_ops"));
    refused(
        r#""key_ops":["encrypt","wrapKey"]"#,
        replaced(usage, r#""key_ops":["encrypt","wrapKey"]"#),
        KeyError::Use("key_ops"),
    );
    refused(r#""key_ops":[]"#, replaced(usage, r#""key_ops":[]"#), KeyError::Use("key_ops"));
    let member = |problem| KeyError::Member { member: "key_ops", problem };
    refused(
        r#""key_ops":["verify","verify"]"#,
        replaced(usage, r#""key_ops":["verify","verify"]"#),
        member("repeats a value"),
    );
    refused(
        r#""key_ops":"verify""#,
        replaced(usage, r#""key_ops":"verify""#),
        member("is not an array of strings"),
    );
    refused(
        "ES256 JWK as Ed25519",
        VerifyingKey::from_jwk_as(Alg::Ed25519, &jwk),
        KeyError::AlgMismatch { key: Alg::Es256, wanted: Alg::Ed25519 },
    );
}

#[test]
pub(super) fn verifier_that_would_be_unsafe() {
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
        refused(error.to_string(), builder.build(), error);
    }
    // The raw 32 bytes of an Ed25519 key are a fine secret for all that the bytes show.
    let jwk = ed().to_jwk();
    let x = jwk.split(r#""x":""#).nth(1).unwrap().split('"').next().unwrap();
    let mac = sealwright_jose::MacKey::from_bytes(Alg::Hs256, &base64url::decode(x).unwrap()).unwrap();
    for builder in [
        Verifier::builder([Alg::Ed25519, Alg::Hs256]).key(ed()).mac_key(mac.clone()),
        Verifier::builder([Alg::Ed25519, Alg::Hs256]).mac_key(mac).key(ed()),
    ] {
        refused("raw public key as secret", builder.build(), BuildError::SecretIsPublic);
    }
}

#[test]
pub(super) fn alg_outside_the_protected_header() {
    let verifier = es256_verifier().build().unwrap();
    for (header, more) in [
        (r#"{"kid":"k"}"#, r#""header":{"alg":"ES256"},"#),
        (r#"{}"#, r#""header":{"alg":"ES256"},"#),
        (r#"{"alg":"ES256"}"#, r#""header":{"alg":"ES256"},"#),
        (r#"{"alg":"ES256"}"#, r#""header":{"\u0061lg":"none"},"#),
    ] {
        let json = crate::support::signed_flattened(header, more);
        refused(format_args!("{header} {more}"), outcome_flattened(&verifier, &json), Kind::Malformed);
    }
}
