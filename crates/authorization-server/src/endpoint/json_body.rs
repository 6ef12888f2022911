//! JSON bodies.

use axum::extract::{FromRequest, Request};
use sealwright_service::json_object::Object;
use serde::de::DeserializeOwned;

use super::params::{body, is_media_type};
use crate::error::OAuthError;

/// A body of `application/json`, refused in OAuth's words.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &S) -> Result<Self, OAuthError> {
        if !is_media_type(request.headers(), "application/json") {
            return Err(OAuthError::MediaType);
        }
        let bytes = body(request, state).await?;
        // What serde says may repeat the value, which may be a password.
        serde_json::from_slice(&bytes).map(|Object(body)| Self(body)).map_err(|_| {
            OAuthError::InvalidRequest("the body is not the JSON object that this endpoint takes")
        })
    }
}
