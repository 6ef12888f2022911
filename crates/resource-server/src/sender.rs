//! Whether a token was sent by the one that it was issued to (RFC 7800 `cnf`): the proof of a key (DPoP, RFC
//! 9449), or the certificate of the connection ([`ClientCertificate`], RFC 8705).

mod mtls;

pub use mtls::{CertThumbprint, ClientCertificate};

use crate::{AccessToken, Request, TokenError, request::Credentials};

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

/// The last check of a token: what it is bound to.
///
/// `sent` is the request that the token came in, and `None` where somebody presents a token without one.
pub(crate) fn check(
    token: &AccessToken,
    sent: Option<(&Request<'_>, &Credentials<'_>)>,
    now_s: i64,
) -> Result<(), TokenError> {
    let _ = (sent, now_s);
    // RFC 9449 §7.2: a token that is bound to a key must not pass as one that is not.
    if token.is_bound() { Err(TokenError::SenderConstraintFailed) } else { Ok(()) }
}
