//! One upload a token at a time.
//!
//! A token is used up after its document was read, so whoever has one could otherwise have it read any number of
//! documents at once, and hold the room for all of them. Which of several requests signs is still the ledger's
//! to decide; this is about memory only, and in this process.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// Issuer and `jti`.
type Key = (String, String);

/// The tokens that are being worked with; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uploads(Arc<Mutex<HashSet<Key>>>);

/// The right to send a document; given back when dropped.
#[derive(Debug)]
pub(crate) struct Upload {
    uploads: Uploads,
    key: Key,
}

impl Uploads {
    /// `None` while another request has this token.
    pub(crate) fn begin(&self, issuer: &str, jti: &str) -> Option<Upload> {
        let key = (issuer.to_owned(), jti.to_owned());
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(key.clone()).then(|| Upload { uploads: self.clone(), key })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let uploads = Uploads::default();
        let first = uploads.begin("https://id", "a").unwrap();
        assert!(uploads.begin("https://id", "a").is_none());
        assert!(uploads.begin("https://id", "b").is_some(), "another token");
        assert!(uploads.begin("https://other", "a").is_some(), "another issuer");
        drop(first);
        assert!(uploads.begin("https://id", "a").is_some());
    }
}
