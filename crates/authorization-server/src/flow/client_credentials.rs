//! Tokens for programs that act in their own name (RFC 6749 §4.4).

use sealwright_service::random;

use super::request;
use super::token::{self, Issued, Subject, TokenContent, TokenKeys};
use crate::domain::authorization_details::{AuthorizationDetails, DetailsError};
use crate::domain::client::Client;
use crate::domain::scope::Scopes;
use crate::error::OAuthError;
use crate::state::App;

/// What a client asks for in its own name.
pub(crate) struct ClientCredentialsGrant {
    pub(crate) scope: Option<String>,
    pub(crate) resource: Option<String>,
    /// Whether there are `authorization_details`, which say what a person approves.
    pub(crate) has_details: bool,
}

/// Gives a token to a client that has proved who it is. There is no refresh token: the client can come again
/// (RFC 6749 §4.4.3).
pub(crate) async fn grant(
    app: &App,
    client: &Client,
    grant: ClientCredentialsGrant,
) -> Result<Issued, OAuthError> {
    if !client.client_credentials {
        return Err(OAuthError::UnauthorizedClient(
            "this client is not registered for the client credentials grant",
        ));
    }
    if grant.has_details {
        let message = "authorization_details are approved by a person; use the authorization code grant";
        return Err(DetailsError(message.into()).into());
    }
    let content = TokenContent {
        jti: &random::id("tok_"),
        subject: Subject::Client,
        audience: &request::resource(client, grant.resource)?,
        scope: request::scope(client, grant.scope.as_deref())?,
        details: AuthorizationDetails::default(),
        nonce: None,
        grant: "client_credentials",
    };
    let keys = TokenKeys::find(app, client, &Scopes::default(), app.now())?;
    token::issue(app, client, keys, content).await
}
