//! One signal that everything that runs can wait for.

use std::{io, sync::Arc};

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

    /// One that also begins at SIGINT (Ctrl-C) or SIGTERM; from here on these no longer end the process by themselves.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn on_signals() -> Self {
        let shutdown = Self::new();
        match signals() {
            Ok(signal) => {
                let on_signal = shutdown.clone();
                tokio::spawn(async move {
                    let signal = signal.await;
                    tracing::info!(signal, "shutting down");
                    on_signal.begin();
                });
            }
            // Without a handler a signal still ends the process, only less gently.
            Err(error) => tracing::warn!(%error, "signals cannot be watched"),
        }
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
        // The error would be that the sender is gone, and `self` holds it.
        let _ = state.wait_for(|begun| *begun).await;
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

/// The name of the first signal that comes; they are watched from the call on, not from the first poll.
#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

#[cfg(not(unix))]
fn signals() -> io::Result<impl Future<Output = &'static str>> {
    Ok(async {
        // A failure to watch looks like a signal: a server that cannot be stopped is worse than one that stops.
        let _ = tokio::signal::ctrl_c().await;
        "ctrl-c"
    })
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

    #[cfg(unix)]
    #[tokio::test]
    async fn sigterm_begins_it() {
        let shutdown = Shutdown::on_signals();
        let own = std::process::id().to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &own]).status().unwrap();
        assert!(sent.success());
        tokio::time::timeout(std::time::Duration::from_secs(5), shutdown.begun()).await.unwrap();
    }
}
