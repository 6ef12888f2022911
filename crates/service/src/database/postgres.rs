//! A PostgreSQL server: one pool for reading and writing.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection as _,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::Migrator,
};
use url::Url;

use super::{Connection, Database, DatabaseError, Kind, migrate};
use crate::secret::Secret;

const DEFAULT_CONNECTIONS: u32 = 10;

/// How long a request waits for a free connection before it fails.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the first connection may take at the start.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn open(
    url: &Secret,
    max_connections: Option<u32>,
    migrator: &Migrator,
) -> Result<Database, DatabaseError> {
    let (options, place) = options(url)?;
    let connect = |source| DatabaseError::Connect { place: place.clone(), source };

    // Not from the pool: a pool tries again until its time is over and then hides the reason.
    let mut conn = tokio::time::timeout(CONNECT_TIMEOUT, Connection::connect_with(&options))
        .await
        .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
        .map_err(connect)?;
    migrate::run(Kind::Postgres, &place, &mut conn, migrator).await?;
    conn.close().await.map_err(connect)?;

    let pool = AnyPoolOptions::new()
        .max_connections(max_connections.unwrap_or(DEFAULT_CONNECTIONS).max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await
        .map_err(connect)?;
    let listen_url = Some(url.clone());
    Ok(Database { kind: Kind::Postgres, place, reader: pool.clone(), writer: pool, listen_url })
}

/// The driver's options, and `host:port/database` for messages.
fn options(url: &Secret) -> Result<(AnyConnectOptions, String), DatabaseError> {
    let parsed = Url::parse(url.expose().trim()).map_err(|_| DatabaseError::UrlInvalid("it is not a URL"))?;
    if !matches!(parsed.scheme(), "postgres" | "postgresql") {
        return Err(DatabaseError::UrlInvalid("its scheme is not `postgres`"));
    }
    // A folder with the server's socket can stand only in the query: `postgres:///db?host=/run/postgresql`.
    let in_query = parsed.query_pairs().find(|(name, _)| name == "host" || name == "hostaddr");
    let host = match (parsed.host_str(), in_query) {
        (_, Some((_, host))) if !host.is_empty() => host.into_owned(),
        (Some(host), _) if !host.is_empty() => host.to_owned(),
        _ => return Err(DatabaseError::UrlInvalid("it names no host")),
    };
    let place = format!("postgres://{host}:{}{}", parsed.port().unwrap_or(5432), parsed.path());
    let options = AnyConnectOptions::from_str(parsed.as_str())
        .map_err(|_| DatabaseError::UrlInvalid("the driver does not understand it"))?;
    Ok((options, place))
}
