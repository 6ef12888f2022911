//! Named departures from the standards, for clients and issuers that cannot be changed at once.

/// A way of asking and answering that is no standard's; see [`AuthenticatorBuilder::compat`].
///
/// [`AuthenticatorBuilder::compat`]: crate::AuthenticatorBuilder::compat
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compat {
    /// What the usual Node tutorial on express, `jsonwebtoken` and `jwks-rsa` does.
    ///
    /// The token is the whole of the `Authorization` header, without a scheme. A request without one is answered
    /// by 401, one with a token that does not pass by 403, each with a JSON body `{"message": …}` and without
    /// `WWW-Authenticate`. There can be one issuer only, since its tokens need not name it: see [`Waived`].
    TutorialPair,
}

/// A claim or parameter that a token may lack; see [`AuthenticatorBuilder::waive`].
///
/// What a token does say is held to the issuer's terms all the same.
///
/// [`AuthenticatorBuilder::waive`]: crate::AuthenticatorBuilder::waive
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Waived {
    /// `iss`: whoever can make the one trusted issuer sign anything can make tokens.
    Issuer,
    /// `aud`: a token that the issuer made for another API passes here.
    Audience,
    /// `typ`: it may be missing or `JWT`, so that anything that the issuer signs may pass for an access token.
    Typ,
    /// `sub`: [`AccessToken::subject`](crate::AccessToken::subject) is empty then.
    Subject,
}

impl Waived {
    /// Its name in a token.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "iss",
            Self::Audience => "aud",
            Self::Typ => "typ",
            Self::Subject => "sub",
        }
    }
}
