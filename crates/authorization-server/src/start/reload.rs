//! A configuration that changed while the server runs.

use std::sync::Arc;

use arc_swap::ArcSwap;
use sealwright_keystore::{KeyProvider, KeystoreError, Pkcs11Settings, Pkcs11Token, TokenError, TokenName};
use tokio::sync::{mpsc, oneshot};

use super::Running;
use crate::config::token_signature::{Automatic, Pkcs11Config, ProviderConfig, TokenSignature};
use crate::config::{Config, FirstStartError};
use crate::signing_keys::replica::{KeysError, Replacement, Source};

/// Why a changed configuration was not taken; the running keys stay as they are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The keys cannot be as the configuration has them.
    #[error("the signing keys stay as they are")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the changed configuration needs and nobody has given cannot be made.
    #[error("what the changed resources need cannot be made")]
    FirstStart(#[from] FirstStartError),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

impl ReloadError {
    /// Whether the same may be taken later, without anybody's doing. A PIN that a token refused may not even be tried: tokens lock
    /// after a few wrong ones.
    pub fn may_pass(&self) -> bool {
        let Self::Keys(error) = self else { return true };
        let by_token = match (error.downcast_ref(), error.downcast_ref()) {
            (Some(KeystoreError::Token(error)), _) => Some(error),
            (_, Some(KeysError::Keystore(KeystoreError::Token(error)))) => Some(error),
            _ => None,
        };
        !matches!(by_token, Some(TokenError::Pin(_) | TokenError::PinLocked(_)))
    }
}

/// Takes changed configurations to a running server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reloader {
    replacements: mpsc::Sender<Replacement>,
    /// Where operators' requests look for the source.
    key_source: Arc<ArcSwap<Source>>,
}

impl Running {
    /// What takes changed configurations to this server, also while it is waited for.
    pub fn reloader(&self) -> Reloader {
        Reloader { replacements: self.replacements.clone(), key_source: Arc::clone(&self.key_source) }
    }
}

impl Reloader {
    /// Takes the signing keys of a changed configuration over, at once and all together. When this returns, requests see
    /// them; but where other replicas live, what signed before may go on for two polls, until they serve the key that is to sign
    /// from now on. So it is unless the database or a token failed in that very moment: then the server tries again by itself, and says so in
    /// its log. Everything else in `config` needs a restart and is passed over.
    ///
    /// # Errors
    ///
    /// [`ReloadError`]; the keys are then as they were.
    pub async fn reload(&self, mut config: Config) -> Result<(), ReloadError> {
        config.make_missing().await?;
        let (answer, answered) = oneshot::channel();
        let source = source(&config).await.map_err(|error| ReloadError::Keys(error.into()))?;
        let taken_over = Arc::new(source.clone());
        self.replacements.send((source, answer)).await.map_err(|_| ReloadError::Stopping)?;
        let taken = answered.await.map_err(|_| ReloadError::Stopping)?;
        taken.map_err(|error| ReloadError::Keys(error.into()))?;
        self.key_source.store(taken_over);
        Ok(())
    }
}

/// Where the keys of `config` come from. A token is opened for it, so this may take its time.
pub(crate) async fn source(config: &Config) -> Result<Source, KeystoreError> {
    Ok(match &config.token_signature {
        TokenSignature::Automatic(automatic) => Source::Planned {
            plan: automatic.plan.clone(),
            provider: provider(config, &automatic.provider).await?,
        },
        TokenSignature::Declared(declared) => Source::Declared(Box::new(declared.clone())),
    })
}

/// As [`source`], for who looks at keys beside the server: nothing is made, and a token is opened when it is needed.
pub(crate) async fn source_to_look_at(config: &Config) -> Result<Source, KeystoreError> {
    Ok(match &config.token_signature {
        TokenSignature::Automatic(Automatic { plan, provider: ProviderConfig::Pkcs11(token) }) => {
            let provider = KeyProvider::pkcs11_when_needed(settings(token)?).also_sealed(config.kek.clone());
            Source::Planned { plan: plan.clone(), provider }
        }
        TokenSignature::Declared(declared) => Source::Declared(Box::new(config.with_made(declared).await)),
        TokenSignature::Automatic(_) => source(config).await?,
    })
}

fn settings(token: &Pkcs11Config) -> Result<Pkcs11Settings, KeystoreError> {
    let name = TokenName::Label(token.token.clone());
    Pkcs11Settings::new(&token.module, name, token.pin.clone()).sessions(token.sessions)
}

async fn provider(config: &Config, provider: &ProviderConfig) -> Result<KeyProvider, KeystoreError> {
    match provider {
        ProviderConfig::Local => Ok(KeyProvider::sealed(config.kek.clone())),
        ProviderConfig::Pkcs11(token) => {
            let token = Pkcs11Token::open(settings(token)?).await?;
            Ok(KeyProvider::pkcs11(token).also_sealed(config.kek.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_that_was_refused_is_not_tried_again_by_itself() {
        let refused = || KeystoreError::Token(TokenError::Pin("`t`".into()));
        let locked = || KeystoreError::Token(TokenError::PinLocked("`t`".into()));
        let away = || KeystoreError::Unavailable("it is away".into());
        let missing =
            || KeystoreError::Token(TokenError::Missing { wanted: "`t`".into(), there: Vec::new() });
        for (error, may_pass) in
            [(refused as fn() -> KeystoreError, false), (locked, false), (away, true), (missing, true)]
        {
            for error in
                [ReloadError::Keys(error().into()), ReloadError::Keys(KeysError::from(error()).into())]
            {
                assert_eq!(error.may_pass(), may_pass, "{error:?}");
            }
        }
        assert!(ReloadError::Stopping.may_pass());
    }
}
