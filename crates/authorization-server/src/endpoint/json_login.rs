//! `POST /api/v1/auth` and `/api/v1/auth/mfa`: login over JSON, where it is enabled.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use sealwright_service::secret::Secret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::json_body::JsonBody;
use super::params::{Params, is_media_type};
use super::peer::Peer;
use crate::domain::client::Client;
use crate::domain::handle::Handle;
use crate::error::{OAuthError, whole_seconds};
use crate::flow::credentials::CredentialError;
use crate::flow::json_login::{self, ContinuationError, Outcome};
use crate::flow::token::Issued;
use crate::pages;
use crate::state::{App, CONTINUATION_LIFETIME};

/// The client whose tokens this login makes; where none is configured there is nothing here.
pub(crate) struct JsonLoginClient(Arc<Client>);

impl FromRequestParts<App> for JsonLoginClient {
    type Rejection = OAuthError;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, OAuthError> {
        app.snapshot.json_login.clone().map(Self).ok_or(OAuthError::NotFound)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PasswordLogin {
    user_name: String,
    password: Zeroized,
}

#[derive(Deserialize)]
pub(crate) struct CodeLogin {
    continuation: Zeroized,
    code: Zeroized,
}

/// Text that is wiped when dropped.
#[derive(Deserialize)]
#[serde(from = "String")]
struct Zeroized(Secret);

impl From<String> for Zeroized {
    fn from(text: String) -> Self {
        Self(Secret::new(text))
    }
}

/// What is sent as JSON or as a form.
pub(crate) trait FromForm: DeserializeOwned {
    fn from_form(params: &Params) -> Result<Self, OAuthError>;
}

impl FromForm for PasswordLogin {
    fn from_form(params: &Params) -> Result<Self, OAuthError> {
        let field = |name| params.required(name, "userName and password are needed").map(str::to_owned);
        Ok(Self { user_name: field("userName")?, password: field("password")?.into() })
    }
}

impl FromForm for CodeLogin {
    fn from_form(params: &Params) -> Result<Self, OAuthError> {
        let field = |name| params.required(name, "continuation and code are needed").map(str::to_owned);
        Ok(Self { continuation: field("continuation")?.into(), code: field("code")?.into() })
    }
}

pub(crate) struct FormOrJson<T>(T);

impl<T: FromForm> FromRequest<App> for FormOrJson<T> {
    type Rejection = OAuthError;

    async fn from_request(request: Request, app: &App) -> Result<Self, OAuthError> {
        if is_media_type(request.headers(), "application/x-www-form-urlencoded") {
            return T::from_form(&Params::from_request(request, app).await?).map(Self);
        }
        JsonBody::from_request(request, app).await.map(|JsonBody(body)| Self(body))
    }
}

/// Why there is no token, for programs that only know this login.
pub(crate) enum Refusal {
    Credential(CredentialError),
    ContinuationGone,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let refused = |status: StatusCode, code: &str, description: &str| {
            (status, Json(json!({"error": code, "error_description": description}))).into_response()
        };
        let unauthorized = StatusCode::UNAUTHORIZED;
        match self {
            Self::ContinuationGone => refused(
                unauthorized,
                "invalid_continuation",
                "the continuation is unknown, used or expired; log in again",
            ),
            Self::Credential(CredentialError::WrongPassword) => {
                refused(unauthorized, "invalid_credentials", "the user name or the password is wrong")
            }
            // The same answer for a used code: whoever replays one is not to learn that it was right.
            Self::Credential(CredentialError::WrongCode | CredentialError::UsedCode) => {
                refused(unauthorized, "invalid_code", "the code is wrong or was used before")
            }
            Self::Credential(CredentialError::Throttled { retry_after }) => {
                let response = refused(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too_many_attempts",
                    "there were too many attempts; wait before the next one",
                );
                pages::retry_after(response, whole_seconds(retry_after))
            }
            Self::Credential(CredentialError::Busy) => OAuthError::Busy.into_response(),
            Self::Credential(CredentialError::Other(error)) => error.into_response(),
        }
    }
}

fn jwt(issued: &Issued) -> Json<Value> {
    Json(json!({"jwt": issued.access_token.expose()}))
}

/// `POST /api/v1/auth`: a token, or the way to the second factor.
pub(crate) async fn password(
    State(app): State<App>,
    Peer(address): Peer,
    JsonLoginClient(client): JsonLoginClient,
    FormOrJson(login): FormOrJson<PasswordLogin>,
) -> Result<Response, Refusal> {
    let outcome = json_login::password(&app, &client, address, &login.user_name, login.password.0).await;
    match outcome.map_err(Refusal::Credential)? {
        Outcome::Token(issued) => Ok(jwt(&issued).into_response()),
        Outcome::MfaRequired(handle) => {
            let body = json!({
                "error": "mfa_required", "continuation": handle.expose(),
                "expires_in": CONTINUATION_LIFETIME.as_secs(),
            });
            Ok((StatusCode::UNAUTHORIZED, Json(body)).into_response())
        }
    }
}

/// `POST /api/v1/auth/mfa`: a token for the right code.
pub(crate) async fn second_factor(
    State(app): State<App>,
    JsonLoginClient(client): JsonLoginClient,
    FormOrJson(login): FormOrJson<CodeLogin>,
) -> Result<Json<Value>, Refusal> {
    let handle = Handle::parse(login.continuation.0.expose());
    match json_login::second_factor(&app, &client, handle.as_ref(), login.code.0.expose()).await {
        Ok(issued) => Ok(jwt(&issued)),
        Err(ContinuationError::Gone) => Err(Refusal::ContinuationGone),
        Err(ContinuationError::Credential(error)) => Err(Refusal::Credential(error)),
    }
}
