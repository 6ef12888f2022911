//! What stands beside a decision and sees each check.

use super::{Check, Explained, Outcome};
use sealwright_jose::{VerifyErrorKind, jws::Unverified};
use std::{borrow::Cow, fmt};

/// Sees what a decision looks at. What it does with that never changes the decision.
pub(crate) trait Witness {
    /// Whether this is no real request, so that nothing may be used up or counted.
    const DRY_RUN: bool;

    /// A check went like this. `why` is only called by those who listen.
    fn saw<W: Into<Cow<'static, str>>>(&mut self, check: Check, outcome: Outcome, why: impl FnOnce() -> W);

    /// What was seen of the token is put aside: something that comes before it decides.
    fn reconsider(&mut self);

    /// A check that holds.
    fn passed(&mut self, check: Check) {
        self.saw(check, Outcome::Passed, || "");
    }

    /// A check that the configuration does not ask for.
    fn waived(&mut self, check: Check, why: &'static str) {
        self.saw(check, Outcome::Waived, || why);
    }

    /// A check that does not hold, which decides.
    fn failed<E, W: Into<Cow<'static, str>>>(
        &mut self,
        check: Check,
        error: E,
        why: impl FnOnce() -> W,
    ) -> E {
        self.saw(check, Outcome::Failed, why);
        error
    }

    /// A check that decides: refuses with `error` unless it `holds`.
    fn check<E, W: Into<Cow<'static, str>>>(
        &mut self,
        check: Check,
        holds: bool,
        error: E,
        why: impl FnOnce() -> W,
    ) -> Result<(), E> {
        if holds {
            self.passed(check);
            Ok(())
        } else {
            Err(self.failed(check, error, why))
        }
    }

    /// The checks that a [`Verifier`](sealwright_jose::jws::Verifier) makes, by how it decided about `token`.
    fn verified(&mut self, token: &str, refused: Option<VerifyErrorKind>);
}

/// Looks away: what decides about requests.
pub(crate) struct Unwatched;

impl Witness for Unwatched {
    const DRY_RUN: bool = false;

    #[inline(always)]
    fn saw<W: Into<Cow<'static, str>>>(&mut self, _: Check, _: Outcome, _: impl FnOnce() -> W) {}

    #[inline(always)]
    fn reconsider(&mut self) {}

    #[inline(always)]
    fn verified(&mut self, _: &str, _: Option<VerifyErrorKind>) {}
}

/// Writes down what it sees.
#[derive(Default)]
pub(crate) struct Recorder(Vec<Explained>);

impl Witness for Recorder {
    const DRY_RUN: bool = true;

    fn saw<W: Into<Cow<'static, str>>>(&mut self, check: Check, outcome: Outcome, why: impl FnOnce() -> W) {
        // A check that is made in several parts stands there once, and fails where its first part does.
        match self.0.iter().position(|seen| seen.check == check) {
            Some(_) if outcome != Outcome::Failed => return,
            Some(before) if self.0[before].outcome == Outcome::Failed => return,
            Some(before) => drop(self.0.remove(before)),
            None => {}
        }
        self.0.push(Explained { check, outcome, why: why().into() });
    }

    fn reconsider(&mut self) {
        self.0.retain(|seen| seen.check == Check::Request);
    }

    fn verified(&mut self, token: &str, refused: Option<VerifyErrorKind>) {
        let failed = refused.map(|kind| match kind {
            VerifyErrorKind::AlgNotAllowed => Check::Algorithm,
            VerifyErrorKind::Critical => Check::Critical,
            VerifyErrorKind::TypMismatch => Check::Type,
            VerifyErrorKind::KeyUnknown | VerifyErrorKind::KeyAmbiguous => Check::Key,
            VerifyErrorKind::Signature => Check::Signature,
            _ => Check::Form,
        });
        let header = Unverified::peek_compact(token).ok();
        // The order in which a verifier looks at them.
        for check in
            [Check::Form, Check::Algorithm, Check::Critical, Check::Type, Check::Key, Check::Signature]
        {
            let parameter = match check {
                Check::Algorithm => "alg",
                Check::Critical => "crit",
                Check::Type => "typ",
                Check::Key => "kid",
                _ => "",
            };
            let value = header.as_ref().and_then(|header| header.header(parameter));
            let said = value.map(|value| match value.as_str() {
                Some(text) => Quoted(text).to_string(),
                None => Quoted(&value.to_string()).to_string(),
            });
            match refused {
                Some(kind) if failed == Some(check) => {
                    let said = said.map(|said| format!(": `{parameter}` is {said}")).unwrap_or_default();
                    return self.saw(check, Outcome::Failed, || format!("{kind}{said}"));
                }
                _ => self.saw(check, Outcome::Passed, || said.unwrap_or_default()),
            }
        }
    }
}

impl Recorder {
    /// Every check once: those that were seen, and the others as not reached.
    pub(super) fn into_checks(self) -> Vec<Explained> {
        let mut checks = self.0;
        for check in Check::ALL {
            if checks.iter().all(|seen| seen.check != *check) {
                let why = Cow::Borrowed("");
                checks.push(Explained { check: *check, outcome: Outcome::NotReached, why });
            }
        }
        checks
    }
}

/// Text of a token in a sentence for people: quoted, without control characters, and cut where it gets long.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 100;
        let cut: String = self.0.chars().take(LONGEST).collect();
        let more = if cut.len() < self.0.len() { "…" } else { "" };
        write!(f, "`{}{more}`", cut.escape_debug())
    }
}
