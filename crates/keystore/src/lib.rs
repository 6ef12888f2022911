//! Where private keys live. CONTRACT SKELETON (bodies follow).
#![allow(missing_docs, unused_variables, clippy::todo, clippy::missing_errors_doc, dead_code)]
use sealwright_jose::{jws::SigningInput, Alg, VerifyingKey};
use std::{future::Future, path::Path, pin::Pin, sync::Arc};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError { #[error("…")] Todo }

/// A key that signs somewhere else, perhaps slowly. Object-safe.
pub trait RemoteSigner: Send + Sync + std::fmt::Debug {
    fn alg(&self) -> Alg;
    fn kid(&self) -> &str;
    fn verifying_key(&self) -> &VerifyingKey;
    /// The signature in its JWS form.
    fn sign<'a>(&'a self, input: SigningInput<'a>) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, KeystoreError>> + Send + 'a>>;
}
/// A handle on a key, cheap to clone.
pub type KeyHandle = Arc<dyn RemoteSigner>;

/// The key-encryption keys: the first seals, all unseal. 32 bytes each, read as base64url or hex text.
#[derive(Clone, Debug)]
pub struct KekRing(());
/// `spec.secrets.kek`: one entry of the ring.
#[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KekSpec { pub id: String, pub file: Option<std::path::PathBuf>, pub env: Option<String> }
impl KekRing {
    pub fn read(specs: &[KekSpec], base_dir: &Path) -> Result<Self, KeystoreError> { todo!() }
    /// Text of a new random key, for `sealwright` to write into a file.
    pub fn generate_text() -> zeroize::Zeroizing<String> { todo!() }
}

/// Sealed key files in one folder: `KID.sealed.json`, AES-256-GCM under the ring, written atomically, mode 0600.
#[derive(Clone, Debug)]
pub struct SealedStore(());
impl SealedStore {
    pub fn open(dir: &Path, ring: KekRing) -> Result<Self, KeystoreError> { todo!() }
    /// Makes a key, seals it, and returns its handle; refuses a name that exists.
    pub async fn generate(&self, kid: &str, alg: Alg) -> Result<KeyHandle, KeystoreError> { todo!() }
    pub async fn import(&self, kid: &str, key: sealwright_jose::SigningKey) -> Result<KeyHandle, KeystoreError> { todo!() }
    pub async fn load(&self, kid: &str) -> Result<KeyHandle, KeystoreError> { todo!() }
    pub async fn load_or_generate(&self, kid: &str, alg: Alg) -> Result<KeyHandle, KeystoreError> { todo!() }
    pub async fn list(&self) -> Result<Vec<String>, KeystoreError> { todo!() }
}
/// A handle on a key in memory; private half zeroized when the last handle goes.
pub fn in_memory(kid: &str, key: sealwright_jose::SigningKey) -> KeyHandle { todo!() }
