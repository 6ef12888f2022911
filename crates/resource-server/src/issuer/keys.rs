//! Fixed keys, in whatever form an operator has them.

use crate::ConfigError;
use sealwright_jose::{Alg, JwkSet, Key, KeyError, VerifyingKey};

/// The public keys in `source`, for the one of `algs` that fits each.
pub(super) fn read(issuer: &str, source: &[u8], algs: &[Alg]) -> Result<Vec<VerifyingKey>, ConfigError> {
    let issuer = || issuer.to_owned();
    if algs.is_empty() {
        return Err(ConfigError::AlgsEmpty { issuer: issuer() });
    }
    // Before anything is read: else the text of a public key might become a secret that everybody knows.
    if let Some(&alg) = algs.iter().find(|alg| alg.is_mac()) {
        return Err(ConfigError::MacNotAllowed { issuer: issuer(), alg });
    }
    let unreadable = |source| ConfigError::KeyUnreadable { issuer: issuer(), source };
    if source.trim_ascii_start().starts_with(b"{") {
        let problem = "it is not UTF-8";
        let text =
            str::from_utf8(source).map_err(|_| unreadable(KeyError::Malformed { format: "JWK", problem }))?;
        let set = JwkSet::parse_any(text, algs).map_err(|error| match error {
            KeyError::Secret => ConfigError::KeyPrivate { issuer: issuer() },
            error => unreadable(error),
        })?;
        // A set with a secret in it is the wrong file, however many public keys stand beside.
        if set.skipped().iter().any(|(_, error)| *error == KeyError::Secret) {
            return Err(ConfigError::KeyPrivate { issuer: issuer() });
        }
        return match (set.keys(), set.skipped()) {
            ([], [(_, error), ..]) => Err(unreadable(error.clone())),
            ([], []) => Err(ConfigError::KeysEmpty { issuer: issuer() }),
            (keys, _) => Ok(keys.to_vec()),
        };
    }
    let der = without_armour(source);
    let read = |alg| match &der {
        Some(der) => Key::parse_der(der, alg),
        None => Key::parse_with_password(source, Some(alg), None),
    };
    let (mut found, mut refused) = (None, None);
    for &alg in algs {
        match read(alg) {
            Ok(Key::Verifying(key)) => {
                if let Some(other) = found.replace(key) {
                    let algs = [other.alg(), alg];
                    return Err(ConfigError::KeyAlgAmbiguous { issuer: issuer(), algs });
                }
            }
            Ok(_) => return Err(ConfigError::KeyPrivate { issuer: issuer() }),
            // A key behind a password is a private one.
            Err(KeyError::PasswordNeeded) => return Err(ConfigError::KeyPrivate { issuer: issuer() }),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match (found, refused) {
        (Some(key), _) => Ok(vec![key]),
        (None, Some(error)) => Err(unreadable(error)),
        (None, None) => Err(ConfigError::KeysEmpty { issuer: issuer() }),
    }
}

/// The DER in base64 that nothing surrounds but white space, as consoles and YAML files show keys.
fn without_armour(source: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = source.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    // `M` is the first six bits of every SEQUENCE that is longer than 127 bytes or is a public key of an elliptic curve.
    text.starts_with(b"M").then(|| base64_simd::STANDARD.decode_to_vec(&text).ok()).flatten()
}
