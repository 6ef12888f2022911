//! What stands in a sealed file, and what its seal covers.

use std::path::Path;

use sealwright_jose::{Alg, SigningKey, VerifyingKey, base64url};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{KekRing, KeystoreError};

const VERSION: u32 = 1;

/// The JSON text of a sealed file. All but `sealed` is there to be read, and covered by the seal.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealedFile {
    version: u32,
    kid: String,
    alg: String,
    kek: String,
    nonce: String,
    sealed: String,
    public_jwk: Box<RawValue>,
}

impl SealedFile {
    /// Seals `key`, whose name is `kid`, under the first key of the ring.
    pub(super) fn seal(kid: &str, key: &SigningKey, ring: &KekRing) -> Result<Self, KeystoreError> {
        let public = key.verifying_key();
        let private = key.to_pkcs8_der().map_err(|e| KeystoreError::key(kid, e))?;
        let (alg, kek) = (key.alg().name(), ring.sealing_id());
        let aad = associated_data(VERSION, kid, alg, kek, &public.thumbprint());
        let (nonce, sealed) = ring
            .seal(private, &aad)
            .ok_or_else(|| KeystoreError::Unavailable("AES-256-GCM did not seal".into()))?;
        let public_jwk = RawValue::from_string(public.to_jwk())
            .map_err(|e| KeystoreError::Unavailable(format!("the public key has no JSON text: {e}")))?;
        Ok(Self {
            version: VERSION,
            kid: kid.to_owned(),
            alg: alg.to_owned(),
            kek: kek.to_owned(),
            nonce: base64url::encode(nonce),
            sealed: base64url::encode(sealed),
            public_jwk,
        })
    }

    pub(super) fn to_text(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("strings and numbers always have a JSON text");
        text.push('\n');
        text
    }

    pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Self, KeystoreError> {
        serde_json::from_slice(text)
            .map_err(|e| KeystoreError::file(path, format!("not a sealed key, or not the whole of one: {e}")))
    }

    /// Opens the seal. What the file says in clear must agree with its name and with what was sealed.
    pub(super) fn open(self, path: &Path, kid: &str, ring: &KekRing) -> Result<SigningKey, KeystoreError> {
        let wrong = |what: String| KeystoreError::file(path, what);
        if self.version != VERSION {
            return Err(wrong(format!(
                "version {} of sealed keys is not known here; {VERSION} is",
                self.version
            )));
        }
        if self.kid != kid {
            return Err(wrong(format!("it holds the key `{}`: the file was renamed or swapped", self.kid)));
        }
        let alg = Alg::from_name(&self.alg)
            .ok_or_else(|| wrong(format!("`{}` is not an algorithm that is known here", self.alg)))?;
        let public = VerifyingKey::from_jwk(self.public_jwk.get())
            .map_err(|e| wrong(format!("`public_jwk` is not usable: {e}")))?;
        if public.alg() != alg || public.kid() != Some(kid) {
            return Err(wrong("`public_jwk` has another `alg` or `kid` than the file".into()));
        }
        let nonce = base64url::decode_exact(&self.nonce).map_err(|e| wrong(format!("`nonce`: {e}")))?;
        let sealed = base64url::decode(&self.sealed).map_err(|e| wrong(format!("`sealed`: {e}")))?;
        if !ring.holds(&self.kek) {
            return Err(KeystoreError::KekUnknown { path: path.to_owned(), kek: self.kek });
        }

        let aad = associated_data(self.version, &self.kid, &self.alg, &self.kek, &public.thumbprint());
        let Some(private) = ring.open(&self.kek, nonce, sealed, &aad) else {
            return Err(KeystoreError::Seal { path: path.to_owned(), kek: self.kek });
        };
        let key = SigningKey::from_pkcs8_der(alg, &private).map_err(|e| KeystoreError::key(kid, e))?;
        if key.verifying_key().thumbprint() != public.thumbprint() {
            return Err(wrong("the private key that was sealed does not belong to `public_jwk`".into()));
        }
        Ok(key.with_kid(kid))
    }
}

/// What the seal covers beside the private key. Each text is led by its length, so that no two sets of fields
/// give the same bytes.
fn associated_data(version: u32, kid: &str, alg: &str, kek: &str, thumbprint: &[u8; 32]) -> Vec<u8> {
    let mut data = b"sealwright sealed key\0".to_vec();
    data.extend_from_slice(&version.to_be_bytes());
    for text in [kid, alg, kek] {
        data.extend_from_slice(&(text.len() as u64).to_be_bytes());
        data.extend_from_slice(text.as_bytes());
    }
    data.extend_from_slice(thumbprint);
    data
}

#[cfg(test)]
mod tests {
    use super::associated_data;

    #[test]
    fn moving_a_character_from_one_field_to_the_next_changes_the_associated_data() {
        let data = |kid, alg, kek| associated_data(1, kid, alg, kek, &[0; 32]);
        assert_ne!(data("ab", "c", "d"), data("a", "bc", "d"));
        assert_ne!(data("a", "bc", "d"), data("a", "b", "cd"));
        assert_ne!(data("a", "b", "c"), associated_data(2, "a", "b", "c", &[0; 32]));
        assert_ne!(data("a", "b", "c"), associated_data(1, "a", "b", "c", &[1; 32]));
    }
}
