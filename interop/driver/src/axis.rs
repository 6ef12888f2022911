//! The axes of the matrix: algorithms and formats of keys. The forms of tokens are in [`crate::form`].

use sealwright_jose::Alg;

/// An algorithm as headers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) alg: Alg,
    pub(crate) header: &'static str,
}

/// All algorithms, and the old name of one (RFC 9864 §1).
pub(crate) fn names() -> Vec<Name> {
    let mut names: Vec<Name> = Alg::ALL.iter().map(|alg| Name { alg: *alg, header: alg.name() }).collect();
    names.push(EDDSA);
    names
}

pub(crate) const EDDSA: Name = Name { alg: Alg::Ed25519, header: "EdDSA" };

/// The second signer of every general serialization.
pub(crate) const SECOND: Name = Name { alg: Alg::Es256, header: "ES256" };

impl Name {
    /// Algorithms with the same mark can have the same key.
    pub(crate) fn family(self) -> &'static str {
        match &self.header[..2] {
            "RS" | "PS" => "RSA",
            "Ed" if self.alg == Alg::Ed25519 => "Ed25519",
            _ => self.header,
        }
    }
}

/// Formats of private keys, as the wire names them.
pub(crate) const PRIVATE_FORMATS: [&str; 9] = [
    "jwk",
    "pkcs8-pem",
    "pkcs8-der",
    "encrypted-pem",
    "encrypted-der",
    // PKCS#1 of an RSA key, SEC1 of an elliptic-curve key.
    "traditional-pem",
    "traditional-der",
    "openssh",
    "encrypted-openssh",
];

/// Formats of public keys.
pub(crate) const PUBLIC_FORMATS: [&str; 8] = [
    "jwk",
    "spki-pem",
    "spki-der",
    "pkcs1-pem",
    "pkcs1-der",
    "certificate-pem",
    "certificate-der",
    "openssh",
];

/// Whether there is such a format for such a key at all.
pub(crate) fn exists(format: &str, name: Name) -> bool {
    let family = name.family();
    let is_mac = name.alg.is_mac();
    let is_ec = family.starts_with("ES");
    // What a password costs is the same for all algorithms of a key: one of them will do.
    if format.starts_with("encrypted-") && (family == "RSA" && name.header != "RS256" || name == EDDSA) {
        return false;
    }
    match format.trim_start_matches("encrypted-") {
        "jwk" => true,
        _ if is_mac => false,
        "traditional-pem" | "traditional-der" => family == "RSA" || is_ec,
        "pkcs1-pem" | "pkcs1-der" => family == "RSA",
        "openssh" => family == "RSA" || family == "Ed25519" || (is_ec && family != "ES256K"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{EDDSA, SECOND, exists};

    #[test]
    fn formats_are_asked_for_where_they_exist() {
        assert!(exists("traditional-pem", SECOND));
        assert!(!exists("traditional-pem", EDDSA));
        assert!(exists("encrypted-openssh", SECOND));
        assert!(!exists("encrypted-pem", EDDSA));
        assert!(!exists("pkcs1-der", SECOND));
    }
}
