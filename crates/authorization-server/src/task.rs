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
        let swept = async {
            let mut conn = app.database.writer().acquire().await?;
            sweep::sweep(&mut conn, app.now()).await
        };
        match swept.await {
            Ok(rows) => tracing::debug!(rows, "expired rows deleted"),
            Err(error) => {
                tracing::warn!(%error, "expired rows could not be deleted; trying again in a minute");
            }
        }
    }
}
