//! The `jades` worker: a key is made, certified for the signer, used once, and destroyed.

use std::sync::Arc;

use sealwright_jose::Alg;
use sealwright_service::clock::Timestamp;

use crate::{
    authorizer::SigningContext,
    ca::{Issued, Subject, SubjectError},
    crypto_token::{OneTimeToken, TokenUseError},
    format::jades::{self, JadesError},
};

#[derive(Debug)]
pub(crate) struct JadesWorker {
    pub(crate) alg: Alg,
    pub(crate) token: Arc<OneTimeToken>,
}

/// A signed document with what there is to say about it.
#[derive(Debug)]
pub(crate) struct Signed {
    /// The flattened JSON serialization.
    pub(crate) document: String,
    pub(crate) certificate: Issued,
    /// DER, leaf first.
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) signing_time: Timestamp,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignFailure {
    /// Before there was a certificate.
    #[error("there is no key to sign with")]
    Key(#[from] TokenUseError),
    /// After one was issued.
    #[error("the document cannot be signed")]
    Sign {
        issued: Box<Issued>,
        #[source]
        source: SignWorkError,
    },
}

/// The failure of the work itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignWorkError {
    #[error(transparent)]
    Jades(#[from] JadesError),
    #[error("the work was cut off")]
    CutOff(#[from] tokio::task::JoinError),
}

impl JadesWorker {
    /// The subject that the signer's certificate will have. Checked before anything is reserved or made.
    pub(crate) fn subject(&self, context: &SigningContext) -> Result<Subject, SubjectError> {
        self.token.authority().subject(context)
    }

    /// Makes the key and signs. The document comes as it is owned here, so that it is not copied.
    pub(crate) async fn sign(
        &self,
        document: Vec<u8>,
        media_type: Option<String>,
        subject: Subject,
        now: Timestamp,
    ) -> Result<Signed, SignFailure> {
        let key = self.token.make_key(subject, now).await?;
        let certificate = key.issued().clone();
        let chain = key.chain().to_vec();
        // JWS counts whole seconds, so that is the time of the signature.
        let signing_time = Timestamp::from_secs(now.as_secs());
        let work = tokio::task::spawn_blocking(move || {
            jades::sign(&document, media_type.as_deref(), key, signing_time)
        });
        let document = match work.await {
            Ok(Ok(document)) => document,
            Ok(Err(error)) => {
                return Err(SignFailure::Sign { issued: Box::new(certificate), source: error.into() });
            }
            Err(error) => {
                return Err(SignFailure::Sign { issued: Box::new(certificate), source: error.into() });
            }
        };
        Ok(Signed { document, certificate, chain, signing_time })
    }
}
