//! An authorization request as one column of JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::authorization_details::AuthorizationDetails;
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::pkce::CodeChallenge;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::scope::Scopes;

#[derive(Serialize, Deserialize)]
struct RequestRow {
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    code_challenge: String,
    scope: Option<String>,
    resource: String,
    authorization_details: Option<Value>,
    domain: Option<String>,
    login_hint: Option<String>,
    acr_values: Vec<String>,
    max_age_s: Option<u64>,
    /// Neither this nor the next is in rows of older versions.
    #[serde(default)]
    consent: bool,
    nonce: Option<String>,
}

pub(super) fn write(request: &AuthorizationRequest) -> String {
    let details = &request.authorization_details;
    let row = RequestRow {
        client_id: request.client_id.clone(),
        redirect_uri: request.redirect_uri.as_str().to_owned(),
        state: request.state.clone(),
        code_challenge: request.code_challenge.to_text(),
        scope: (!request.scope.is_empty()).then(|| request.scope.to_text()),
        resource: request.resource.clone(),
        authorization_details: (!details.is_empty()).then(|| details.to_json()),
        domain: request.domain.clone(),
        login_hint: request.login_hint.clone(),
        acr_values: request.acr_values.clone(),
        max_age_s: request.max_age_s,
        consent: request.consent,
        nonce: request.nonce.clone(),
    };
    serde_json::to_string(&row).expect("a struct of strings and numbers is JSON")
}

/// Reads what [`write`] wrote.
pub(super) fn read(text: &str) -> sqlx::Result<AuthorizationRequest> {
    let row: RequestRow = serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let corrupt =
        |what: &str| sqlx::Error::Decode(format!("the {what} of a stored request is not readable").into());
    let authorization_details = match row.authorization_details {
        None => AuthorizationDetails::default(),
        Some(json) => AuthorizationDetails::stored(json).map_err(|_| corrupt("authorization_details"))?,
    };
    Ok(AuthorizationRequest {
        client_id: row.client_id,
        redirect_uri: RedirectUri::stored(row.redirect_uri),
        state: row.state,
        code_challenge: CodeChallenge::parse(&row.code_challenge).ok_or_else(|| corrupt("code_challenge"))?,
        scope: match row.scope {
            None => Scopes::default(),
            Some(scope) => Scopes::parse(&scope).ok_or_else(|| corrupt("scope"))?,
        },
        resource: row.resource,
        authorization_details,
        domain: row.domain,
        login_hint: row.login_hint,
        acr_values: row.acr_values,
        max_age_s: row.max_age_s,
        consent: row.consent,
        nonce: row.nonce,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_back_as_it_was() {
        let request = crate::store::tests::request();
        assert_eq!(read(&write(&request)).unwrap(), request);
    }

    #[test]
    fn a_request_of_an_older_version_has_no_nonce_and_asks_for_no_consent() {
        let request = crate::store::tests::request();
        let mut row: Value = serde_json::from_str(&write(&request)).unwrap();
        assert_eq!(row.as_object_mut().unwrap().remove("nonce"), Some("n-1".into()));
        assert_eq!(row.as_object_mut().unwrap().remove("consent"), Some(true.into()));
        let older = AuthorizationRequest { nonce: None, consent: false, ..request };
        assert_eq!(read(&row.to_string()).unwrap(), older);
    }
}
