//! `POST /oauth2/par` (RFC 9126).

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;

use super::peer::Peer;
use crate::client_auth::ClientForm;
use crate::domain::client::ClientAuthentication;
use crate::error::OAuthError;
use crate::flow::audit::{self, refusal};
use crate::flow::{par, rate};
use crate::state::App;

#[derive(Serialize)]
pub(crate) struct ParResponse {
    request_uri: String,
    expires_in: u64,
}

pub(crate) async fn push(
    State(app): State<App>,
    Peer(address): Peer,
    ClientForm { client, params }: ClientForm,
) -> Result<(StatusCode, Json<ParResponse>), OAuthError> {
    // A client that showed its secret may serve many people from one address.
    if let ClientAuthentication::None = client.authentication {
        rate::from_address(&app, address).await?;
    }
    let pushed = async {
        if params.get("request_uri").is_some() {
            // RFC 9126 §2.1.
            return Err(OAuthError::InvalidRequest("request_uri is not a parameter of this endpoint"));
        }
        par::push(&app, &client, params.authorization()).await
    };
    let pushed = match pushed.await {
        Ok(pushed) => pushed,
        Err(error) => {
            let kind = refusal::PUSHED_REQUEST;
            return Err(audit::client_refused(&app, &client, "request.refused", kind, error).await);
        }
    };
    let body = ParResponse { request_uri: pushed.request_uri, expires_in: pushed.expires_in_s };
    Ok((StatusCode::CREATED, Json(body)))
}
