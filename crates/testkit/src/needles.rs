//! Looks for the bytes of keys where they must not be, or must.

use std::collections::HashMap;

use sealwright_jose::base64url;
use serde_json::Value;

/// How much of a number is looked for, in bytes.
const MIDDLE: usize = 18;

/// No form of a number is longer, so that who searches in pieces lets them overlap by so much.
pub const LONGEST: usize = 2 * MIDDLE;

/// One form of a number of a key.
#[derive(Clone, Debug)]
pub struct Needle {
    /// What it is, such as `d in base64`.
    pub what: String,
    bytes: Vec<u8>,
}

/// The secret numbers of a private JWK, in each form in which files, texts and memory may have them: raw in either order of
/// bytes, base64, base64url, hexadecimal. DER, PEM and JWK hold the same numbers, so that these forms are found in all of them.
///
/// # Panics
///
/// If the text is no private JWK of an asymmetric key.
pub fn private(jwk: &str) -> Vec<Needle> {
    needles(jwk, &["d", "p", "q", "dp", "dq", "qi", "priv"])
}

/// The public numbers of a JWK, in the same forms: for showing that a search finds what is there.
///
/// # Panics
///
/// If the text is no JWK of an asymmetric key.
pub fn public(jwk: &str) -> Vec<Needle> {
    needles(jwk, &["n", "x", "y", "pub"])
}

fn needles(jwk: &str, names: &[&str]) -> Vec<Needle> {
    let jwk: Value = serde_json::from_str(jwk).expect("a JWK is JSON");
    let mut needles = Vec::new();
    for name in names {
        let Some(text) = jwk[name].as_str() else { continue };
        let number = base64url::decode(text).expect("the numbers of a JWK are base64url");
        // The middle is there whatever stands around it, and of copies of which the ends were overwritten already.
        let from = number.len() / 4;
        let middle = number.get(from..from + MIDDLE).expect("numbers of keys have 32 bytes and more");
        let mut add =
            |form: &str, bytes: Vec<u8>| needles.push(Needle { what: format!("{name} {form}"), bytes });
        add("big-endian", middle.to_vec());
        add("little-endian", middle.iter().rev().copied().collect());
        // At which of three offsets it begins depends on what stands before it.
        for offset in 0..3 {
            let text = base64url::encode(&middle[offset..offset + 15]);
            if text.contains(['-', '_']) {
                add("in base64", text.replace('-', "+").replace('_', "/").into_bytes());
            }
            add("in base64url", text.into_bytes());
        }
        let hex: String = middle.iter().map(|byte| format!("{byte:02x}")).collect();
        add("in HEXADECIMAL", hex.to_uppercase().into_bytes());
        add("in hexadecimal", hex.into_bytes());
    }
    assert!(!needles.is_empty(), "the key has none of the numbers {}", names.join(", "));
    needles
}

/// Finds any of many needles in one pass.
pub struct Finder<'n> {
    starts: Vec<bool>,
    by_start: HashMap<[u8; 2], Vec<(&'n str, &'n Needle)>>,
}

impl<'n> Finder<'n> {
    /// For the needles of keys, by what the keys are called.
    pub fn new(keys: impl IntoIterator<Item = (&'n str, &'n [Needle])>) -> Self {
        let (mut starts, mut by_start) = (vec![false; 1 << 16], HashMap::<_, Vec<_>>::new());
        for (name, needles) in keys {
            for needle in needles {
                let start = [needle.bytes[0], needle.bytes[1]];
                starts[usize::from(u16::from_be_bytes(start))] = true;
                by_start.entry(start).or_default().push((name, needle));
            }
        }
        Self { starts, by_start }
    }

    /// What is found in `content`: the name of the key, the needle, and where.
    pub fn find(&self, content: &[u8]) -> Vec<(&'n str, &'n Needle, usize)> {
        let mut found = Vec::new();
        for at in 0..content.len().saturating_sub(1) {
            let start = [content[at], content[at + 1]];
            if !self.starts[usize::from(u16::from_be_bytes(start))] {
                continue;
            }
            for (name, needle) in self.by_start.get(&start).into_iter().flatten() {
                if content[at..].starts_with(&needle.bytes) {
                    found.push((*name, *needle, at));
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use sealwright_jose::{Alg, SigningKey};

    use super::*;

    #[test]
    fn keys_are_found_however_they_are_written() {
        for alg in [Alg::Es256, Alg::Rs256, Alg::Ed25519, Alg::MlDsa44] {
            let key = SigningKey::generate(alg).unwrap();
            let jwk = key.to_jwk().unwrap();
            let (private, public) = (private(&jwk), public(&jwk));
            let finder = Finder::new([("private", &private[..]), ("public", &public[..])]);
            let der = key.to_pkcs8_der().unwrap().to_vec();
            let hex: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
            for content in [
                jwk.as_bytes(),
                key.to_pem().unwrap().replace('\n', "").as_bytes(),
                hex.as_bytes(),
                hex.to_uppercase().as_bytes(),
                base64url::encode(&der).as_bytes(),
                &der,
                &der.iter().rev().copied().collect::<Vec<_>>(),
            ] {
                let found = finder.find(content);
                assert!(found.iter().any(|(name, ..)| *name == "private"), "{alg}: {found:?}");
            }
            let verifying = key.verifying_key().to_jwk();
            let found = finder.find(verifying.as_bytes());
            assert!(
                found.iter().all(|(name, ..)| *name == "public") && !found.is_empty(),
                "{alg}: {found:?}"
            );
            let other = SigningKey::generate(alg).unwrap().to_jwk().unwrap();
            assert!(finder.find(other.as_bytes()).is_empty(), "{alg}");
        }
    }
}
