//! One way to sign, wherever the key lives.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use sealwright_jose::{Alg, SigningKey, VerifyingKey, jws::SigningInput};

use crate::KeystoreError;

/// From this size on hashing the message takes long enough to be moved off the async threads.
const INLINE_BYTES: usize = 64 * 1024;

/// What [`RemoteSigner::sign`] gives: the signature in its JWS form, some time.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, KeystoreError>> + Send + 'a>>;

/// A key that signs somewhere else, perhaps slowly: in memory here, in a token or a service later.
///
/// The caller fixes header and payload first (`jws::prepare`), has the input signed here, and finishes
/// the JWS with the result, so that no lock and no transaction need be held while the key works.
pub trait RemoteSigner: Send + Sync + fmt::Debug {
    /// The one algorithm of this key.
    fn alg(&self) -> Alg;

    /// The key's name, as it stands in `kid`.
    fn kid(&self) -> &str;

    /// The public half.
    fn verifying_key(&self) -> &VerifyingKey;

    /// The signature in its JWS form (ECDSA: r‖s, RFC 7518 §3.4).
    fn sign<'a>(&'a self, input: SigningInput<'a>) -> Signing<'a>;
}

/// A handle on a key, cheap to clone.
pub type KeyHandle = Arc<dyn RemoteSigner>;

/// A handle on a key in memory, which goes out of memory with the last clone of the handle.
///
/// The private half lives in aws-lc's own structures, which wipe their numbers when they are freed.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use sealwright_jose::{Alg, SigningKey};
///
/// let key = sealwright_keystore::in_memory("k1", SigningKey::generate(Alg::Es256)?);
/// assert_eq!(key.kid(), "k1");
/// assert_eq!(key.alg(), Alg::Es256);
/// # Ok(())
/// # }
/// ```
pub fn in_memory(kid: &str, key: SigningKey) -> KeyHandle {
    let key = key.with_kid(kid);
    let public = key.verifying_key().with_kid(kid);
    Arc::new(InMemory { kid: kid.to_owned(), key, public })
}

struct InMemory {
    kid: String,
    key: SigningKey,
    public: VerifyingKey,
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory").field("kid", &self.kid).field("alg", &self.alg()).finish_non_exhaustive()
    }
}

impl RemoteSigner for InMemory {
    fn alg(&self) -> Alg {
        self.key.alg()
    }

    fn kid(&self) -> &str {
        &self.kid
    }

    fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    fn sign<'a>(&'a self, input: SigningInput<'a>) -> Signing<'a> {
        Box::pin(async move {
            let SigningInput::Message(message) = input else {
                return Err(KeystoreError::Unavailable(
                    "this form of signing input is not known here".into(),
                ));
            };
            let signed = if is_slow(self.alg(), message) {
                // An RSA signature takes about a millisecond, which other requests would wait for. The copy of
                // a long message costs less than hashing it.
                let (key, message) = (self.key.clone(), message.to_vec());
                tokio::task::spawn_blocking(move || key.sign(&message))
                    .await
                    .map_err(|e| KeystoreError::Unavailable(e.to_string()))?
            } else {
                self.key.sign(message)
            };
            signed.map_err(|source| KeystoreError::Sign { kid: self.kid.clone(), source })
        })
    }
}

fn is_slow(alg: Alg, message: &[u8]) -> bool {
    message.len() > INLINE_BYTES || alg.is_rsa()
}
