//! `/admin/api/v1/keys`: the signing keys, for programs of operators. Problems are RFC 9457.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use sealwright_jose::Alg;
use sealwright_service::problem::Problem;
use serde::Deserialize;

use super::json_body::JsonBody;
use crate::error::OAuthError;
use crate::flow::administrator::{self, ActError, Administrator, NotAdministrator};
use crate::flow::audit::refusal;
use crate::keys::{Action, Done, KeyAdminError, KeyList, Refusal};
use crate::state::App;

/// What a refused request is told.
pub(crate) struct AdminProblem(Problem);

impl IntoResponse for AdminProblem {
    fn into_response(self) -> Response {
        let challenge = match self.0.status() {
            StatusCode::UNAUTHORIZED => Some("Bearer error=\"invalid_token\""),
            StatusCode::FORBIDDEN => Some("Bearer error=\"insufficient_scope\""),
            _ => None,
        };
        let mut response = self.0.into_response();
        if let Some(challenge) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

fn problem(status: StatusCode, code: &'static str, title: &'static str) -> Problem {
    Problem::new(status, code, title)
}

impl From<NotAdministrator> for AdminProblem {
    fn from(refused: NotAdministrator) -> Self {
        Self(match refused {
            NotAdministrator::Token => problem(
                StatusCode::UNAUTHORIZED,
                "token_invalid",
                "An access token of this server for its administration is needed",
            ),
            NotAdministrator::Role => {
                problem(StatusCode::FORBIDDEN, "not_permitted", "The token does not permit this")
            }
            NotAdministrator::Rate => {
                problem(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "There are too many requests")
            }
            NotAdministrator::Audit => failed(),
        })
    }
}

impl From<OAuthError> for AdminProblem {
    fn from(error: OAuthError) -> Self {
        error.log();
        let status = error.wire().0;
        Self(problem(status, "request_invalid", "The request cannot be read").detail(error.description()))
    }
}

impl From<ActError> for AdminProblem {
    fn from(error: ActError) -> Self {
        let ActError::Keys(error) = error else {
            tracing::error!(%error, "request failed");
            return Self(failed());
        };
        let text = error.to_string();
        Self(match error {
            KeyAdminError::Refused(Refusal::Unknown) => {
                problem(StatusCode::NOT_FOUND, "key_unknown", "There is no such key")
            }
            KeyAdminError::Refused(_) => {
                problem(StatusCode::CONFLICT, "keys_unchanged", "The keys stay as they are").detail(text)
            }
            KeyAdminError::Reason => {
                problem(StatusCode::BAD_REQUEST, "reason_invalid", "The reason is missing or too long")
                    .detail(text)
            }
            error => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "request failed");
                failed()
            }
        })
    }
}

fn failed() -> Problem {
    problem(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "The operator's log says why")
}

impl FromRequestParts<App> for Administrator {
    type Rejection = AdminProblem;

    /// `Authorization: Bearer`, once (RFC 6750 §2.1); a token nowhere else counts.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AdminProblem> {
        let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
        let token = match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok().and_then(|value| value.split_once(' ')),
            _ => None,
        };
        match token {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Ok(administrator::verify(app, token).await?)
            }
            _ => {
                app.audit.count_refusal(refusal::ADMIN);
                Err(NotAdministrator::Token.into())
            }
        }
    }
}

/// `GET /admin/api/v1/keys`
pub(crate) async fn list(State(app): State<App>, _: Administrator) -> Result<Json<KeyList>, AdminProblem> {
    Ok(Json(app.key_admin().list().await.map_err(ActError::Keys)?))
}

/// The body of a rotation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateRequest {
    alg: Option<String>,
    #[serde(default)]
    now: bool,
    reason: Option<String>,
}

/// `POST /admin/api/v1/keys/rotate`
pub(crate) async fn rotate(
    State(app): State<App>,
    admin: Administrator,
    body: Result<JsonBody<RotateRequest>, OAuthError>,
) -> Result<Json<Done>, AdminProblem> {
    let JsonBody(body) = body?;
    let alg = match body.alg.as_deref().map(Alg::from_name) {
        None => None,
        Some(Some(alg)) => Some(alg),
        Some(None) => return Err(OAuthError::InvalidRequest("there is no such algorithm").into()),
    };
    let action = Action::Rotate { alg, now: body.now };
    Ok(Json(administrator::act(&app, &admin, &action, body.reason.as_deref()).await?))
}

/// The body of a revocation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeRequest {
    reason: String,
}

/// `POST /admin/api/v1/keys/{kid}/revoke`
pub(crate) async fn revoke(
    State(app): State<App>,
    admin: Administrator,
    Path(kid): Path<String>,
    body: Result<JsonBody<RevokeRequest>, OAuthError>,
) -> Result<Json<Done>, AdminProblem> {
    let JsonBody(body) = body?;
    let action = Action::Revoke { kid };
    Ok(Json(administrator::act(&app, &admin, &action, Some(&body.reason)).await?))
}
