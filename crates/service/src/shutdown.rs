//! One signal that everything that runs can wait for.

use std::sync::Arc;

use tokio::sync::watch;

/// Whether the process is to end; clones share one state, which only ever goes from "no" to "yes".
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use sealwright_service::shutdown::Shutdown;
///
/// let shutdown = Shutdown::new();
/// let task = tokio::spawn({
///     let shutdown = shutdown.clone();
///     async move { shutdown.begun().await }
/// });
/// shutdown.begin();
/// task.await.unwrap();
/// assert!(shutdown.has_begun());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Shutdown {
    /// One that begins when [`begin`](Self::begin) is called.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// One that also begins at SIGINT (Ctrl-C) or SIGTERM.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn on_signals() -> Self {
        let shutdown = Self::new();
        let on_signal = shutdown.clone();
        tokio::spawn(async move {
            match signal().await {
                Ok(name) => tracing::info!(signal = name, "shutting down"),
                // Without a handler the signal ends the process by itself, only less gently.
                Err(error) => return tracing::warn!(%error, "signals cannot be watched"),
            }
            on_signal.begin();
        });
        shutdown
    }

    /// Begins the shutdown; calling it again changes nothing.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it begins; returns at once if it has.
    pub async fn begun(&self) {
        let mut state = self.0.subscribe();
        state.wait_for(|begun| *begun).await.expect("self holds the sender");
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(unix)]
async fn signal() -> std::io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    })
}

#[cfg(not(unix))]
async fn signal() -> std::io::Result<&'static str> {
    tokio::signal::ctrl_c().await?;
    Ok("ctrl-c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn late_waiters_return_at_once() {
        let shutdown = Shutdown::new();
        assert!(!shutdown.has_begun());
        shutdown.begin();
        shutdown.begin();
        shutdown.clone().begun().await;
    }
}
