//! Where a worker's keys come from: so far, a new key for each signature.

use std::{fmt, sync::Arc};

use sealwright_jose::{Alg, KeyError, SigningKey, VerifyingKey};
use sealwright_service::clock::Timestamp;

use crate::ca::{Authority, IssueError, Issued, Subject};

/// A token that makes a key for each signature and has it certified for minutes.
#[derive(Debug)]
pub(crate) struct OneTimeToken {
    alg: Alg,
    authority: Arc<Authority>,
}

/// A certified key for one signature. It cannot be cloned, and signing takes it; the private half is wiped
/// when it goes.
pub(crate) struct OneTimeKey {
    key: SigningKey,
    issued: Issued,
    /// Leaf first, as `x5c` wants it.
    chain: Vec<Vec<u8>>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenUseError {
    #[error("no key can be made")]
    Key(#[from] KeyError),
    #[error("the key cannot be certified")]
    Issue(#[from] IssueError),
    #[error("the work was cut off")]
    CutOff(#[from] tokio::task::JoinError),
}

impl OneTimeToken {
    pub(crate) fn new(alg: Alg, authority: Arc<Authority>) -> Self {
        Self { alg, authority }
    }

    /// Makes a key and has it certified for `subject`.
    pub(crate) async fn make_key(
        &self,
        subject: Subject,
        now: Timestamp,
    ) -> Result<OneTimeKey, TokenUseError> {
        let alg = self.alg;
        // An RSA key takes tens of milliseconds or more: too long for the threads that serve.
        let key = if alg.is_rsa() {
            tokio::task::spawn_blocking(move || SigningKey::generate(alg)).await??
        } else {
            SigningKey::generate(alg)?
        };
        let issued = self.authority.issue(subject, &key.verifying_key(), now).await?;
        let chain = vec![issued.der.clone(), self.authority.der().to_vec()];
        Ok(OneTimeKey { key, issued, chain })
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl OneTimeKey {
    pub(crate) fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    pub(crate) fn alg(&self) -> Alg {
        self.key.alg()
    }

    pub(crate) fn issued(&self) -> &Issued {
        &self.issued
    }

    pub(crate) fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// Signs once; the private key is gone after it, also if it failed.
    pub(crate) fn sign_once(self, input: &[u8]) -> Result<Vec<u8>, sealwright_jose::SignError> {
        self.key.sign(input)
    }
}

impl fmt::Debug for OneTimeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeKey").field("serial", &self.issued.serial).finish_non_exhaustive()
    }
}
