//! Signing a payload that comes in pieces and is carried elsewhere.

use std::fmt;

use crate::{
    Hasher, SignError, SigningKey,
    base64url::StreamEncoder,
    jws::sign::{
        general,
        secret::{Secret, Signature},
        signer::{Encoded, Signer},
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
    pending: Pending<'s>,
    payload: Payload,
}

/// Signs a detached payload that comes in pieces with several keys, in one pass and in constant memory:
/// what [`start_general_detached`] gives.
///
/// ```
/// use sealwright_jose::{Alg, MacKey, jws::{Require, Scratch, Signer, Verifier, start_general_detached}};
///
/// let keys = [MacKey::generate(Alg::Hs256)?, MacKey::generate(Alg::Hs512)?];
/// let [one, other] = keys.each_ref().map(Signer::mac);
/// let mut signing = start_general_detached(&[&one, &other])?;
/// signing.update(b"a large file"); // read once, for both
/// let json = signing.finish()?;
///
/// let verifier = Verifier::builder([Alg::Hs256, Alg::Hs512]).mac_keys(&keys).build()?;
/// let mut scratch = Scratch::new();
/// let verified = verifier.verify_detached_json(&json, b"a large file", Require::All, &mut scratch)?;
/// assert_eq!(verified.signatures().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct GeneralDetachedSigner<'s> {
    pending: Vec<Pending<'s>>,
    payload: Payload,
}

/// What the pieces of the payload become before they are signed.
struct Payload {
    /// Unless it is signed as it is.
    encoder: Option<StreamEncoder>,
}

impl Payload {
    fn new(unencoded: bool) -> Self {
        Self { encoder: (!unencoded).then(StreamEncoder::default) }
    }

    fn update(&mut self, piece: &[u8], mut take: impl FnMut(&[u8])) {
        match &mut self.encoder {
            Some(encoder) => encoder.update(piece, take),
            None => take(piece),
        }
    }

    fn finish(self, take: impl FnMut(&[u8])) {
        if let Some(encoder) = self.encoder {
            encoder.finish(take);
        }
    }
}

/// One signature in the making.
struct Pending<'s> {
    signer: &'s Signer,
    header: &'s Encoded,
    message: Message<'s>,
}

impl<'s> Pending<'s> {
    fn start(signer: &'s Signer) -> Result<Self, SignError> {
        let header = signer.encoded()?;
        let mut message = Message::start(&signer.key, signer.verify_after_signing)?;
        message.update(header.protected.as_bytes());
        message.update(b".");
        Ok(Self { signer, header, message })
    }

    fn finish(self) -> Result<Signature, SignError> {
        self.message.finish(self.signer.verify_after_signing)
    }
}

/// The part of the signing input that has come, and what will sign it.
enum Message<'s> {
    Digest(Hasher, &'s SigningKey),
    /// The second computes the tag again: when the first is finished, the message is gone.
    Mac(Box<MacContext>, Option<Box<MacContext>>),
}

impl<'s> Message<'s> {
    fn start(key: &'s Secret, verify: bool) -> Result<Self, SignError> {
        match key {
            Secret::Signing(key) => match key.alg().digest() {
                Some(hash) => Ok(Self::Digest(Hasher::new(hash), key)),
                None => Err(SignError::NeedsWholeMessage(key.alg())),
            },
            Secret::Mac(key) => {
                let again = if verify { Some(Box::new(key.start_signing()?)) } else { None };
                Ok(Self::Mac(Box::new(key.start_signing()?), again))
            }
        }
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Digest(hasher, _) => hasher.update(data),
            Self::Mac(context, again) => {
                context.update(data);
                if let Some(again) = again {
                    again.update(data);
                }
            }
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
            Self::Mac(context, again) => {
                let tag = context.finish();
                if again.is_some_and(|again| !again.verify(tag.as_bytes())) {
                    return Err(SignError::Unverified);
                }
                Ok(Signature::new(tag.as_bytes()))
            }
        }
    }
}

impl Signer {
    /// Begins to sign a detached payload that comes in pieces.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SignError, SigningKey, jws::Signer};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?;
    /// let signer = Signer::new(&key);
    /// let mut stream = signer.start_detached()?;
    /// for piece in [&b"a long "[..], b"document"] {
    ///     stream.update(piece);
    /// }
    /// let token = stream.finish_compact()?;
    /// assert!(token.starts_with("eyJhbGciOiJFUzI1NiJ9.."));
    ///
    /// let signer = Signer::new(&SigningKey::generate(Alg::Ed25519)?);
    /// assert_eq!(signer.start_detached().err(), Some(SignError::NeedsWholeMessage(Alg::Ed25519)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::NeedsWholeMessage`] for Ed25519, Ed448 and ML-DSA, which read the message twice
    /// or mix the key in first; otherwise as [`sign_flattened`](Self::sign_flattened) for a header or key
    /// that cannot be used.
    pub fn start_detached(&self) -> Result<DetachedSigner<'_>, SignError> {
        let pending = Pending::start(self)?;
        let payload = Payload::new(pending.header.unencoded);
        Ok(DetachedSigner { pending, payload })
    }
}

/// Begins to sign a detached payload that comes in pieces with each of `signers`: as
/// [`sign_general_detached`](crate::jws::sign_general_detached), in one pass and in constant memory.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::{Signer, start_general_detached}};
///
/// let ours = Signer::new(&SigningKey::generate(Alg::Es256)?.with_kid("ours"));
/// let theirs = Signer::new(&SigningKey::generate(Alg::Es384)?.with_kid("theirs"));
/// let mut signing = start_general_detached(&[&ours, &theirs])?;
/// for piece in [&b"read from "[..], b"a large file"] {
///     signing.update(piece);
/// }
/// assert!(signing.finish()?.starts_with(r#"{"signatures":[{"protected":""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`Signer::start_detached`] and [`sign_general`](crate::jws::sign_general).
pub fn start_general_detached<'s>(signers: &[&'s Signer]) -> Result<GeneralDetachedSigner<'s>, SignError> {
    let unencoded = general::headers(signers)?.first().is_some_and(|header| header.unencoded);
    let pending = signers.iter().map(|signer| Pending::start(signer)).collect::<Result<_, _>>()?;
    Ok(GeneralDetachedSigner { pending, payload: Payload::new(unencoded) })
}

impl GeneralDetachedSigner<'_> {
    /// Adds the next piece of the payload, of any length.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, sign_general_detached, start_general_detached}};
    /// # let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
    /// let mut signing = start_general_detached(&[&signer, &signer])?;
    /// for piece in [&b"a "[..], b"", b"docu", b"ment"] {
    ///     signing.update(piece);
    /// }
    /// // The same as of the whole, since MACs are: where it was cut does not matter.
    /// assert_eq!(signing.finish()?, sign_general_detached(&[&signer, &signer], b"a document")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update(&mut self, piece: &[u8]) {
        let Self { pending, payload } = self;
        payload.update(piece, |text| pending.iter_mut().for_each(|one| one.message.update(text)));
    }

    /// The general JSON serialization (RFC 7515 §7.2.1) without the payload; the signatures stand in the order of their
    /// signers.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::{Signer, UnverifiedJson, start_general_detached}};
    /// # let (one, two) = (MacKey::generate(Alg::Hs256)?, MacKey::generate(Alg::Hs512)?);
    /// let (one, two) = (Signer::mac(&one), Signer::mac(&two));
    /// let mut signing = start_general_detached(&[&two, &one])?;
    /// signing.update(b"a document");
    /// let json = UnverifiedJson::peek(&signing.finish()?)?;
    /// let headers: Vec<_> = json.protected_headers().collect();
    /// assert_eq!(headers, [r#"{"alg":"HS512"}"#, r#"{"alg":"HS256"}"#]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::Backend`], and [`SignError::Unverified`] after
    /// [`Signer::verify_after_signing`].
    pub fn finish(self) -> Result<String, SignError> {
        let Self { mut pending, payload } = self;
        payload.finish(|text| pending.iter_mut().for_each(|one| one.message.update(text)));
        let headers: Vec<_> = pending.iter().map(|one| one.header).collect();
        let signatures: Vec<_> = pending.into_iter().map(Pending::finish).collect::<Result<_, _>>()?;
        let both = headers.iter().zip(&signatures);
        let parts: Vec<_> = both.map(|(header, signature)| header.part(signature.as_ref())).collect();
        Ok(text::general(None, &parts))
    }
}

impl fmt::Debug for GeneralDetachedSigner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signers: Vec<_> = self.pending.iter().map(|one| one.signer).collect();
        f.debug_struct("GeneralDetachedSigner").field("signers", &signers).finish_non_exhaustive()
    }
}

impl DetachedSigner<'_> {
    /// Adds the next piece of the payload, of any length.
    ///
    /// ```
    /// # use std::io::Read;
    /// # use sealwright_jose::{Alg, MacKey, jws::Signer};
    /// # let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
    /// let mut file = std::io::repeat(b'x').take(100_000); // or a `File`
    /// let (mut signing, mut buffer) = (signer.start_detached()?, [0; 8192]);
    /// loop {
    ///     match file.read(&mut buffer)? {
    ///         0 => break,
    ///         len => signing.update(&buffer[..len]),
    ///     }
    /// }
    /// assert_eq!(signing.finish_compact()?, signer.sign_detached(&[b'x'; 100_000])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update(&mut self, piece: &[u8]) {
        let Self { pending, payload } = self;
        payload.update(piece, |text| pending.message.update(text));
    }

    /// The compact serialization without the payload (RFC 7515 appendix F).
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, SignError, jws::Signer};
    /// # let signer = Signer::mac(&MacKey::generate(Alg::Hs256)?);
    /// let mut signing = signer.start_detached()?;
    /// signing.update(b"a document");
    /// assert!(signing.finish_compact()?.starts_with("eyJhbGciOiJIUzI1NiJ9.."));
    ///
    /// let signer = signer.unprotected("note", "archive".into());
    /// assert_eq!(signer.start_detached()?.finish_compact(), Err(SignError::UnprotectedHeader));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::UnprotectedHeader`] if there is one, [`SignError::Backend`], and
    /// [`SignError::Unverified`] after [`Signer::verify_after_signing`].
    pub fn finish_compact(self) -> Result<String, SignError> {
        let header = self.pending.header;
        if header.unprotected.is_some() {
            return Err(SignError::UnprotectedHeader);
        }
        let signature = self.finish()?;
        Ok(text::compact_detached(&header.protected, signature.as_ref()))
    }

    /// The flattened JSON serialization (RFC 7515 §7.2.2) without the payload.
    ///
    /// ```
    /// # use sealwright_jose::{Alg, MacKey, jws::Signer};
    /// # let key = MacKey::generate(Alg::Hs256)?;
    /// let signer = Signer::mac(&key).unprotected("note", "archive".into());
    /// let mut signing = signer.start_detached()?;
    /// signing.update(b"a document");
    /// let json = signing.finish_flattened()?;
    /// assert!(json.starts_with(r#"{"protected":"eyJhbGciOiJIUzI1NiJ9","header":{"note":"archive"},"signature":""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::Backend`], and [`SignError::Unverified`] after
    /// [`Signer::verify_after_signing`].
    pub fn finish_flattened(self) -> Result<String, SignError> {
        let header = self.pending.header;
        let signature = self.finish()?;
        Ok(text::flattened(None, &header.part(signature.as_ref())))
    }

    fn finish(self) -> Result<Signature, SignError> {
        let Self { mut pending, payload } = self;
        payload.finish(|text| pending.message.update(text));
        pending.finish()
    }
}

impl fmt::Debug for DetachedSigner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedSigner").field("signer", self.pending.signer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Alg, MacKey};

    #[test]
    fn a_wrong_tag_of_pieces_is_not_given_out() {
        let careful = Signer::mac(&MacKey::generate(Alg::Hs256).unwrap()).verify_after_signing();
        for fault in [false, true] {
            let mut stream = careful.start_detached().unwrap();
            stream.update(b"x");
            let Message::Mac(_, Some(again)) = &mut stream.pending.message else {
                panic!("a tag is computed once")
            };
            if fault {
                again.update(b"bits that fell over");
            }
            assert_eq!(stream.finish_compact().err(), fault.then_some(SignError::Unverified));
        }
    }
}
