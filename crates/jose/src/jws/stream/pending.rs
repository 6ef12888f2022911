//! One signature whose payload is still coming.

use crate::{
    Hasher, VerifyError, VerifyErrorKind, base64url,
    jws::{
        VerifiedSignature,
        json::Entry,
        rules::{AnyKey, Decision, Rules},
    },
    provider::MacContext,
};

/// One signature that may turn out valid.
pub(super) struct Pending<'v> {
    /// What is shown of it then.
    verified: VerifiedSignature<'v>,
    signature: Vec<u8>,
    tries: Vec<(&'v AnyKey, State)>,
}

impl<'v> Pending<'v> {
    pub(super) fn start(
        rules: &'v Rules,
        index: usize,
        entry: &Entry<'_>,
        decision: &Decision<'_>,
    ) -> Result<Self, VerifyError> {
        let signature = base64url::decode(&entry.signature).map_err(|_| VerifyErrorKind::Malformed)?;
        let mut tries = Vec::new();
        for key in decision.fit.keys() {
            let key = &rules.keys[*key];
            let mut state = State::start(key)?;
            state.update(entry.protected.as_bytes());
            state.update(b".");
            tries.push((key, state));
        }
        let verified = VerifiedSignature::owned(index, decision, tries[0].0);
        Ok(Self { verified, signature, tries })
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'v AnyKey> {
        self.tries.iter().map(|(key, _)| *key)
    }

    pub(super) fn update(&mut self, text: &[u8]) {
        for (_, state) in &mut self.tries {
            state.update(text);
        }
    }

    pub(super) fn finish(self) -> Result<VerifiedSignature<'v>, VerifyError> {
        let valid =
            self.tries.into_iter().find_map(|(key, state)| state.finish(key, &self.signature).then_some(key));
        match valid {
            Some(key) => Ok(self.verified.by(key)),
            None => Err(VerifyErrorKind::Signature.into()),
        }
    }
}

/// What has been computed of one signature.
enum State {
    Digest(Hasher),
    Mac(Box<MacContext>),
}

impl State {
    fn start(key: &AnyKey) -> Result<Self, VerifyError> {
        match key {
            AnyKey::Public(key) => {
                let hash = key.alg().digest().ok_or(VerifyErrorKind::NeedsWholeMessage)?;
                Ok(Self::Digest(Hasher::new(hash)))
            }
            AnyKey::Mac(key) => Ok(Self::Mac(Box::new(key.start_verifying()?))),
        }
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Digest(hasher) => hasher.update(data),
            Self::Mac(context) => context.update(data),
        }
    }

    fn finish(self, key: &AnyKey, signature: &[u8]) -> bool {
        match (self, key) {
            (Self::Digest(hasher), AnyKey::Public(key)) => {
                key.verify_digest(&hasher.finish(), signature).is_ok()
            }
            (Self::Mac(context), AnyKey::Mac(_)) => context.verify(signature),
            _ => false,
        }
    }
}
