//! JSON Web Signature, Key and Token (RFC 7515, 7517, 7518, 7519, 7638, 8037, 9864): strict, typed,
//! fast.
//!
//! - [`SigningKey`], [`VerifyingKey`], [`MacKey`] and [`JwkSet`]: keys, each with exactly one
//!   algorithm.
//! - [`jws`]: [`Signer`](jws::Signer) and [`Verifier`](jws::Verifier) for the compact and the
//!   flattened JSON form.
//! - [`jwt::Claims`]: a verified payload as claims of the right types.
//!
//! The crate does no I/O, asks no clock and has no global state.
//!
//! # What a token cannot do
//!
//! A token names an algorithm and a key, and both must be among those that the
//! [`Verifier`](jws::Verifier) was built with. It cannot bring a key along (`jwk`, `jku`, `x5u`,
//! `x5c` are never key sources), cannot make a public key a MAC secret (they are different types),
//! cannot say one thing twice, and cannot carry a critical parameter that nobody understands.
//! `none` does not exist.
//!
//! # Example
//!
//! ```
//! use sealwright_jose::{Alg, JwkSet, SigningKey, jws::{Scratch, Signer, Verifier}, jwt::Claims};
//!
//! // The issuer signs …
//! let key = SigningKey::generate(Alg::Ed25519)?.with_kid("2026-11");
//! let token = Signer::new(&key).typ("at+jwt").sign_compact(br#"{"sub":"alice","exp":1764547200}"#)?;
//! let published = JwkSet::from_keys([key.verifying_key()])?.to_json();
//!
//! // … and whoever has its JWK set verifies.
//! let keys = JwkSet::parse(&published, &[Alg::Ed25519])?;
//! let verifier = Verifier::builder([Alg::Ed25519]).keys(&keys).typ("at+jwt").build()?;
//! let mut scratch = Scratch::new();
//! let verified = verifier.verify_compact(&token, &mut scratch)?;
//! let claims = Claims::parse(verified.payload())?;
//! assert_eq!(claims.sub(), Some("alice"));
//! assert!(claims.exp().is_some_and(|exp| exp > 1764547000), "the caller knows what time it is");
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
pub use key::{Inspected, Key, KeyFormat, MacKey, SigningKey, VerifyingKey};

/// The page for those who come from other libraries: its examples run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/howto/from-other-libraries.md")]
mod from_other_libraries {}
