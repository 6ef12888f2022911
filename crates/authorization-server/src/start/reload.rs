//! A configuration that changed while the server runs.

use sealwright_keystore::KeyProvider;
use tokio::sync::oneshot;

use super::Running;
use crate::config::Config;
use crate::config::token_signature::TokenSignature;
use crate::signing_keys::replica::Source;

/// Why a changed configuration was not taken; the running keys stay as they are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The keys cannot be as the configuration has them.
    #[error("the signing keys stay as they are")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

impl Running {
    /// Takes the signing keys of a changed configuration over, at once and all together. When this returns, requests see
    /// them; everything else in `config` needs a restart and is passed over.
    ///
    /// # Errors
    ///
    /// [`ReloadError`]; the keys are then as they were.
    pub async fn reload(&self, config: &Config) -> Result<(), ReloadError> {
        let (answer, answered) = oneshot::channel();
        let stopping = |_| ReloadError::Stopping;
        self.replacements.send((source(config), answer)).await.map_err(|_| ReloadError::Stopping)?;
        answered.await.map_err(stopping)?.map_err(|error| ReloadError::Keys(error.into()))
    }
}

/// Where the keys of `config` come from.
pub(super) fn source(config: &Config) -> Source {
    match &config.token_signature {
        TokenSignature::Automatic(automatic) => Source::Planned {
            plan: automatic.plan.clone(),
            provider: KeyProvider::sealed(config.kek.clone()),
        },
        TokenSignature::Declared(declared) => Source::Declared(Box::new(declared.clone())),
    }
}
