//! Payloads that are not in the token. They go through in pieces, so that their size does not matter,
//! unless the algorithm needs all of the message at once.

use std::io::Read;

use sealwright_jose::{
    SignError, VerifyError, VerifyErrorKind,
    jws::{
        Require, Scratch, Signer, VerifiedSignature, Verifier, sign_general_detached, start_general_detached,
    },
};

use super::{
    sign::not_signed,
    token::{Serialization, Token},
    verdict::{SignatureVerdict, Verdict},
    verify::Verdicts,
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
    let started = match token.serialization {
        Serialization::Compact => verifier.start_detached(token.text),
        Serialization::Flattened | Serialization::General => {
            verifier.start_detached_json(token.text, require)
        }
    };
    let read_before = started.is_ok();
    let streamed = match started {
        Ok(mut stream) => {
            pieces(payload, |piece| stream.update(piece))?;
            stream.finish().map(|verified| of_json(token, verified.signatures()))
        }
        Err(error) => Err(error),
    };
    let signatures = match streamed {
        // A file can be read again, standard input cannot.
        Err(error)
            if error.kind() == VerifyErrorKind::NeedsWholeMessage
                && !(read_before && *payload == Source::Stdin) =>
        {
            whole(token, &payload.read(MAX_TOKEN_BYTES)?, verifier, require)
        }
        signatures => signatures,
    };
    Ok(match signatures {
        Ok(signatures) => Ok(Verdict::valid(token, None, signatures)),
        Err(error) => Err((Verdict::invalid(token, error, SignatureVerdict::of_refused(error)), error)),
    })
}

fn whole(
    token: &Token<'_>,
    payload: &[u8],
    verifier: &Verifier,
    require: Require,
) -> Result<Vec<SignatureVerdict>, VerifyError> {
    let mut scratch = Scratch::new();
    match token.serialization {
        Serialization::Compact => {
            let verified = verifier.verify_detached(token.text, payload, &mut scratch)?;
            Ok(vec![SignatureVerdict::of_compact(&verified)])
        }
        Serialization::Flattened | Serialization::General => {
            let verified = verifier.verify_detached_json(token.text, payload, require, &mut scratch)?;
            Ok(of_json(token, verified.signatures()))
        }
    }
}

fn of_json(token: &Token<'_>, signatures: &[VerifiedSignature<'_>]) -> Vec<SignatureVerdict> {
    signatures.iter().map(|signature| SignatureVerdict::of_json(token, signature)).collect()
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
