//! Signing a payload that comes in pieces and is carried elsewhere.

use std::fmt;

use crate::{
    Hasher, SignError, SigningKey,
    base64url::StreamEncoder,
    jws::sign::{
        signer::{Encoded, Secret, Signature, Signer},
        text,
    },
    provider::MacContext,
};

/// Signs a detached payload that comes in pieces, in constant memory: what
/// [`Signer::start_detached`] gives.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::Signer};
///
/// let signer = Signer::new(&SigningKey::generate(Alg::Es256)?).unencoded();
/// let mut detached = signer.start_detached()?;
/// for piece in [&b"read from "[..], b"a large file"] {
///     detached.update(piece);
/// }
/// let jws = detached.finish_compact()?;
/// assert!(jws.contains(".."), "the payload is not in it");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DetachedSigner<'s> {
    signer: &'s Signer,
    header: &'s Encoded,
    message: Message<'s>,
    /// What encodes the payload, unless it is signed as it is.
    encoder: Option<StreamEncoder>,
}

/// The part of the signing input that has come, and what will sign it.
enum Message<'s> {
    Digest(Hasher, &'s SigningKey),
    Mac(Box<MacContext>),
}

impl<'s> Message<'s> {
    fn start(key: &'s Secret) -> Result<Self, SignError> {
        match key {
            Secret::Signing(key) => match key.alg().digest() {
                Some(hash) => Ok(Self::Digest(Hasher::new(hash), key)),
                None => Err(SignError::NeedsWholeMessage(key.alg())),
            },
            Secret::Mac(key) => key.start_signing().map(|context| Self::Mac(Box::new(context))),
        }
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Digest(hasher, _) => hasher.update(data),
            Self::Mac(context) => context.update(data),
        }
    }

    fn finish(self, verify: bool) -> Result<Signature, SignError> {
        match self {
            Self::Digest(hasher, key) => {
                let digest = hasher.finish();
                let signature = key.sign_digest_with(&digest, Signature::new)?;
                if verify && key.public().verify_digest(&digest, signature.as_ref()).is_err() {
                    return Err(SignError::Unverified);
                }
                Ok(signature)
            }
            // The message is gone, so its tag cannot be computed a second time.
            Self::Mac(context) => Ok(Signature::new(context.finish().as_bytes())),
        }
    }
}

impl Signer {
    /// Begins to sign a detached payload that comes in pieces.
    ///
    /// # Errors
    ///
    /// [`SignError::NeedsWholeMessage`] for Ed25519, Ed448 and ML-DSA, which read the message twice
    /// or mix the key in first; otherwise the [`SignError`] of a header or key that cannot be used.
    pub fn start_detached(&self) -> Result<DetachedSigner<'_>, SignError> {
        let header = self.encoded()?;
        let mut message = Message::start(&self.key)?;
        message.update(header.protected.as_bytes());
        message.update(b".");
        let encoder = (!header.unencoded).then(StreamEncoder::default);
        Ok(DetachedSigner { signer: self, header, message, encoder })
    }
}

impl DetachedSigner<'_> {
    /// Adds the next piece of the payload.
    pub fn update(&mut self, piece: &[u8]) {
        let Self { message, encoder, .. } = self;
        match encoder {
            Some(encoder) => encoder.update(piece, |text| message.update(text)),
            None => message.update(piece),
        }
    }

    /// The compact serialization without the payload.
    ///
    /// # Errors
    ///
    /// [`SignError::UnprotectedHeader`] if there is one, [`SignError::Backend`], and
    /// [`SignError::Unverified`] after [`Signer::verify_after_signing`].
    pub fn finish_compact(self) -> Result<String, SignError> {
        if self.header.unprotected.is_some() {
            return Err(SignError::UnprotectedHeader);
        }
        let header = self.header;
        let signature = self.finish()?;
        Ok(text::compact_detached(&header.protected, signature.as_ref()))
    }

    /// The flattened JSON serialization without the payload.
    ///
    /// # Errors
    ///
    /// [`SignError::Backend`], and [`SignError::Unverified`] after
    /// [`Signer::verify_after_signing`].
    pub fn finish_flattened(self) -> Result<String, SignError> {
        let header = self.header;
        let signature = self.finish()?;
        Ok(text::flattened(None, &header.part(signature.as_ref())))
    }

    fn finish(self) -> Result<Signature, SignError> {
        let Self { signer, mut message, encoder, .. } = self;
        if let Some(encoder) = encoder {
            encoder.finish(|text| message.update(text));
        }
        message.finish(signer.verify_after_signing)
    }
}

impl fmt::Debug for DetachedSigner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedSigner").field("signer", self.signer).finish_non_exhaustive()
    }
}
