//! How often strangers and backends may make us remember something.

use std::net::IpAddr;

use super::audit::refusal;
use super::throttle::network;
use crate::domain::handle::HandleHash;
use crate::error::OAuthError;
use crate::state::App;
use crate::store::rate;

/// Requests for a login from one address, in a minute: each becomes a row.
const FROM_ADDRESS: i64 = 300;
/// Contexts that one backend may ask for in the name of one client, in a minute.
const CONTEXTS: i64 = 600;

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
