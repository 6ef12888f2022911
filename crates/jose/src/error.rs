//! What can go wrong, by what the caller can do about it. No error repeats a byte of a key or a
//! token: it may be secret, and a stranger may have chosen it for the log that it ends in.

use std::fmt;

use crate::{Alg, Hash, json::JsonError, jws::Limit};

/// Why a signature was not accepted: one opaque error, so that a caller who shows it to a stranger
/// is no oracle.
///
/// [`kind`](Self::kind) and [`limit`](Self::limit) say more, for logs.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, VerifyErrorKind, jws::{Limit, Limits, Scratch, Verifier}};
///
/// let verifier = Verifier::builder([Alg::Hs256])
///     .mac_key(MacKey::generate(Alg::Hs256)?)
///     .limits(Limits::default().token_bytes(8))
///     .build()?;
/// let error = verifier.verify_compact("AAAA.AAAA.AAAA", &mut Scratch::new()).unwrap_err();
/// assert_eq!(error.to_string(), "the signature is not valid");
/// assert_eq!(error.kind(), VerifyErrorKind::TooLarge);
/// assert_eq!(error.limit(), Some(Limit::Token));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid")]
pub struct VerifyError {
    kind: VerifyErrorKind,
    limit: Option<Limit>,
}

impl VerifyError {
    /// What was wrong. Not to be shown to whoever sent the token.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, VerifyErrorKind};
    ///
    /// let error = MacKey::generate(Alg::Hs256)?.verify(b"message", &[0; 32]).unwrap_err();
    /// assert_eq!(error.kind(), VerifyErrorKind::Signature);
    /// assert_eq!(error.to_string(), "the signature is not valid", "whatever the kind");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn kind(&self) -> VerifyErrorKind {
        self.kind
    }

    /// Which limit was exceeded, if the kind is [`TooLarge`](VerifyErrorKind::TooLarge).
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{Limit, Limits, Scratch, Signer, Verifier}};
    ///
    /// let key = MacKey::generate(Alg::Hs256)?;
    /// let token = Signer::mac(&key).sign_compact(b"hello")?;
    /// let limits = Limits::default().token_bytes(10);
    /// let verifier = Verifier::builder([Alg::Hs256]).mac_key(key).limits(limits).build()?;
    /// let limit = |token| verifier.verify_compact(token, &mut Scratch::new()).unwrap_err().limit();
    /// assert_eq!(limit(&token), Some(Limit::Token), "it is longer");
    /// assert_eq!(limit("no token"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn limit(&self) -> Option<Limit> {
        self.limit
    }
}

impl From<VerifyErrorKind> for VerifyError {
    fn from(kind: VerifyErrorKind) -> Self {
        Self { kind, limit: None }
    }
}

impl From<Limit> for VerifyError {
    fn from(limit: Limit) -> Self {
        Self { kind: VerifyErrorKind::TooLarge, limit: Some(limit) }
    }
}

impl From<JsonError> for VerifyError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Syntax | JsonError::DuplicateName => VerifyErrorKind::Malformed.into(),
            JsonError::TooDeep => Limit::Nesting.into(),
        }
    }
}

/// What was wrong with a token, for logs.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, VerifyErrorKind, jws::{Scratch, Signer, Verifier}};
///
/// let (ours, theirs) = (SigningKey::generate(Alg::Ed25519)?, SigningKey::generate(Alg::Es256)?);
/// let verifier = Verifier::builder([Alg::Ed25519]).key(ours.verifying_key()).build()?;
/// let kind = |token: &str| verifier.verify_compact(token, &mut Scratch::new()).unwrap_err().kind();
/// assert_eq!(kind(&Signer::new(&theirs).sign_compact(b"hello")?), VerifyErrorKind::AlgNotAllowed);
/// assert_eq!(kind("eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA"), VerifyErrorKind::Encrypted);
/// assert_eq!(VerifyErrorKind::Encrypted.to_string(), "encrypted (JWE), not signed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VerifyErrorKind {
    /// It is not a JWS of this serialization: parts, base64url, JSON, a member missing or of the
    /// wrong type, a payload where there must be none.
    Malformed,
    /// It is encrypted, a JWE (RFC 7516), which this library does not read.
    Encrypted,
    /// It exceeds one of the [`Limits`](crate::jws::Limits); [`VerifyError::limit`] says which.
    TooLarge,
    /// Its algorithm is not among those that the verifier was built with.
    AlgNotAllowed,
    /// A parameter that it calls critical is not understood, `crit` itself breaks RFC 7515 §4.1.11,
    /// or `b64` breaks RFC 7797.
    Critical,
    /// Its header has a parameter that the policy does not know
    /// ([`Policy::Joserfc`](crate::jws::Policy::Joserfc) only).
    ParameterUnknown,
    /// Its header lacks a parameter that was
    /// [required](crate::jws::VerifierBuilder::required_parameter).
    ParameterMissing,
    /// It is of another type than the verifier asks for, or of none.
    TypMismatch,
    /// No key fits its `kid` and algorithm.
    KeyUnknown,
    /// Several keys fit, and it does not say which.
    KeyAmbiguous,
    /// Its signature is not one of that key over those bytes.
    Signature,
    /// Too few of its signatures are valid for what was
    /// [required](crate::jws::Require), and not all for one reason.
    Threshold,
    /// Its algorithm hashes the message more than once, so the payload cannot come in pieces.
    NeedsWholeMessage,
}

impl VerifyErrorKind {
    /// Its name for programs, such as `key_unknown`, which stays the same from version to version.
    ///
    /// ```
    /// use sealwright_jose::VerifyErrorKind;
    ///
    /// // As the label of a counter, which must not change with the words for people.
    /// assert_eq!(VerifyErrorKind::KeyUnknown.name(), "key_unknown");
    /// assert_eq!(VerifyErrorKind::KeyUnknown.to_string(), "no key fits");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Encrypted => "encrypted",
            Self::TooLarge => "too_large",
            Self::AlgNotAllowed => "alg_not_allowed",
            Self::Critical => "critical",
            Self::ParameterUnknown => "parameter_unknown",
            Self::ParameterMissing => "parameter_missing",
            Self::TypMismatch => "typ_mismatch",
            Self::KeyUnknown => "key_unknown",
            Self::KeyAmbiguous => "key_ambiguous",
            Self::Signature => "signature",
            Self::Threshold => "threshold",
            Self::NeedsWholeMessage => "needs_whole_message",
        }
    }
}

impl fmt::Display for VerifyErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Malformed => "malformed",
            Self::Encrypted => "encrypted (JWE), not signed",
            Self::TooLarge => "over a limit",
            Self::AlgNotAllowed => "algorithm not allowed",
            Self::Critical => "critical header parameter not understood",
            Self::ParameterUnknown => "header parameter not known",
            Self::ParameterMissing => "header parameter missing",
            Self::TypMismatch => "wrong `typ`",
            Self::KeyUnknown => "no key fits",
            Self::KeyAmbiguous => "several keys fit",
            Self::Signature => "signature does not match",
            Self::Threshold => "too few valid signatures",
            Self::NeedsWholeMessage => "algorithm needs the whole payload at once",
        })
    }
}

/// Why a key was not accepted. It says which format was seen and which one would be right.
///
/// ```
/// use sealwright_jose::{Alg, KeyError, SigningKey};
///
/// let made = SigningKey::generate(Alg::Es256)?;
/// let error = SigningKey::from_pem(Alg::Es256, &made.verifying_key().to_pem()?).unwrap_err();
/// assert!(matches!(error, KeyError::Format { seen: "a public key (SPKI)", .. }));
/// assert!(error.to_string().starts_with("found a public key (SPKI), but a private key (PEM "));
/// let error = SigningKey::from_pem(Alg::Es384, &made.to_pem()?).unwrap_err();
/// assert_eq!(error.to_string(), "ES384 cannot use a P-256 key");
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text or bytes are a key, but not one for this place.
    #[error("found {seen}, but {wanted} is needed")]
    Format {
        /// What it is.
        seen: &'static str,
        /// What would be right.
        wanted: &'static str,
    },
    /// It claims to be of a format and breaks its rules.
    #[error("malformed {format}: {problem}")]
    Malformed {
        /// The format it seems to be of.
        format: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The JWK lacks a member that its type needs.
    #[error("the JWK has no member `{0}`")]
    MemberMissing(&'static str),
    /// A member of the JWK is not what it must be.
    #[error("the JWK's member `{member}` {problem}")]
    Member {
        /// The name of the member.
        member: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The key does not say its algorithm, and the caller did not either.
    #[error("the key names no algorithm, so the caller must")]
    AlgMissing,
    /// The key does not say its algorithm, and several of those that the caller allows fit.
    #[error("the key names no algorithm, and several of the allowed ones fit it")]
    AlgAmbiguous,
    /// The key says an algorithm that this library does not know.
    #[error("the key is for an algorithm that is not supported")]
    AlgUnsupported,
    /// The key says one algorithm, the caller another.
    #[error("the key is for {key}, not for {wanted}")]
    AlgMismatch {
        /// What the key says.
        key: Alg,
        /// What the caller says.
        wanted: Alg,
    },
    /// The key fits none of the algorithms that the caller allows.
    #[error("the key is for none of the allowed algorithms")]
    AlgNotAllowed,
    /// The key is of another type than the algorithm needs.
    #[error("{alg} cannot use {seen}")]
    Type {
        /// The algorithm.
        alg: Alg,
        /// The type of the key.
        seen: &'static str,
    },
    /// The key is of a type, curve or shape that this library does not know.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The key's size is out of bounds.
    #[error("{what} has {bits} bits; {min} to {max} are accepted")]
    Size {
        /// Which number of the key.
        what: &'static str,
        /// How long it is.
        bits: usize,
        /// The least that is accepted.
        min: usize,
        /// The most that is accepted.
        max: usize,
    },
    /// The numbers of the key are not a key: a point off the curve, halves that do not belong
    /// together.
    #[error("not a valid key: {0}")]
    Invalid(&'static str),
    /// The key is of a kind that is known to be broken or guessable.
    #[error("weak key: {0}")]
    Weak(&'static str),
    /// The key is private or symmetric, where only a public one may be.
    #[error("found a private or symmetric JWK, but a public one is needed")]
    Secret,
    /// The key is behind a password, and none was given.
    #[error("the private key is encrypted, and there is no password")]
    PasswordNeeded,
    /// The password is wrong, or the encrypted key damaged: nobody can tell which.
    #[error("the password is wrong, or the encrypted key is damaged")]
    Password,
    /// The encrypted key asks for more work than is done for one.
    #[error("decrypting the key would take {0}")]
    TooCostly(&'static str),
    /// `use` or `key_ops` forbid what the key is wanted for (RFC 7517 §4.2, §4.3).
    #[error("the JWK's `{0}` forbids this use")]
    Use(&'static str),
    /// Two different keys of a set have one `kid`.
    #[error("two different keys have the same `kid`")]
    DuplicateKid,
    /// There are more keys than are read.
    #[error("more than {0} keys")]
    TooManyKeys(usize),
    /// There are more bytes than are read.
    #[error("more than {0} bytes")]
    TooLarge(usize),
    /// The cryptographic library failed, for example for lack of memory.
    #[error("the cryptographic library failed")]
    Backend,
}

/// Why nothing was signed.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, SignError, jws::Signer};
///
/// let key = MacKey::generate(Alg::Hs256)?;
/// let error = Signer::mac(&key).typ("JWT").param("typ", "at+jwt".into()).sign_compact(b"{}").unwrap_err();
/// assert_eq!(error, SignError::HeaderParameter("typ".into()));
/// assert_eq!(error.to_string(), "the header parameter `typ` cannot be set, or not twice");
/// # Ok::<(), sealwright_jose::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// A header parameter stands twice, or cannot stand where it was put.
    #[error("the header parameter `{0}` cannot be set, or not twice")]
    HeaderParameter(String),
    /// The value of a header parameter is not what RFC 7515 §4.1 says it is.
    #[error("the header parameter `{name}` must be {wanted}")]
    HeaderValue {
        /// Its name.
        name: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// The header's text is no JSON object, is nested too deeply, or has a name twice.
    #[error("the header is not a JSON object in which each name stands once")]
    HeaderJson,
    /// The name cannot be critical: it is not in the protected header, is there twice, or is one of
    /// those that every reader must know (RFC 7515 §4.1.11). `b64` must be critical (RFC 7797 §6).
    #[error("the header parameter `{0}` breaks the rules for critical ones (RFC 7515 §4.1.11)")]
    Critical(String),
    /// The header, or the key that is to check, is for another algorithm than the key that signs.
    #[error("the key is for {key}, and the header is not")]
    AlgMismatch {
        /// The algorithm of the key.
        key: Alg,
    },
    /// The compact serialization has no place for an unprotected header (RFC 7515 §7.1).
    #[error("the compact serialization has no unprotected header")]
    UnprotectedHeader,
    /// The signers of one JWS disagree whether the payload is encoded (RFC 7797 §3).
    #[error("one signature is over the encoded payload, another over the payload itself")]
    MixedEncoding,
    /// The signatures of one JWS are over different payloads.
    #[error("the signatures are not over one payload")]
    Payloads,
    /// A JWS has at least one signature, and no more than verifiers accept.
    #[error("a JWS has 1 to {0} signatures")]
    Signatures(usize),
    /// The payload has what this serialization cannot carry unencoded (RFC 7797 §5). It can be
    /// detached.
    #[error("the unencoded payload has {0}; detach it")]
    Unencoded(&'static str),
    /// The algorithm needs the whole message at once, so it cannot be signed in pieces.
    #[error("{0} signs no message that comes in pieces")]
    NeedsWholeMessage(Alg),
    /// The signature was made and does not verify: a faulty device, or a mistaken key.
    #[error("the signature that was made does not verify")]
    Unverified,
    /// The header would be refused by verifiers for its size.
    #[error("the header has more than {0} bytes")]
    HeaderTooLarge(usize),
    /// The bytes that a key elsewhere returned are not a signature of this algorithm.
    #[error("{len} bytes cannot be a signature of {alg}")]
    SignatureLength {
        /// The algorithm of the header.
        alg: Alg,
        /// How many bytes came.
        len: usize,
    },
    /// The algorithm signs digests of another hash function, or none at all.
    #[error("{alg} does not sign a {hash} digest")]
    Digest {
        /// The algorithm of the key.
        alg: Alg,
        /// The function that made the digest.
        hash: Hash,
    },
    /// The bytes are not an ECDSA signature of the expected form.
    #[error("not an ECDSA signature of this form and size")]
    EcdsaEncoding,
    /// The key's `key_ops` do not include `sign`.
    #[error("the key's `key_ops` forbid signing")]
    KeyUse,
    /// The secret is [shorter](crate::MacKey::is_weak) than its hash, and the policy is not
    /// [`Policy::Joserfc`](crate::jws::Policy::Joserfc).
    #[error("the secret of the MAC key is too short")]
    WeakKey,
    /// The cryptographic library failed, for example for lack of memory.
    #[error("the cryptographic library failed")]
    Backend,
}
