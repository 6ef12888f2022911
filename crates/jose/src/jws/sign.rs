//! Producing a JWS: at once with a key at hand, or in two phases with a key that lives elsewhere.

mod detached;
#[cfg(test)]
mod faults;
mod general;
mod header;
mod member;
mod payload;
mod prepared;
mod secret;
mod signer;
mod text;

pub use detached::{DetachedSigner, GeneralDetachedSigner, start_general_detached};
pub use general::{sign_general, sign_general_detached};
pub use header::Header;
pub use prepared::{Prepared, Signed, SigningInput, general, general_detached, prepare};
pub use signer::Signer;
