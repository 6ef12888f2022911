//! The Extended JWS Authorizer: who may have a worker work, for which document, and how often.
//!
//! The checks stand in the types. [`Guard::admit`] looks at the token alone, before a byte of the body is
//! read, and gives [`Admitted`]; [`Admitted::authorize`] compares the document's digest and gives
//! [`Authorized`]; only the [ledger](crate::store::Ledger) makes a [`Reservation`](crate::store::Reservation)
//! of that, and only a reservation lets an operation go on to make a key.

mod binding;
mod context;
mod denial;
mod trace;

use std::sync::Arc;

use sealwright_resource_server::{
    AccessToken, Authenticator, Request, TokenError, assurance, rules::RuleError,
};
use sealwright_service::clock::Timestamp;

pub(crate) use binding::{Action, Target};
pub(crate) use context::{ContextMap, ContextName, SigningContext};
pub(crate) use denial::{Denial, DenialCode};
pub(crate) use trace::Trace;

use crate::config::{AuthorizerConfig, BindingMode, ReplayMode};
use binding::Coverage;

/// One authorizer with the keys of its issuers.
#[derive(Debug)]
pub(crate) struct Authorizer {
    pub(crate) config: Arc<AuthorizerConfig>,
    pub(crate) authenticator: Authenticator,
}

/// All that stands before a worker: one of the authorizers must let the token pass.
#[derive(Debug)]
pub(crate) struct Guard {
    authorizers: Vec<Arc<Authorizer>>,
}

/// A token that may have *some* document worked on by this worker; the document was not seen yet.
#[derive(Debug)]
pub(crate) struct Admitted {
    authorizer: Arc<Authorizer>,
    token: AccessToken,
    coverage: Coverage,
}

/// A token that may have *this* document worked on; whether it was used before is not known yet.
#[derive(Debug)]
pub(crate) struct Authorized {
    authorizer: Arc<Authorizer>,
    token: AccessToken,
    bound: bool,
}

/// Why a request does not get past the guard.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// By nobody in particular: the token was not there or not valid.
    Stranger(TokenError),
    /// By somebody who showed a valid token.
    Known(AccessToken, Denial),
}

impl Guard {
    /// `authorizers` are tried in this order; there is at least one.
    pub(crate) fn new(authorizers: Vec<Arc<Authorizer>>) -> Self {
        Self { authorizers }
    }

    /// The authorizers, in order.
    pub(crate) fn authorizers(&self) -> impl Iterator<Item = &Authorizer> {
        self.authorizers.iter().map(Arc::as_ref)
    }

    /// Checks everything about the token that can be checked without the document.
    ///
    /// Of several authorizers that refuse, the one that the request came furthest with gives the reason.
    pub(crate) async fn admit(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        now: Timestamp,
        trace: &mut Trace,
    ) -> Result<Admitted, Stopped> {
        let mut furthest: Option<Stopped> = None;
        for authorizer in &self.authorizers {
            trace.begin(&authorizer.config.name);
            match authorizer.admit(request, target, now, trace).await {
                Ok((token, coverage)) => {
                    return Ok(Admitted { authorizer: Arc::clone(authorizer), token, coverage });
                }
                Err(stopped) => {
                    if furthest.as_ref().is_none_or(|earlier| stopped.progress() > earlier.progress()) {
                        furthest = Some(stopped);
                    }
                }
            }
        }
        // A guard without authorizers lets nobody pass.
        Err(furthest.unwrap_or(Stopped::Stranger(TokenError::IssuerUnknown)))
    }
}

impl Stopped {
    fn progress(&self) -> u8 {
        match self {
            // "Unknown issuer" is what every authorizer says that is not meant by the token.
            Self::Stranger(TokenError::IssuerUnknown) => 0,
            Self::Stranger(_) => 1,
            Self::Known(_, denial) => 2 + denial.code.progress(),
        }
    }
}

impl Authorizer {
    /// Reference order: the token itself, rules, assurance, then what it is bound to.
    async fn admit(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        now: Timestamp,
        trace: &mut Trace,
    ) -> Result<(AccessToken, Coverage), Stopped> {
        let token = self.authenticator.authenticate(request, now.as_secs()).await;
        trace.step("token", token.as_ref().map(drop).map_err(TokenError::code));
        let token = token.map_err(Stopped::Stranger)?;
        match self.check(&token, target, now, trace) {
            Ok(coverage) => Ok((token, coverage)),
            Err(denial) => Err(Stopped::Known(token, denial)),
        }
    }

    fn check(
        &self,
        token: &AccessToken,
        target: &Target<'_>,
        now: Timestamp,
        trace: &mut Trace,
    ) -> Result<Coverage, Denial> {
        let config = &self.config;
        trace.check("rules", self.check_rules(token))?;
        let assured = assurance::check(&config.assurance, token, now.as_secs());
        trace.check(
            "assurance",
            assured.map_err(|challenge| Denial::assurance(challenge, &config.assurance)),
        )?;
        let coverage = match config.binding {
            BindingMode::Off => Ok(Coverage::Unbound),
            BindingMode::Optional => Coverage::read(token, target),
            BindingMode::Required => Coverage::read(token, target).and_then(Coverage::or_denied),
        };
        let coverage = trace.check("binding", coverage)?;
        let single_use = match (config.replay, token.jti()) {
            (ReplayMode::Required, None) => Err(Denial::new(DenialCode::ClaimMissing, "jti")),
            _ => Ok(()),
        };
        trace.check("replay", single_use)?;
        Ok(coverage)
    }

    fn single_use<'t>(&self, token: &'t AccessToken) -> Option<&'t str> {
        match self.config.replay {
            ReplayMode::Off => None,
            ReplayMode::IfPresent | ReplayMode::Required => token.jti(),
        }
    }

    fn check_rules(&self, token: &AccessToken) -> Result<(), Denial> {
        let rule = &self.config.rule;
        rule.check(&token.claims(), self.config.compare).map_err(|error| match error {
            RuleError::Missing { claim } => Denial::new(DenialCode::ClaimMissing, claim),
            RuleError::Mismatch { claim } => Denial::new(DenialCode::ClaimMismatch, claim),
            // Whatever else there may be one day does not match either.
            other => Denial::new(DenialCode::ClaimMismatch, other.to_string()),
        })
    }
}

impl Admitted {
    pub(crate) fn token(&self) -> &AccessToken {
        &self.token
    }

    /// The `jti` that may be used only once; `None` if the token counts any number of times.
    pub(crate) fn single_use(&self) -> Option<&str> {
        self.authorizer.single_use(&self.token)
    }

    /// Compares the document with those that the token names. `digest` is SHA-256 of the document.
    pub(crate) fn authorize(
        self,
        digest: &[u8; 32],
        now: Timestamp,
        trace: &mut Trace,
    ) -> Result<Authorized, (AccessToken, Denial)> {
        let covered = trace.check("document", self.coverage.covers(digest));
        // A large body takes its time, and the ledger forgets tokens that have expired: one that expired on
        // the way could otherwise be used twice.
        let in_time = match covered {
            Ok(bound) if now.as_secs() <= self.token.remember_until() => Ok(bound),
            Ok(_) => Err(Denial::new(DenialCode::TokenExpired, "the token expired while the body was sent")),
            Err(denial) => Err(denial),
        };
        match in_time {
            Ok(bound) => Ok(Authorized { authorizer: self.authorizer, token: self.token, bound }),
            Err(denial) => Err((self.token, denial)),
        }
    }
}

impl Authorized {
    pub(crate) fn token(&self) -> &AccessToken {
        &self.token
    }

    pub(crate) fn rule(&self) -> &str {
        &self.authorizer.config.name
    }

    /// `sdr` if the token names this document, `none` if it is good for any.
    pub(crate) fn binding(&self) -> &'static str {
        if self.bound { "sdr" } else { "none" }
    }

    /// The `jti` that may be used only once; `None` if the token counts any number of times.
    pub(crate) fn single_use(&self) -> Option<&str> {
        self.authorizer.single_use(&self.token)
    }

    /// The claims that the signing process may see, under the names that it knows them by.
    pub(crate) fn context(&self) -> SigningContext {
        self.authorizer.config.context.map(&self.token.claims())
    }
}
