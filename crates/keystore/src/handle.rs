//! One way to sign, wherever the key lives.

use std::{
    borrow::Cow,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock},
    thread,
};

use sealwright_jose::{
    Alg, Digest, SignError, SigningKey, VerifyingKey,
    jws::{Prepared, SigningInput},
};
use tokio::{sync::Semaphore, task::yield_now};

use crate::KeystoreError;

/// From this size on hashing the message takes long enough to be moved off the async threads.
const INLINE_BYTES: usize = 64 * 1024;

/// RSA keys with a longer modulus take milliseconds for a signature, which is moved off the async threads, too.
const INLINE_RSA_BYTES: usize = 2048 / 8;

/// So many long signatures are made at once, the others wait in order: more than there are processors would share them, and
/// all of them would end late.
static TURNS: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(thread::available_parallelism().map_or(1, usize::from))));

/// What [`RemoteSigner::sign`] gives: the signature in its JWS form, some time.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, KeystoreError>> + Send + 'a>>;

/// A key that signs somewhere else, perhaps slowly: in memory here, in a token or a service later.
///
/// The caller fixes header and payload first (`jws::prepare`), has the input signed here, and finishes
/// the JWS with the result, so that no lock and no transaction need be held while the key works.
///
/// Callers use [`sign_prepared`](Self::sign_prepared) or [`sign_message`](Self::sign_message), which give
/// the key the form of input that it takes; an implementation writes [`sign`](Self::sign).
pub trait RemoteSigner: Send + Sync + fmt::Debug {
    /// The one algorithm of this key.
    fn alg(&self) -> Alg;

    /// The key's name, as it stands in `kid`.
    fn kid(&self) -> &str;

    /// The public half.
    fn verifying_key(&self) -> &VerifyingKey;

    /// Whether it takes digests rather than messages where its algorithm allows that (RSA, ECDSA), as the
    /// signing services of the clouds do. Default: no.
    fn takes_digests(&self) -> bool {
        false
    }

    /// The signature in its JWS form (ECDSA: r‖s, RFC 7518 §3.4).
    fn sign<'a>(&'a self, input: SigningInput<'a>) -> Signing<'a>;

    /// The signature of a JWS in preparation, for [`Prepared::signed`].
    fn sign_prepared<'a>(&'a self, prepared: &'a Prepared) -> Signing<'a> {
        let digest = if self.takes_digests() { prepared.digest() } else { None };
        self.sign(match digest {
            Some(digest) => SigningInput::Digest(digest.hash(), digest.as_bytes()),
            None => prepared.signing_input(),
        })
    }

    /// The signature of a message that is no JWS, such as a certificate.
    fn sign_message<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        match self.alg().digest() {
            Some(hash) if self.takes_digests() => Box::pin(async move {
                let digest = Digest::of(hash, message);
                self.sign(SigningInput::Digest(hash, digest.as_bytes())).await
            }),
            _ => self.sign(SigningInput::Message(message)),
        }
    }
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
    let is_slow = key.alg().is_rsa() && key.signature_len() > INLINE_RSA_BYTES;
    Arc::new(InMemory { kid: kid.to_owned(), key, public, is_slow })
}

struct InMemory {
    kid: String,
    key: SigningKey,
    public: VerifyingKey,
    /// Whether each signature is moved off the async threads.
    is_slow: bool,
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
            let input = Input::read(input)?;
            let signed = if input.is_long() || self.is_slow {
                // The turn is kept until the signature is made, also if nobody waits for it any more. The semaphore is never
                // closed.
                let turn = Arc::clone(&TURNS).acquire_owned().await;
                // Copied only now, so that those who wait hold no copies. The copy of a long message costs less than hashing it.
                let (key, input) = (self.key.clone(), input.into_owned());
                let sign = move || {
                    let signed = input.sign(&key);
                    drop(turn);
                    signed
                };
                tokio::task::spawn_blocking(sign)
                    .await
                    .map_err(|e| KeystoreError::Unavailable(e.to_string()))?
            } else if self.alg().is_rsa() {
                // Half a millisecond: less than it costs to have another thread do it, but too long to make one after the
                // other while others wait. They come first, those whom the network has to tell of too.
                let _turn = TURNS.acquire().await;
                yield_now().await;
                input.sign(&self.key)
            } else {
                input.sign(&self.key)
            };
            signed.map_err(|source| KeystoreError::Sign { kid: self.kid.clone(), source })
        })
    }
}

/// What a key in memory signs.
enum Input<'a> {
    Message(Cow<'a, [u8]>),
    Digest(Digest),
}

impl<'a> Input<'a> {
    fn read(input: SigningInput<'a>) -> Result<Self, KeystoreError> {
        let read = match input {
            SigningInput::Message(message) => Some(Self::Message(Cow::Borrowed(message))),
            SigningInput::Digest(hash, bytes) => Digest::from_bytes(hash, bytes).map(Self::Digest),
            _ => None,
        };
        read.ok_or_else(|| KeystoreError::Unavailable("this form of signing input is not known here".into()))
    }

    fn is_long(&self) -> bool {
        matches!(self, Self::Message(message) if message.len() > INLINE_BYTES)
    }

    fn into_owned(self) -> Input<'static> {
        match self {
            Self::Message(message) => Input::Message(Cow::Owned(message.into_owned())),
            Self::Digest(digest) => Input::Digest(digest),
        }
    }

    fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Message(message) => key.sign(message),
            Self::Digest(digest) => key.sign_digest(digest),
        }
    }
}
