//! An axum extractor, so that a handler that forgets to authenticate does not compile.

use crate::{AccessToken, Authenticator, Refusal};
use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;

/// The valid token of the request.
///
/// Behind [`AuthLayer`](crate::AuthLayer) it is the one that the layer found. Without the layer, the request is
/// authenticated here, by the [`Authenticator`] in the router's state, and refused with the same answers.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use sealwright_resource_server::{Authenticator, Token};
///
/// async fn hello(Token(token): Token) -> String {
///     format!("hello {}\n", token.subject())
/// }
///
/// fn api(authenticator: Authenticator) -> Router {
///     Router::new().route("/hello", get(hello)).with_state(authenticator)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Token(pub AccessToken);

impl<S> FromRequestParts<S> for Token
where
    Authenticator: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        if let Some(token) = parts.extensions.get::<AccessToken>() {
            return Ok(Self(token.clone()));
        }
        let token = Authenticator::from_ref(state).authorize(parts).await?;
        // A second extractor of the same request must not verify again.
        parts.extensions.insert(token.clone());
        Ok(Self(token))
    }
}
