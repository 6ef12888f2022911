//! How much of what RFC 7515 leaves open is taken.

use crate::{json::Names, jws::Limits};

/// Whose rules a verifier or signer follows where the RFCs leave a choice. No policy accepts what an
/// RFC makes invalid.
///
/// For a signer it says how headers are written and which payloads may stand unencoded
/// ([`Signer::policy`](crate::jws::Signer::policy)). For a verifier:
///
/// | | `Strict` | `Rfc` | `Joserfc` |
/// |---|---|---|---|
/// | one name twice in a JSON object, a byte order mark | refused | the last counts, skipped | as `Rfc` |
/// | `alg` in the unprotected header, no protected one (JSON) | refused | accepted | accepted |
/// | `crit` that is empty or repeats a name | refused | accepted | accepted |
/// | `crit` with registered names | refused | those that are processed here | all of RFC 7515 |
/// | `b64` (RFC 7797) | by [`unencoded`](crate::jws::VerifierBuilder::unencoded) only | understood | understood |
/// | `"b64":true` that is not in `crit` | refused | accepted | accepted |
/// | header parameters that nobody declared | ignored | ignored | refused |
/// | MAC keys shorter than their hash | refused | refused | accepted |
/// | the `kid` of a token when the verifier has one key, added by itself | must fit | must fit | not looked at |
/// | a `"payload":""` beside a detached payload | refused | ignored | ignored |
/// | default limits | [`Limits::default`] | the same | those of joserfc, of the encoded text |
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, base64url, jws::{Policy, Scratch, Verifier}};
///
/// let key = SigningKey::generate(Alg::Es256)?;
/// let input = format!("{}.{}", base64url::encode(r#"{"alg":"ES256","crit":[]}"#), base64url::encode("hello"));
/// let token = format!("{input}.{}", base64url::encode(key.sign(input.as_bytes())?));
///
/// let verifier = || Verifier::builder([Alg::Es256]).key(key.verifying_key());
/// assert!(verifier().build()?.verify_compact(&token, &mut Scratch::new()).is_err());
/// assert!(verifier().policy(Policy::Rfc).build()?.verify_compact(&token, &mut Scratch::new()).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// One way to say each thing, and nothing that two readers could read differently.
    #[default]
    Strict,
    /// All that RFC 7515 and RFC 7797 let a recipient take and a producer write.
    Rfc,
    /// As joserfc 1.8.0 reads and writes, for peers that use it.
    Joserfc,
}

impl Policy {
    /// The limits of a verifier of this policy that is given no others. Those of
    /// [`Joserfc`](Self::Joserfc) are compared with the encoded text, as joserfc does: 512 bytes of
    /// header, 128,000 of payload, 1,024 of signature.
    ///
    /// ```
    /// use sealwright_jose::jws::{Limit, Limits, Policy};
    ///
    /// assert_eq!(Policy::Rfc.limits(), Limits::default());
    /// assert_eq!(Policy::Joserfc.limits().get(Limit::Header), 512);
    /// ```
    pub fn limits(self) -> Limits {
        match self {
            Self::Strict | Self::Rfc => Limits::default(),
            Self::Joserfc => Limits::default().header_bytes(512).payload_bytes(128_000).signature_bytes(1024),
        }
    }

    pub(crate) fn is_strict(self) -> bool {
        self == Self::Strict
    }

    /// How often a name may stand in one JSON object.
    pub(crate) fn names(self) -> Names {
        if self.is_strict() { Names::Unique } else { Names::LastWins }
    }

    /// The text as JSON is read from it. RFC 8259 §8.1 lets a reader skip a byte order mark.
    pub(crate) fn json(self, text: &str) -> &str {
        if self.is_strict() { text } else { text.strip_prefix('\u{feff}').unwrap_or(text) }
    }

    /// The registered header parameters that `crit` may name, although they are no extensions (RFC
    /// 7515 §4.1.11).
    pub(crate) fn may_be_critical(self) -> &'static [&'static str] {
        match self {
            Self::Strict => &[],
            // Keys that a token brings along are never used, so nobody can insist on them.
            Self::Rfc => &["alg", "kid", "typ", "cty", "crit"],
            Self::Joserfc => &JOSERFC_NAMES,
        }
    }
}

/// Joserfc's registry of JWS header parameters, without `b64`.
const JOSERFC_NAMES: [&str; 11] =
    ["alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit"];
