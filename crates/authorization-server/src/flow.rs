//! What the server decides: from a parsed request to its outcome, over the store and the audit log.

pub(crate) mod administrator;
pub(crate) mod approve;
pub(crate) mod audit;
pub(crate) mod authorize;
pub(crate) mod buckets;
pub(crate) mod client_credentials;
pub(crate) mod context;
pub(crate) mod credentials;
pub(crate) mod finish;
pub(crate) mod id_token;
pub(crate) mod json_login;
pub(crate) mod login;
pub(crate) mod par;
pub(crate) mod passwords;
pub(crate) mod rate;
pub(crate) mod request;
pub(crate) mod throttle;
pub(crate) mod token;
pub(crate) mod turns;
