//! A request for a code that passed all checks that need no person.

use super::authorization_details::AuthorizationDetails;
use super::pkce::CodeChallenge;
use super::redirect_uri::RedirectUri;
use super::scope::Scopes;

/// What a client asks for (RFC 6749 §4.1.1), however it came: in the address, pushed, or as a context.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) state: Option<String>,
    pub(crate) code_challenge: CodeChallenge,
    pub(crate) scope: Scopes,
    /// The audience of the token (RFC 8707).
    pub(crate) resource: String,
    pub(crate) authorization_details: AuthorizationDetails,
    /// Who may log in; anybody where none is named.
    pub(crate) domain: Option<String>,
    pub(crate) login_hint: Option<String>,
    /// Levels of which one must be reached; any will do where none is named.
    pub(crate) acr_values: Vec<String>,
    /// How old the login may be when the code is issued, in seconds.
    pub(crate) max_age_s: Option<u64>,
    /// Whether the person is to be asked, also where nothing else says so.
    pub(crate) consent: bool,
    /// What the ID token is to repeat, where there will be one.
    pub(crate) nonce: Option<String>,
}
