//! Where private keys live, and one way to sign with them.
//!
//! [`SealedStore`] keeps keys in files that are encrypted under a [`KekRing`]; whoever signs holds a
//! [`KeyHandle`] and does not know where the key is. A sealed file can be copied into a backup: without the
//! key-encryption key it is of no use, and renamed, swapped or changed it does not open. A [`KeyProvider`] makes
//! and opens the same for those who keep their records elsewhere, such as in a database.
//!
//! This crate never logs, prints or returns a private key or a key-encryption key.
#![warn(missing_docs)]

mod blocking;
mod error;
mod handle;
mod kek;
mod name;
mod pkcs11;
mod provider;
mod sealed;

pub use error::{KeystoreError, Origin};
pub use handle::{KeyHandle, RemoteSigner, Signing, in_memory};
pub use kek::{KekRing, KekSpec};
pub use pkcs11::{KekPkcs11Spec, Pkcs11Settings, Pkcs11Spec, Pkcs11Token, TokenError, TokenName};
pub use provider::{Kept, KeyProvider};
pub use sealed::{Resealed, SealedStore, StoreLock};
