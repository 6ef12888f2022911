//! `/api/v1/authentication-contexts`: what a backend asks for when a person is needed.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::json_body::JsonBody;
use super::params::words;
use crate::client_auth::Backend;
use crate::domain::strict_json::StrictJson;
use crate::error::OAuthError;
use crate::flow::audit::{self, refusal};
use crate::flow::context;
use crate::flow::request::{Details, Parameters};
use crate::state::App;

/// What the client would have pushed itself, with the challenge whose verifier only the client has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContextRequest {
    client_id: String,
    redirect_uri: Option<String>,
    state: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    scope: Option<String>,
    domain: Option<String>,
    login_hint: Option<String>,
    acr_values: Option<AcrValues>,
    max_age: Option<u64>,
    nonce: Option<String>,
    resource: Option<String>,
    authorization_details: Option<StrictJson>,
}

/// A list, or one text with spaces as OAuth has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum AcrValues {
    List(Vec<String>),
    Text(String),
}

impl From<ContextRequest> for Parameters {
    fn from(body: ContextRequest) -> Self {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            response_type: Some("code".to_owned()),
            redirect_uri: given(body.redirect_uri),
            state: given(body.state),
            code_challenge: given(body.code_challenge),
            code_challenge_method: given(body.code_challenge_method),
            scope: given(body.scope),
            resource: given(body.resource),
            authorization_details: body.authorization_details.map(|StrictJson(json)| Details::Json(json)),
            domain: given(body.domain),
            login_hint: given(body.login_hint),
            acr_values: match body.acr_values {
                None => Vec::new(),
                Some(AcrValues::List(values)) => values,
                Some(AcrValues::Text(text)) => words(&text),
            },
            max_age: body.max_age.map(|seconds| seconds.to_string()),
            nonce: given(body.nonce),
            ..Self::default()
        }
    }
}

#[derive(Serialize)]
pub(crate) struct ContextResponse {
    id: String,
    request_uri: String,
    expires_in: u64,
    authorize_url: String,
}

/// `POST`: makes a context.
pub(crate) async fn create(
    State(app): State<App>,
    Backend(backend): Backend,
    body: Result<JsonBody<ContextRequest>, OAuthError>,
) -> Result<(StatusCode, Json<ContextResponse>), OAuthError> {
    let created = async {
        let JsonBody(body) = body?;
        let client_id = body.client_id.clone();
        context::create(&app, &backend, &client_id, body.into()).await
    };
    let context = match created.await {
        Ok(context) => context,
        Err(error) => {
            let kind = refusal::CONTEXT;
            return Err(audit::client_refused(&app, &backend, "context.refused", kind, error).await);
        }
    };
    let body = ContextResponse {
        id: context.id,
        request_uri: context.request_uri,
        expires_in: context.expires_in_s,
        authorize_url: context.authorize_url,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

#[derive(Serialize)]
pub(crate) struct StandingResponse {
    id: String,
    state: &'static str,
    expires_in: u64,
}

/// `GET /{id}`: how a context stands.
pub(crate) async fn show(
    State(app): State<App>,
    Backend(backend): Backend,
    Path(id): Path<String>,
) -> Result<Json<StandingResponse>, OAuthError> {
    let standing = context::standing(&app, &backend, &id).await?;
    Ok(Json(StandingResponse { id, state: standing.state, expires_in: standing.expires_in_s }))
}
