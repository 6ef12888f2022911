//! What a process knows of itself, and how it hears from the others.

use std::process;
use std::sync::Arc;
use std::time::Duration;

use sealwright_jose::Alg;
use sealwright_service::clock::Timestamp;
use sealwright_service::database::Database;
use sealwright_service::random;
use tokio::sync::Notify;

use crate::signing_keys::transaction::CHANNEL;

/// Wakes the loop when another replica says that there is something new. Without it the loop still looks by itself.
pub(super) async fn listen(database: Database, told: Arc<Notify>, pause: Duration) {
    loop {
        match database.listen(CHANNEL).await {
            Ok(None) => return,
            Ok(Some(mut listener)) => {
                while listener.next().await.is_ok() {
                    told.notify_one();
                }
            }
            Err(error) => tracing::debug!(%error, "cannot listen to the other replicas; trying again"),
        }
        tokio::time::sleep(pause).await;
    }
}

/// A name that no key had before: the algorithm, the day, and 48 random bits.
pub(super) fn new_kid(alg: Alg, now: Timestamp) -> String {
    let day: String = now.to_rfc3339().chars().take(10).filter(|c| *c != '-').collect();
    let random: String = random::bytes::<6>().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{day}-{random}", alg.name().to_ascii_lowercase())
}

/// Up to a tenth less, so that replicas that were started together do not ask together for ever.
pub(super) fn with_jitter(poll: Duration) -> Duration {
    let [random] = random::bytes::<1>();
    poll - poll * u32::from(random) / 2560
}

/// What people recognise a replica by.
pub(super) fn name() -> String {
    let host = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty() && name.len() <= 64);
    let host = host.or_else(|| {
        let name = std::fs::read_to_string("/etc/hostname").ok()?;
        Some(name.trim().chars().take(64).collect())
    });
    format!("{}:{}", host.as_deref().unwrap_or("localhost"), process::id())
}
