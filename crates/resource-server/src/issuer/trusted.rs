//! One issuer at work: its terms, and its keys.

use crate::{
    AccessToken, ConfigError, IssuerConfig, KeySetStatus, KeySets, KeySource, TokenError, Waived,
    explain::{Check, Outcome, Quoted, Witness},
    jwks::{KeySet, NoNewer, PublishedKeys, RemoteKeys},
    token::Payload,
};
use sealwright_jose::{
    VerifyError,
    jws::{Scratch, Verifier},
};
use std::{
    cell::Cell,
    sync::{Arc, Weak},
};

thread_local! {
    /// Where tokens are decoded; no larger than the longest that may pass.
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// An issuer with its keys.
pub(crate) struct Trusted {
    terms: IssuerConfig,
    waived: Vec<Waived>,
    keys: Keys,
}

enum Keys {
    Fixed(Verifier),
    Remote(Arc<RemoteKeys>),
}

/// How far the decision about a token has come. Everything but waiting for keys happens at once, so that a request
/// that need not wait costs no task, no lock and no boxed future.
pub(crate) enum Step<T> {
    /// It is decided.
    Done(T),
    /// It needs keys that are not at hand.
    Wait(KeyWait),
}

impl<T> Step<T> {
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Done(decided) => Step::Done(f(decided)),
            Self::Wait(wait) => Step::Wait(wait),
        }
    }
}

impl<T, E> Step<Result<T, E>> {
    /// Goes on with what was decided, unless it was refused or must wait.
    pub(crate) fn and_then<U>(self, next: impl FnOnce(T) -> Result<U, E>) -> Step<Result<U, E>> {
        self.map(|decided| decided.and_then(next))
    }
}

/// Takes steps until one decides. `step` is given what was fetched, and is asked anew after each wait.
pub(crate) async fn settle<T>(mut step: impl FnMut(Option<Fetched>) -> Step<T>) -> T {
    let mut fetched = None;
    loop {
        match step(fetched) {
            Step::Done(decided) => return decided,
            Step::Wait(wait) => fetched = Some(wait.finish().await),
        }
    }
}

/// What a decision waits for. It borrows nothing, so that it can be kept beside the request.
pub(crate) struct KeyWait {
    keys: Arc<RemoteKeys>,
    /// The set that lacks the token's key; `None` if there is none yet.
    outdated: Option<Arc<KeySet>>,
}

/// What the waiting brought.
pub(crate) enum Fetched {
    First(Option<Arc<KeySet>>),
    Newer(Result<Arc<KeySet>, NoNewer>),
}

impl KeyWait {
    /// Waits. With the result, the decision is made from its beginning.
    pub(crate) async fn finish(self) -> Fetched {
        match self.outdated {
            None => Fetched::First(self.keys.obtain().await),
            Some(outdated) => Fetched::Newer(self.keys.newer_than(&outdated).await),
        }
    }
}

impl Trusted {
    pub(crate) fn new(terms: IssuerConfig, waived: &[Waived], sets: &KeySets) -> Result<Self, ConfigError> {
        let terms = terms.waiving(waived);
        terms.validate(sets.options())?;
        if let Some(remote) = RemoteKeys::new(&terms, sets)? {
            return Ok(Self { terms, waived: waived.to_vec(), keys: Keys::Remote(remote) });
        }
        let mut policy = terms.policy();
        if let KeySource::Fixed(keys) = &terms.keys {
            policy = keys.iter().fold(policy, |policy, key| policy.key(key.clone()));
        }
        let unusable = |source| ConfigError::Verifier { issuer: terms.issuer.clone(), source };
        let keys = Keys::Fixed(policy.build().map_err(unusable)?);
        Ok(Self { terms, waived: waived.to_vec(), keys })
    }

    pub(crate) fn terms(&self) -> &IssuerConfig {
        &self.terms
    }

    /// Whether its tokens may lack this.
    pub(crate) fn waives(&self, what: Waived) -> bool {
        self.waived.contains(&what)
    }

    /// Whether a token that says this of its issuer is its own.
    pub(crate) fn is(&self, iss: Option<&str>) -> bool {
        match iss {
            Some(iss) => iss == self.terms.issuer,
            None => self.waives(Waived::Issuer),
        }
    }

    pub(crate) fn key_set(&self) -> Option<KeySetStatus> {
        match &self.keys {
            Keys::Fixed(_) => None,
            Keys::Remote(remote) => Some(remote.status()),
        }
    }

    /// Whether a token that was verified with `keys` would be so now: they are still those that are at hand, in the same
    /// document or in another one.
    pub(crate) fn has_still(&self, keys: Option<&Weak<PublishedKeys>>) -> bool {
        match (&self.keys, keys) {
            (Keys::Fixed(_), None) => true,
            (Keys::Remote(remote), Some(keys)) => remote.are_still(keys),
            _ => false,
        }
    }

    /// Decides about a token by the keys at hand, or by those that were `fetched` for it.
    pub(crate) fn decide(
        self: &Arc<Self>,
        token: &str,
        now_s: i64,
        fetched: Option<Fetched>,
        witness: &mut impl Witness,
    ) -> Step<Result<AccessToken, TokenError>> {
        let remote = match &self.keys {
            Keys::Fixed(verifier) => {
                witness.saw(Check::Keys, Outcome::Passed, || "fixed");
                return Step::Done(self.check(token, verifier, None, now_s, witness));
            }
            Keys::Remote(remote) => remote,
        };
        let wait = |outdated| Step::Wait(KeyWait { keys: Arc::clone(remote), outdated });
        let (set, newest) = match fetched {
            None => (remote.at_hand(), false),
            Some(Fetched::First(Some(set))) => (Some(set), false),
            Some(Fetched::First(None)) => {
                let why = || "they could not be fetched, and none that may still be used are at hand";
                return Step::Done(Err(witness.failed(Check::Keys, TokenError::KeysUnavailable, why)));
            }
            Some(Fetched::Newer(Ok(set))) => (Some(set), true),
            // A good token may be signed with a key that we could not ask for: its client must not throw it away.
            Some(Fetched::Newer(Err(NoNewer::NotAsked))) => {
                let why = || "no key fits, and whether there is a newer set could not be asked";
                return Step::Done(Err(witness.failed(Check::Key, TokenError::KeysUnavailable, why)));
            }
            Some(Fetched::Newer(Err(NoNewer::Same))) => {
                let why = || "no key fits, and there is no newer set";
                return Step::Done(Err(witness.failed(Check::Key, TokenError::KeyUnknown, why)));
            }
        };
        let Some(set) = set else {
            // A token that no key could save makes nobody wait, and makes us fetch nothing.
            return match self.check(token, remote.keyless(), None, now_s, witness) {
                Err(TokenError::KeyUnknown) => wait(None),
                refused => Step::Done(refused),
            };
        };
        witness.saw(Check::Keys, Outcome::Passed, || "published by the issuer");
        match self.check(token, set.verifier(), Some(&set), now_s, witness) {
            Err(TokenError::KeyUnknown) if !newest => wait(Some(set)),
            decided => Step::Done(decided),
        }
    }

    fn check(
        self: &Arc<Self>,
        token: &str,
        verifier: &Verifier,
        set: Option<&Arc<KeySet>>,
        now_s: i64,
        witness: &mut impl Witness,
    ) -> Result<AccessToken, TokenError> {
        // A witness could ask for another decision; that one finds an empty buffer.
        let mut scratch = SCRATCH.take();
        let checked = self.check_in(&mut scratch, token, verifier, set, now_s, witness);
        SCRATCH.set(scratch);
        checked
    }

    fn check_in(
        self: &Arc<Self>,
        scratch: &mut Scratch,
        token: &str,
        verifier: &Verifier,
        set: Option<&Arc<KeySet>>,
        now_s: i64,
        witness: &mut impl Witness,
    ) -> Result<AccessToken, TokenError> {
        let verified = verifier.verify_compact(token, scratch);
        witness.verified(token, verified.as_ref().err().map(VerifyError::kind));
        let verified = verified.map_err(|error| error.kind())?;
        let payload = Payload::parse(verified.payload()).map_err(|error| {
            witness.failed(Check::Claims, TokenError::ClaimsMalformed, || error.to_string())
        })?;
        self.check_issuer(payload.iss(), witness)?;
        AccessToken::validate(payload, verified.typ(), self, set, now_s, witness)
    }

    fn check_issuer(&self, iss: Option<&str>, witness: &mut impl Witness) -> Result<(), TokenError> {
        if iss.is_none() && self.waives(Waived::Issuer) {
            witness.waived(Check::Issuer, "`iss` may be missing by compatibility");
            return Ok(());
        }
        let why = || match iss {
            Some(iss) => format!("`iss` is {}", Quoted(iss)),
            None => "`iss` is missing".to_owned(),
        };
        witness.check(Check::Issuer, self.is(iss), TokenError::IssuerUnknown, why)
    }
}
