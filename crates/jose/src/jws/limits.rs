//! How much of a stranger's input is read.

use std::fmt;

use crate::jws::Policy;

/// What a verifier refuses as too large, before it does any work on it.
///
/// ```
/// use sealwright_jose::jws::{Limit, Limits};
///
/// let limits = Limits::default().token_bytes(64 * 1024).signatures(4);
/// assert_eq!(limits.get(Limit::Token), 64 * 1024);
/// assert_eq!(limits.get(Limit::Header), 16 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) header_bytes: usize,
    pub(crate) payload_bytes: usize,
    pub(crate) signature_bytes: usize,
    pub(crate) token_bytes: usize,
    pub(crate) signatures: usize,
    pub(crate) nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 16 * 1024,
            payload_bytes: usize::MAX,
            signature_bytes: 8 * 1024,
            token_bytes: 1024 * 1024,
            signatures: 16,
            nesting: 16,
        }
    }
}

/// Above this no `nesting` goes, so that the scanner's recursion is bounded whatever the caller
/// sets.
pub(crate) const MAX_NESTING: usize = 64;

impl Limits {
    /// The same limits with this many bytes for a decoded protected header, and for the unprotected one.
    /// Default: 16 KiB, since a certificate chain in `x5c` can take 8.
    ///
    /// ```
    /// # use sealwright_jose::jws::{Limit, Limits, Policy, Unverified};
    /// let token = "eyJhbGciOiJub25lIn0.aGVsbG8."; // its header, {"alg":"none"}, has 14 bytes
    /// let limits = Limits::default();
    /// let peek = |limits| Unverified::peek_compact_with(token, Policy::Strict, &limits);
    /// assert!(peek(limits.header_bytes(14)).is_ok());
    /// assert_eq!(peek(limits.header_bytes(13)).unwrap_err().limit(), Some(Limit::Header));
    /// ```
    #[must_use]
    pub fn header_bytes(self, header_bytes: usize) -> Self {
        Self { header_bytes, ..self }
    }

    /// The same limits with this many bytes for a decoded payload that the token carries. Default: no limit
    /// but that of the whole token. A detached payload is the caller's own and not limited.
    ///
    /// ```
    /// # use sealwright_jose::jws::{Limit, Limits, Policy, Unverified};
    /// let token = "eyJhbGciOiJub25lIn0.aGVsbG8."; // its payload is `hello`, which is 7 characters there
    /// let limits = Limits::default();
    /// let peek = |limits| Unverified::peek_compact_with(token, Policy::Strict, &limits);
    /// assert!(peek(limits.payload_bytes(5)).is_ok());
    /// assert_eq!(peek(limits.payload_bytes(4)).unwrap_err().limit(), Some(Limit::Payload));
    /// ```
    #[must_use]
    pub fn payload_bytes(self, payload_bytes: usize) -> Self {
        Self { payload_bytes, ..self }
    }

    /// The same limits with this many bytes for one decoded signature. Default: 8 KiB; those of ML-DSA-87
    /// have 4,627.
    ///
    /// ```
    /// use sealwright_jose::{Alg, MacKey, jws::{Limit, Limits, Scratch, Signer, Verifier}};
    ///
    /// let key = MacKey::generate(Alg::Hs512)?; // its tags have 64 bytes
    /// let token = Signer::mac(&key).sign_compact(b"hello")?;
    /// let limits = Limits::default().signature_bytes(63);
    /// let verifier = Verifier::builder([Alg::Hs512]).mac_key(key).limits(limits).build()?;
    /// let error = verifier.verify_compact(&token, &mut Scratch::new()).unwrap_err();
    /// assert_eq!(error.limit(), Some(Limit::Signature));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn signature_bytes(self, signature_bytes: usize) -> Self {
        Self { signature_bytes, ..self }
    }

    /// The same limits with this many bytes for the whole serialization. Default: 1 MiB.
    ///
    /// ```
    /// # use sealwright_jose::jws::{Limit, Limits, Policy, Unverified};
    /// let limits = Limits::default().token_bytes(8 * 1024); // about what a server takes of an HTTP header
    /// let error = Unverified::peek_compact_with(&"A".repeat(8193), Policy::Strict, &limits).unwrap_err();
    /// assert_eq!(error.limit(), Some(Limit::Token));
    /// ```
    #[must_use]
    pub fn token_bytes(self, token_bytes: usize) -> Self {
        Self { token_bytes, ..self }
    }

    /// The same limits with this many signatures in one general JSON JWS. Default: 16.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey};
    /// # use sealwright_jose::jws::{Limit, Limits, Policy, Signer, UnverifiedJson, sign_general};
    /// # let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
    /// let json = sign_general(&[&signer, &signer, &signer], b"hello")?;
    /// let limits = Limits::default().signatures(2); // each costs a verification
    /// let error = UnverifiedJson::peek_with(&json, Policy::Strict, &limits).unwrap_err();
    /// assert_eq!(error.limit(), Some(Limit::Signatures));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn signatures(self, signatures: usize) -> Self {
        Self { signatures, ..self }
    }

    /// The same limits with this depth of objects and arrays in each other, the outermost counted, in headers and
    /// in the JSON serializations. Default: 16; more than 64 is taken for 64. Claims have
    /// [one of their own](crate::jwt::ValidatorBuilder::nesting).
    ///
    /// ```
    /// use sealwright_jose::{base64url, jws::{Limit, Limits, Policy, Unverified}};
    ///
    /// let token = format!("{}.aGVsbG8.AAAA", base64url::encode(r#"{"alg":"ES256","x":[{}]}"#));
    /// let limits = Limits::default();
    /// let peek = |limits| Unverified::peek_compact_with(&token, Policy::Strict, &limits);
    /// assert!(peek(limits.nesting(3)).is_ok());
    /// assert_eq!(peek(limits.nesting(2)).unwrap_err().limit(), Some(Limit::Nesting));
    /// assert_eq!(limits.nesting(1000).get(Limit::Nesting), 64);
    /// ```
    #[must_use]
    pub fn nesting(self, nesting: usize) -> Self {
        Self { nesting: nesting.min(MAX_NESTING), ..self }
    }

    /// How long an unprotected header may be. Joserfc bounds the protected one alone, and far below what it takes
    /// here, so there the default holds.
    pub(crate) fn unprotected_bytes(&self, policy: Policy) -> usize {
        match policy {
            Policy::Joserfc => self.header_bytes.max(Self::default().header_bytes),
            Policy::Strict | Policy::Rfc => self.header_bytes,
        }
    }

    /// What this limit is set to, in bytes, signatures or levels; `usize::MAX` is none.
    ///
    /// ```
    /// use sealwright_jose::jws::{Limit, Limits};
    ///
    /// let limits = Limits::default();
    /// assert_eq!(limits.get(Limit::Token), 1024 * 1024);
    /// assert_eq!(limits.get(Limit::Payload), usize::MAX);
    /// ```
    pub fn get(&self, limit: Limit) -> usize {
        match limit {
            Limit::Header => self.header_bytes,
            Limit::Payload => self.payload_bytes,
            Limit::Signature => self.signature_bytes,
            Limit::Token => self.token_bytes,
            Limit::Signatures => self.signatures,
            Limit::Nesting => self.nesting,
        }
    }
}

/// Which of the [`Limits`] a token exceeds. `Display` says it for people, [`name`](Self::name) for programs.
///
/// ```
/// use sealwright_jose::jws::{Limit, Limits};
///
/// let limits = Limits::default();
/// let refused = |limit| format!("the {limit} must be at most {}", limits.get(limit));
/// assert_eq!(refused(Limit::Signatures), "the number of signatures must be at most 16");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::header_bytes`].
    Header,
    /// [`Limits::payload_bytes`].
    Payload,
    /// [`Limits::signature_bytes`].
    Signature,
    /// [`Limits::token_bytes`].
    Token,
    /// [`Limits::signatures`].
    Signatures,
    /// [`Limits::nesting`].
    Nesting,
}

impl Limit {
    /// Its name for programs, such as `signatures`, which stays the same from version to version.
    ///
    /// ```
    /// use sealwright_jose::jws::Unverified;
    ///
    /// let error = Unverified::peek_compact(&"A".repeat(2_000_000)).unwrap_err();
    /// assert_eq!(error.kind().name(), "too_large");
    /// assert_eq!(error.limit().map(|limit| limit.name()), Some("token"));
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
            Self::Token => "token",
            Self::Signatures => "signatures",
            Self::Nesting => "nesting",
        }
    }

    /// `Ok` if `size` is within `max`.
    pub(crate) fn check(self, size: usize, max: usize) -> Result<(), Self> {
        if size > max { Err(self) } else { Ok(()) }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Header => "bytes of a header",
            Self::Payload => "bytes of the payload",
            Self::Signature => "bytes of a signature",
            Self::Token => "bytes of the token",
            Self::Signatures => "number of signatures",
            Self::Nesting => "depth of nesting",
        })
    }
}
