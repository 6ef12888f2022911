//! Signing in two phases, for a key that lives elsewhere.

use std::{fmt, sync::OnceLock};

use crate::{
    Alg, Digest, Hash, SignError, VerifyingKey, base64url,
    jws::{
        Policy,
        sign::{Header, payload, text},
    },
};

/// What is to be signed, by a key that may live elsewhere.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum SigningInput<'a> {
    /// The bytes themselves; the signer hashes them as the algorithm says.
    Message(&'a [u8]),
    /// Their digest by this hash function, which is the algorithm's, for a signer that does not
    /// want to read a large message.
    Digest(Hash, &'a [u8]),
}

impl fmt::Debug for SigningInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) => write!(f, "Message({} bytes)", message.len()),
            Self::Digest(hash, _) => write!(f, "Digest({hash:?})"),
        }
    }
}

/// A JWS without its signature: header and payload are fixed.
///
/// Each `finish…` takes the signature in its JWS form; what a device returns for ECDSA is mostly DER,
/// for which there is [`ecdsa::der_to_fixed`](crate::ecdsa::der_to_fixed). Those that end in
/// `…_checked` verify it first, so that a faulty device or a mistaken key is found out here and not
/// by whoever gets the token.
#[derive(Clone)]
pub struct Prepared {
    alg: Alg,
    protected: String,
    input: Input,
    /// The digest of the input, once it was asked for.
    digest: OnceLock<Digest>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("alg", &self.alg)
            .field("input", &self.signing_input())
            .finish_non_exhaustive()
    }
}

/// Protected header, dot, payload.
#[derive(Clone)]
enum Input {
    /// The payload is in base64url.
    Text(String),
    /// The payload stands there as it is (RFC 7797).
    Unencoded(Vec<u8>),
}

/// First phase of signing: fixes header and payload. The key gets [`Prepared::signing_input`], and
/// its signature goes into [`Prepared::finish_compact`] or another of that kind.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::{Header, SigningInput, prepare}};
///
/// let key = SigningKey::generate(Alg::Es256)?; // it could be in another building
/// let prepared = prepare(Header::new(Alg::Es256).typ("jose+json"), b"hello")?;
/// let SigningInput::Message(message) = prepared.signing_input() else { return Ok(()) };
/// let signature = key.sign(message)?;
/// let token = prepared.finish_compact_checked(&signature, &key.verifying_key())?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// The [`SignError`] of a header that cannot be written.
pub fn prepare(header: Header, payload: &[u8]) -> Result<Prepared, SignError> {
    let protected = base64url::encode(header.to_json()?);
    let input = if header.is_unencoded() {
        Input::Unencoded(text::unencoded_input(&protected, payload))
    } else {
        Input::Text(text::encoded_input(&protected, payload))
    };
    Ok(Prepared { alg: header.alg(), protected, input, digest: OnceLock::new() })
}

impl Prepared {
    /// The algorithm that the header names, and that the key must have.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// What the key signs.
    pub fn signing_input(&self) -> SigningInput<'_> {
        SigningInput::Message(self.input())
    }

    /// The digest of what the key signs, for a key that wants no more of it; `None` for algorithms
    /// that need the message (see [`Alg::digest`]). It is computed once.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Digest, SigningKey, jws::{Header, SigningInput, prepare}};
    ///
    /// let key = SigningKey::generate(Alg::Es256)?; // it could be in another building
    /// let prepared = prepare(Header::new(Alg::Es256), b"hello")?;
    /// let Some(SigningInput::Digest(hash, bytes)) = prepared.digest() else { return Ok(()) };
    /// let signature = key.sign_digest(&Digest::from_bytes(hash, bytes).ok_or("length")?)?;
    /// prepared.finish_compact_checked(&signature, &key.verifying_key())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn digest(&self) -> Option<SigningInput<'_>> {
        let hash = self.alg.digest()?;
        let digest = self.digest.get_or_init(|| Digest::of(hash, self.input()));
        Some(SigningInput::Digest(hash, digest.as_bytes()))
    }

    /// The compact serialization with this signature.
    ///
    /// # Errors
    ///
    /// [`SignError::SignatureLength`] if the algorithm has no signatures of that length,
    /// [`SignError::Unencoded`] for an unencoded payload that can only be detached.
    pub fn finish_compact(self, signature: &[u8]) -> Result<String, SignError> {
        self.check_len(signature)?;
        let mut jws = match self.input {
            Input::Text(text) => text,
            Input::Unencoded(input) => {
                let payload = payload::unencoded_compact(&input[self.protected.len() + 1..], Policy::Strict)?;
                [&self.protected, ".", payload].concat()
            }
        };
        jws.reserve_exact(1 + base64url::encoded_len(signature.len()));
        jws.push('.');
        base64url::encode_to(signature, &mut jws);
        Ok(jws)
    }

    /// As [`finish_compact`](Self::finish_compact), with the payload detached (RFC 7515 appendix F).
    ///
    /// # Errors
    ///
    /// [`SignError::SignatureLength`] if the algorithm has no signatures of that length.
    pub fn finish_detached(self, signature: &[u8]) -> Result<String, SignError> {
        self.check_len(signature)?;
        Ok(text::compact_detached(&self.protected, signature))
    }

    /// The flattened JSON serialization with this signature.
    ///
    /// # Errors
    ///
    /// [`SignError::SignatureLength`] if the algorithm has no signatures of that length,
    /// [`SignError::Unencoded`] for an unencoded payload that is not UTF-8.
    pub fn finish_flattened(self, signature: &[u8]) -> Result<String, SignError> {
        self.check_len(signature)?;
        let start = self.protected.len() + 1;
        let payload = match &self.input {
            Input::Text(text) => format!("\"{}\"", &text[start..]),
            Input::Unencoded(input) => payload::json_member(&input[start..], true)?,
        };
        Ok(text::flattened(Some(&payload), &self.part(signature)))
    }

    /// As [`finish_flattened`](Self::finish_flattened), with the payload detached.
    ///
    /// # Errors
    ///
    /// [`SignError::SignatureLength`] if the algorithm has no signatures of that length.
    pub fn finish_flattened_detached(self, signature: &[u8]) -> Result<String, SignError> {
        self.check_len(signature)?;
        Ok(text::flattened(None, &self.part(signature)))
    }

    /// [`finish_compact`](Self::finish_compact), if `key` verifies the signature.
    ///
    /// # Errors
    ///
    /// As that, and [`SignError::Unverified`].
    pub fn finish_compact_checked(self, signature: &[u8], key: &VerifyingKey) -> Result<String, SignError> {
        self.verify(signature, key)?;
        self.finish_compact(signature)
    }

    /// [`finish_detached`](Self::finish_detached), if `key` verifies the signature.
    ///
    /// # Errors
    ///
    /// As that, and [`SignError::Unverified`].
    pub fn finish_detached_checked(self, signature: &[u8], key: &VerifyingKey) -> Result<String, SignError> {
        self.verify(signature, key)?;
        self.finish_detached(signature)
    }

    /// [`finish_flattened`](Self::finish_flattened), if `key` verifies the signature.
    ///
    /// # Errors
    ///
    /// As that, and [`SignError::Unverified`].
    pub fn finish_flattened_checked(self, signature: &[u8], key: &VerifyingKey) -> Result<String, SignError> {
        self.verify(signature, key)?;
        self.finish_flattened(signature)
    }

    /// [`finish_flattened_detached`](Self::finish_flattened_detached), if `key` verifies the
    /// signature.
    ///
    /// # Errors
    ///
    /// As that, and [`SignError::Unverified`].
    pub fn finish_flattened_detached_checked(
        self,
        signature: &[u8],
        key: &VerifyingKey,
    ) -> Result<String, SignError> {
        self.verify(signature, key)?;
        self.finish_flattened_detached(signature)
    }

    fn part<'a>(&'a self, signature: &'a [u8]) -> text::Part<'a> {
        text::Part { protected: &self.protected, unprotected: None, signature }
    }

    fn input(&self) -> &[u8] {
        match &self.input {
            Input::Text(text) => text.as_bytes(),
            Input::Unencoded(bytes) => bytes,
        }
    }

    fn check_len(&self, signature: &[u8]) -> Result<(), SignError> {
        check_len(self.alg, signature)
    }

    fn verify(&self, signature: &[u8], key: &VerifyingKey) -> Result<(), SignError> {
        self.check_len(signature)?;
        if key.alg() != self.alg {
            return Err(SignError::AlgMismatch { key: key.alg() });
        }
        key.verify(self.input(), signature).map_err(|_| SignError::Unverified)
    }
}

fn check_len(alg: Alg, signature: &[u8]) -> Result<(), SignError> {
    let len = signature.len();
    if alg.signature_len_is_possible(len) { Ok(()) } else { Err(SignError::SignatureLength { alg, len }) }
}
