//! The `validator` worker.

use std::sync::Arc;

use sealwright_service::clock::Timestamp;

use crate::validation::{self, Anchors, Report};

#[derive(Debug)]
pub(crate) struct ValidatorWorker {
    pub(crate) anchors: Arc<Anchors>,
}

impl ValidatorWorker {
    /// Validates on a thread for long work.
    pub(crate) async fn validate(
        &self,
        document: Vec<u8>,
        now: Timestamp,
    ) -> Result<Report, tokio::task::JoinError> {
        let anchors = Arc::clone(&self.anchors);
        tokio::task::spawn_blocking(move || validation::validate(&document, &anchors, now)).await
    }
}
