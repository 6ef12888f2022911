//! Time-based one-time passwords (RFC 6238).

use std::fmt;
use std::sync::Arc;

use sealwright_service::clock::Timestamp;
use sealwright_service::secret::Secret;
use totp_rs::{Algorithm, Builder, Totp};

/// A person's TOTP secret: SHA-1, six digits, 30 seconds, as authenticator apps expect.
#[derive(Clone)]
pub(crate) struct TotpSecret(Arc<Totp>);

impl TotpSecret {
    /// Reads the base32 text that `User.spec.totp` refers to; spaces and lower case are forgiven, as people
    /// copy it from where it was shown in groups.
    ///
    /// # Errors
    ///
    /// What the operator should do about it.
    pub(crate) fn parse(base32: &Secret) -> Result<Self, &'static str> {
        let text: String = base32.expose().chars().filter(|c| !c.is_whitespace()).collect();
        let secret = totp_rs::Secret::try_from_base32(text.trim_end_matches('=').to_ascii_uppercase())
            .map_err(|_| "the TOTP secret is not base32")?;
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(30)
            .with_secret(secret)
            .build()
            .map(|totp| Self(Arc::new(totp)))
            .map_err(|_| "the TOTP secret is too short; 160 bits (32 base32 characters) are usual")
    }

    /// The time step that `code` belongs to, if it is right now or one step off.
    ///
    /// The caller must still refuse a step that was used before (RFC 6238 §5.2).
    pub(crate) fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let seconds = u64::try_from(now.as_secs()).ok()?;
        self.0.check(code, seconds).and_then(|step| i64::try_from(step).ok())
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 6238, appendix B: the ASCII secret 12345678901234567890, SHA-1; the last six digits of the codes.
    fn secret() -> TotpSecret {
        TotpSecret::parse(&Secret::new("GEZD GNBV GY3T QOJQ gezd gnbv gy3t qojq")).unwrap()
    }

    #[test]
    fn the_vectors_of_the_rfc_are_right() {
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            assert_eq!(secret().step_of(code, Timestamp::from_secs(seconds)), Some(seconds / 30), "{code}");
        }
    }

    #[test]
    fn one_step_off_is_right_and_two_are_not() {
        let at = |seconds| secret().step_of("287082", Timestamp::from_secs(seconds));
        assert_eq!([at(29), at(30), at(89), at(90)], [Some(1), Some(1), Some(1), None]);
    }

    #[test]
    fn anything_but_six_digits_is_wrong() {
        for wrong in ["", "28708", "2870822", "+87082", "287 082", "28708a", "２８７０８２"] {
            assert_eq!(secret().step_of(wrong, Timestamp::from_secs(59)), None, "{wrong}");
        }
    }

    #[test]
    fn weak_or_malformed_secrets_are_refused() {
        assert!(TotpSecret::parse(&Secret::new("GEZDGNBV")).is_err());
        assert!(TotpSecret::parse(&Secret::new("not base32!")).is_err());
        assert_eq!(format!("{:?}", secret()), "TotpSecret([secret])");
    }
}
