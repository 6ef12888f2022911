//! What is said of a token, for programs and for people.

use sealwright_jose::{
    VerifyError, VerifyErrorKind, VerifyingKey, base64url,
    jws::{Limit, Verified, VerifiedSignature},
};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::token::{Serialization, Token, object};

/// The object of `--json`.
#[derive(Serialize)]
pub(super) struct Verdict<'t> {
    pub(super) valid: bool,
    serialization: Serialization,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    detached: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "in_base64url")]
    pub(super) payload: Option<&'t [u8]>,
    signatures: Vec<SignatureVerdict>,
}

#[derive(Serialize)]
pub(super) struct SignatureVerdict {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
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

impl KeyFacts {
    fn of(kid: Option<&str>, key: Option<&VerifyingKey>) -> Self {
        Self { kid: kid.map(str::to_owned), thumbprint: key.map(VerifyingKey::thumbprint_base64url) }
    }
}

impl<'t> Verdict<'t> {
    /// `payload` is left out where the caller has it, or asked for it to be elsewhere.
    pub(super) fn valid(
        token: &Token<'_>,
        payload: Option<&'t [u8]>,
        signatures: Vec<SignatureVerdict>,
    ) -> Self {
        Self {
            valid: true,
            serialization: token.serialization,
            detached: payload.is_none(),
            error: None,
            limit: None,
            payload,
            signatures,
        }
    }

    /// Of a line that is too long to be looked at.
    pub(super) fn too_long() -> Self {
        Self {
            valid: false,
            serialization: Serialization::Compact,
            detached: false,
            error: Some(VerifyErrorKind::TooLarge.name()),
            limit: Some(Limit::Token.name()),
            payload: None,
            signatures: Vec::new(),
        }
    }

    /// Neither payload nor header: nobody vouches for them. `inspect` shows them.
    pub(super) fn invalid(token: &Token<'_>, error: VerifyError, signatures: Vec<SignatureVerdict>) -> Self {
        Self {
            valid: false,
            serialization: token.serialization,
            detached: false,
            error: Some(error.kind().name()),
            limit: error.limit().map(Limit::name),
            payload: None,
            signatures,
        }
    }

    /// The same, of a token whose payload is elsewhere.
    pub(super) fn detached(self) -> Self {
        Self { detached: true, ..self }
    }
}

/// Each signature of a JSON form, in order.
pub(super) fn of_each(
    token: &Token<'_>,
    outcomes: &[Result<VerifiedSignature<'_>, VerifyError>],
) -> Vec<SignatureVerdict> {
    let of_one = |outcome: &Result<VerifiedSignature<'_>, VerifyError>| match outcome {
        Ok(signature) => SignatureVerdict::of_json(token, signature),
        Err(error) => SignatureVerdict::refused(*error),
    };
    outcomes.iter().map(of_one).collect()
}

impl SignatureVerdict {
    /// The one signature of a compact token.
    pub(super) fn of_compact(verified: &Verified<'_>) -> Self {
        Self {
            valid: true,
            error: None,
            limit: None,
            facts: Some(Facts {
                protected: object(verified.protected_header()),
                header: object("{}"),
                key: KeyFacts::of(verified.key_kid(), verified.key()),
            }),
        }
    }

    /// One signature of a JSON form.
    pub(super) fn of_json(token: &Token<'_>, verified: &VerifiedSignature<'_>) -> Self {
        Self {
            valid: true,
            error: None,
            limit: None,
            facts: Some(Facts {
                protected: object(verified.protected_header()),
                header: token.unprotected_header(verified.index()),
                key: KeyFacts::of(verified.key_kid(), verified.key()),
            }),
        }
    }

    pub(super) fn refused(error: VerifyError) -> Self {
        let limit = error.limit().map(Limit::name);
        Self { valid: false, error: Some(error.kind().name()), limit, facts: None }
    }

    /// The one signature of a token that was refused; none if the token has none that can be found.
    pub(super) fn of_refused(error: VerifyError) -> Vec<Self> {
        match error.kind() {
            VerifyErrorKind::Malformed | VerifyErrorKind::Encrypted | VerifyErrorKind::TooLarge => Vec::new(),
            _ => vec![Self::refused(error)],
        }
    }
}

fn in_base64url<S: Serializer>(payload: &Option<&[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    payload.map(base64url::encode).serialize(serializer)
}

/// What was wrong, for whoever holds the token and the keys: to them the reason is no oracle but the answer.
pub(super) fn sentence(error: VerifyError) -> String {
    match (error.kind(), error.limit()) {
        (VerifyErrorKind::Malformed, _) => {
            "malformed: this is no JWS in compact, flattened or general form".to_owned()
        }
        (VerifyErrorKind::TooLarge, Some(limit)) => format!("not valid: over the limit for the {limit}"),
        (kind, _) => format!("not valid: {kind}"),
    }
}
