//! Tokens as a stranger writes them.

use std::{cell::RefCell, slice};

use sealwright_jose::{
    Alg, VerifyError, base64url,
    jws::{Policy, PossessionVerifier, Require, Scratch, Unverified, UnverifiedJson, Verifier},
};

use crate::{
    json_oracle::Json,
    material::{self, Signed},
    time::bounded,
};

pub(crate) const POLICIES: [Policy; 3] = [Policy::Strict, Policy::Rfc, Policy::Joserfc];
pub(crate) const REQUIREMENTS: [Require; 3] = [Require::All, Require::Any, Require::AtLeast(2)];

thread_local! {
    /// Verifiers that remember what they have seen, as a server's does.
    static OLD: (Vec<Verifier>, RefCell<Scratch>) =
        (POLICIES.map(material::verifier).into(), RefCell::default());
}

/// Base64url: what is read is what would be written, and a second decoder agrees.
pub fn base64url(data: &[u8]) {
    let written = base64url::encode(data);
    assert_eq!(base64url::decode(&written).as_deref(), Ok(data));
    assert_eq!(written, plain_encode(data));
    let Ok(text) = str::from_utf8(data) else { return };
    match base64url::decode(text) {
        Ok(bytes) => assert_eq!(base64url::encode(&bytes), text),
        Err(_) => assert!(!is_canonical(text), "refused: {text:?}"),
    }
}

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn plain_encode(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let sextets = (0..bytes.len() * 8).step_by(6);
    sextets
        .map(|at| ALPHABET[(at..at + 6).fold(0, |sum, at| sum << 1 | usize::from(bit(at)))] as char)
        .collect()
}

fn is_canonical(text: &str) -> bool {
    let digits: Option<Vec<usize>> =
        text.bytes().map(|byte| ALPHABET.iter().position(|known| *known == byte)).collect();
    digits.is_some_and(|digits| match (text.len() % 4, digits.last()) {
        (0, _) => true,
        (2, Some(last)) => last % 16 == 0,
        (3, Some(last)) => last % 4 == 0,
        _ => false,
    })
}

/// A compact token of anybody: looked into, written again, and never verified.
pub fn compact(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    bounded(data.len(), || {
        let seen = Unverified::peek_compact(text);
        if let Ok(seen) = &seen {
            let (_, signature) = text.rsplit_once('.').expect("it has three parts");
            let header = base64url::encode(seen.protected_header());
            let payload = written(&seen);
            assert_eq!(format!("{header}.{payload}.{signature}"), text);
            assert!(Json::object(seen.protected_header().as_bytes(), 16).is_some());
        }
        verify_compact(text);
    });
}

/// The payload as it stands in the token: as it is, if the header says so (RFC 7797).
fn written(token: &Unverified) -> String {
    if token.header("b64") == Some(false.into()) {
        String::from_utf8(token.dangerous_payload().to_vec()).expect("it was text")
    } else {
        base64url::encode(token.dangerous_payload())
    }
}

/// A compact token is accepted only if it is, byte by byte, one that was signed.
pub(crate) fn verify_compact(text: &str) {
    let is_known = material::COMPACT.iter().any(|known| known == text);
    for (n, policy) in POLICIES.into_iter().enumerate() {
        let verified = verify(n, |verifier, scratch| {
            let verified = verifier.verify_compact(text, scratch)?;
            Ok((verified.protected_header().to_owned(), verified.payload().to_vec()))
        });
        match verified {
            Ok((header, payload)) => {
                assert!(is_known, "forged under {policy:?}: {text}");
                assert!(material::SIGNED.contains(&Signed { header, payload }));
            }
            // Joserfc's limits are below the signatures of ML-DSA.
            Err(error) => assert!(!is_known || policy == Policy::Joserfc, "{policy:?}: {error:?} {text}"),
        }
    }
}

/// A proof of possession, which brings its key along: accepted only if somebody made it.
pub fn possession(data: &[u8]) {
    const ALGS: [Alg; 6] = [Alg::Es256, Alg::Es384, Alg::Es256k, Alg::Ed25519, Alg::Rs256, Alg::Ps256];
    const MADE: [&str; 2] =
        [include_str!("../corpus/possession/rfc9449_4_1"), include_str!("../corpus/possession/rfc9449_7_1")];
    let Ok(text) = str::from_utf8(data) else { return };
    bounded(data.len(), || {
        let verifier = PossessionVerifier::new(&ALGS, "dpop+jwt").expect("none of them is symmetric");
        let mut scratch = Scratch::new();
        let is_known = MADE.contains(&text);
        match verifier.verify_compact(text, &mut scratch) {
            Ok(proof) => {
                assert!(is_known, "forged: {text}");
                assert_eq!(proof.key().thumbprint_base64url(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
                assert!(Json::object(proof.payload(), 16).is_some());
            }
            Err(error) => assert!(!is_known, "{error}: {text}"),
        }
        // What another sort of token says is no proof.
        let other = PossessionVerifier::new(&ALGS, "at+jwt").expect("none of them is symmetric");
        assert!(other.verify_compact(text, &mut Scratch::new()).is_err());
    });
}

/// A JSON token of anybody.
pub fn json(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    bounded(data.len(), || {
        peek_json(text);
        verify_json(text);
    });
}

/// What is peeked at is what a second reader of JSON finds there, and can be written and read again.
fn peek_json(text: &str) {
    let flattened = Unverified::peek_flattened(text).ok();
    let Ok(seen) = UnverifiedJson::peek(text) else {
        assert!(flattened.is_none(), "only one way to peek reads {text}");
        return;
    };
    let json = Json::object(text.as_bytes(), 16).expect("strict JSON");
    let general = json.get("signatures").map(|entries| entries.array().expect("an array"));
    let entries = general.unwrap_or(slice::from_ref(&json));
    let parts: Vec<String> = (0..entries.len()).map(|n| peeked_entry(&seen, n, &entries[n])).collect();
    assert_eq!(seen.protected_headers().count(), parts.len());

    let payload = json.get("payload").map(|payload| payload.str().expect("a string"));
    for header in seen.protected_headers() {
        let header = Json::object(header.as_bytes(), 16).expect("strict JSON");
        let unencoded = header.get("b64") == Some(&Json::Word("false"));
        let written = |bytes: &[u8]| {
            if unencoded { bytes.to_vec() } else { base64url::encode(bytes).into_bytes() }
        };
        assert_eq!(seen.dangerous_payload().map(written).as_deref(), payload.map(str::as_bytes));
    }

    let payload = json.get("payload").map(|payload| format!(r#""payload":{payload},"#)).unwrap_or_default();
    let written = match general {
        Some(_) => format!(r#"{{{payload}"signatures":[{{{}}}]}}"#, parts.join("},{")),
        None => format!("{{{payload}{}}}", parts.concat()),
    };
    let again = UnverifiedJson::peek(&written).expect("what was read can be written");
    assert!(again.protected_headers().eq(seen.protected_headers()));
    assert_eq!(again.dangerous_payload(), seen.dangerous_payload());
    assert!((0..parts.len()).all(|n| again.unprotected_header(n) == seen.unprotected_header(n)));

    assert_eq!(flattened.is_some(), general.is_none() && seen.dangerous_payload().is_some());
    if let Some(one) = flattened {
        assert!(seen.protected_headers().eq([one.protected_header()]));
        assert_eq!(seen.unprotected_header(0), one.unprotected_header());
        assert_eq!(seen.dangerous_payload(), Some(one.dangerous_payload()));
    }
}

/// The n-th signature and its headers as they were peeked at, which are those of `entry`, written again.
fn peeked_entry(seen: &UnverifiedJson, n: usize, entry: &Json) -> String {
    let protected = base64url::encode(seen.protected_headers().nth(n).expect("each has one"));
    assert_eq!(entry.get("protected").and_then(Json::str), Some(&*protected));
    let unprotected = seen.unprotected_header(n);
    let parsed = unprotected.map(|header| Json::object(header.as_bytes(), 16).expect("strict JSON"));
    assert_eq!(entry.get("header"), parsed.as_ref());
    let unprotected = unprotected.map(|header| format!(r#""header":{header},"#)).unwrap_or_default();
    let signature = entry.get("signature").expect("each has one");
    format!(r#""protected":"{protected}",{unprotected}"signature":{signature}"#)
}

/// A token in JSON is accepted only if header and payload of each signature that counts were signed
/// together; and the ways to ask agree.
pub(crate) fn verify_json(text: &str) {
    for n in 0..POLICIES.len() {
        let report = verify(n, |verifier, scratch| {
            let report = verifier.examine_json(text, scratch)?;
            let outcomes: Vec<Result<String, VerifyError>> = report
                .signatures()
                .iter()
                .map(|outcome| Ok(outcome.as_ref().map_err(|error| *error)?.protected_header().to_owned()))
                .collect();
            let payload = report.require(Require::Any).map(|verified| verified.payload().to_vec());
            Ok((outcomes, payload))
        });
        let valid: Vec<&String> = report
            .iter()
            .flat_map(|(outcomes, _)| outcomes)
            .filter_map(|outcome| outcome.as_ref().ok())
            .collect();
        for header in &valid {
            let payload = report.as_ref().map(|(_, payload)| payload.clone().expect("there is a valid one"));
            let payload = payload.expect("there is a report");
            let signed = Signed { header: (*header).clone(), payload };
            assert!(material::SIGNED.contains(&signed), "forged: {signed:?}");
        }
        for require in REQUIREMENTS {
            let verified = verify(n, |verifier, scratch| {
                let verified = verifier.verify_json(text, require, scratch)?;
                Ok((verified.payload().to_vec(), verified.signatures().len()))
            });
            match verified {
                Ok((payload, signatures)) => {
                    let (outcomes, any) = report.as_ref().expect("what verifies can be examined");
                    assert_eq!(any.as_ref(), Ok(&payload));
                    assert!(signatures >= 1 && signatures <= valid.len());
                    assert!(require != Require::All || outcomes.len() == signatures);
                }
                Err(_) => assert!(require != Require::Any || valid.is_empty(), "{text}"),
            }
        }
    }
}

/// The outcome of a verifier, which does not depend on what it has verified before.
pub(crate) fn verify<T: PartialEq + std::fmt::Debug>(
    policy: usize,
    call: impl Fn(&Verifier, &mut Scratch) -> Result<T, VerifyError>,
) -> Result<T, VerifyError> {
    let fresh = call(&material::verifier(POLICIES[policy]), &mut Scratch::new());
    let old = OLD.with(|(verifiers, scratch)| call(&verifiers[policy], &mut scratch.borrow_mut()));
    assert_eq!(fresh, old, "a verifier's memory changed its mind");
    fresh
}
