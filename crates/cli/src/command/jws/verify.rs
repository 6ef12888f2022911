//! `sealwright jws verify`

use sealwright_jose::{
    Alg, Key, VerifyError, VerifyErrorKind, base64url,
    jws::{Limits, Scratch, Verified, Verifier},
};
use serde_json::{Value, json};

use super::{Outcome, Token, object};
use crate::{
    args::JwsVerifyArgs,
    error::CliError,
    input::{Input, MAX_TOKEN_BYTES},
    key_file::KeyFile,
    output::Output,
};

pub(super) fn run(args: &JwsVerifyArgs, output: &Output) -> Result<Outcome, CliError> {
    let mut input = Input::default();
    let mut keys = Vec::new();
    for source in &args.keys {
        keys.extend(KeyFile::read(&mut input, source)?.keys(&args.algs, output)?);
    }
    let verifier = verifier(&args.algs, keys)?;
    let token = Token::read(&mut input, &args.token)?;
    let mut scratch = Scratch::new();
    let verified = if token.is_json {
        verifier.verify_flattened(&token.text, &mut scratch)
    } else {
        verifier.verify_compact(&token.text, &mut scratch)
    };
    match verified {
        Ok(verified) if output.is_json() => output.json(&valid(&token, &verified))?,
        Ok(verified) => output.bytes(verified.payload())?,
        Err(error) => {
            output.json(&invalid(&token, error))?;
            return Err(CliError::refused(sentence(error.kind())));
        }
    }
    Ok(Outcome::Good)
}

/// Accepts `algs`, or where none are named those of the keys.
fn verifier(algs: &[Alg], keys: Vec<Key>) -> Result<Verifier, CliError> {
    let of_keys: Vec<Alg> = keys.iter().map(Key::alg).collect();
    let mut builder = Verifier::builder_from(if algs.is_empty() { &of_keys } else { algs })
        .limits(Limits::default().token_bytes(usize::try_from(MAX_TOKEN_BYTES).unwrap_or(usize::MAX)));
    for key in keys {
        builder = match key {
            Key::Mac(key) => builder.mac_key(key),
            key => match key.verifying_key() {
                Some(key) => builder.key(key),
                None => builder,
            },
        };
    }
    builder.build().map_err(|error| CliError::refused_by("the keys cannot be used together", error))
}

fn valid(token: &Token, verified: &Verified<'_>) -> Value {
    let kid = verified.key().map_or_else(|| verified.kid(), |key| key.kid());
    json!({
        "valid": true,
        "serialization": token.serialization(),
        "payload": base64url::encode(verified.payload()),
        "signatures": [{
            "valid": true,
            "protected": object(verified.protected_header()),
            "header": token.unprotected_header(),
            "key": {
                "kid": kid,
                "thumbprint": verified.key().map(|key| key.thumbprint_base64url()),
            },
        }],
    })
}

/// Neither payload nor header: nobody vouches for them. `inspect` shows them.
fn invalid(token: &Token, error: VerifyError) -> Value {
    let signatures = match error.kind() {
        VerifyErrorKind::Malformed | VerifyErrorKind::Encrypted | VerifyErrorKind::TooLarge => json!([]),
        _ => json!([{"valid": false}]),
    };
    json!({
        "valid": false,
        "serialization": token.serialization(),
        "error": name(error.kind()),
        "signatures": signatures,
    })
}

/// For the one who holds the token and the keys, the reason is no oracle but the answer.
fn sentence(kind: VerifyErrorKind) -> String {
    match kind {
        VerifyErrorKind::Malformed => "malformed: this is no JWS in compact or flattened form".to_owned(),
        kind => format!("not valid: {kind}"),
    }
}

fn name(kind: VerifyErrorKind) -> &'static str {
    match kind {
        VerifyErrorKind::Malformed => "malformed",
        VerifyErrorKind::Encrypted => "encrypted",
        VerifyErrorKind::TooLarge => "too_large",
        VerifyErrorKind::AlgNotAllowed => "alg_not_allowed",
        VerifyErrorKind::Critical => "critical",
        VerifyErrorKind::TypMismatch => "typ_mismatch",
        VerifyErrorKind::KeyUnknown => "key_unknown",
        VerifyErrorKind::KeyAmbiguous => "key_ambiguous",
        _ => "signature",
    }
}
