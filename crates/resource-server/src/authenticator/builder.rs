//! What an authenticator is made of.

use super::{Authenticator, Inner};
use crate::{
    Compat, ConfigError, IssuerConfig, JwksOptions, KeySets, Revocations, VerifiedTokens, Waived,
    issuer::{directory::Directory, trusted::Trusted},
    metadata::ProtectedResource,
    metrics::Decisions,
    sender::{SenderConstraint, SenderPolicy, dpop::DpopOptions},
    token::seconds,
};
use std::{collections::HashMap, fmt, sync::Arc};

/// What an [`Authenticator`] is made of; made by [`Authenticator::builder`].
///
/// # Examples
///
/// ```
/// use sealwright_jose::Alg;
/// use sealwright_resource_server::{Authenticator, IssuerConfig, metadata::ProtectedResource};
///
/// let staff = IssuerConfig::new("https://id.example.com", "https://api.example.com")
///     .jwks_uri("https://id.example.com/oauth2/jwks".parse()?, [Alg::Es256]);
/// let partners = IssuerConfig::new("https://id.partner.example", "https://api.example.com")
///     .jwks_uri("https://id.partner.example/keys".parse()?, [Alg::Rs256]);
/// let authenticator = Authenticator::builder()
///     .issuer(staff)
///     .issuer(partners)
///     .resource(ProtectedResource::new("https://api.example.com")?)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing decides until it is built"]
pub struct AuthenticatorBuilder {
    issuers: Vec<IssuerConfig>,
    jwks: KeySets,
    resource: Option<ProtectedResource>,
    sender: SenderConstraint,
    dpop: DpopOptions,
    verified: VerifiedTokens,
    revocations: Revocations,
    compat: Option<Compat>,
    waived: Vec<Waived>,
    clock: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl AuthenticatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            issuers: Vec::new(),
            jwks: KeySets::new(JwksOptions::default()),
            resource: None,
            sender: SenderConstraint::default(),
            dpop: DpopOptions::default(),
            verified: VerifiedTokens::default(),
            revocations: Revocations::default(),
            compat: None,
            waived: Vec::new(),
            clock: Box::new(system_clock),
        }
    }

    /// Trusts one more issuer.
    pub fn issuer(mut self, issuer: IssuerConfig) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Trusts each of these, too.
    pub fn issuers(mut self, issuers: impl IntoIterator<Item = IssuerConfig>) -> Self {
        self.issuers.extend(issuers);
        self
    }

    /// How key sets from afar are fetched and kept: [`JwksOptions`], or [`KeySets`] that other authenticators share.
    pub fn jwks(mut self, jwks: impl Into<KeySets>) -> Self {
        self.jwks = jwks.into();
        self
    }

    /// What this API is called from outside. Every challenge names the document that says so (RFC 9728 §5.1), which
    /// [`ProtectedResource::route`] serves; and DPoP proofs are compared with it.
    pub fn resource(mut self, resource: ProtectedResource) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Whether tokens must be bound to their sender. If not said, those that are must be proven, and others pass.
    ///
    /// Where a [`resource`](Self::resource) is described, it must say the same: clients read there what to bring.
    pub fn sender(mut self, constraint: SenderConstraint) -> Self {
        self.sender = constraint;
        self
    }

    /// By which rules DPoP proofs are checked. They can be only where this API knows what it is called from
    /// outside: by [`resource`](Self::resource), or by [`DpopOptions::external_url`].
    pub fn dpop(mut self, options: DpopOptions) -> Self {
        self.dpop = options;
        self
    }

    /// Where the time comes from, in seconds since the epoch; the system, if not said (on Linux as of its last tick,
    /// which is at most 10 ms ago).
    pub fn clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// How many verified tokens are remembered; 100,000 in at most 64 MiB, if not said.
    ///
    /// The same token costs a digest and a look-up the next time, whatever its algorithm. That its time is not over,
    /// that its issuer still has the same keys and that it was not revoked is looked at each time; so is all that
    /// depends on the request.
    pub fn verified_tokens(mut self, verified: VerifiedTokens) -> Self {
        self.verified = verified;
        self
    }

    /// Where revoked tokens are remembered: for several authenticators that share a feed, or for one that follows
    /// another when the configuration is read again. Room for 100,000 of its own, if not said.
    pub fn revocations(mut self, revocations: Revocations) -> Self {
        self.revocations = revocations;
        self
    }

    /// Takes and answers requests in a way that is no standard's.
    ///
    /// # Examples
    ///
    /// ```
    /// use sealwright_jose::Alg;
    /// use sealwright_resource_server::{Authenticator, Compat, IssuerConfig, Waived};
    ///
    /// let issuer = IssuerConfig::new("tutorial", "tutorial")
    ///     .jwks_uri("https://auth.example.com/.well-known/jwks.json".parse()?, [Alg::Rs256])
    ///     .plain_jwt();
    /// let authenticator = Authenticator::builder()
    ///     .issuer(issuer)
    ///     .compat(Compat::TutorialPair)
    ///     .waive([Waived::Issuer, Waived::Audience, Waived::Typ, Waived::Subject])
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compat(mut self, compat: Compat) -> Self {
        self.compat = Some(compat);
        self
    }

    /// What tokens may lack; only together with a [compatibility profile](Self::compat).
    pub fn waive(mut self, waived: impl IntoIterator<Item = Waived>) -> Self {
        self.waived.extend(waived);
        self
    }

    /// The authenticator. Nothing is fetched yet: the keys of an issuer come with the first token that names it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where the terms of an issuer could never pass a token, would pass too many, or would fetch
    /// keys from an address that cannot be trusted; and where the description of the resource says otherwise.
    pub fn build(self) -> Result<Authenticator, ConfigError> {
        if self.issuers.is_empty() {
            return Err(ConfigError::NoIssuers);
        }
        match (self.compat, self.waived.first()) {
            (None, Some(&waived)) => return Err(ConfigError::WaivedWithoutCompat { waived }),
            (Some(_), _) if self.issuers.len() > 1 => {
                return Err(ConfigError::CompatManyIssuers { issuers: self.issuers.len() });
            }
            _ => {}
        }
        self.jwks.options().validate()?;
        let mut several = HashMap::with_capacity(self.issuers.len());
        for terms in self.issuers {
            let (name, clock_skew) = (terms.issuer.clone(), terms.clock_skew);
            let trusted = Trusted::new(terms, &self.waived, &self.jwks)?;
            if several.insert(name.clone(), Arc::new(trusted)).is_some() {
                return Err(ConfigError::IssuerDuplicate { issuer: name });
            }
            self.revocations.revoked().grant_skew(seconds(clock_skew));
        }
        let sender = SenderPolicy::new(self.sender, self.dpop, self.resource.as_ref())?;
        Ok(Authenticator(Arc::new(Inner {
            sender,
            issuers: Directory::new(several),
            verified: self.verified.open(),
            revocations: self.revocations,
            decisions: Decisions::new(),
            compat: self.compat,
            resource_metadata: self.resource.map(|resource| resource.url()),
            clock: self.clock,
        })))
    }
}

impl fmt::Debug for AuthenticatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatorBuilder")
            .field("issuers", &self.issuers)
            .field("jwks", &self.jwks)
            .field("resource", &self.resource)
            .field("sender", &self.sender)
            .field("dpop", &self.dpop)
            .field("verified", &self.verified)
            .field("revocations", &self.revocations)
            .field("compat", &self.compat)
            .field("waived", &self.waived)
            .finish_non_exhaustive()
    }
}

/// Linux keeps the time of the last tick (at most 10 ms ago) at hand, which is whole seconds' worth; to ask for more would
/// take a good part of what a remembered token takes altogether.
#[cfg(target_os = "linux")]
fn system_clock() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec
}

#[cfg(not(target_os = "linux"))]
fn system_clock() -> i64 {
    use std::time::{SystemTime, UNIX_EPOCH};

    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        // Before 1970: no token is valid yet.
        Err(_) => 0,
    }
}
