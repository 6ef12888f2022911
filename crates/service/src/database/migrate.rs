//! Several crates' migrations as one run over one table of versions.

use sqlx::{
    Connection as _,
    migrate::{MigrateError, Migration, Migrator},
};

use super::{Connection, DatabaseError, Kind};

/// One migrator with the migrations of all, in the order of their versions.
pub(super) fn merge(migrators: &[&'static Migrator]) -> Result<Migrator, DatabaseError> {
    let mut all: Vec<Migration> = migrators.iter().flat_map(|migrator| migrator.iter()).cloned().collect();
    all.sort();
    for pair in all.windows(2) {
        if pair[0] == pair[1] {
            return Err(DatabaseError::VersionTwice {
                version: pair[0].version,
                first: pair[0].description.clone().into_owned(),
                second: pair[1].description.clone().into_owned(),
            });
        }
    }
    Ok(Migrator::with_migrations(all))
}

/// Applies what is missing; of several processes that start at once, one does it and the others wait.
///
/// PostgreSQL has an advisory lock for this, which sqlx takes and which ends with `conn` at the latest. sqlx has none for
/// SQLite, so there all of it happens in one transaction that holds the write lock from the beginning.
pub(super) async fn run(
    kind: Kind,
    place: &str,
    conn: &mut Connection,
    migrator: &Migrator,
) -> Result<(), DatabaseError> {
    let done = match kind {
        Kind::Postgres => migrator.run_direct(None, conn, false).await,
        Kind::Sqlite => under_write_lock(conn, migrator).await,
    };
    done.map_err(|error| match error {
        MigrateError::VersionMissing(version) => DatabaseError::Newer { place: place.to_owned(), version },
        MigrateError::VersionMismatch(version) => DatabaseError::Differs { place: place.to_owned(), version },
        source => DatabaseError::Migrate { place: place.to_owned(), source },
    })
}

async fn under_write_lock(conn: &mut Connection, migrator: &Migrator) -> Result<(), MigrateError> {
    let mut transaction = conn.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(())
}
