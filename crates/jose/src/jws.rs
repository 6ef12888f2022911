//! JSON Web Signature (RFC 7515): compact (§3.1) and flattened JSON (§7.2.2).
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

mod builder;
mod compact;
mod json;
mod limits;
mod policy;
mod sign;
mod unverified;
mod verified;
mod verify;

pub use builder::{BuildError, VerifierBuilder};
pub use limits::Limits;
pub use policy::Policy;
pub use sign::{
    DetachedSigner, Header, Prepared, Signer, SigningInput, prepare, sign_general, sign_general_detached,
};
pub use unverified::Unverified;
pub use verified::{Scratch, Verified};
pub use verify::Verifier;
