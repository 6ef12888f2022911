//! One file: a pool of readers and a single writer.

use std::{fs, io, path::Path, str::FromStr, time::Duration};

use sqlx::{
    Connection as _, Executor,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::Migrator,
};
use tokio::time::{Instant, sleep};
use url::Url;

use super::{Connection, Database, DatabaseError, Kind, migrate};

const READERS: u32 = 4;

/// How long a request waits for a free connection before it fails.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a file that another connection has is waited for, as `busy_timeout` says for statements.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// For every connection. `FULL` makes a commit durable in WAL mode too: what was answered is not lost with the power.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                       PRAGMA foreign_keys = ON;";

pub(super) async fn open(path: &Path, migrator: &Migrator) -> Result<Database, DatabaseError> {
    let place = path.display().to_string();
    create(path).map_err(|source| DatabaseError::File { path: place.clone(), source })?;
    let options = options(path)?;

    let unusable = |source| DatabaseError::NotDatabase { path: place.clone(), source };
    let mut conn = first(&options).await.map_err(unusable)?;
    migrate::run(Kind::Sqlite, &place, &mut conn, migrator).await?;

    let writer = pool(1, false).connect_with(options.clone()).await.map_err(unusable)?;
    let reader = pool(READERS, true).connect_with(options).await.map_err(unusable)?;
    // Not before: the last connection to a file takes its log away, and whoever comes just then has to wait.
    conn.close().await.map_err(unusable)?;
    Ok(Database { kind: Kind::Sqlite, place, reader, writer, listen_url: None })
}

/// A first connection. While another process turns the file's log on, SQLite does not wait its `busy_timeout` but refuses at
/// once.
async fn first(options: &AnyConnectOptions) -> sqlx::Result<Connection> {
    let started = Instant::now();
    loop {
        let mut conn = Connection::connect_with(options).await?;
        match conn.execute(PRAGMAS).await {
            Ok(_) => return Ok(conn),
            Err(error) if is_busy(&error) && started.elapsed() < BUSY_TIMEOUT => sleep(BUSY_PAUSE).await,
            Err(error) => return Err(error),
        }
    }
}

/// Whether another connection had the file (`SQLITE_BUSY`, in the last byte of an extended code).
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xFF == 5)
}

/// Makes the file, if it is not there, so that only its owner can read it; SQLite gives its log files the same mode.
fn create(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// The any-driver takes a URL only, so the path must survive being one.
fn options(path: &Path) -> Result<AnyConnectOptions, DatabaseError> {
    let not_text = || DatabaseError::PathNotText(path.display().to_string());
    let absolute = fs::canonicalize(path)
        .map_err(|source| DatabaseError::File { path: path.display().to_string(), source })?;
    let text = absolute.to_str().ok_or_else(not_text)?;
    let mut url = Url::parse("sqlite:///").expect("a constant URL");
    // `set_path` escapes `?` and `#`, but takes a percent sign for an escape that is there already.
    url.set_path(&text.replace('%', "%25"));
    url.set_query(Some("mode=rw"));
    AnyConnectOptions::from_str(url.as_str()).map_err(|_| not_text())
}

fn pool(connections: u32, read_only: bool) -> sqlx::pool::PoolOptions<sqlx::Any> {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A connection to a file does not grow stale, and the last one to close would rewrite the log file.
        .max_lifetime(None)
        .idle_timeout(None)
        .min_connections(1)
        .after_connect(move |conn, _| {
            Box::pin(async move {
                conn.execute(PRAGMAS).await?;
                if read_only {
                    conn.execute("PRAGMA query_only = ON").await?;
                }
                Ok(())
            })
        })
}
