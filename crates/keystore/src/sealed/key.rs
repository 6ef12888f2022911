//! What stands in the text of a sealed key, and what its seal covers.

use sealwright_jose::{Alg, SigningKey, VerifyingKey, base64url};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{KekRing, KeystoreError, Origin};

const VERSION: u32 = 1;

/// The JSON text of a sealed key. All but `sealed` is there to be read, and covered by the seal.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealedKey {
    version: u32,
    kid: String,
    alg: String,
    kek: String,
    nonce: String,
    sealed: String,
    public_jwk: Box<RawValue>,
}

impl SealedKey {
    /// Seals `key`, whose name is `kid`, under the first key of the ring.
    pub(crate) fn seal(kid: &str, key: &SigningKey, ring: &KekRing) -> Result<Self, KeystoreError> {
        let public = key.verifying_key();
        let private = key.to_pkcs8_der().map_err(|e| KeystoreError::key(kid, e))?;
        let (alg, kek) = (key.alg().name(), ring.sealing_id());
        let aad = associated_data(VERSION, kid, alg, kek, &public.thumbprint());
        let (nonce, sealed) = ring.seal(private, &aad)?;
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

    pub(crate) fn to_text(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("strings and numbers always have a JSON text");
        text.push('\n');
        text
    }

    pub(crate) fn parse(origin: &Origin, text: &[u8]) -> Result<Self, KeystoreError> {
        serde_json::from_slice(text).map_err(|e| {
            KeystoreError::kept(origin, format!("not a sealed key, or not the whole of one: {e}"))
        })
    }

    /// The name that it says is its own; nothing vouches for it before the seal is open.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// Opens the seal. What stands in clear must agree with its name and with what was sealed.
    pub(crate) fn open(
        self,
        origin: &Origin,
        kid: &str,
        ring: &KekRing,
    ) -> Result<SigningKey, KeystoreError> {
        let wrong = |what: String| KeystoreError::kept(origin, what);
        if self.version != VERSION {
            return Err(wrong(format!(
                "version {} of sealed keys is not known here; {VERSION} is",
                self.version
            )));
        }
        if self.kid != kid {
            return Err(wrong(format!("it holds the key `{}`: it was renamed or swapped", self.kid)));
        }
        let alg = Alg::from_name(&self.alg)
            .ok_or_else(|| wrong(format!("`{}` is not an algorithm that is known here", self.alg)))?;
        let public = VerifyingKey::from_jwk(self.public_jwk.get())
            .map_err(|e| wrong(format!("`public_jwk` is not usable: {e}")))?;
        if public.alg() != alg || public.kid() != Some(kid) {
            return Err(wrong("`public_jwk` has another `alg` or `kid` than stands beside it".into()));
        }
        let nonce = base64url::decode_exact(&self.nonce).map_err(|e| wrong(format!("`nonce`: {e}")))?;
        let sealed = base64url::decode(&self.sealed).map_err(|e| wrong(format!("`sealed`: {e}")))?;
        if !ring.holds(&self.kek) {
            return Err(KeystoreError::KekUnknown { origin: origin.clone(), kek: self.kek });
        }

        let aad = associated_data(self.version, &self.kid, &self.alg, &self.kek, &public.thumbprint());
        let Some(private) = ring.open(&self.kek, nonce, sealed, &aad)? else {
            return Err(KeystoreError::Seal { origin: origin.clone(), kek: self.kek });
        };
        let key = SigningKey::from_pkcs8_der(alg, &private).map_err(|e| KeystoreError::key(kid, e))?;
        if key.verifying_key().thumbprint() != public.thumbprint() {
            return Err(wrong("the private key that was sealed does not belong to `public_jwk`".into()));
        }
        Ok(key.with_kid(kid))
    }

    /// The key `kid` under the first key of the ring; `None` if it is already. It is opened either way: another key may go
    /// by the id that it names.
    pub(crate) fn resealed(
        self,
        origin: &Origin,
        kid: &str,
        ring: &KekRing,
    ) -> Result<Option<Self>, KeystoreError> {
        let is_current = self.kek == ring.sealing_id();
        let key = self.open(origin, kid, ring)?;
        if is_current {
            return Ok(None);
        }
        Self::seal(kid, &key, ring).map(Some)
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
