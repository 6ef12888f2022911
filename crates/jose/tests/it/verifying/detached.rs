//! Payloads that are elsewhere, whole and in pieces.

use sealwright_jose::{
    Alg, MacKey, SigningKey, VerifyError, VerifyErrorKind as Kind, base64url,
    jws::{Policy, Require, Scratch, Signer, VerifiedSignature, Verifier},
};

use super::{By, verify_json};
use crate::support::{ED25519, ES256, HS256, PAYLOAD, RS256, generate};

const B64: &str = r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#;
const HS: &str = r#"{"alg":"HS256"}"#;
const ES: &str = r#"{"alg":"ES256"}"#;

fn verifier() -> Verifier {
    Verifier::builder([Alg::Es256, Alg::Rs256, Alg::Ed25519, Alg::Hs256])
        .key(ES256.verifying_key())
        .key(RS256.verifying_key())
        .key(ED25519.verifying_key())
        .mac_key(HS256.clone())
        .unencoded()
        .build()
        .unwrap()
}

fn compact(verifier: &Verifier, token: &str, payload: &[u8]) -> Result<(), Kind> {
    let whole = verifier.verify_detached(token, payload, &mut Scratch::new()).map(drop);
    // In pieces it must come to the same, where it can.
    match verifier.start_detached(token) {
        Ok(mut stream) => {
            payload.chunks(7).for_each(|piece| stream.update(piece));
            assert_eq!(stream.finish().map(drop), whole, "{token}");
        }
        Err(error) if error.kind() == Kind::NeedsWholeMessage => {}
        Err(error) => assert_eq!(Err(error), whole, "{token}"),
    }
    whole.map_err(|error| error.kind())
}

fn json(verifier: &Verifier, text: &str, payload: &[u8], require: Require) -> Result<Vec<usize>, Kind> {
    let mut scratch = Scratch::new();
    let whole = match verifier.verify_detached_json(text, payload, require, &mut scratch) {
        Ok(verified) => {
            assert_eq!(verified.payload(), payload);
            Ok(verified.signatures().iter().map(VerifiedSignature::index).collect::<Vec<_>>())
        }
        Err(error) => Err(error.kind()),
    };
    match verifier.start_detached_json(text, require) {
        Ok(mut stream) => {
            payload.chunks(5).for_each(|piece| stream.update(piece));
            let streamed = stream.finish().map(drop).map_err(|error| error.kind());
            assert_eq!(streamed, whole.clone().map(drop), "{text}");
        }
        Err(error) if error.kind() == Kind::NeedsWholeMessage => {}
        Err(error) => assert_eq!(Err(error.kind()), whole, "{text}"),
    }
    reported(verifier, text, payload, require, &whole.clone().map(drop));
    whole
}

/// What each signature came to, by its place or why it was refused.
fn outcomes(signatures: &[Result<VerifiedSignature<'_>, VerifyError>]) -> Vec<Result<usize, Kind>> {
    let of_one = |one: &Result<VerifiedSignature<'_>, VerifyError>| match one {
        Ok(signature) => Ok(signature.index()),
        Err(error) => Err(error.kind()),
    };
    signatures.iter().map(of_one).collect()
}

/// A report, of the payload whole or in pieces, comes to what the verification came to.
fn reported(verifier: &Verifier, text: &str, payload: &[u8], require: Require, expected: &Result<(), Kind>) {
    let mut scratch = Scratch::new();
    let report = verifier.examine_detached_json(text, payload, &mut scratch);
    let each = report.as_ref().map(|report| outcomes(report.signatures())).map_err(VerifyError::kind);
    let met = report.and_then(|report| report.require(require).map(drop)).map_err(|error| error.kind());
    assert_eq!(met, *expected, "{text}");

    let streamed = verifier.start_examining_json(text).map(|mut stream| {
        payload.chunks(5).for_each(|piece| stream.update(piece));
        stream.finish()
    });
    let streamed = streamed.map_err(|error| error.kind());
    assert_eq!(
        streamed.as_ref().map(|report| outcomes(report.signatures())).map_err(|kind| *kind),
        each,
        "{text}"
    );
    let met = streamed.and_then(|report| report.require(require).map(drop).map_err(|error| error.kind()));
    assert_eq!(met, *expected, "{text}");
}

#[test]
fn a_report_has_each_signature() {
    let verifier = verifier();
    let text = base64url::encode(PAYLOAD);
    let member = |by: By, header| format!("{{{}}}", by.members(header, text.as_bytes(), ""));
    let token = format!(
        r#"{{"signatures":[{},{},{},{}]}}"#,
        member(By::Es256, ES),
        member(By::Forger, ES),
        member(By::Ed25519, r#"{"alg":"Ed25519"}"#),
        member(By::Forger, r#"{"alg":"ES384"}"#),
    );
    let mut scratch = Scratch::new();
    let report = verifier.examine_detached_json(&token, PAYLOAD, &mut scratch).unwrap();
    let whole = [Ok(0), Err(Kind::Signature), Ok(2), Err(Kind::AlgNotAllowed)];
    assert_eq!(outcomes(report.signatures()), whole);
    assert_eq!(report.require(Require::AtLeast(2)).unwrap().payload(), PAYLOAD);

    let mut stream = verifier.start_examining_json(&token).unwrap();
    assert!(stream.needs_whole_message());
    assert!(!stream.is_hopeless());
    stream.update(PAYLOAD);
    let report = stream.finish();
    let in_pieces = [Ok(0), Err(Kind::Signature), Err(Kind::NeedsWholeMessage), Err(Kind::AlgNotAllowed)];
    assert_eq!(outcomes(report.signatures()), in_pieces);
    assert_eq!(report.require(Require::AtLeast(2)).unwrap_err().kind(), Kind::NeedsWholeMessage);

    // Of another payload none is valid, and each says so.
    let report = verifier.examine_detached_json(&token, b"another", &mut scratch).unwrap();
    let other = [Err(Kind::Signature), Err(Kind::Signature), Err(Kind::Signature), Err(Kind::AlgNotAllowed)];
    assert_eq!(outcomes(report.signatures()), other);
    assert_eq!(report.require(Require::Any).unwrap_err().kind(), Kind::Threshold);
}

#[test]
fn what_no_payload_can_make_valid_is_known_before_it_comes() {
    let verifier = verifier();
    let hopeless = |by: By, header| {
        let token = format!("{{{}}}", by.members(header, b"eA", ""));
        let stream = verifier.start_examining_json(&token).unwrap();
        (stream.is_hopeless(), stream.needs_whole_message())
    };
    assert_eq!(hopeless(By::Es256, ES), (false, false));
    assert_eq!(hopeless(By::Es256, r#"{"alg":"ES384"}"#), (true, false));
    assert_eq!(hopeless(By::Ed25519, r#"{"alg":"Ed25519"}"#), (false, true));
}

#[test]
fn compact_detached() {
    let verifier = verifier();
    let text = base64url::encode(PAYLOAD);
    for (by, header) in [
        (By::Hs256, HS),
        (By::Es256, ES),
        (By::Rs256, r#"{"alg":"RS256"}"#),
        (By::Ed25519, r#"{"alg":"EdDSA"}"#),
    ] {
        let token = by.compact_detached(header, text.as_bytes());
        assert_eq!(compact(&verifier, &token, PAYLOAD), Ok(()), "{by:?}");
        assert_eq!(compact(&verifier, &token, b"another"), Err(Kind::Signature), "{by:?}");
        assert_eq!(compact(&verifier, &token, b""), Err(Kind::Signature), "{by:?}");
        assert_eq!(compact(&verifier, &token, text.as_bytes()), Err(Kind::Signature), "{by:?}");
        // Attached and detached at once.
        let both = by.compact(header, &text);
        assert_eq!(compact(&verifier, &both, PAYLOAD), Err(Kind::Malformed), "{by:?}");
    }
    let empty = By::Hs256.compact_detached(HS, b"");
    assert_eq!(compact(&verifier, &empty, b""), Ok(()));
    assert_eq!(compact(&verifier, &empty, b"x"), Err(Kind::Signature));
    for token in ["", "..", ".", "a..", "...", "a...b", &format!("{empty}.")] {
        assert_eq!(compact(&verifier, token, b""), Err(Kind::Malformed), "{token}");
    }
    assert_eq!(compact(&verifier, "a....b", b""), Err(Kind::Encrypted));
}

#[test]
fn unencoded_detached_is_any_bytes() {
    let verifier = verifier();
    for payload in [&b"$.02"[..], b"", b"\0\xff", b"a.b.c\n"] {
        let token = By::Hs256.compact_detached(B64, payload);
        assert_eq!(compact(&verifier, &token, payload), Ok(()), "{payload:?}");
        let encoded = base64url::encode(payload);
        if !payload.is_empty() {
            assert_eq!(compact(&verifier, &token, encoded.as_bytes()), Err(Kind::Signature));
        }
        let mut scratch = Scratch::new();
        assert!(verifier.verify_detached(&token, payload, &mut scratch).unwrap().is_unencoded());
    }
    let plain = Verifier::builder([Alg::Hs256]).mac_key(HS256.clone()).build().unwrap();
    let token = By::Hs256.compact_detached(B64, b"hello");
    assert_eq!(compact(&plain, &token, b"hello"), Err(Kind::Critical));
}

#[test]
fn json_detached() {
    let verifier = verifier();
    let text = base64url::encode(PAYLOAD);
    let (es, mac) = (By::Es256.members(ES, text.as_bytes(), ""), By::Hs256.members(HS, text.as_bytes(), ""));
    let forged = By::Forger.members(ES, text.as_bytes(), "");
    let raw = By::Hs256.members(B64, PAYLOAD, "");
    let flattened = format!("{{{es}}}");
    let general = |members: &[&String]| {
        let members: Vec<_> = members.iter().map(|member| format!("{{{member}}}")).collect();
        format!(r#"{{"signatures":[{}]}}"#, members.join(","))
    };
    let table = [
        (flattened.clone(), Require::All, Ok(vec![0])),
        (format!("{{{raw}}}"), Require::All, Ok(vec![0])),
        (general(&[&es, &mac]), Require::All, Ok(vec![0, 1])),
        (general(&[&es, &mac]), Require::AtLeast(2), Ok(vec![0, 1])),
        (general(&[&forged, &mac]), Require::Any, Ok(vec![1])),
        (general(&[&forged, &mac]), Require::All, Err(Kind::Signature)),
        (general(&[&es, &es]), Require::AtLeast(2), Err(Kind::Threshold)),
        (general(&[&es, &raw]), Require::Any, Err(Kind::Critical)),
        (general(&[]), Require::Any, Err(Kind::Malformed)),
        // Attached and detached at once, even where both are the same or one is empty.
        (format!(r#"{{"payload":"{text}",{es}}}"#), Require::All, Err(Kind::Malformed)),
        (format!(r#"{{"payload":"",{es}}}"#), Require::All, Err(Kind::Malformed)),
        (format!(r#"{{"payload":null,{es}}}"#), Require::All, Err(Kind::Malformed)),
    ];
    for (token, require, expected) in table {
        assert_eq!(json(&verifier, &token, PAYLOAD, require), expected, "{token}");
    }
    assert_eq!(json(&verifier, &flattened, b"another", Require::All), Err(Kind::Signature));
    // Without a payload it is no attached JWS.
    assert_eq!(verify_json(&verifier, &flattened, Require::All), Err(Kind::Malformed));

    let lax = Verifier::builder([Alg::Es256]).key(ES256.verifying_key()).policy(Policy::Rfc).build().unwrap();
    assert_eq!(json(&lax, &format!(r#"{{"payload":"",{es}}}"#), PAYLOAD, Require::All), Ok(vec![0]));
    assert_eq!(
        json(&lax, &format!(r#"{{"payload":"{text}",{es}}}"#), PAYLOAD, Require::All),
        Err(Kind::Malformed)
    );
}

#[test]
fn every_algorithm_that_can_stream_does_and_the_others_say_so() {
    let document: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    for alg in Alg::ALL.iter().copied() {
        let (signer, builder) = if alg.is_mac() {
            let key = MacKey::generate(alg).unwrap();
            (Signer::mac(&key), Verifier::builder([alg]).mac_key(key))
        } else {
            // The key of RS256 serves all of RSA: making one takes seconds.
            let key = match alg {
                Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => {
                    SigningKey::from_pem(alg, &RS256.to_pem().unwrap()).unwrap()
                }
                _ => generate(alg),
            };
            (Signer::new(&key), Verifier::builder([alg]).key(key.verifying_key()))
        };
        let verifier = builder.unencoded().build().unwrap();
        for signer in [signer.clone(), signer.unencoded()] {
            let token = signer.sign_detached(&document).unwrap();
            assert!(verifier.verify_detached(&token, &document, &mut Scratch::new()).is_ok(), "{alg}");
            let can_stream = alg.is_mac() || alg.digest().is_some();
            let mut stream = match verifier.start_detached(&token) {
                Ok(stream) => stream,
                Err(error) => {
                    assert_eq!((error.kind(), can_stream), (Kind::NeedsWholeMessage, false), "{alg}");
                    continue;
                }
            };
            assert!(can_stream, "{alg}");
            for piece in document.chunks(8191) {
                stream.update(piece);
            }
            let verified = stream.finish().unwrap();
            assert_eq!(verified.payload_bytes(), 100_000);
            assert_eq!(verified.signatures()[0].alg(), alg);
            let mut stream = verifier.start_detached(&token).unwrap();
            stream.update(&document[1..]);
            assert_eq!(stream.finish().unwrap_err().kind(), Kind::Signature, "{alg}");
        }
    }
}

#[test]
fn a_stream_that_cannot_end_well_does_not_begin() {
    let verifier = verifier();
    let ed = By::Ed25519.members(r#"{"alg":"Ed25519"}"#, b"eA", "");
    let es = By::Es256.members(ES, b"eA", "");
    let unknown = By::Forger.members(r#"{"alg":"XS256"}"#, b"eA", "");
    let start = |members: &[&String], require| {
        let members: Vec<_> = members.iter().map(|member| format!("{{{member}}}")).collect();
        let token = format!(r#"{{"signatures":[{}]}}"#, members.join(","));
        let mut stream = verifier.start_detached_json(&token, require).map_err(|error| error.kind())?;
        stream.update(b"x");
        stream.finish().map(|verified| verified.signatures().len()).map_err(|error| error.kind())
    };
    assert_eq!(start(&[&ed], Require::Any), Err(Kind::NeedsWholeMessage));
    assert_eq!(start(&[&ed, &es], Require::All), Err(Kind::NeedsWholeMessage));
    assert_eq!(start(&[&ed, &es], Require::Any), Ok(1));
    assert_eq!(start(&[&es, &unknown], Require::All), Err(Kind::AlgNotAllowed));
    assert_eq!(start(&[&es, &unknown], Require::AtLeast(2)), Err(Kind::Threshold));
    assert_eq!(start(&[&es, &es], Require::AtLeast(2)), Err(Kind::Threshold));
    assert_eq!(start(&[&es], Require::AtLeast(0)), Err(Kind::Threshold));
    // The signatures that need the whole payload could still decide.
    assert_eq!(start(&[&unknown, &ed], Require::Any), Err(Kind::NeedsWholeMessage));
    assert_eq!(start(&[&ed, &es], Require::AtLeast(2)), Err(Kind::NeedsWholeMessage));
    assert_eq!(start(&[&unknown, &unknown], Require::Any), Err(Kind::AlgNotAllowed));
    // That one of them is false shows only in the end.
    let forged = By::Es256.members(ES, b"eQ", "");
    assert_eq!(start(&[&forged, &ed], Require::Any), Err(Kind::NeedsWholeMessage));
    assert_eq!(start(&[&forged, &es], Require::AtLeast(2)), Err(Kind::Threshold));
}
