//! What the server talks about. No I/O here: each type is parsed once, at the edge, and cannot be wrong after that.

pub(crate) mod acr;
pub(crate) mod authorization_details;
pub(crate) mod authorization_request;
pub(crate) mod client;
pub(crate) mod handle;
pub(crate) mod issuer;
pub(crate) mod password;
pub(crate) mod pkce;
pub(crate) mod redirect_uri;
pub(crate) mod scope;
pub(crate) mod strict_json;
pub(crate) mod totp;
pub(crate) mod user;
