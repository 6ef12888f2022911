//! The handle of a key in a token.

use std::{fmt, sync::Arc, time::Duration};

use sealwright_jose::{Alg, VerifyingKey, jws::SigningInput};

use super::{key, pool::Pool, scheme::Scheme};
use crate::{KeyHandle, KeystoreError, RemoteSigner, Signing, blocking::run_blocking};

/// Longer than any token takes for a signature; a driver that hangs holds one session, and not its callers.
const CALL_LIMIT: Duration = Duration::from_secs(30);

pub(super) fn handle(pool: Arc<Pool>, scheme: Scheme, kid: &str, public: VerifyingKey) -> KeyHandle {
    Arc::new(InToken { pool, scheme, kid: kid.to_owned(), public })
}

struct InToken {
    pool: Arc<Pool>,
    scheme: Scheme,
    kid: String,
    public: VerifyingKey,
}

impl fmt::Debug for InToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InToken")
            .field("token", &self.pool.token())
            .field("kid", &self.kid)
            .field("alg", &self.alg())
            .finish_non_exhaustive()
    }
}

impl RemoteSigner for InToken {
    fn alg(&self) -> Alg {
        self.public.alg()
    }

    fn kid(&self) -> &str {
        &self.kid
    }

    fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// Hashing is quicker here, and what a token is sent is short.
    fn takes_digests(&self) -> bool {
        true
    }

    fn sign<'a>(&'a self, input: SigningInput<'a>) -> Signing<'a> {
        Box::pin(async move {
            let input = match input {
                SigningInput::Message(message) => Some(self.scheme.input_of(message)),
                SigningInput::Digest(hash, digest) => self.scheme.input_of_digest(hash, digest),
                _ => None,
            };
            let input = input.ok_or_else(|| {
                KeystoreError::Unavailable("this form of signing input is not known here".into())
            })?;
            let permit = self.pool.permit().await?;
            let (pool, scheme, kid, alg) = (self.pool.clone(), self.scheme, self.kid.clone(), self.alg());
            let work = run_blocking(move || {
                // Given back when the token has answered, whether or not somebody still waits for that.
                let _permit = permit;
                key::sign(&pool, scheme, &kid, alg, &input)
            });
            tokio::time::timeout(CALL_LIMIT, work).await.unwrap_or_else(|_| {
                Err(KeystoreError::Unavailable(format!(
                    "the PKCS#11 token {} did not answer within {} s",
                    self.pool.token(),
                    CALL_LIMIT.as_secs()
                )))
            })
        })
    }
}
