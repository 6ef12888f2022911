//! What other processes on the same PostgreSQL database say to each other.

use sqlx::postgres::PgListener;

use super::{Database, DatabaseError, Kind};

/// Messages of one channel (`LISTEN`), on a connection of its own.
///
/// They make things fast and nothing certain: what is said while the connection is down is lost, and a proxy that lends
/// connections for single transactions lets none through. Whoever listens must also look by itself now and then.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    /// Waits for the next message and gives what it says. A lost connection is made again.
    ///
    /// # Errors
    ///
    /// When the database does not let us connect again; the next call tries once more.
    pub async fn next(&mut self) -> sqlx::Result<String> {
        Ok(self.0.recv().await?.payload().to_owned())
    }
}

impl Database {
    /// Listens to a channel; `None` on SQLite, which has none.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Unavailable`].
    pub async fn listen(&self, channel: &str) -> Result<Option<Listener>, DatabaseError> {
        let Some(url) = self.listen_url.as_ref().filter(|_| self.kind == Kind::Postgres) else {
            return Ok(None);
        };
        let unavailable = |source| DatabaseError::Unavailable { place: self.place.clone(), source };
        let mut listener = PgListener::connect(url.expose().trim()).await.map_err(unavailable)?;
        listener.listen(channel).await.map_err(unavailable)?;
        Ok(Some(Listener(listener)))
    }
}
