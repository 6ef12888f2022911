//! JSON Web Signature (RFC 7515): compact (§3.1), general JSON (§7.2.1) and flattened JSON (§7.2.2),
//! each with the payload in it or detached (appendix F), encoded or as it is (RFC 7797).
//!
//! ```
//! use sealwright_jose::{Alg, SigningKey, jws::{Scratch, Signer, Verifier}};
//!
//! let key = SigningKey::generate(Alg::Es256)?.with_kid("2026-11");
//! let token = Signer::new(&key).typ("JWT").sign_compact(br#"{"sub":"alice"}"#)?;
//!
//! // Built once, shared by all requests.
//! let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).typ("JWT").build()?;
//!
//! let mut scratch = Scratch::new();
//! let verified = verifier.verify_compact(&token, &mut scratch)?;
//! assert_eq!(verified.payload(), br#"{"sub":"alice"}"#);
//! assert_eq!(verified.kid(), Some("2026-11"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod builder;
mod compact;
mod detached;
mod general;
mod json;
mod limits;
mod parameter;
mod policy;
mod possession;
mod remembered;
mod rules;
mod scratch;
mod sign;
mod signed;
mod stream;
#[cfg(feature = "unsecured")]
mod unsecured;
mod unverified;
mod verified;
mod verify;

pub use builder::{BuildError, VerifierBuilder};
pub use general::{Report, Require, VerifiedGeneral};
pub(crate) use limits::MAX_NESTING;
pub use limits::{Limit, Limits};
pub use parameter::ParameterType;
pub use policy::Policy;
pub use possession::{Possession, PossessionError, PossessionVerifier};
pub use scratch::Scratch;
pub use sign::{
    DetachedSigner, GeneralDetachedSigner, Header, Prepared, Signed, Signer, SigningInput, general,
    general_detached, prepare, sign_general, sign_general_detached, start_general_detached,
};
pub use stream::{DetachedExaminer, DetachedReport, DetachedVerifier, VerifiedDetached};
#[cfg(feature = "unsecured")]
pub use unsecured::UnsecuredJws;
pub use unverified::{Unverified, UnverifiedJson};
pub use verified::{Verified, VerifiedSignature};
pub use verify::Verifier;
