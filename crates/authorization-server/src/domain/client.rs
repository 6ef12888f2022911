//! Clients: who may ask for tokens, and what for.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use aws_lc_rs::{constant_time, hmac};
use sealwright_jose::Alg;
use sealwright_service::{random, secret::Secret};

use super::redirect_uri::RegisteredRedirect;
use super::scope::{OPENID, Scopes};

/// What clients expect that name no algorithm (OpenID Connect Dynamic Client Registration 1.0 §2).
pub(crate) const USUAL_ID_TOKEN_ALG: Alg = Alg::Rs256;

/// A client of this server, as its `ClientRegistration` declares it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// `NAMESPACE_NAME`.
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) authentication: ClientAuthentication,
    /// Empty for a client that only authenticates, such as a signing backend.
    pub(crate) redirect_uris: Vec<RegisteredRedirect>,
    /// What `resource` may name; the first is meant when a request names none.
    pub(crate) audiences: Vec<String>,
    /// Names of the user's claims that go into this client's tokens.
    pub(crate) claims: Vec<String>,
    /// The clients that may ask for authentication contexts in this client's name.
    pub(crate) contexts_from: BTreeSet<String>,
    pub(crate) access_token_expiry: Option<Duration>,
    /// One of the server's algorithms; `None` for its first.
    pub(crate) access_token_signing_alg: Option<Alg>,
    /// One of the server's algorithms; `None` for RS256 where a key of it signs, else the server's first.
    pub(crate) id_token_signed_response_alg: Option<Alg>,
    /// Whether it may ask for tokens in its own name (RFC 6749 §4.4).
    pub(crate) client_credentials: bool,
    pub(crate) scopes: Vec<DescribedScope>,
    pub(crate) requires_consent: bool,
}

/// A scope that a client may ask for, with what a person reads about it.
#[derive(Clone, Debug)]
pub(crate) struct DescribedScope {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
}

impl Client {
    /// Whether each of `wanted` is registered.
    pub(crate) fn may_ask_for(&self, wanted: &Scopes) -> bool {
        wanted.iter().all(|name| self.scopes.iter().any(|s| s.name == name))
    }

    /// Whether it may ask who logged in.
    pub(crate) fn may_get_id_tokens(&self) -> bool {
        may_get_id_tokens(self.uses_codes(), self.scopes.iter().map(|scope| scope.name.as_str()))
    }

    /// The algorithm of its ID tokens at a server that `has` some; `None` for the server's first.
    pub(crate) fn id_token_alg(&self, has: impl FnOnce(Alg) -> bool) -> Option<Alg> {
        self.id_token_signed_response_alg.or_else(|| has(USUAL_ID_TOKEN_ALG).then_some(USUAL_ID_TOKEN_ALG))
    }

    /// Whether people log in for this client (RFC 6749 §4.1).
    pub(crate) fn uses_codes(&self) -> bool {
        !self.redirect_uris.is_empty()
    }
}

/// Whether ID tokens are for a client that has people log in or not, and has registered `scopes`.
pub(crate) fn may_get_id_tokens<'a>(uses_codes: bool, mut scopes: impl Iterator<Item = &'a str>) -> bool {
    uses_codes && scopes.any(|scope| scope == OPENID)
}

/// The one way in which a client authenticates; the registered one is the only one accepted.
#[derive(Clone, Debug)]
pub(crate) enum ClientAuthentication {
    /// A public client: nothing but its name, and PKCE.
    None,
    SecretBasic(ClientSecret),
    SecretPost(ClientSecret),
}

impl ClientAuthentication {
    /// The name in metadata (RFC 8414) and in registrations.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SecretBasic(_) => "client_secret_basic",
            Self::SecretPost(_) => "client_secret_post",
        }
    }
}

/// A client's secret, as a MAC under a key that lives as long as the process.
///
/// Two MACs are compared, so neither length nor content shows in the time that it takes, and a dump of
/// the memory does not contain the secret.
#[derive(Clone)]
pub(crate) struct ClientSecret {
    key: hmac::Key,
    tag: [u8; 32],
}

impl ClientSecret {
    pub(crate) fn new(secret: &Secret) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &random::bytes::<32>());
        let tag = tag(&key, secret);
        Self { key, tag }
    }

    pub(crate) fn is(&self, presented: &Secret) -> bool {
        constant_time::verify_slices_are_equal(&self.tag, &tag(&self.key, presented)).is_ok()
    }
}

fn tag(key: &hmac::Key, secret: &Secret) -> [u8; 32] {
    let mut tag = [0; 32];
    tag.copy_from_slice(hmac::sign(key, secret.expose().as_bytes()).as_ref());
    tag
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_itself_is_the_secret() {
        let secret = ClientSecret::new(&Secret::new("s3cret"));
        assert!(secret.is(&Secret::new("s3cret")));
        for wrong in ["", "s3cre", "s3cret ", "S3cret"] {
            assert!(!secret.is(&Secret::new(wrong)), "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "ClientSecret([secret])");
    }
}
