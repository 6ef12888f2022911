//! An axum extractor, so that a handler that forgets to authenticate does not compile.

use crate::{AccessToken, Authenticator, Refusal, TokenError};
use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use serde::de::DeserializeOwned;

/// The valid token of the request, or what it says in a type of the caller's.
///
/// `Token(token): Token` is the [`AccessToken`]; `Token(claims): Token<Claims>` reads its claims into `Claims`. A token
/// whose claims do not fit that type is refused as one that is not valid, so a claim that a handler cannot do without
/// is a field that is no `Option`.
///
/// The [`Authenticator`] in the router's state decides. Behind an [`AuthLayer`](crate::AuthLayer) of that authenticator or
/// a clone of it, the token is the one that the layer found. Without the layer, and behind one that decides otherwise,
/// the request is authenticated here, and refused with the same answers.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use sealwright_resource_server::{Authenticator, Token};
///
/// #[derive(serde::Deserialize)]
/// struct Claims {
///     sub: String,
///     given_name: Option<String>,
/// }
///
/// async fn hello(Token(claims): Token<Claims>) -> String {
///     format!("hello {}\n", claims.given_name.unwrap_or(claims.sub))
/// }
///
/// async fn until(Token(token): Token) -> String {
///     format!("your token is good until {}\n", token.expires_at())
/// }
///
/// fn api(authenticator: Authenticator) -> Router {
///     Router::new().route("/hello", get(hello)).route("/until", get(until)).with_state(authenticator)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Token<C = AccessToken>(pub C);

impl<S> FromRequestParts<S> for Token
where
    Authenticator: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let authenticator = Authenticator::from_ref(state);
        // One that another authenticator let pass may be one that this one would not.
        if let Some(token) =
            parts.extensions.get::<AccessToken>().filter(|token| authenticator.admitted(token))
        {
            return Ok(Self(token.clone()));
        }
        let token = authenticator.authorize(parts).await?;
        // A second extractor of the same request must not verify again.
        parts.extensions.insert(token.clone());
        Ok(Self(token))
    }
}

impl<S, C> FromRequestParts<S> for Token<C>
where
    Authenticator: FromRef<S>,
    S: Send + Sync,
    C: DeserializeOwned,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Token(token) = Token::<AccessToken>::from_request_parts(parts, state).await?;
        token.claims().deserialize().map(Self).map_err(|error| {
            // Either the token or the type is not what the other expects, and only its author can say.
            tracing::debug!(token = ?token, %error, "the claims of a valid token do not fit the handler's type");
            Authenticator::from_ref(state).refuse(TokenError::ClaimsMalformed)
        })
    }
}
