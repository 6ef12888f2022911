//! Payloads that are not in the token: what comes in pieces is decided on as what comes as a whole.

use sealwright_jose::{
    Alg, VerifyError, VerifyErrorKind,
    jws::{Policy, VerifiedSignature},
};

use crate::{
    material::{self, Signed},
    time::bounded,
    tokens::{POLICIES, REQUIREMENTS, verify},
};

/// A token, lengths of pieces, and the payload, with the byte 0xFF between them.
///
/// Each byte of the second part is the length of one piece; what is left is the last.
pub fn detached(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == 0xFF);
    let mut part = || parts.next().unwrap_or_default();
    let (token, lengths, payload) = (part(), part(), part());
    let Ok(token) = str::from_utf8(token) else { return };
    let input = Input { token, payload, pieces: cut(payload, lengths) };
    bounded(data.len(), || {
        for policy in 0..POLICIES.len() {
            input.verify_compact(policy);
            input.verify_json(policy);
        }
    });
}

fn cut<'a>(mut payload: &'a [u8], lengths: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::with_capacity(lengths.len() + 1);
    for length in lengths {
        let (piece, rest) = payload.split_at(payload.len().min(usize::from(*length)));
        pieces.push(piece);
        payload = rest;
    }
    pieces.push(payload);
    pieces
}

struct Input<'a> {
    token: &'a str,
    payload: &'a [u8],
    pieces: Vec<&'a [u8]>,
}

/// What is shown of a valid signature.
#[derive(Debug, PartialEq)]
struct Seen {
    header: String,
    kid: Option<String>,
    typ: Option<String>,
    alg: Alg,
    key_kid: Option<String>,
}

/// Of what has the methods of a [`VerifiedSignature`].
macro_rules! seen {
    ($valid:expr) => {
        Seen {
            header: $valid.protected_header().to_owned(),
            kid: $valid.kid().map(str::to_owned),
            typ: $valid.typ().map(str::to_owned),
            alg: $valid.alg(),
            key_kid: $valid.key_kid().map(str::to_owned),
        }
    };
}

type Outcome = Result<Seen, VerifyError>;

impl Input<'_> {
    fn verify_compact(&self, policy: usize) {
        let whole = verify(policy, |verifier, scratch| {
            let verified = verifier.verify_detached(self.token, self.payload, scratch)?;
            assert_eq!(verified.payload(), self.payload);
            Ok((seen!(verified), verified.is_unencoded()))
        });
        let streamed = verify(policy, |verifier, _| {
            let mut stream = verifier.start_detached(self.token)?;
            self.pieces.iter().for_each(|piece| stream.update(piece));
            let verified = stream.finish()?;
            assert_eq!(verified.payload_bytes(), self.payload.len() as u64);
            let [signature] = verified.signatures() else { panic!("a compact token has one signature") };
            Ok((seen!(signature), verified.is_unencoded()))
        });
        if let (Ok((_, whole)), Ok((_, streamed))) = (&whole, &streamed) {
            assert_eq!(whole, streamed, "unencoded only in one way: {}", self.token);
        }
        let (whole, streamed) = (whole.map(|(seen, _)| seen), streamed.map(|(seen, _)| seen));
        assert_agree(&whole, &streamed);
        self.assert_signed(whole.iter());
        // Joserfc's limits are below the signatures of ML-DSA.
        if self.is_known() && !self.token.starts_with('{') && POLICIES[policy] != Policy::Joserfc {
            assert!(whole.is_ok(), "{whole:?}: {}", self.token);
        }
    }

    fn verify_json(&self, policy: usize) {
        let whole = verify(policy, |verifier, scratch| {
            let report = verifier.examine_detached_json(self.token, self.payload, scratch)?;
            Ok(outcomes(report.signatures()))
        });
        let streamed = verify(policy, |verifier, _| {
            let mut stream = verifier.start_examining_json(self.token)?;
            let (hopeless, needs_whole) = (stream.is_hopeless(), stream.needs_whole_message());
            self.pieces.iter().for_each(|piece| stream.update(piece));
            let outcomes = outcomes(stream.finish().signatures());
            assert_eq!(needs_whole, outcomes.iter().any(of_whole_only));
            assert!(!hopeless || !needs_whole && outcomes.iter().all(Result::is_err));
            Ok(outcomes)
        });
        let (whole, streamed) = match (whole, streamed) {
            (Ok(whole), Ok(streamed)) => (whole, streamed),
            (whole, streamed) => {
                assert_eq!(whole, streamed);
                return;
            }
        };
        assert_eq!(whole.len(), streamed.len());
        whole.iter().zip(&streamed).for_each(|(whole, streamed)| assert_agree(whole, streamed));
        self.assert_signed(whole.iter().flatten());
        // The other policies know some of them not: an unprotected `alg`, and long signatures.
        if self.is_known() && POLICIES[policy] == Policy::Rfc {
            assert!(whole.iter().all(Result::is_ok), "{whole:?}: {}", self.token);
        }
        self.require(policy, &whole, &streamed);
    }

    /// What is asked for is found among the outcomes of all signatures.
    fn require(&self, policy: usize, whole: &[Outcome], streamed: &[Outcome]) {
        let needs_whole = streamed.iter().any(of_whole_only);
        let valid = whole.iter().flatten();
        let valid_in_pieces: Vec<&Seen> = streamed.iter().flatten().collect();
        for require in REQUIREMENTS {
            let whole = verify(policy, |verifier, scratch| {
                let verified = verifier.verify_detached_json(self.token, self.payload, require, scratch)?;
                assert_eq!(verified.payload(), self.payload);
                let seen: Vec<Seen> = verified.signatures().iter().map(|valid| seen!(valid)).collect();
                Ok((seen, verified.is_unencoded()))
            });
            // It is refused at the beginning, or at the end.
            let streamed = verify(policy, |verifier, _| {
                let mut stream = verifier.start_detached_json(self.token, require)?;
                self.pieces.iter().for_each(|piece| stream.update(piece));
                Ok(stream.finish().map(|verified| {
                    assert_eq!(verified.payload_bytes(), self.payload.len() as u64);
                    let seen: Vec<Seen> = verified.signatures().iter().map(|valid| seen!(valid)).collect();
                    (seen, verified.is_unencoded())
                }))
            });
            if let Ok((enough, _)) = &whole {
                assert!(enough.iter().eq(valid.clone().take(enough.len())));
            }
            match (whole, streamed) {
                (Ok((_, unencoded)), Ok(Ok((all, in_pieces)))) => {
                    assert!(all.iter().eq(valid_in_pieces.iter().copied()));
                    assert_eq!(unencoded, in_pieces);
                }
                (Err(error), Ok(Ok(_))) => panic!("{error} only as a whole: {}", self.token),
                (_, Err(error) | Ok(Err(error))) if error.kind() == VerifyErrorKind::NeedsWholeMessage => {
                    assert!(needs_whole);
                }
                (Err(whole), Ok(Err(streamed))) => assert_eq!(whole, streamed),
                // What the headers say is enough to refuse it, and the signatures are not looked at.
                (Err(_), Err(_)) => {}
                (Ok(_), Err(error) | Ok(Err(error))) => panic!("{error} only in pieces: {}", self.token),
            }
        }
    }

    /// Whether it is, byte by byte, a token that was signed, with its payload.
    fn is_known(&self) -> bool {
        material::DETACHED.iter().any(|(token, payload)| token == self.token && payload == self.payload)
    }

    fn assert_signed<'s>(&self, valid: impl Iterator<Item = &'s Seen>) {
        for seen in valid {
            let signed = Signed { header: seen.header.clone(), payload: self.payload.to_vec() };
            assert!(material::SIGNED.contains(&signed), "forged: {signed:?}");
        }
    }
}

fn outcomes(signatures: &[Result<VerifiedSignature<'_>, VerifyError>]) -> Vec<Outcome> {
    signatures
        .iter()
        .map(|outcome| outcome.as_ref().map(|valid| seen!(valid)).map_err(|error| *error))
        .collect()
}

/// Whether nothing but the payload as a whole decides.
fn of_whole_only(outcome: &Outcome) -> bool {
    outcome.as_ref().is_err_and(|error| error.kind() == VerifyErrorKind::NeedsWholeMessage)
}

/// Both ways decide the same about a signature, unless its algorithm leaves only one.
fn assert_agree(whole: &Outcome, streamed: &Outcome) {
    if !of_whole_only(streamed) {
        assert_eq!(whole, streamed);
        return;
    }
    match whole {
        Ok(seen) => assert!(!seen.alg.is_mac() && seen.alg.digest().is_none(), "{seen:?}"),
        Err(error) => assert_eq!(error.kind(), VerifyErrorKind::Signature),
    }
}
