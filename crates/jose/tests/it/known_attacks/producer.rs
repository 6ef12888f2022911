//! What a caller who signs cannot be made to write: another algorithm than the key's, a name twice,
//! a header that no verifier would take or that gives a key away (panva/jose ae07d09).

use sealwright_jose::{
    Alg, MacKey, SignError, SigningKey,
    jws::{Header, Policy, Signer, prepare, sign_general},
};
use serde_json::{Value, json};

use crate::{
    support::{ED25519, ES256, HS256, PAYLOAD, generate},
    tally::{refused, refused_if},
};

#[test]
pub(super) fn header_that_lies_about_the_key() {
    let mismatch = SignError::AlgMismatch { key: Alg::Es256 };
    for alg in [
        json!("none"),
        json!("None"),
        json!("HS256"),
        json!("ES384"),
        json!("es256"),
        json!("EdDSA"),
        json!(""),
        json!(["ES256"]),
        json!(null),
    ] {
        let header = Header::new(Alg::Es256).param("alg", alg.clone());
        refused(&alg, Signer::new(&ES256).header(header).sign_compact(PAYLOAD), mismatch.clone());
        let text = json!({ "alg": alg }).to_string();
        refused(&alg, Header::from_json(Alg::Es256, &text), mismatch.clone());
        let prepared = prepare(Header::new(Alg::Es256).param("alg", alg.clone()), PAYLOAD);
        assert!(prepared.is_err_and(|error| error == mismatch), "{alg}");
    }
    for alg in Alg::ALL.iter().filter(|alg| **alg != Alg::Es256) {
        refused(alg, Signer::new(&ES256).header(Header::new(*alg)).sign_compact(PAYLOAD), mismatch.clone());
    }
    let other = Signer::new(&ES256).header(Header::new(Alg::Es256).kid("of another key"));
    refused("kid", other.sign_compact(PAYLOAD), SignError::HeaderParameter("kid".into()));
    let beside = Signer::new(&ES256).unprotected("alg", json!("ES256"));
    refused_if("alg unprotected", beside.sign_flattened(PAYLOAD), |error| {
        matches!(error, SignError::HeaderParameter(_))
    });
}

#[test]
pub(super) fn header_that_says_two_things() {
    for text in [
        r#"{"alg":"ES256","alg":"none"}"#,
        r#"{"alg":"ES256","\u0061lg":"none"}"#,
        r#"{"kid":"a","kid":"b"}"#,
        r#"{"x":{"y":1,"y":2}}"#,
        r#"{"x":1}{"x":2}"#,
        r#"[{"alg":"ES256"}]"#,
        r#"{"x":NaN}"#,
        "",
    ] {
        refused(text, Header::from_json(Alg::Es256, text), SignError::HeaderJson);
    }
    for name in ["alg", "kid", "typ", "iat", ""] {
        let value = json!(if name == "alg" { "ES256" } else { "k" });
        let header = Header::new(Alg::Es256).param(name, value.clone()).param(name, value);
        refused(name, header.to_json(), SignError::HeaderParameter(name.into()));
    }
    let signer = Signer::new(&ES256).param("x", json!(1)).unprotected("x", json!(1));
    refused("both headers", signer.sign_flattened(PAYLOAD), SignError::HeaderParameter("x".into()));
    for name in ["enc", "zip", "epk", "apu", "apv", "p2s", "p2c"] {
        let signer = Signer::new(&ES256).param(name, json!("x"));
        refused(name, signer.sign_compact(PAYLOAD), SignError::HeaderParameter(name.into()));
    }
    let unprotected = Signer::new(&ES256).unprotected("x", json!(1));
    refused("unprotected in compact", unprotected.sign_compact(PAYLOAD), SignError::UnprotectedHeader);
    for name in ["crit", "b64"] {
        let signer = Signer::new(&ES256).unprotected(name, json!(["x"]));
        refused(name, signer.sign_flattened(PAYLOAD), SignError::HeaderParameter(name.into()));
    }
    let large = Signer::new(&ES256).param("x", json!("x".repeat(1024 * 1024)));
    refused("a megabyte", large.sign_compact(PAYLOAD), SignError::HeaderTooLarge(16 * 1024));
}

#[test]
pub(super) fn critical_parameter_that_breaks_the_rules() {
    let header = || Header::new(Alg::Es256).param("exp", json!(1));
    for name in
        ["alg", "kid", "typ", "cty", "crit", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "enc", "zip"]
    {
        refused(name, header().critical(name).to_json(), SignError::Critical(name.into()));
    }
    refused("absent", header().critical("absent").to_json(), SignError::Critical("absent".into()));
    refused("twice", header().critical("exp").critical("exp").to_json(), SignError::Critical("exp".into()));
    let silent = header().param("b64", json!(false));
    refused("b64 not critical", silent.to_json(), SignError::Critical("b64".into()));
    for value in [json!([]), json!("exp"), json!([1]), json!({"exp": 1}), json!(null)] {
        refused_if(
            &value,
            header().param("crit", value.clone()).to_json(),
            |error| matches!(error, SignError::HeaderValue { name, .. } if name == "crit"),
        );
    }
}

#[test]
pub(super) fn header_that_gives_something_away() {
    let private: Value = serde_json::from_str(&ES256.to_jwk().unwrap()).unwrap();
    let secret: Value = serde_json::from_str(&HS256.to_jwk()).unwrap();
    for (name, value) in [
        ("jwk", private),
        ("jwk", secret),
        ("jwk", json!({"kty": "AKP", "priv": "AA"})),
        ("jwk", json!("x")),
        ("jku", json!("file:///etc/passwd")),
        ("jku", json!("ftp://keys.example")),
        ("x5u", json!("javascript:alert(1)")),
        ("x5u", json!("//keys.example")),
        ("x5c", json!([])),
        ("x5c", json!(["-----BEGIN CERTIFICATE-----"])),
        ("x5t", json!("x")),
        ("kid", json!(7)),
        ("typ", json!(["JWT"])),
    ] {
        let shown = format!("{name} {:.20}", value.to_string());
        let error = refused_if(
            shown,
            Header::new(Alg::Es256).param(name, value.clone()).to_json(),
            |error| matches!(error, SignError::HeaderValue { name: of, .. } if of == name),
        );
        let said = format!("{error} {error:?}");
        assert!(!value.is_object() || !said.contains(value["d"].as_str().unwrap_or("kty")), "{said}");
    }
}

#[test]
pub(super) fn signature_that_no_verifier_would_take() {
    let es = Signer::new(&ES256);
    refused("no signer", sign_general(&[], PAYLOAD), SignError::Signatures(16));
    refused("seventeen", sign_general(&[&es; 17], PAYLOAD), SignError::Signatures(16));
    let raw = Signer::new(&ED25519).unencoded();
    refused("mixed", sign_general(&[&es, &raw], PAYLOAD), SignError::MixedEncoding);
    for payload in [&b"a.b"[..], b"a b", b"\xff", b"\0", b"{}"] {
        refused_if(payload.escape_ascii(), raw.sign_compact(payload), |error| {
            matches!(error, SignError::Unencoded(_))
        });
    }
    refused_if("not UTF-8", raw.sign_flattened(b"\xff"), |error| matches!(error, SignError::Unencoded(_)));
    let weak = MacKey::insecure_from_short_bytes(Alg::Hs256, b"secret").unwrap();
    refused("weak", Signer::mac(&weak).sign_compact(PAYLOAD), SignError::WeakKey);
    let rfc = Signer::mac(&weak).policy(Policy::Rfc);
    refused("weak by the RFC", rfc.sign_compact(PAYLOAD), SignError::WeakKey);

    // What a signer elsewhere returned.
    let prepared = || prepare(Header::new(Alg::Es256), PAYLOAD).unwrap();
    for len in [0, 63, 65, 70, 72, 256] {
        let error = SignError::SignatureLength { alg: Alg::Es256, len };
        refused(len, prepared().signed(vec![1; len]), error);
    }
    let checked = prepared().signed_by(&ES256.verifying_key(), [1; 64]);
    refused("false", checked, SignError::Unverified);
    let other = generate(Alg::Es256).sign(b"another message").unwrap();
    refused("another", prepared().signed_by(&ES256.verifying_key(), other.clone()), SignError::Unverified);
    refused_if("key of another algorithm", prepared().signed_by(&ED25519.verifying_key(), other), |error| {
        matches!(error, SignError::AlgMismatch { .. })
    });
    let digest = sealwright_jose::Hasher::new(sealwright_jose::Hash::Sha512).finish();
    let signed = SigningKey::generate(Alg::Es256).unwrap().sign_digest(&digest);
    refused("another digest", signed, SignError::Digest { alg: Alg::Es256, hash: digest.hash() });
}
