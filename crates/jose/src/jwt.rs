//! JSON Web Token (RFC 7519): what a verified payload says, and whether it holds. Time is an
//! argument, never asked for.
//!
//! ```
//! use sealwright_jose::{Alg, SigningKey, jws::{Scratch, Signer, Verifier}, jwt::Validator};
//!
//! let key = SigningKey::generate(Alg::Es256)?;
//! let payload = br#"{"iss":"https://id.example","aud":"https://api.example","sub":"alice","exp":1764550800}"#;
//! let token = Signer::new(&key).typ("at+jwt").sign_compact(payload)?;
//!
//! // Both are built once. Each check is either expected or waived by name.
//! let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).build()?;
//! let validator = Validator::builder()
//!     .expect_typ("at+jwt")
//!     .expect_issuer("https://id.example")
//!     .expect_audience("https://api.example")
//!     .expect_expiry()
//!     .waive_not_before()
//!     .waive_max_age()
//!     .build()?;
//!
//! let mut scratch = Scratch::new();
//! let now = 1764547200;
//! let token = verifier.verify_jwt(&token, &validator, now, &mut scratch)?;
//! assert_eq!(token.claims().sub(), Some("alice"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claims;
mod error;
mod slot;
mod token;
mod validate;
mod validator;

pub use claims::{Claims, ClaimsError};
pub use error::{JwtError, JwtErrorKind};
pub use token::Token;
pub use validator::{Check, Validator, ValidatorBuilder, ValidatorError};
