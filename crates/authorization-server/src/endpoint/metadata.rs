//! What this server can do (RFC 8414, OpenID Connect Discovery 1.0 §3), and nothing that it cannot.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use serde_json::{Value, json};

use crate::domain::acr::AcrPolicy;
use crate::domain::authorization_details::TYPES;
use crate::domain::client::Client;
use crate::domain::issuer::Issuer;
use crate::signing_keys::record::Ledger;
use crate::state::App;

/// `GET /.well-known/oauth-authorization-server` and `/.well-known/openid-configuration`: made when the keys were looked at, not
/// now.
pub(crate) async fn metadata(State(app): State<App>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, app.snapshot.metadata.body(&app.keys.snapshot().ledger))
}

/// The document. Keys of other algorithms may come while the server runs; nothing else of it changes.
pub(crate) struct Metadata {
    fixed: Value,
    /// Whether there are ID tokens.
    identifies: bool,
    latest: ArcSwapOption<Made>,
}

/// The document for these keys.
struct Made {
    ledger: Arc<Ledger>,
    body: Bytes,
}

impl Metadata {
    pub(crate) fn new<'a>(
        issuer: &Issuer,
        clients: impl Iterator<Item = &'a Client> + Clone,
        acr: &AcrPolicy,
    ) -> Self {
        let identifies = clients.clone().any(Client::may_get_id_tokens);
        Self { fixed: fixed(issuer, clients, acr), identifies, latest: ArcSwapOption::empty() }
    }

    /// The document for these keys: made for the first who asks, and the same for all who ask after.
    fn body(&self, ledger: &Arc<Ledger>) -> Bytes {
        if let Some(made) = &*self.latest.load()
            && Arc::ptr_eq(&made.ledger, ledger)
        {
            return made.body.clone();
        }
        let mut document = self.fixed.clone();
        let algorithms = ledger.algorithms();
        if self.identifies && !algorithms.is_empty() {
            document["id_token_signing_alg_values_supported"] = json!(algorithms);
        }
        let body = Bytes::from(document.to_string());
        self.latest.store(Some(Arc::new(Made { ledger: Arc::clone(ledger), body: body.clone() })));
        body
    }
}

/// What of the document does not change while the server runs.
fn fixed<'a>(issuer: &Issuer, clients: impl Iterator<Item = &'a Client> + Clone, acr: &AcrPolicy) -> Value {
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
        document["subject_types_supported"] = json!(["public"]);
        let mut claims =
            BTreeSet::from(["amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sub"]);
        claims.extend((!levels.is_empty()).then_some("acr"));
        claims.extend(identified.iter().flat_map(|client| &client.claims).map(String::as_str));
        document["claims_supported"] = json!(claims);
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_made_once_for_the_same_keys() {
        let fixed = json!({"issuer": "https://id.example.com"});
        let metadata = Metadata { fixed: fixed.clone(), identifies: true, latest: ArcSwapOption::empty() };
        let ledger = |epoch| Arc::new(Ledger { epoch, keys: Vec::new() });
        let (one, other) = (ledger(1), ledger(2));
        let first = metadata.body(&one);
        assert_eq!(first, fixed.to_string(), "no algorithm, so no list of them");
        assert_eq!(metadata.body(&one).as_ptr(), first.as_ptr());
        let second = metadata.body(&other);
        assert_ne!(second.as_ptr(), first.as_ptr());
        assert_eq!(metadata.body(&other).as_ptr(), second.as_ptr());
    }
}
