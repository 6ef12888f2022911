//! `sealwright jws verify`

use sealwright_jose::{
    Alg, Key, VerifyErrorKind, VerifyingKey, base64url,
    jws::{Limits, Scratch, Verified, Verifier, VerifierBuilder},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Outcome,
    token::{Serialization, Token, object, sentence},
};
use crate::{
    args::JwsVerifyArgs,
    error::CliError,
    input::{MAX_TOKEN_BYTES, Source, stdin_at_most_once},
    key_file::KeyFile,
    output::Output,
};

pub(super) fn run(args: &JwsVerifyArgs, output: &Output) -> Result<Outcome, CliError> {
    stdin_at_most_once(args.keys.iter().chain([&Source::from(args.token.as_str())]))?;
    let mut keys = Vec::new();
    for source in &args.keys {
        keys.extend(KeyFile::read(source)?.keys(&args.algs, output)?);
    }
    let verifier = verifier(&args.algs, keys)?;
    let token = Token::read(&args.token)?;
    let mut scratch = Scratch::new();
    match token.verify(&verifier, &mut scratch) {
        Ok(verified) if output.is_json() => output.json(&Verdict::valid(&token, &verified))?,
        Ok(verified) => output.bytes(verified.payload())?,
        Err(error) => {
            output.json(&Verdict::invalid(&token, error.kind()))?;
            return Err(CliError::refused(sentence(error.kind())));
        }
    }
    Ok(Outcome::Done)
}

/// Accepts `algs`, or where none are named those of the keys.
fn verifier(algs: &[Alg], keys: Vec<Key>) -> Result<Verifier, CliError> {
    let of_keys: Vec<Alg> = keys.iter().map(Key::alg).collect();
    let mut builder = Verifier::builder_from(if algs.is_empty() { &of_keys } else { algs })
        .limits(Limits::default().token_bytes(usize::try_from(MAX_TOKEN_BYTES).unwrap_or(usize::MAX)));
    for key in keys {
        builder = match key {
            Key::Mac(key) => builder.mac_key(key),
            key => key.verifying_key().into_iter().fold(builder, VerifierBuilder::key),
        };
    }
    builder.build().map_err(|error| CliError::refused_by("the keys cannot be used together", error))
}

/// The object of `--json`.
#[derive(Serialize)]
struct Verdict {
    valid: bool,
    serialization: Serialization,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    signatures: Vec<SignatureVerdict>,
}

#[derive(Serialize)]
struct SignatureVerdict {
    valid: bool,
    #[serde(flatten)]
    facts: Option<Facts>,
}

/// What is known of a valid signature. `header` is what nobody signed.
#[derive(Serialize)]
struct Facts {
    protected: Option<Box<RawValue>>,
    header: Option<Box<RawValue>>,
    key: KeyFacts,
}

#[derive(Serialize)]
struct KeyFacts {
    kid: Option<String>,
    /// None of a symmetric key: it would be a hash of the secret.
    thumbprint: Option<String>,
}

impl Verdict {
    fn valid(token: &Token, verified: &Verified<'_>) -> Self {
        let key = verified.key();
        let kid = key.map_or_else(|| verified.kid(), |key| key.kid());
        Self {
            valid: true,
            serialization: token.serialization,
            error: None,
            payload: Some(base64url::encode(verified.payload())),
            signatures: vec![SignatureVerdict {
                valid: true,
                facts: Some(Facts {
                    protected: object(verified.protected_header()),
                    header: token.unprotected_header(),
                    key: KeyFacts {
                        kid: kid.map(str::to_owned),
                        thumbprint: key.map(VerifyingKey::thumbprint_base64url),
                    },
                }),
            }],
        }
    }

    /// Neither payload nor header: nobody vouches for them. `inspect` shows them.
    fn invalid(token: &Token, kind: VerifyErrorKind) -> Self {
        let signatures = match kind {
            VerifyErrorKind::Malformed | VerifyErrorKind::Encrypted | VerifyErrorKind::TooLarge => Vec::new(),
            _ => vec![SignatureVerdict { valid: false, facts: None }],
        };
        Self {
            valid: false,
            serialization: token.serialization,
            error: Some(name(kind)),
            payload: None,
            signatures,
        }
    }
}

/// A stable name for programs.
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
        VerifyErrorKind::Signature => "signature",
        _ => "invalid",
    }
}
