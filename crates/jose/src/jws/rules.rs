//! What a verifier was built with, and what that decides about one header.

use std::{borrow::Cow, str};

use crate::{
    Alg, MacKey, VerifyError, VerifyErrorKind, VerifyingKey, base64url,
    header::{Header, HeaderRules},
    json::Str,
    jws::{Limit, Limits, Policy, remembered::Remembered, scratch::Room},
    media_type,
};

#[derive(Debug)]
pub(super) struct Rules {
    pub(super) header: HeaderRules,
    pub(super) algs: Vec<Alg>,
    pub(super) keys: Vec<AnyKey>,
    /// Whether the one key was named by itself, so that under [`Policy::Joserfc`] no `kid` is
    /// looked at.
    pub(super) lone_key: bool,
    /// How many characters the longest signature of these keys has.
    pub(super) signature_len: usize,
    pub(super) typ: Vec<String>,
    pub(super) typ_optional: bool,
    pub(super) try_all: usize,
    pub(super) limits: Limits,
    pub(super) remembered: Remembered,
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

    /// How many bytes its signatures have.
    pub(super) fn signature_len(&self) -> usize {
        match self {
            Self::Public(key) => key.signature_len(),
            Self::Mac(key) => key.alg().signature_len().unwrap_or_default(),
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        match self {
            Self::Public(key) => key.verify(message, signature),
            Self::Mac(key) => key.verify(message, signature),
        }
    }

    /// Whether it is the same key, under whatever `kid` and algorithm.
    pub(super) fn same_key(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Public(one), Self::Public(other)) => one.same_key(other),
            (Self::Mac(one), Self::Mac(other)) => one.secret() == other.secret(),
            _ => false,
        }
    }
}

/// The keys that a header can mean, by their place in [`Rules::keys`].
pub(super) enum Fit {
    One(usize),
    /// Each may be tried, because the caller said so.
    Several(Vec<usize>),
}

impl Fit {
    pub(super) fn keys(&self) -> &[usize] {
        match self {
            Self::One(key) => std::slice::from_ref(key),
            Self::Several(keys) => keys,
        }
    }
}

/// What the headers of one signature decide, after they kept every rule.
pub(super) struct Decision<'t> {
    /// The protected header's JSON.
    pub(super) header: &'t str,
    pub(super) kid: Option<Cow<'t, str>>,
    pub(super) typ: Option<Cow<'t, str>>,
    pub(super) unencoded: bool,
    pub(super) fit: Fit,
}

/// The outcome of reading the headers of one signature.
pub(super) struct Reading<'t> {
    pub(super) decision: Result<Decision<'t>, VerifyError>,
    /// What its `b64` says, even if the signature is refused; `None` if that cannot be read.
    pub(super) claims_unencoded: Option<bool>,
}

impl Rules {
    pub(super) fn policy(&self) -> Policy {
        self.header.policy
    }

    pub(super) fn check_token(&self, text: &str) -> Result<(), Limit> {
        Limit::Token.check(text.len(), self.limits.token_bytes)
    }

    /// Joserfc bounds the compact form as a whole, too, by the sum of its parts.
    pub(super) fn check_compact(&self, jws: &str) -> Result<(), Limit> {
        if self.policy() != Policy::Joserfc {
            return Ok(());
        }
        let parts = [self.limits.header_bytes, self.limits.payload_bytes, self.limits.signature_bytes];
        Limit::Token.check(jws.len(), parts.into_iter().fold(0, usize::saturating_add))
    }

    /// The size of a base64url text that a limit is compared with.
    fn size(&self, encoded: &str) -> usize {
        if self.policy() == Policy::Joserfc { encoded.len() } else { base64url::decoded_len(encoded.len()) }
    }

    pub(super) fn check_payload(&self, encoded: &str, unencoded: bool) -> Result<(), Limit> {
        let size = if unencoded { encoded.len() } else { self.size(encoded) };
        Limit::Payload.check(size, self.limits.payload_bytes)
    }

    pub(super) fn check_signature(&self, encoded: &str) -> Result<(), Limit> {
        Limit::Signature.check(self.size(encoded), self.limits.signature_bytes)
    }

    /// Reads the headers of one signature; what is decoded lives in `room`.
    ///
    /// `protected` is empty if there is no protected header, which only JSON can say.
    pub(super) fn read<'t>(
        &'t self,
        protected: &str,
        unprotected: Option<&str>,
        room: &mut Room<'t>,
    ) -> Reading<'t> {
        if unprotected.is_none()
            && let Some(decision) = self.remembered.find(protected)
        {
            return Reading { claims_unencoded: Some(decision.unencoded), decision: Ok(decision) };
        }
        match self.header(protected, room) {
            Ok(header) => Reading {
                claims_unencoded: Some(header.claims_unencoded()),
                decision: self.decide(header, unprotected),
            },
            Err(error) => Reading { claims_unencoded: None, decision: Err(error) },
        }
    }

    /// As [`read`](Self::read), for a header that is alone and not remembered.
    pub(super) fn read_new<'t>(
        &self,
        protected: &str,
        room: &mut Room<'t>,
    ) -> Result<Decision<'t>, VerifyError> {
        self.decide(self.header(protected, room)?, None)
    }

    pub(super) fn header<'t>(&self, protected: &str, room: &mut Room<'t>) -> Result<Header<'t>, VerifyError> {
        if protected.is_empty() {
            return Header::parse("{}", &self.header);
        }
        Limit::Header.check(self.size(protected), self.limits.header_bytes)?;
        let malformed = VerifyErrorKind::Malformed;
        let bytes = room.decode(protected)?;
        let header = Header::parse(str::from_utf8(bytes).map_err(|_| malformed)?, &self.header)?;
        // An empty header is left out, never written (RFC 7515 §7.2.1).
        if header.is_empty() { Err(malformed.into()) } else { Ok(header) }
    }

    fn decide<'t>(&self, header: Header<'t>, unprotected: Option<&str>) -> Result<Decision<'t>, VerifyError> {
        let unprotected = match unprotected {
            Some(text) => {
                Limit::Header.check(text.len(), self.limits.unprotected_bytes(self.policy()))?;
                let unprotected = Header::parse(text, &self.header)?;
                header.check_unprotected(&unprotected, self.policy())?;
                Some(unprotected)
            }
            None => None,
        };
        let alg = header.alg.or(unprotected.as_ref().and_then(|header| header.alg));
        let meant = self.meant(alg.ok_or(VerifyErrorKind::Malformed)?)?;
        header.check_critical(&self.header)?;
        self.check_typ(&header)?;
        header.check_declared(unprotected.as_ref(), &self.header)?;
        let kid = header.kid.or(unprotected.as_ref().and_then(|header| header.kid));
        Ok(Decision {
            header: header.text,
            kid: header.kid.map(Str::decoded),
            typ: header.typ.map(Str::decoded),
            unencoded: header.claims_unencoded(),
            fit: self.fit(meant, kid)?,
        })
    }

    /// The algorithms that the token can mean: one, or for `EdDSA` several, of which the key has
    /// one. Every key is for an allowed one.
    pub(super) fn meant(&self, name: Str<'_>) -> Result<&'static [Alg], VerifyErrorKind> {
        let algs = Alg::meant_by(&name.decoded());
        if algs.iter().any(|alg| self.algs.contains(alg)) {
            Ok(algs)
        } else {
            Err(VerifyErrorKind::AlgNotAllowed)
        }
    }

    pub(super) fn check_typ(&self, header: &Header<'_>) -> Result<(), VerifyErrorKind> {
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

    /// The one key of this algorithm that the token can mean, or those that may be tried.
    ///
    /// A key with a `kid` is meant by that `kid` only. One without, such as a key from a PEM file,
    /// is meant by a `kid` that no other key has. A token without `kid` can mean any, so there must
    /// be just one.
    fn fit(&self, meant: &[Alg], kid: Option<Str<'_>>) -> Result<Fit, VerifyErrorKind> {
        let looked_at = kid.filter(|_| !(self.lone_key && self.policy() == Policy::Joserfc));
        let Some(kid) = looked_at else {
            return self.only(meant, |_| true);
        };
        match self.only(meant, |key| key.kid().is_some_and(|known| kid.is(known))) {
            Err(VerifyErrorKind::KeyUnknown) => self.only(meant, |key| key.kid().is_none()),
            result => result,
        }
    }

    fn only(&self, meant: &[Alg], fits: impl Fn(&AnyKey) -> bool) -> Result<Fit, VerifyErrorKind> {
        let mut keys = self.keys.iter().enumerate();
        let mut next =
            || keys.find(|(_, key)| meant.contains(&key.alg()) && fits(key)).map(|(index, _)| index);
        let first = next().ok_or(VerifyErrorKind::KeyUnknown)?;
        let Some(second) = next() else {
            return Ok(Fit::One(first));
        };
        let mut several = vec![first, second];
        several.extend(std::iter::from_fn(next));
        if several.len() > self.try_all {
            Err(VerifyErrorKind::KeyAmbiguous)
        } else {
            Ok(Fit::Several(several))
        }
    }

    /// The key by which `signature` is valid.
    pub(super) fn verify(&self, fit: &Fit, input: &[u8], signature: &[u8]) -> Result<&AnyKey, VerifyError> {
        let keys = fit.keys().iter().map(|index| &self.keys[*index]);
        let mut refused = VerifyErrorKind::Signature.into();
        for key in keys {
            match key.verify(input, signature) {
                Ok(()) => return Ok(key),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}
