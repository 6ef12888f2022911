//! All issuers that are trusted, and which of them a token is decided by.

use crate::{
    AccessToken, KeySetStatus, TokenError,
    explain::{Check, Quoted, Witness},
    issuer::{
        MAX_TOKEN_BYTES,
        trusted::{Fetched, Step, Trusted},
    },
};
use sealwright_jose::{base64url, jwt::Claims};
use std::{collections::HashMap, sync::Arc};

/// The trusted issuers, by name.
pub(crate) enum Directory {
    /// Who vouches for a token is known before it is read: no claim of it is looked at before its signature is
    /// verified.
    One(Arc<Trusted>),
    /// `iss` says whose keys to try.
    Several(HashMap<String, Arc<Trusted>>),
}

impl Directory {
    /// `several` is not empty.
    pub(crate) fn new(several: HashMap<String, Arc<Trusted>>) -> Self {
        match several.len() {
            1 => several.into_values().next().map_or_else(|| Self::Several(HashMap::new()), Self::One),
            _ => Self::Several(several),
        }
    }

    /// Decides about a token by the keys of the issuer that it names.
    pub(crate) fn decide(
        &self,
        token: &str,
        now_s: i64,
        fetched: Option<Fetched>,
        witness: &mut impl Witness,
    ) -> Step<Result<AccessToken, TokenError>> {
        match self {
            Self::One(trusted) => match trusted.decide(token, now_s, fetched, witness) {
                Step::Done(Ok(token)) => Step::Done(Ok(token)),
                // That it is not even meant for this issuer's keys says more, and makes nobody wait for them.
                refused => match unverified(token, |claims| trusted.is(claims.iss())) {
                    Ok(true) => refused,
                    Ok(false) => {
                        witness.reconsider();
                        Step::Done(Err(nobody(token, witness)))
                    }
                    Err(error) => match refused {
                        Step::Done(refused) => Step::Done(refused),
                        Step::Wait(_) => {
                            witness.reconsider();
                            Step::Done(Err(unreadable(error, witness)))
                        }
                    },
                },
            },
            Self::Several(trusted) => {
                let named =
                    unverified(token, |claims| claims.iss().and_then(|iss| trusted.get(iss)).map(Arc::clone));
                match named {
                    Ok(Some(trusted)) => {
                        witness.passed(Check::Issuer);
                        trusted.decide(token, now_s, fetched, witness)
                    }
                    Ok(None) => Step::Done(Err(nobody(token, witness))),
                    Err(error) => Step::Done(Err(unreadable(error, witness))),
                }
            }
        }
    }

    /// The key sets from afar, sorted by issuer.
    pub(crate) fn key_sets(&self) -> Vec<KeySetStatus> {
        let mut sets: Vec<_> = self.iter().filter_map(|trusted| trusted.key_set()).collect();
        sets.sort_by(|a, b| a.issuer.cmp(&b.issuer));
        sets
    }

    /// Whether this is one of them, and not one of another authenticator.
    pub(crate) fn holds(&self, other: &Arc<Trusted>) -> bool {
        self.iter().any(|trusted| Arc::ptr_eq(trusted, other))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Trusted>> {
        let (one, several) = match self {
            Self::One(one) => (Some(one), None),
            Self::Several(several) => (None, Some(several.values())),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }
}

fn nobody(token: &str, witness: &mut impl Witness) -> TokenError {
    witness.failed(Check::Issuer, TokenError::IssuerUnknown, || {
        match unverified(token, |claims| claims.iss().map(|iss| Quoted(iss).to_string())) {
            Ok(Some(iss)) => format!("`iss` is {iss}, which is not trusted"),
            _ => "`iss` is missing".to_owned(),
        }
    })
}

fn unreadable(error: TokenError, witness: &mut impl Witness) -> TokenError {
    let check = if error == TokenError::ClaimsMalformed { Check::Claims } else { Check::Form };
    witness.failed(check, error, || error.to_string())
}

/// Looks at the claims of a token about which nothing is known yet: good for choosing whose keys to try, and for
/// nothing more.
///
/// They are read as they will be after verification, so that no two parsers can see different issuers.
fn unverified<T>(token: &str, look: impl FnOnce(&Claims<'_>) -> T) -> Result<T, TokenError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::Malformed);
    }
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    let payload = base64url::decode(payload).map_err(|_| TokenError::Malformed)?;
    let claims = Claims::parse(&payload).map_err(|_| TokenError::ClaimsMalformed)?;
    Ok(look(&claims))
}
