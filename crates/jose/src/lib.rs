//! JSON Web Signature, Key and Token (RFC 7515, 7517, 7518, 7519, 7638, 7797, 8037, 8812, 9278,
//! 9864, 9964): strict, typed, fast.
//!
//! - [`SigningKey`], [`VerifyingKey`] and [`MacKey`]: keys, each with exactly one [`Alg`]. They come
//!   from JWK, PEM, DER and OpenSSH, also behind a password, and go back. [`Key`] is one of a kind
//!   that the caller does not know, and [`Inspected`] says what a file is and what is wrong with it.
//! - [`JwkSet`] and [`Selection`]: the keys that somebody publishes, and the one that is meant.
//! - [`jws`]: [`Signer`](jws::Signer) and [`Verifier`](jws::Verifier) for the compact, the flattened
//!   and the general JSON form; payloads in the token, beside it, in pieces, encoded or not; many
//!   tokens at once; and [`prepare`](jws::prepare) for a key that lives elsewhere.
//! - [`jwt`]: [`Validator`](jwt::Validator), to which a token's [`Claims`](jwt::Claims) are held.
//! - [`Hasher`] and [`ecdsa`], for whoever signs digests or has signatures in DER; [`base64url`].
//!
//! The crate does no I/O, asks no clock and has no global state. Nothing of it panics on any input.
//!
//! # Features
//!
//! None is on by default. `ed448` adds Ed448, by a library that is not finished yet; `unsecured` adds
//! `jws::UnsecuredJws`, which is `"alg":"none"` in a type that no verifier accepts.
//!
//! # What a token cannot do
//!
//! A token names an algorithm and a key, and both must be among those that the
//! [`Verifier`](jws::Verifier) was built with. It cannot bring a key along (`jwk`, `jku`, `x5u`,
//! `x5c` are never key sources; what proves nothing but that its sender has a key is for a verifier of
//! its own, [`PossessionVerifier`](jws::PossessionVerifier)), cannot make a public key a MAC secret (they are different types),
//! cannot say one thing twice, and cannot carry a critical parameter that nobody understands. What
//! it may be beyond that is a [`Policy`](jws::Policy) in one word, and how large it may be, its
//! [`Limits`](jws::Limits).
//!
//! # Errors
//!
//! What is wrong with a token is one opaque text for whoever sent it, and a
//! [`kind`](VerifyError::kind) for logs. What is wrong with a key, a header or a policy is said to
//! the caller ([`KeyError`], [`SignError`], [`BuildError`](jws::BuildError)). No error repeats a byte
//! of a token or key.
//!
//! # Example
//!
//! ```
//! use sealwright_jose::{Alg, JwkSet, SigningKey, jws::{Scratch, Signer, Verifier}, jwt::Validator};
//!
//! // The issuer signs …
//! let key = SigningKey::generate(Alg::Ed25519)?.with_kid("2026-11");
//! let token = Signer::new(&key)
//!     .typ("at+jwt")
//!     .sign_compact(br#"{"iss":"https://id.example","sub":"alice","exp":1764550800}"#)?;
//! let published = JwkSet::from_keys([key.verifying_key()])?.to_json();
//!
//! // … and whoever has its JWK set verifies, by rules that were fixed before the token came.
//! let keys = JwkSet::parse(&published, &[Alg::Ed25519])?;
//! let verifier = Verifier::builder([Alg::Ed25519]).keys(&keys).build()?;
//! let validator = Validator::builder()
//!     .expect_typ("at+jwt")
//!     .expect_issuer("https://id.example")
//!     .waive_audience()
//!     .expect_expiry()
//!     .waive_not_before()
//!     .waive_max_age()
//!     .build()?;
//! let (now, mut scratch) = (1764547200, Scratch::new());
//! let token = verifier.verify_jwt(&token, &validator, now, &mut scratch)?;
//! assert_eq!(token.claims().sub(), Some("alice"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]

pub mod base64url;
mod json;

mod alg;
mod digest;
mod error;
mod header;
mod media_type;

mod jwk;
mod jwk_set;
mod key;
mod thumbprint;

pub mod ecdsa;
pub mod jws;
pub mod jwt;

mod provider;

pub use alg::{Alg, UnknownAlg};
pub use digest::{Digest, Hash, Hasher};
pub use error::{KeyError, SignError, VerifyError, VerifyErrorKind};
pub use jwk_set::{JwkSet, JwkSetLimits, SelectError, Selection};
pub use key::{Inspected, Key, KeyFormat, MacKey, Pkcs12, SigningKey, VerifyingKey};

/// The page for those who come from other libraries: its examples run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/howto/from-other-libraries.md")]
mod from_other_libraries {}

/// What the repository says of the library first.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
