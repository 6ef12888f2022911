//! What runs beside the requests.

use std::time::Duration;

use sealwright_service::shutdown::Shutdown;

use crate::state::App;
use crate::store::sweep;

const EVERY: Duration = Duration::from_secs(60);

/// Deletes what nobody can use any more, once a minute, until shutdown begins. Safe to run on several replicas at once.
pub(crate) async fn sweep(app: App, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        // A long run ends with the process's shutdown, not after it.
        let swept = tokio::select! {
            () = shutdown.begun() => return,
            swept = sweep::sweep(&app.database, app.now()) => swept,
        };
        match swept {
            Ok(rows) => tracing::debug!(rows, "expired rows deleted"),
            Err(error) => {
                tracing::warn!(%error, "expired rows could not be deleted; trying again in a minute");
            }
        }
    }
}
