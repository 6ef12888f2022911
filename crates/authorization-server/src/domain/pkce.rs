//! Proof key for code exchange (RFC 7636).

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use sealwright_jose::base64url;
use zeroize::Zeroizing;

/// A PKCE challenge. `S256` is the only method accepted, so no method is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// Reads the `code_challenge` request parameter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        base64url::decode_exact(text).ok().map(Self)
    }

    pub(crate) fn to_text(&self) -> String {
        base64url::encode(self.0)
    }

    /// Whether this challenge was made from `verifier`; takes the same time either way.
    pub(crate) fn matches(&self, verifier: &CodeVerifier) -> bool {
        let hash = digest::digest(&digest::SHA256, verifier.0.as_bytes());
        constant_time::verify_slices_are_equal(hash.as_ref(), &self.0).is_ok()
    }
}

/// What the challenge was made from; shown once, at the token endpoint.
pub(crate) struct CodeVerifier(Zeroizing<String>);

impl CodeVerifier {
    /// Reads the `code_verifier` request parameter: 43 to 128 unreserved characters (RFC 7636 §4.1).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        ((43..=128).contains(&text.len()) && text.bytes().all(unreserved))
            .then(|| Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_matches() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert!(challenge.matches(&CodeVerifier::parse(VERIFIER).unwrap()));
        assert!(!challenge.matches(&CodeVerifier::parse(&VERIFIER.replace('d', "e")).unwrap()));
        assert_eq!(challenge.to_text(), CHALLENGE);
    }

    #[test]
    fn malformed_values_are_refused() {
        for wrong in ["", &CHALLENGE[1..], &format!("{CHALLENGE}="), &format!("{CHALLENGE}A")] {
            assert!(CodeChallenge::parse(wrong).is_none(), "{wrong}");
        }
        for wrong in [&VERIFIER[1..], &"a".repeat(129), &format!("{}+", &VERIFIER[1..])] {
            assert!(CodeVerifier::parse(wrong).is_none(), "{wrong}");
        }
    }
}
