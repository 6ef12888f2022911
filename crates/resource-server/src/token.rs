//! What a valid token says, and the checks on its claims (RFC 7519 §4.1, RFC 9068 §4).

mod members;
mod window;

use crate::{
    TokenError, Waived,
    explain::{Check, Quoted, Witness},
    issuer::trusted::Trusted,
    jwks::{KeySet, PublishedKeys},
    sender::Binding,
};
pub(crate) use members::Payload;
pub(crate) use window::{Span, seconds};

use members::Members;
use sealwright_jose::jwt::Claims;
use serde_json::Value;
use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};
use window::Window;

/// A token that passed: signature, issuer, typ, time, audience.
///
/// Cheap to clone. Whether its holder may do what the request asks is not decided yet: see [`rules`](crate::rules),
/// [`assurance`](crate::assurance) and [`AccessToken::scopes`].
#[derive(Clone)]
pub struct AccessToken(Arc<Inner>);

struct Inner {
    claims: Claims<'static>,
    members: Members,
    span: Span,
    /// Who vouches for it. No two authenticators share one, so it also says which of them let the token pass.
    trusted: Arc<Trusted>,
    /// Those among which the key is that made the signature, unless they are fixed. It does not keep them.
    keys: Option<Weak<PublishedKeys>>,
    /// The state of the revocations in which it was not among them.
    cleared: AtomicU64,
    /// What it takes in memory, once somebody has asked; 0 before. Who makes room for others asks again, when the text has
    /// long left the processor's caches.
    memory_bytes: AtomicU32,
}

impl AccessToken {
    /// Checks the claims of a token whose signature is verified, at `now_s`.
    pub(crate) fn validate(
        payload: Payload<'_>,
        typ: Option<&str>,
        trusted: &Arc<Trusted>,
        set: Option<&Arc<KeySet>>,
        now_s: i64,
        witness: &mut impl Witness,
    ) -> Result<Self, TokenError> {
        let Payload { claims, members, sound } = payload;
        let terms = trusted.terms();
        let clock_skew_s = seconds(terms.clock_skew);
        let expires_at = claims.exp().ok_or_else(|| missing("exp", witness))?;
        if !sound {
            let why = || "a claim is not of the type that its standard gives it";
            return Err(witness.failed(Check::Claims, TokenError::ClaimsMalformed, why));
        }
        required(&claims, &members, typ, trusted).map_err(|claim| missing(claim, witness))?;
        witness.passed(Check::Claims);
        let window = Window::of(&claims, expires_at, terms);
        witness.check(Check::Expiry, now_s < window.expired_s, TokenError::Expired, || {
            format!(
                "expired {} s ago, of which {clock_skew_s} s are granted",
                now_s.saturating_sub(expires_at)
            )
        })?;
        witness.check(Check::NotBefore, window.from_s <= now_s, TokenError::NotYetValid, || {
            let start = claims.nbf().max(claims.iat());
            let ahead_s = start.unwrap_or_default().saturating_sub(now_s);
            format!("valid in {ahead_s} s, of which {clock_skew_s} s are granted")
        })?;
        match terms.max_token_age.map(seconds) {
            None => witness.waived(Check::Age, "no limit is configured"),
            Some(max_age_s) => {
                let issued_at = claims.iat().ok_or_else(|| missing("iat", witness))?;
                witness.check(Check::Age, now_s < window.too_old_s, TokenError::TooOld, || {
                    format!("issued {} s ago, {max_age_s} s are allowed", now_s.saturating_sub(issued_at))
                })?;
            }
        }
        if trusted.waives(Waived::Audience) && claims.aud().next().is_none() {
            witness.waived(Check::Audience, "`aud` may be missing by compatibility");
        } else {
            let ours = claims.aud().any(|audience| terms.audiences.iter().any(|ours| ours == audience));
            witness.check(Check::Audience, ours, TokenError::AudienceMismatch, || {
                let named: Vec<_> = claims.aud().take(5).map(|name| Quoted(name).to_string()).collect();
                if named.is_empty() {
                    "`aud` is missing".to_owned()
                } else {
                    format!("`aud` is {}", named.join(", "))
                }
            })?;
        }
        Ok(Self(Arc::new(Inner {
            claims: claims.into_owned(),
            members,
            span: window.span(),
            trusted: Arc::clone(trusted),
            keys: set.map(|set| Arc::downgrade(set.keys())),
            cleared: AtomicU64::new(0),
            memory_bytes: AtomicU32::new(0),
        })))
    }

    /// Who vouches for it: `iss`, or where that is [waived](crate::Waived::Issuer), the name of the one issuer.
    pub fn issuer(&self) -> &str {
        self.0.claims.iss().unwrap_or(&self.0.trusted.terms().issuer)
    }

    /// `sub`: whom it speaks for; unique only together with [`issuer`](Self::issuer). Empty only where a
    /// compatibility profile [waives](crate::Waived::Subject) it.
    pub fn subject(&self) -> &str {
        self.0.claims.sub().unwrap_or_default()
    }

    /// `client_id`: who uses it. Always there in an `at+jwt` (RFC 9068).
    pub fn client_id(&self) -> Option<&str> {
        self.0.members.client_id.get(self.json())
    }

    /// `jti`: its own name. Always there in an `at+jwt`.
    pub fn jti(&self) -> Option<&str> {
        self.0.claims.jti()
    }

    /// `exp` in seconds since the epoch, without skew.
    pub fn expires_at(&self) -> i64 {
        // Without `exp` no token passes.
        self.0.claims.exp().unwrap_or_default()
    }

    /// When the clock skew that its issuer is granted is over, too: how long `jti` must be remembered.
    pub fn remember_until(&self) -> i64 {
        self.expires_at().saturating_add(self.clock_skew_s())
    }

    /// `acr`: the authentication class of the login behind it.
    pub fn acr(&self) -> Option<&str> {
        self.0.members.acr.get(self.json())
    }

    /// `amr`: the methods of the login behind it; empty if it does not say.
    pub fn amr(&self) -> Vec<&str> {
        self.0.members.lists().amr.iter().map(AsRef::as_ref).collect()
    }

    /// `auth_time`: when the user logged in, in seconds since the epoch.
    pub fn auth_time(&self) -> Option<i64> {
        self.0.members.auth_time
    }

    /// `authorization_details` (RFC 9396): objects, each with a `type`; empty if there are none.
    pub fn authorization_details(&self) -> &[Value] {
        &self.0.members.lists().authorization_details
    }

    /// `scope`: the words of a string (RFC 8693 §4.2), or the strings of a list, as some issuers write it.
    pub fn scopes(&self) -> Vec<&str> {
        match self.0.members.scope.get(self.json()) {
            Some(words) => words.split(' ').filter(|word| !word.is_empty()).collect(),
            None => self.0.members.lists().scopes.iter().map(AsRef::as_ref).collect(),
        }
    }

    /// All that it says.
    ///
    /// The tree that [`Claims::get`] and [`Claims::as_map`] make belongs to what is returned here, and not to the token,
    /// which may be remembered for long: who asks for several claims by name asks once for all of them.
    pub fn claims(&self) -> Claims<'_> {
        self.0.claims.borrowed()
    }

    pub(crate) fn window(&self) -> &Span {
        &self.0.span
    }

    pub(crate) fn cleared(&self) -> &AtomicU64 {
        &self.0.cleared
    }

    /// Whether it is a clone of that one, and not another decision about the same token.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn clock_skew_s(&self) -> i64 {
        seconds(self.0.trusted.terms().clock_skew)
    }

    /// What its holder must have (`cnf`, RFC 7800).
    pub(crate) fn binding(&self) -> Option<&Binding> {
        self.0.members.binding()
    }

    pub(crate) fn trusted(&self) -> &Arc<Trusted> {
        &self.0.trusted
    }

    /// Whether the keys that it was verified with are still those of its issuer.
    pub(crate) fn has_current_keys(&self) -> bool {
        self.0.trusted.has_still(self.0.keys.as_ref())
    }

    /// What it takes in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self.0.memory_bytes.load(Relaxed) {
            0 => {
                let bytes = self.count_memory_bytes();
                // One that does not fit, which none does, would be counted each time.
                self.0.memory_bytes.store(u32::try_from(bytes).unwrap_or_default(), Relaxed);
                bytes
            }
            bytes => bytes as usize,
        }
    }

    fn count_memory_bytes(&self) -> usize {
        /// A `String` in a list, and what the allocator adds.
        const AUDIENCE: usize = 24 + 16;
        /// Beside it stand the counts of the `Arc`.
        const TOKEN: usize = size_of::<Inner>() + 2 * size_of::<usize>();
        let json = self.json();
        // Whether there is a backslash, without leaving early, so that it becomes vector instructions.
        let is_escaped = json.bytes().fold(u8::MAX, |least, byte| least.min(byte ^ b'\\')) == 0;
        // Strings with escapes are kept a second time as they are meant, and those of `aud` in a list.
        let decoded = if is_escaped { json.len() + AUDIENCE * self.0.claims.aud().count() } else { 0 };
        TOKEN + json.len() + decoded + self.0.members.list_bytes()
    }

    /// The claims as they were signed.
    pub(crate) fn json(&self) -> &str {
        self.0.claims.as_json()
    }
}

impl fmt::Debug for AccessToken {
    /// Names the token; what it says about a person is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("issuer", &self.issuer())
            .field("client_id", &self.client_id())
            .field("jti", &self.jti())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

/// A token that names nobody is of no use to any caller, so `sub` is required unless it is waived; the other claims
/// are those of RFC 9068 §2.2, where the token says that it follows it.
fn required(
    claims: &Claims<'_>,
    members: &Members,
    typ: Option<&str>,
    trusted: &Trusted,
) -> Result<(), &'static str> {
    let named = |value: Option<&str>| value.is_some_and(|value| !value.is_empty());
    let nobody = trusted.waives(Waived::Subject) && claims.sub().is_none();
    let all = |held: &[(&'static str, bool)]| match held.iter().find(|(_, held)| !held) {
        Some((claim, _)) => Err(*claim),
        None => Ok(()),
    };
    all(&[("sub", nobody || named(claims.sub()))])?;
    if !typ.is_some_and(is_at_jwt) {
        return Ok(());
    }
    all(&[
        ("client_id", named(members.client_id.get(claims.as_json()))),
        ("jti", named(claims.jti())),
        ("iat", claims.iat().is_some()),
        ("aud", claims.aud().next().is_some()),
    ])
}

fn missing(claim: &'static str, witness: &mut impl Witness) -> TokenError {
    witness.failed(Check::Claims, TokenError::ClaimsMalformed, || format!("`{claim}` is missing or empty"))
}

/// `typ` without what RFC 7515 §4.1.9 lets an issuer write around it.
fn is_at_jwt(typ: &str) -> bool {
    ["at+jwt", "application/at+jwt"].iter().any(|name| typ.eq_ignore_ascii_case(name))
}
