//! Pushed authorization requests (RFC 9126) and authentication contexts.

use sealwright_service::clock::Timestamp;
use sealwright_service::database::Connection;

use super::request_row;
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::handle::HandleHash;

/// A request that waits to be opened.
pub(crate) struct NewPushedRequest<'a> {
    pub(crate) id: &'a str,
    pub(crate) uri: &'a HandleHash,
    /// The backend that asked, for a context.
    pub(crate) backend_id: Option<&'a str>,
    pub(crate) request: &'a AuthorizationRequest,
    pub(crate) expires_at: Timestamp,
}

/// How far a context has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    /// A code was issued.
    Authenticated,
    Denied,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authenticated => "authenticated",
            Self::Denied => "denied",
        }
    }

    fn stored(text: &str) -> sqlx::Result<Self> {
        [Self::Pending, Self::Authenticated, Self::Denied]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| sqlx::Error::Decode("a pushed request has an unknown state".into()))
    }
}

pub(crate) async fn insert(conn: &mut Connection, new: NewPushedRequest<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO pushed_request (id, uri_hash, client_id, backend_id, request, state, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(new.id)
    .bind(new.uri.as_str())
    .bind(&new.request.client_id)
    .bind(new.backend_id)
    .bind(request_row::write(new.request))
    .bind(State::Pending.as_str())
    .bind(new.expires_at.as_millis())
    .execute(conn)
    .await
    .map(drop)
}

/// Opens a request for the client that it belongs to, once; returns its id with it.
///
/// From then on it lives until `until`, as long as the person who opened it has. One statement, so of two concurrent
/// openings only one gets it, and another client's attempt leaves it as it is.
pub(crate) async fn open(
    conn: &mut Connection,
    uri: &HandleHash,
    client_id: &str,
    now: Timestamp,
    until: Timestamp,
) -> sqlx::Result<Option<(String, AuthorizationRequest)>> {
    let row: Option<(String, String)> = sqlx::query_as(
        "UPDATE pushed_request SET used_at = $3, expires_at = $4
          WHERE uri_hash = $1 AND client_id = $2 AND used_at IS NULL AND $3 < expires_at
      RETURNING id, request",
    )
    .bind(uri.as_str())
    .bind(client_id)
    .bind(now.as_millis())
    .bind(until.as_millis())
    .fetch_optional(conn)
    .await?;
    row.map(|(id, request)| Ok((id, request_row::read(&request)?))).transpose()
}

/// The state of a context and when it ends, for the backend that asked for it.
pub(crate) async fn context_state(
    conn: &mut Connection,
    id: &str,
    backend_id: &str,
) -> sqlx::Result<Option<(State, Timestamp)>> {
    let row: Option<(String, i64)> =
        sqlx::query_as("SELECT state, expires_at FROM pushed_request WHERE id = $1 AND backend_id = $2")
            .bind(id)
            .bind(backend_id)
            .fetch_optional(conn)
            .await?;
    row.map(|(state, at)| Ok((State::stored(&state)?, Timestamp::from_millis(at)))).transpose()
}
