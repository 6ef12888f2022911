//! What this server can do (RFC 8414, OpenID Connect Discovery 1.0 §3), and nothing that it cannot.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use serde_json::{Value, json};

use crate::domain::acr::AcrPolicy;
use crate::domain::authorization_details::TYPES;
use crate::domain::client::Client;
use crate::domain::issuer::Issuer;
use crate::state::App;

/// `GET /.well-known/oauth-authorization-server` and `/.well-known/openid-configuration`.
pub(crate) async fn metadata(State(app): State<App>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    let mut document = app.snapshot.metadata.clone();
    // Keys of other algorithms may come while the server runs.
    document["id_token_signing_alg_values_supported"] = json!(app.keys.snapshot().algorithms());
    (headers, document.to_string())
}

/// What of the document does not change while the server runs.
pub(crate) fn document<'a>(
    issuer: &Issuer,
    clients: impl Iterator<Item = &'a Client> + Clone,
    acr: &AcrPolicy,
) -> Value {
    let scopes: BTreeSet<&str> =
        clients.clone().flat_map(|client| client.scopes.iter().map(|s| s.name.as_str())).collect();
    let methods: BTreeSet<&str> = clients.clone().map(|client| client.authentication.name()).collect();
    let identified: Vec<&Client> = clients.filter(|client| client.may_get_id_tokens()).collect();
    let mut document = json!({
        "issuer": issuer.as_str(),
        "authorization_endpoint": issuer.at("/oauth2/authorize"),
        "token_endpoint": issuer.at("/oauth2/token"),
        "pushed_authorization_request_endpoint": issuer.at("/oauth2/par"),
        "authentication_contexts_endpoint": issuer.at("/api/v1/authentication-contexts"),
        "jwks_uri": issuer.at("/oauth2/jwks"),
        "jwks_events_uri": issuer.at("/oauth2/jwks/events"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "authorization_details_types_supported": TYPES,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "subject_types_supported": ["public"],
        "ui_locales_supported": ["en"],
    });
    if !scopes.is_empty() {
        document["scopes_supported"] = json!(scopes);
    }
    let levels: Vec<&str> = acr.values().collect();
    if !levels.is_empty() {
        document["acr_values_supported"] = json!(levels);
    }
    if !identified.is_empty() {
        let mut claims =
            BTreeSet::from(["amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sub"]);
        claims.extend((!levels.is_empty()).then_some("acr"));
        claims.extend(identified.iter().flat_map(|client| &client.claims).map(String::as_str));
        document["claims_supported"] = json!(claims);
    }
    document
}
