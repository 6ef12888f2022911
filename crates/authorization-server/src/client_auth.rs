//! Which client sends a request (RFC 6749 §2.3).
//!
//! These are extractors: a handler that forgets to ask for the client cannot name one.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{HeaderMap, header};
use sealwright_service::secret::Secret;

use crate::domain::client::{Client, ClientAuthentication};
use crate::endpoint::params::{self, Params};
use crate::error::OAuthError;
use crate::flow::audit::refusal;
use crate::state::App;

/// A form of an authenticated client; of a public one it is only known that it uses the name.
pub(crate) struct ClientForm {
    pub(crate) client: Arc<Client>,
    pub(crate) params: Params,
}

impl FromRequest<App> for ClientForm {
    type Rejection = OAuthError;

    async fn from_request(request: Request, app: &App) -> Result<Self, OAuthError> {
        let headers = request.headers().clone();
        let params = Params::from_request(request, app).await?;
        let presented = presented(&headers, &params)?;
        let client = authenticate(app, presented)?;
        Ok(Self { client, params })
    }
}

/// A confidential client that authenticates in the header.
pub(crate) struct Backend(pub(crate) Arc<Client>);

impl FromRequestParts<App> for Backend {
    type Rejection = OAuthError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, OAuthError> {
        let presented = match basic(&parts.headers) {
            Ok(Some((id, secret))) => Presented::Basic { id, secret },
            Ok(None) => Presented::Nothing,
            Err(error) => return Err(counted(app, error)),
        };
        authenticate(app, presented).map(Self)
    }
}

/// What a request shows of its client.
enum Presented {
    Nothing,
    Name { id: String },
    Basic { id: String, secret: Secret },
    Post { id: String, secret: Secret },
}

fn presented(headers: &HeaderMap, params: &Params) -> Result<Presented, OAuthError> {
    let id = params.get("client_id").map(str::to_owned);
    match (basic(headers)?, params.get("client_secret"), id) {
        (Some(_), Some(_), _) => {
            Err(OAuthError::InvalidRequest("the client authenticates in two ways at once"))
        }
        (Some((basic, _)), None, Some(id)) if basic != id => {
            Err(OAuthError::InvalidRequest("client_id is not the client that authenticates"))
        }
        (Some((id, secret)), None, _) => Ok(Presented::Basic { id, secret }),
        (None, Some(secret), Some(id)) => Ok(Presented::Post { id, secret: Secret::new(secret) }),
        (None, None, Some(id)) => Ok(Presented::Name { id }),
        (None, _, None) => Ok(Presented::Nothing),
    }
}

/// Reads `Authorization: Basic`: both halves are form-urlencoded before they are joined (RFC 6749 §2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret)>, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(header::AUTHORIZATION) {
            Err(OAuthError::InvalidClient)
        } else {
            Ok(None)
        };
    };
    let read = || {
        let (scheme, credentials) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = zeroize::Zeroizing::new(base64_simd::STANDARD.decode_to_vec(credentials.trim()).ok()?);
        let colon = bytes.iter().position(|b| *b == b':')?;
        let id = params::decode(&bytes[..colon]).ok()?;
        let secret = params::decode(&bytes[colon + 1..]).ok()?;
        Some((id.to_string(), Secret::new(secret.as_str())))
    };
    read().map(Some).ok_or(OAuthError::InvalidClient)
}

/// The client, if it shows exactly what its registration says: a client with a secret is not believed without it, and
/// one without is not believed with one.
fn authenticate(app: &App, presented: Presented) -> Result<Arc<Client>, OAuthError> {
    let (id, shown) = match &presented {
        Presented::Nothing => return Err(counted(app, OAuthError::InvalidClient)),
        Presented::Name { id } => (id, None),
        Presented::Basic { id, secret } | Presented::Post { id, secret } => (id, Some(secret)),
    };
    let client = app.client(id).ok_or_else(|| counted(app, OAuthError::InvalidClient))?;
    let right = match (&client.authentication, &presented, shown) {
        (ClientAuthentication::None, Presented::Name { .. }, _) => true,
        (ClientAuthentication::SecretBasic(secret), Presented::Basic { .. }, Some(shown))
        | (ClientAuthentication::SecretPost(secret), Presented::Post { .. }, Some(shown)) => secret.is(shown),
        _ => false,
    };
    if right { Ok(Arc::clone(client)) } else { Err(counted(app, OAuthError::InvalidClient)) }
}

fn counted(app: &App, error: OAuthError) -> OAuthError {
    app.audit.count_refusal(refusal::CLIENT);
    error
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(value: &str) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::try_from(value).unwrap());
        let read = basic(&headers).ok().flatten();
        read.map(|(id, secret)| (id, secret.expose().to_owned()))
    }

    #[test]
    fn both_halves_are_decoded() {
        let encoded = base64_simd::STANDARD.encode_to_string(b"default_a%2Bb:p%3Aq+r:s");
        let expected = Some(("default_a+b".to_owned(), "p:q r:s".to_owned()));
        assert_eq!(read(&format!("Basic {encoded}")), expected);
        assert_eq!(read(&format!("basic {encoded}")), expected);
    }

    #[test]
    fn other_credentials_are_refused() {
        let encoded = |text: &str| base64_simd::STANDARD.encode_to_string(text.as_bytes());
        for wrong in [
            "",
            "Basic",
            "Basic !",
            "Bearer abc",
            &format!("Basic {}", encoded("no colon")),
            &format!("Basic {}", encoded("a:%zz")),
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
