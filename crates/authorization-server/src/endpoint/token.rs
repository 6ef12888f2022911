//! `POST /oauth2/token` (RFC 6749 §3.2).

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;

use super::params::Params;
use crate::client_auth::ClientForm;
use crate::domain::handle::Handle;
use crate::domain::pkce::CodeVerifier;
use crate::error::OAuthError;
use crate::flow::audit::{self, refusal};
use crate::flow::client_credentials::{self, ClientCredentialsGrant};
use crate::flow::token::{self, CodeGrant, Issued};
use crate::state::App;

/// RFC 6749 §5.1, RFC 9396 §7, OpenID Connect Core 1.0 §3.1.3.3.
#[derive(Serialize)]
pub(crate) struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<Value>,
}

impl From<Issued> for TokenResponse {
    fn from(issued: Issued) -> Self {
        let details = issued.authorization_details;
        Self {
            access_token: issued.access_token.expose().to_owned(),
            token_type: "Bearer",
            expires_in: issued.expires_in_s,
            id_token: issued.id_token.map(|token| token.expose().to_owned()),
            scope: (!issued.scope.is_empty()).then(|| issued.scope.to_text()),
            authorization_details: (!details.is_empty()).then(|| details.to_json()),
        }
    }
}

/// What a client has to show for a token.
enum Grant {
    Code(CodeGrant),
    ClientCredentials(ClientCredentialsGrant),
}

/// Gives a token for a grant. The router adds `Cache-Control: no-store`.
pub(crate) async fn token(
    State(app): State<App>,
    ClientForm { client, params }: ClientForm,
) -> Result<Json<TokenResponse>, OAuthError> {
    let issued = match grant(&params) {
        // What is wrong with a code has entries of its own.
        Ok(Grant::Code(grant)) => return Ok(Json(token::redeem(&app, &client, grant).await?.into())),
        Ok(Grant::ClientCredentials(grant)) => client_credentials::grant(&app, &client, grant).await,
        Err(error) => Err(error),
    };
    match issued {
        Ok(issued) => Ok(Json(issued.into())),
        Err(error) => {
            let kind = refusal::TOKEN_REQUEST;
            Err(audit::client_refused(&app, &client, "request.refused", kind, error).await)
        }
    }
}

fn grant(params: &Params) -> Result<Grant, OAuthError> {
    match params.required("grant_type", "grant_type is missing")? {
        "authorization_code" => code_grant(params).map(Grant::Code),
        "client_credentials" => Ok(Grant::ClientCredentials(ClientCredentialsGrant {
            scope: params.get("scope").map(str::to_owned),
            resource: params.get("resource").map(str::to_owned),
            has_details: params.get("authorization_details").is_some(),
        })),
        _ => Err(OAuthError::UnsupportedGrantType),
    }
}

fn code_grant(params: &Params) -> Result<CodeGrant, OAuthError> {
    let code = params.required("code", "code is missing")?;
    let redirect_uri = params.required("redirect_uri", "redirect_uri is missing")?;
    let verifier = params.required("code_verifier", "code_verifier is missing")?;
    if params.get("authorization_details").is_some() || params.get("scope").is_some() {
        // Asking for less than was granted is not supported; granting all of it to who asks for less would be worse.
        return Err(OAuthError::InvalidRequest("what a code gives cannot be narrowed here"));
    }
    Ok(CodeGrant {
        code: Handle::parse(code),
        redirect_uri: redirect_uri.to_owned(),
        code_verifier: CodeVerifier::parse(verifier)
            .ok_or(OAuthError::InvalidRequest("code_verifier is malformed"))?,
        resource: params.get("resource").map(str::to_owned),
    })
}
