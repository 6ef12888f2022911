//! The verifier: a policy built once, that a token can satisfy and not change.

use std::{str, sync::Arc};

use crate::{
    Alg, MacKey, VerifyError, VerifyErrorKind, VerifyingKey, base64url,
    header::Header,
    json::Str,
    jws::{Limits, Scratch, Verified, VerifierBuilder, compact, json},
    media_type,
};

/// Verifies by a policy that was built once: algorithms, keys, type, critical parameters, limits.
/// `Send`, `Sync`, and cheap to clone.
#[derive(Clone, Debug)]
pub struct Verifier(pub(super) Arc<Policy>);

#[derive(Debug)]
pub(super) struct Policy {
    pub(super) algs: Vec<Alg>,
    pub(super) keys: Vec<AnyKey>,
    pub(super) typ: Vec<String>,
    pub(super) typ_optional: bool,
    pub(super) understood: Vec<String>,
    pub(super) limits: Limits,
}

#[derive(Clone, Debug)]
pub(super) enum AnyKey {
    Public(VerifyingKey),
    Mac(MacKey),
}

impl AnyKey {
    pub(super) fn alg(&self) -> Alg {
        match self {
            Self::Public(key) => key.alg(),
            Self::Mac(key) => key.alg(),
        }
    }

    pub(super) fn kid(&self) -> Option<&str> {
        match self {
            Self::Public(key) => key.kid(),
            Self::Mac(key) => key.kid(),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        match self {
            Self::Public(key) => key.verify(message, signature),
            Self::Mac(key) => key.verify(message, signature),
        }
    }

    pub(super) fn same_key(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Public(one), Self::Public(other)) => one.same_key(other),
            (Self::Mac(one), Self::Mac(other)) => one.secret() == other.secret(),
            _ => false,
        }
    }
}

impl Verifier {
    /// A verifier for these algorithms and no other. An empty list does not compile.
    ///
    /// ```compile_fail
    /// sealwright_jose::jws::Verifier::builder([]);
    /// ```
    pub fn builder<const N: usize>(algs: [Alg; N]) -> VerifierBuilder {
        const { assert!(N > 0, "a verifier needs at least one algorithm") };
        Self::builder_from(&algs)
    }

    /// As [`builder`](Self::builder), for a list that is known only at run time;
    /// [`VerifierBuilder::build`] refuses an empty one.
    pub fn builder_from(algs: &[Alg]) -> VerifierBuilder {
        VerifierBuilder::new(algs)
    }

    /// Verifies a compact JWS and lends its payload.
    ///
    /// The algorithms and keys are those that this verifier was built with; the token's `alg` and
    /// `kid` can choose among them, never widen them. Nothing of the token is returned unless the
    /// signature matches.
    ///
    /// # Errors
    ///
    /// One opaque [`VerifyError`], whatever was wrong, so that a caller who passes it on is no
    /// oracle; [`VerifyError::kind`] tells logs whether the token was malformed, its algorithm not
    /// allowed, its key unknown or its signature false.
    pub fn verify_compact<'t>(
        &self,
        jws: &'t str,
        scratch: &'t mut Scratch,
    ) -> Result<Verified<'t>, VerifyError> {
        self.0.check_size(jws)?;
        let parts = compact::split(jws)?;
        let room = scratch.room(
            base64url::decoded_len(parts.protected.len())
                + base64url::decoded_len(parts.payload.len())
                + base64url::decoded_len(parts.signature.len()),
        );
        self.0.verify(parts, None, room)
    }

    /// Verifies a flattened JSON JWS and lends its payload. It takes the text, because a parsed
    /// value no longer shows what stood twice.
    ///
    /// `alg` counts only in the protected header. A `kid` in the unprotected one helps to find the
    /// key and is not reported.
    ///
    /// # Errors
    ///
    /// As [`verify_compact`](Self::verify_compact).
    pub fn verify_flattened<'t>(
        &self,
        json: &'t str,
        scratch: &'t mut Scratch,
    ) -> Result<Verified<'t>, VerifyError> {
        self.0.check_size(json)?;
        let parts = json::flattened(json, self.0.limits.depth())?;
        let unprotected = match parts.header {
            Some(text) if text.len() > self.0.limits.header_bytes => {
                return Err(VerifyErrorKind::TooLarge.into());
            }
            Some(text) => Some(Header::parse(text, self.0.limits.depth())?),
            None => None,
        };
        // What was signed does not stand in one piece, so it is put together first.
        let input_len = parts.protected.len() + 1 + parts.payload.len();
        let room = scratch.room(
            input_len
                + base64url::decoded_len(parts.protected.len())
                + base64url::decoded_len(parts.payload.len())
                + base64url::decoded_len(parts.signature.len()),
        );
        let (input, room) = room.split_at_mut(input_len);
        let (start, payload) = input.split_at_mut(parts.protected.len());
        start.copy_from_slice(parts.protected.as_bytes());
        payload[0] = b'.';
        payload[1..].copy_from_slice(parts.payload.as_bytes());
        let signing_input = str::from_utf8(input).map_err(|_| VerifyErrorKind::Malformed)?;
        let parts = compact::Parts {
            protected: &parts.protected,
            payload: &parts.payload,
            signature: &parts.signature,
            signing_input,
        };
        self.0.verify(parts, unprotected.as_ref(), room)
    }
}

impl Policy {
    fn check_size(&self, text: &str) -> Result<(), VerifyErrorKind> {
        if text.len() > self.limits.token_bytes { Err(VerifyErrorKind::TooLarge) } else { Ok(()) }
    }

    fn verify<'t>(
        &self,
        parts: compact::Parts<'_>,
        unprotected: Option<&Header<'_>>,
        room: &'t mut [u8],
    ) -> Result<Verified<'t>, VerifyError> {
        let malformed = |_| VerifyErrorKind::Malformed;
        if base64url::decoded_len(parts.protected.len()) > self.limits.header_bytes {
            return Err(VerifyErrorKind::TooLarge.into());
        }
        let (header, room) = room.split_at_mut(base64url::decoded_len(parts.protected.len()));
        let header = base64url::decode_into(parts.protected, header).map_err(malformed)?;
        let header = str::from_utf8(header).map_err(|_| VerifyErrorKind::Malformed)?;
        let header = Header::parse(header, self.limits.depth())?;
        if let Some(unprotected) = unprotected {
            header.check_unprotected(unprotected)?;
        }
        let algs = self.algs(&header)?;
        header.check_critical(&self.understood)?;
        self.check_typ(&header)?;
        let kid = header.kid.or(unprotected.and_then(|header| header.kid));
        let key = self.key(algs, kid)?;

        let (payload, signature) = room.split_at_mut(base64url::decoded_len(parts.payload.len()));
        let payload = base64url::decode_into(parts.payload, payload).map_err(malformed)?;
        let signature = base64url::decode_into(parts.signature, signature).map_err(malformed)?;
        key.verify(parts.signing_input.as_bytes(), signature)?;
        Ok(Verified {
            payload,
            header: header.text,
            alg: key.alg(),
            kid: header.kid.map(Str::decoded),
            typ: header.typ.map(Str::decoded),
            key: match key {
                AnyKey::Public(key) => Some(key.clone()),
                AnyKey::Mac(_) => None,
            },
        })
    }

    /// The allowed ones of the algorithms that the token can mean: one, or for `EdDSA` several, of
    /// which the key has one.
    fn algs(&self, header: &Header<'_>) -> Result<&'static [Alg], VerifyErrorKind> {
        let name = header.alg.ok_or(VerifyErrorKind::Malformed)?;
        let algs = Alg::meant_by(&name.decoded());
        if algs.iter().any(|alg| self.algs.contains(alg)) {
            Ok(algs)
        } else {
            Err(VerifyErrorKind::AlgNotAllowed)
        }
    }

    fn check_typ(&self, header: &Header<'_>) -> Result<(), VerifyErrorKind> {
        if self.typ.is_empty() {
            return Ok(());
        }
        let fits = match header.typ {
            Some(typ) => {
                let typ = typ.decoded();
                self.typ.iter().any(|wanted| media_type::same(wanted, &typ))
            }
            None => self.typ_optional,
        };
        if fits { Ok(()) } else { Err(VerifyErrorKind::TypMismatch) }
    }

    /// The one key of these algorithms that the token can mean. Every key is for an allowed one.
    ///
    /// A key with a `kid` is meant by that `kid` only. One without, such as a key from a PEM file,
    /// is meant by a `kid` that no other key has. A token without `kid` can mean any, so there must
    /// be just one.
    fn key(&self, algs: &[Alg], kid: Option<Str<'_>>) -> Result<&AnyKey, VerifyErrorKind> {
        let of_alg = || self.keys.iter().filter(|key| algs.contains(&key.alg()));
        let Some(kid) = kid else {
            return only(of_alg());
        };
        match only(of_alg().filter(|key| key.kid().is_some_and(|known| kid.is(known)))) {
            Err(VerifyErrorKind::KeyUnknown) => only(of_alg().filter(|key| key.kid().is_none())),
            result => result,
        }
    }
}

fn only<'a>(mut keys: impl Iterator<Item = &'a AnyKey>) -> Result<&'a AnyKey, VerifyErrorKind> {
    let key = keys.next().ok_or(VerifyErrorKind::KeyUnknown)?;
    if keys.next().is_some() { Err(VerifyErrorKind::KeyAmbiguous) } else { Ok(key) }
}
