//! Whether a token was sent by the one that it was issued to (RFC 7800 `cnf`): the proof of a key ([`dpop`], RFC
//! 9449), or the certificate of the connection ([`ClientCertificate`], RFC 8705).

mod binding;
pub mod dpop;
mod mtls;

pub(crate) use binding::Binding;
pub use mtls::{CertThumbprint, ClientCertificate};

use crate::{
    AccessToken, Challenge, ConfigError, Request, Scheme, TokenError, metadata::ProtectedResource,
    request::Credentials,
};
use binding::Methods;
use dpop::{DpopError, DpopOptions, DpopVerifier, Expect, Proof};
use http::HeaderValue;
use std::fmt;

/// Whether tokens must be bound to their sender, and how.
///
/// Whatever is required, a token that says that it is bound (`cnf`) is never accepted from somebody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SenderConstraint {
    /// A token that is bound must be proven, and one that is not passes as `Bearer`.
    #[default]
    IfBound,
    /// Each token must be bound to a key by DPoP (RFC 9449).
    Dpop,
    /// Each token must be bound to the client certificate of the connection (RFC 8705 §3).
    Mtls,
}

/// What an authenticator asks of senders.
pub(crate) struct SenderPolicy {
    constraint: SenderConstraint,
    dpop: Option<Dpop>,
}

struct Dpop {
    verifier: DpopVerifier,
    /// What stands before the path of each `htu`; without a slash at its end.
    external_url: String,
}

impl SenderPolicy {
    /// DPoP is understood where it is known under which URL clients reach this API: a proof names it, and the
    /// `Host` header is written by whoever sends the request.
    pub(crate) fn new(
        constraint: SenderConstraint,
        options: DpopOptions,
        resource: Option<&ProtectedResource>,
    ) -> Result<Self, ConfigError> {
        let external_url = match (&options.external_url, resource) {
            (Some(url), _) => Some(url.as_str()),
            (None, Some(resource)) => Some(resource.origin()),
            (None, None) => None,
        };
        if external_url.is_none() && constraint == SenderConstraint::Dpop {
            return Err(ConfigError::ExternalUrlMissing);
        }
        if let Some(member) =
            resource.and_then(|resource| resource.contradicted_by(constraint, &options.algs))
        {
            return Err(ConfigError::ResourceContradicted { member });
        }
        let external_url = external_url.map(|url| url.trim_end_matches('/').to_owned());
        // The options are checked even where nothing is done by them.
        let verifier = DpopVerifier::new(options)?;
        let dpop = external_url.map(|external_url| Dpop { verifier, external_url });
        Ok(Self { constraint, dpop })
    }

    /// Lets a proof that was [checked](Self::check) pass once; in a dry run, says whether it would.
    pub(crate) fn pass_once(&self, proof: &Proof, now_s: i64, dry_run: bool) -> Result<(), TokenError> {
        let dpop = self.dpop.as_ref().ok_or(TokenError::SenderConstraintFailed)?;
        Ok(match dry_run {
            true => dpop.verifier.would_pass(proof, now_s),
            false => dpop.verifier.pass_once(proof, now_s),
        }?)
    }

    /// What a token is bound to, and whether its sender has that. A proof that shows it has still to
    /// [pass once](Self::pass_once).
    ///
    /// `sent` is the request that the token came in, and `None` where somebody presents a token without one.
    #[inline]
    pub(crate) fn check(
        &self,
        token: &AccessToken,
        sent: Option<(&Request<'_>, &Credentials<'_>)>,
        now_s: i64,
    ) -> Result<Option<Proof>, TokenError> {
        let binding = match token.binding() {
            // Most are bound to nothing, and sent as what they are.
            None if self.constraint == SenderConstraint::IfBound => {
                return match sent {
                    Some((_, Credentials { scheme: Scheme::Dpop, .. })) => Err(TokenError::SchemeMismatch),
                    _ => Ok(None),
                };
            }
            None => return Err(TokenError::SenderUnbound),
            Some(Binding::Known(methods)) => *methods,
            Some(Binding::Unknown) => return Err(TokenError::SenderConstraintFailed),
        };
        match self.constraint {
            SenderConstraint::Dpop if binding.jkt.is_none() => return Err(TokenError::SenderUnbound),
            SenderConstraint::Mtls if binding.x5t.is_none() => return Err(TokenError::SenderUnbound),
            _ => {}
        }
        let Some((request, credentials)) = sent else {
            return if binding.is_none() { Ok(None) } else { Err(TokenError::SenderConstraintFailed) };
        };
        // RFC 9449 §7.1 and §7.2: a token that is bound to a key must not pass as one that is not, and the other
        // way round whoever speaks DPoP believes in a protection that such a token does not have.
        if binding.jkt.is_some() != (credentials.scheme == Scheme::Dpop) {
            return Err(TokenError::SchemeMismatch);
        }
        if let Some(x5t) = binding.x5t {
            let shown = request.certificate().ok_or(TokenError::CertificateMissing)?;
            if shown != x5t {
                return Err(TokenError::CertificateMismatch);
            }
        }
        match binding.jkt {
            None => Ok(None),
            Some(jkt) => self.prove(&jkt, request, credentials, now_s).map(Some),
        }
    }

    fn prove(
        &self,
        jkt: &[u8; 32],
        request: &Request<'_>,
        credentials: &Credentials<'_>,
        now_s: i64,
    ) -> Result<Proof, TokenError> {
        let dpop = self.dpop.as_ref().ok_or(TokenError::SenderConstraintFailed)?;
        let expect = Expect {
            method: request.method().as_str(),
            url: &format!("{}{}", dpop.external_url, request.uri().path()),
            access_token: Some(credentials.text()?),
            now_s,
        };
        let proof = dpop.verifier.check(DpopVerifier::proof(request.headers())?, &expect)?;
        if proof.jkt() != jkt {
            return Err(DpopError::KeyMismatch.into());
        }
        Ok(proof)
    }

    /// Whether the scheme `DPoP` is understood.
    pub(crate) fn knows_dpop(&self) -> bool {
        self.dpop.is_some()
    }

    /// The scheme that a token which passed came under.
    pub(crate) fn scheme_of(token: &AccessToken) -> Scheme {
        match token.binding() {
            Some(Binding::Known(Methods { jkt: Some(_), .. })) => Scheme::Dpop,
            _ => Scheme::Bearer,
        }
    }

    /// The challenge in the scheme that the client used, or in one that it should have used; with the nonce for the
    /// next proof; and, where it may not have known better (`elsewhere`), with the other scheme beside it.
    pub(crate) fn offer(
        &self,
        challenge: Challenge,
        sent_under: Option<Scheme>,
        elsewhere: bool,
        now_s: i64,
    ) -> Challenge {
        let Some(dpop) = &self.dpop else { return challenge };
        let algs = dpop.verifier.algs();
        let in_dpop = |challenge: Challenge| challenge.in_dpop().param("algs", &algs);
        let takes_bearer = self.constraint != SenderConstraint::Dpop;
        let asks_dpop =
            !takes_bearer || sent_under == Some(Scheme::Dpop) || challenge.scheme() == Scheme::Dpop;
        let challenge = match (asks_dpop, elsewhere) {
            (true, true) if takes_bearer => in_dpop(challenge).or(Challenge::bare()),
            (true, _) => in_dpop(challenge),
            (false, true) => challenge.or(in_dpop(Challenge::bare())),
            (false, false) => return challenge,
        };
        challenge.dpop_nonce(dpop.nonce(now_s))
    }

    /// The nonce that the answer to a request that passed should bring along (RFC 9449 §8.2): there is one if that
    /// of its own proof is about to go out of use.
    pub(crate) fn next_nonce(&self, request: &Request<'_>, now_s: i64) -> Option<HeaderValue> {
        let dpop = self.dpop.as_ref()?;
        let proof = DpopVerifier::proof(request.headers()).ok()?;
        if dpop.verifier.has_current_nonce(proof, now_s)? { None } else { dpop.nonce(now_s) }
    }
}

impl Dpop {
    fn nonce(&self, now_s: i64) -> Option<HeaderValue> {
        HeaderValue::try_from(self.verifier.nonce(now_s)?).ok()
    }
}

impl fmt::Debug for SenderPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderPolicy")
            .field("constraint", &self.constraint)
            .field("external_url", &self.dpop.as_ref().map(|dpop| &dpop.external_url))
            .finish_non_exhaustive()
    }
}
