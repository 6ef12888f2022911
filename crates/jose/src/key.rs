//! Keys. Each carries exactly one algorithm, fixed when it is made (RFC 8725bis §3.1).

pub(crate) mod container;
pub(crate) mod crt;
pub(crate) mod der;
mod edwards;
#[cfg(feature = "ed448")]
pub(crate) mod edwards448;
pub(crate) mod encrypted;
mod foreign;
pub(crate) mod kind;
mod limbs;
pub(crate) mod material;
pub(crate) mod openssh;
pub(crate) mod pem;
mod pkcs12;
pub(crate) mod roca;

mod any;
mod inspect;
mod mac;
mod signing;
mod verifying;
mod weierstrass;

pub use any::Key;
pub use inspect::{Inspected, KeyFormat};
pub use mac::MacKey;
pub use pkcs12::Pkcs12;
pub use signing::SigningKey;
pub use verifying::VerifyingKey;

/// The most that is read of one key, in any format. A certificate or an RSA key of 8192 bits is far
/// below it.
pub(crate) const MAX_KEY_BYTES: usize = 64 * 1024;
