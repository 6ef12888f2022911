//! Why an [`Authenticator`](crate::Authenticator) cannot be built.

use crate::Waived;
use sealwright_jose::{Alg, KeyError, jws::BuildError};
use std::fmt;

/// What is wrong with an address for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlFault {
    /// Neither https, nor http to this machine.
    NotHttps,
    /// Plain http to this machine, which [`JwksOptions::allow_http_loopback`](crate::JwksOptions::allow_http_loopback) must acknowledge.
    LoopbackNotAcknowledged,
    /// There is a user name or a password in it.
    Credentials,
    /// It is no absolute URL.
    NotAUrl,
    /// It has a query or a fragment, which the URL of an issuer must not have (RFC 8414 §2).
    QueryOrFragment,
    /// The metadata names a host that is neither the issuer's own nor one of
    /// [`JwksOptions::allowed_hosts`](crate::JwksOptions::allowed_hosts).
    HostNotAllowed,
}

impl fmt::Display for UrlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotHttps => "must be https",
            Self::LoopbackNotAcknowledged => "plain http to this machine must be acknowledged",
            Self::Credentials => "must not hold a user name or password",
            Self::NotAUrl => "must be a URL",
            Self::QueryOrFragment => "must not have a query or a fragment",
            Self::HostNotAllowed => "is on a host that nobody named",
        })
    }
}

/// Why an [`Authenticator`](crate::Authenticator) cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Nobody is trusted, so nothing could ever pass.
    #[error("no issuer is configured")]
    NoIssuers,
    /// An issuer has no name.
    #[error("an issuer is empty")]
    IssuerEmpty,
    /// One issuer stands there twice.
    #[error("issuer `{issuer}` is configured twice")]
    IssuerDuplicate {
        /// Its name.
        issuer: String,
    },
    /// No algorithm is allowed.
    #[error("issuer `{issuer}` has no algorithm")]
    AlgsEmpty {
        /// Whose terms are meant.
        issuer: String,
    },
    /// A symmetric algorithm is allowed.
    #[error("issuer `{issuer}` must not use {}: whoever can verify it can also sign", .alg.name())]
    MacNotAllowed {
        /// Whose terms are meant.
        issuer: String,
        /// The algorithm.
        alg: Alg,
    },
    /// No `typ` is named.
    #[error("issuer `{issuer}` has no `typ`, or an empty one")]
    TypEmpty {
        /// Whose terms are meant.
        issuer: String,
    },
    /// An audience is empty, so that no token that is for this API would pass.
    #[error("issuer `{issuer}` has an empty audience")]
    AudiencesEmpty {
        /// Whose terms are meant.
        issuer: String,
    },
    /// There is no key.
    #[error("issuer `{issuer}` has no key")]
    KeysEmpty {
        /// Whose terms are meant.
        issuer: String,
    },
    /// A fixed key has an algorithm that is not listed.
    #[error("issuer `{issuer}` has a key for {}, which its list of algorithms does not hold", .alg.name())]
    KeyAlgNotAllowed {
        /// Whose terms are meant.
        issuer: String,
        /// The key's algorithm.
        alg: Alg,
    },
    /// A fixed key is not one that can be used.
    #[error("a key of issuer `{issuer}` cannot be used")]
    KeyUnreadable {
        /// Whose key is meant.
        issuer: String,
        /// What was found, and what would be right.
        source: KeyError,
    },
    /// A fixed key is a secret, which whoever only verifies must not have.
    #[error("a key of issuer `{issuer}` is private, and only its public half belongs here")]
    KeyPrivate {
        /// Whose key is meant.
        issuer: String,
    },
    /// A fixed key does not name its algorithm, and more than one fits it.
    #[error("a key of issuer `{issuer}` fits both {} and {}: name one", .algs[0].name(), .algs[1].name())]
    KeyAlgAmbiguous {
        /// Whose key is meant.
        issuer: String,
        /// The first two that fit.
        algs: [Alg; 2],
    },
    /// The clock skew that is granted would let tokens live on for long after they expired.
    #[error("issuer `{issuer}` is granted a clock skew of more than 600 s")]
    ClockSkew {
        /// Whose terms are meant.
        issuer: String,
    },
    /// The keys of an issuer are said to be in more than one of: a file, a JWK set, what its metadata names.
    #[error("the keys of issuer `{issuer}` are in two places: name one")]
    KeySources {
        /// Whose keys are meant.
        issuer: String,
    },
    /// The address of the JWK set is not one that may be trusted.
    #[error("the JWK set's address of issuer `{issuer}` {fault}")]
    JwksUri {
        /// Whose terms are meant.
        issuer: String,
        /// What is wrong with it.
        fault: UrlFault,
    },
    /// The issuer is to be discovered, and its name is no address where that could be done.
    #[error("issuer `{issuer}` cannot be discovered: its URL {fault}")]
    IssuerUrl {
        /// Whose terms are meant.
        issuer: String,
        /// What is wrong with it.
        fault: UrlFault,
    },
    /// [`min_refresh`](crate::JwksOptions::min_refresh) is more than
    /// [`max_refresh`](crate::JwksOptions::max_refresh).
    #[error("`min_refresh` of the JWK set options must not be more than `max_refresh`")]
    RefreshBounds,
    /// One of the [`allowed_hosts`](crate::JwksOptions::allowed_hosts) is neither `host` nor `host:port`.
    #[error("the allowed host `{host}` must be a host, or a host and a port")]
    AllowedHost {
        /// What stands there.
        host: String,
    },
    /// One of the [`JwksOptions`](crate::JwksOptions) is zero.
    #[error("`{option}` of the JWK set options must not be zero")]
    OptionZero {
        /// Its name.
        option: &'static str,
    },
    /// The algorithms of DPoP proofs are none, or a symmetric one is among them.
    #[error("the algorithms of DPoP proofs cannot be used")]
    DpopAlgs {
        /// The reason.
        source: BuildError,
    },
    /// One of the [`DpopOptions`](crate::sender::dpop::DpopOptions) is zero, so that no proof could pass.
    #[error("`{option}` of the DPoP options must not be zero")]
    DpopOptionZero {
        /// Its name.
        option: &'static str,
    },
    /// The external URL for DPoP is not http or https, or has a user name, a query or a fragment.
    #[error("the external URL must be http or https, without a user name, a query or a fragment")]
    ExternalUrl,
    /// DPoP is required, and neither a resource nor an external URL says what proofs must name.
    #[error("DPoP needs the resource's description or an external URL")]
    ExternalUrlMissing,
    /// The resource's description says otherwise than its authenticator decides: clients that believe it would come with
    /// tokens or proofs that never pass.
    #[error("`{member}` of the resource's description does not say what is asked of senders")]
    ResourceContradicted {
        /// The member of the document (RFC 9728 §2).
        member: &'static str,
    },
    /// The compatibility profile needs to know whose tokens they are without being told.
    #[error("the compatibility profile takes one issuer, and there are {issuers}")]
    CompatManyIssuers {
        /// How many there are.
        issuers: usize,
    },
    /// Without a compatibility profile nothing is waived.
    #[error("`{}` is waived, which only a compatibility profile may do", .waived.name())]
    WaivedWithoutCompat {
        /// What.
        waived: Waived,
    },
    /// The keys do not go together, for example two of one `kid`.
    #[error("the keys of issuer `{issuer}` do not make a verifier")]
    Verifier {
        /// Whose keys are meant.
        issuer: String,
        /// The reason.
        source: BuildError,
    },
    /// There is no HTTP client, for example because this machine has no certificates to trust.
    #[error("the HTTP client for issuer `{issuer}` could not be made")]
    HttpClient {
        /// Whose client is meant.
        issuer: String,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
