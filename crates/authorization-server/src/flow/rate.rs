//! How often strangers and backends may make us remember something.

use std::net::IpAddr;

use sealwright_service::client_address::network;

use super::audit::refusal;
use super::buckets::Buckets;
use crate::domain::handle::HandleHash;
use crate::error::OAuthError;
use crate::state::App;
use crate::store::rate;

/// Requests for a login from one address, in a minute: each becomes a row.
const FROM_ADDRESS: i64 = 300;
/// Contexts that one backend may ask for in the name of one client, in a minute.
const CONTEXTS: i64 = 600;

/// Requests for logins at one client, in a minute, from everybody who did not show its secret. With the lifetime of the
/// rows this bounds the tables, however many addresses somebody has.
const STRANGERS: u32 = 3000;

/// What [`at_client`] counts.
pub(crate) fn strangers() -> Buckets {
    Buckets::per_minute(STRANGERS)
}

/// Refusals of one client that become entries of the audit log, in a minute; the rest is counted.
const REFUSAL_ENTRIES: u32 = 60;

/// What decides whether a client's refusal becomes an entry.
pub(crate) fn refusal_entries() -> Buckets {
    Buckets::per_minute(REFUSAL_ENTRIES)
}

/// Counts a request that will be kept, which anybody may have sent in the name of `client_id`.
pub(crate) fn at_client(app: &App, client_id: &str) -> Result<(), OAuthError> {
    app.strangers.take(client_id, app.now()).map_err(|retry_after| {
        app.audit.count_refusal(refusal::RATE);
        OAuthError::TooManyRequests { retry_after }
    })
}

pub(crate) async fn from_address(app: &App, address: IpAddr) -> Result<(), OAuthError> {
    count(app, &format!("address\n{}", network(address)), FROM_ADDRESS).await
}

pub(crate) async fn contexts(app: &App, backend_id: &str, client_id: &str) -> Result<(), OAuthError> {
    count(app, &format!("contexts\n{backend_id}\n{client_id}"), CONTEXTS).await
}

async fn count(app: &App, key: &str, most: i64) -> Result<(), OAuthError> {
    let mut conn = app.database.writer().acquire().await?;
    if rate::count_use(&mut conn, &HandleHash::of(key), most, app.now()).await? {
        return Ok(());
    }
    app.audit.count_refusal(refusal::RATE);
    Err(OAuthError::TooManyRequests { retry_after: rate::WINDOW })
}
