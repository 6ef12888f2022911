//! Payloads that are not in the token. They go through in pieces, so that their size does not matter,
//! unless the algorithm needs all of the message at once.

use std::{fs, io::Read};

use sealwright_jose::{
    SignError, VerifyError, VerifyErrorKind,
    jws::{Require, Scratch, Signer, Verifier, sign_general_detached, start_general_detached},
};

use super::{
    sign::not_signed,
    token::{Serialization, Token},
    verdict::{SignatureVerdict, Verdict, of_each},
    verify::{Verdicts, met_by_one_key},
};
use crate::{
    args,
    error::CliError,
    input::{MAX_TOKEN_BYTES, Source},
    progress,
};

const PIECE_BYTES: usize = 256 * 1024;

pub(super) fn sign(
    signer: &Signer,
    payload: &Source,
    serialization: args::Serialization,
) -> Result<String, CliError> {
    let compact = serialization == args::Serialization::Compact;
    let token = match signer.start_detached() {
        Ok(mut stream) => {
            pieces(payload, |piece| stream.update(piece))?;
            if compact { stream.finish_compact() } else { stream.finish_flattened() }
        }
        Err(SignError::NeedsWholeMessage(_)) => {
            let payload = payload.read(MAX_TOKEN_BYTES)?;
            if compact { signer.sign_detached(&payload) } else { signer.sign_flattened_detached(&payload) }
        }
        Err(error) => Err(error),
    };
    token.map_err(not_signed)
}

pub(super) fn sign_general(signers: &[Signer], payload: &Source) -> Result<String, CliError> {
    let signers: Vec<&Signer> = signers.iter().collect();
    let token = match start_general_detached(&signers) {
        Ok(mut stream) => {
            pieces(payload, |piece| stream.update(piece))?;
            stream.finish()
        }
        Err(SignError::NeedsWholeMessage(_)) => {
            sign_general_detached(&signers, &payload.read(MAX_TOKEN_BYTES)?)
        }
        Err(error) => Err(error),
    };
    token.map_err(not_signed)
}

pub(super) fn verify<'t>(
    token: &Token<'t>,
    payload: &Source,
    verifier: &'t Verifier,
    require: Require,
) -> Result<Verdicts<'t>, CliError> {
    let verified = if token.serialization == Serialization::Compact {
        match compact(token, payload, verifier)? {
            Ok(signatures) => match met_by_one_key(require) {
                Ok(()) => Ok(signatures),
                Err(error) => Err((Verdict::invalid(token, error, signatures), error)),
            },
            Err(error) => Err((Verdict::invalid(token, error, SignatureVerdict::of_refused(error)), error)),
        }
    } else {
        json(token, payload, verifier, require)?
    };
    Ok(match verified {
        Ok(signatures) => Ok(Verdict::valid(token, None, signatures)),
        // One that has a payload of its own is not detached.
        Err((verdict, error))
            if error.kind() == VerifyErrorKind::Malformed && token.has_payload() == Some(true) =>
        {
            Err((verdict, error))
        }
        Err((verdict, error)) => Err((verdict.detached(), error)),
    })
}

/// The one signature, if it is valid.
fn compact(
    token: &Token<'_>,
    payload: &Source,
    verifier: &Verifier,
) -> Result<Result<Vec<SignatureVerdict>, VerifyError>, CliError> {
    let verified = match verifier.start_detached(token.text) {
        Ok(mut stream) => {
            pieces(payload, |piece| stream.update(piece))?;
            let verified = stream.finish();
            verified
                .map(|one| one.signatures().iter().map(|one| SignatureVerdict::of_json(token, one)).collect())
        }
        Err(error) if error.kind() == VerifyErrorKind::NeedsWholeMessage => {
            let (payload, mut scratch) = (payload.read(MAX_TOKEN_BYTES)?, Scratch::new());
            let verified = verifier.verify_detached(token.text, &payload, &mut scratch);
            verified.map(|verified| vec![SignatureVerdict::of_compact(&verified)])
        }
        Err(error) => Err(error),
    };
    Ok(verified)
}

/// What became of each signature.
fn json<'t>(
    token: &Token<'t>,
    payload: &Source,
    verifier: &'t Verifier,
    require: Require,
) -> Result<Result<Vec<SignatureVerdict>, (Verdict<'t>, VerifyError)>, CliError> {
    let whole = |error| Ok(Err((Verdict::invalid(token, error, SignatureVerdict::of_refused(error)), error)));
    let mut stream = match verifier.start_examining_json(token.text) {
        Ok(stream) => stream,
        Err(error) => return whole(error),
    };
    let (signatures, met) = if stream.needs_whole_message() && !is_long(payload) {
        let (payload, mut scratch) = (payload.read(MAX_TOKEN_BYTES)?, Scratch::new());
        let report = match verifier.examine_detached_json(token.text, &payload, &mut scratch) {
            Ok(report) => report,
            Err(error) => return whole(error),
        };
        (of_each(token, report.signatures()), report.require(require).map(drop))
    } else {
        if !stream.is_hopeless() {
            pieces(payload, |piece| stream.update(piece))?;
        }
        let report = stream.finish();
        (of_each(token, report.signatures()), report.require(require).map(drop))
    };
    Ok(match met {
        Ok(()) => Ok(signatures),
        Err(error) => Err((Verdict::invalid(token, error, signatures), error)),
    })
}

/// Whether the payload is a file that cannot be held as a whole. Signatures that need it so are not verified
/// then; the others may do.
fn is_long(payload: &Source) -> bool {
    // Not opened for that: a pipe with a name can be opened once.
    matches!(payload, Source::File(path) if fs::metadata(path).is_ok_and(|about| about.len() > MAX_TOKEN_BYTES))
}

/// Calls `each` with the payload from its beginning to its end.
fn pieces(payload: &Source, mut each: impl FnMut(&[u8])) -> Result<(), CliError> {
    let unreadable = |source| CliError::Unreadable { what: payload.to_string(), source };
    let (mut file, size) = payload.open().map_err(unreadable)?;
    let bar = progress::bytes(size);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => {
                each(&piece[..length]);
                bar.inc(length as u64);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    bar.finish_and_clear();
    Ok(())
}
