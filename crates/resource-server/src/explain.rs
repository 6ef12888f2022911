//! A decision, check by check: for whoever operates the API and wonders why a token does not pass.
//!
//! There is one decision, and a [`Witness`] stands beside it. A request is decided before a witness that looks away,
//! which costs nothing; to explain is to decide before one that writes down what it sees.

mod witness;

pub(crate) use witness::{Quoted, Recorder, Unwatched, Witness};

use crate::{Authenticator, Refusal, Request, Requirements, TokenError, issuer::trusted::settle};
use serde::Serialize;
use std::{borrow::Cow, fmt};

/// One thing that is looked at, in the usual order.
///
/// That is the order of an API with several issuers. Where there is one, its keys come first, and what the token says of
/// its issuer after the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Check {
    /// One `Authorization` header that can be read, of a scheme that is spoken here.
    Request,
    /// Three parts, within the limits, with a header and a payload that are JSON.
    Form,
    /// `iss` names an issuer that is trusted.
    Issuer,
    /// The issuer's keys are known.
    Keys,
    /// `alg` is one that the issuer may use.
    Algorithm,
    /// `crit` asks for nothing that is not understood.
    Critical,
    /// `typ` is one of those that the issuer's tokens have.
    Type,
    /// Exactly one key of the issuer fits `kid` and `alg`.
    Key,
    /// That key made the signature.
    Signature,
    /// The claims that are needed are there, and all have the type that their standard gives them.
    Claims,
    /// `exp` is yet to come.
    Expiry,
    /// `nbf` and `iat` are past.
    NotBefore,
    /// `iat` is not too long ago.
    Age,
    /// `aud` holds one of our names.
    Audience,
    /// It was not revoked.
    Revocation,
    /// It was sent by the one that it was issued to: DPoP, or the client certificate.
    Sender,
    /// The proof of its sender was not used before.
    Replay,
    /// It reaches as far as is asked: `scope`.
    Scope,
    /// The rules on its claims hold.
    Rules,
    /// The login behind it is strong and fresh enough.
    Assurance,
}

impl Check {
    /// Every check, in the usual order.
    pub const ALL: &'static [Self] = &[
        Self::Request,
        Self::Form,
        Self::Issuer,
        Self::Keys,
        Self::Algorithm,
        Self::Critical,
        Self::Type,
        Self::Key,
        Self::Signature,
        Self::Claims,
        Self::Expiry,
        Self::NotBefore,
        Self::Age,
        Self::Audience,
        Self::Revocation,
        Self::Sender,
        Self::Replay,
        Self::Scope,
        Self::Rules,
        Self::Assurance,
    ];

    /// Its name, e.g. `not_before`; as it is serialized.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Form => "form",
            Self::Issuer => "issuer",
            Self::Keys => "keys",
            Self::Algorithm => "algorithm",
            Self::Critical => "critical",
            Self::Type => "type",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Expiry => "expiry",
            Self::NotBefore => "not_before",
            Self::Age => "age",
            Self::Audience => "audience",
            Self::Revocation => "revocation",
            Self::Sender => "sender",
            Self::Replay => "replay",
            Self::Scope => "scope",
            Self::Rules => "rules",
            Self::Assurance => "assurance",
        }
    }
}

/// How a [`Check`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold, and that decided.
    Failed,
    /// The configuration does not ask for it.
    Waived,
    /// It was not looked at, because it was decided before.
    NotReached,
}

/// A [`Check`], how it went, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explained {
    /// What was looked at.
    pub check: Check,
    /// How it went.
    pub outcome: Outcome,
    /// A sentence for people; empty where there is nothing to add.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub why: Cow<'static, str>,
}

/// What [`Authenticator::explain`](crate::Authenticator::explain) found: every check, and what was decided.
///
/// It is for operators. A stranger who sees it learns how far a forgery came, and it repeats parts of the token.
///
/// `Display` shows a table, and serialized it is an object with `accepted`, `code` and `checks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    checks: Vec<Explained>,
}

impl Explanation {
    /// Of what was seen, and what was decided: `code` is the refusal's, `None` if there was none.
    pub(crate) fn new(seen: Recorder, code: Option<&'static str>) -> Self {
        Self { accepted: code.is_none(), code, checks: seen.into_checks() }
    }

    /// Whether the request would pass.
    pub fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// The code of the refusal, as logs and counters have it ([`TokenError::code`](crate::TokenError::code), or that
    /// of the requirement that was not met); `None` if the request would pass.
    pub fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// Every check: first those that were made, in the order in which they were, then the others.
    pub fn checks(&self) -> &[Explained] {
        &self.checks
    }

    /// The check that decided, unless all passed.
    pub fn failure(&self) -> Option<&Explained> {
        self.checks.iter().find(|explained| explained.outcome == Outcome::Failed)
    }
}

impl Authenticator {
    /// Decides about a request as [`authorize_for`](Self::authorize_for) would at `now_s`, and says how each check went.
    ///
    /// It is a dry run: nothing is used up, counted or remembered, and the token is verified anew even if it is
    /// remembered. A DPoP proof that was used before is refused, and one that was not can still be used. Only an issuer's keys are fetched where the decision needs them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sealwright_jose::{Alg, SigningKey};
    /// # use sealwright_resource_server::{Authenticator, IssuerConfig, Request, Requirements};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keys = [SigningKey::generate(Alg::Es256)?.verifying_key()];
    /// # let issuer = IssuerConfig::new("https://id.example.com", "https://api.example.com").fixed_keys(keys);
    /// # let authenticator = Authenticator::builder().issuer(issuer).build()?;
    /// let (parts, ()) = http::Request::get("/orders").header("authorization", "Bearer a.b.c").body(())?.into_parts();
    /// let explanation =
    ///     authenticator.explain(&Request::from(&parts), &Requirements::none(), 1_800_000_000).await;
    /// assert!(!explanation.is_accepted());
    /// assert!(explanation.to_string().ends_with("refused: token_malformed"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn explain(
        &self,
        request: &Request<'_>,
        requirements: &Requirements,
        now_s: i64,
    ) -> Explanation {
        // What was seen before a wait is seen again after it.
        let (mut seen, decided) = settle(|fetched| {
            let mut seen = Recorder::default();
            self.decide(request, now_s, fetched, &mut seen).map(|decided| (seen, decided))
        })
        .await;
        let refused = match &decided {
            Err(error) => Some(error.code()),
            Ok(token) => {
                let met = requirements.check_before(&mut seen, token, now_s);
                met.err().as_ref().map(Refusal::code)
            }
        };
        Explanation::new(seen, refused)
    }

    /// As [`explain`](Self::explain), for a token without a request, as
    /// [`authenticate_token`](Self::authenticate_token) decides about it.
    pub async fn explain_token(&self, token: &str, now_s: i64) -> Explanation {
        let (mut seen, decided) = settle(|fetched| {
            let mut seen = Recorder::default();
            seen.waived(Check::Request, "there is none");
            self.decide_token(token, now_s, fetched, &mut seen).map(|decided| (seen, decided))
        })
        .await;
        if let Ok(token) = &decided {
            let _ = Requirements::none().check_before(&mut seen, token, now_s);
        }
        Explanation::new(seen, decided.err().as_ref().map(TokenError::code))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Waived => "waived",
            Self::NotReached => "not reached",
        })
    }
}

impl fmt::Display for Explanation {
    /// One line for each check, and one for the decision.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Explained { check, outcome, why } in &self.checks {
            let line = format!("{:<11} {outcome:<12} {why}", check.name());
            writeln!(f, "{}", line.trim_end())?;
        }
        match self.code {
            None => f.write_str("accepted"),
            Some(code) => write!(f, "refused: {code}"),
        }
    }
}

#[cfg(test)]
mod tests;
