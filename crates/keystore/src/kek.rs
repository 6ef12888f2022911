//! The key-encryption keys: read from files or the environment or used in a token, never stored beside what they seal.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sealwright_jose::base64url;
use sealwright_service::{
    random,
    secret::{Secret, SecretRef},
};
use zeroize::Zeroizing;

use crate::{
    KeystoreError, name,
    pkcs11::{KekPkcs11Spec, TokenKek},
};

/// `spec.secrets.kek`: one entry of the ring.
#[derive(Clone, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KekSpec {
    /// The name by which a sealed file says what opens it. It never changes its key.
    pub id: String,
    /// A file whose text is the key. Relative paths count from the resource's folder.
    pub file: Option<PathBuf>,
    /// The environment variable whose value is the key.
    pub env: Option<String>,
    /// A PKCS#11 token that has the key and keeps it: whatever is sealed or opened goes through the token.
    pub pkcs11: Option<KekPkcs11Spec>,
}

/// The key-encryption keys: the first seals, all unseal.
///
/// To change the key, put a new one in front and keep the old one behind it for as long as files need it.
#[derive(Clone)]
pub struct KekRing(Arc<[Kek]>);

struct Kek {
    id: String,
    key: Key,
}

enum Key {
    Memory(Zeroizing<[u8; 32]>),
    Token(TokenKek),
}

impl KekRing {
    /// Reads the ring that a resource declares; `base_dir` is the resource's folder.
    ///
    /// A key is 32 bytes, written as base64url, base64 or hex; one newline behind it is allowed. A key in a PKCS#11
    /// token is looked for there, which takes as long as the token does.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Ring`] with a sentence that says what would be right: for an empty ring, an id twice,
    /// an entry without exactly one of `file`, `env` and `pkcs11`, a source that cannot be read or a token that cannot
    /// be used, a text that is not a key.
    pub fn read(specs: &[KekSpec], base_dir: &Path) -> Result<Self, KeystoreError> {
        if specs.is_empty() {
            return Err(KeystoreError::Ring(
                "there is no key-encryption key: name at least one, such as `kek: [{id: k1, file: kek}]`"
                    .into(),
            ));
        }
        let mut ring: Vec<Kek> = Vec::with_capacity(specs.len());
        for spec in specs {
            if ring.iter().any(|kek| kek.id == spec.id) {
                return Err(refused(spec, "the id stands twice in the ring; give each key an id of its own"));
            }
            ring.push(read_one(spec, base_dir)?);
        }
        Ok(Self(ring.into()))
    }

    /// The ring of one key, whose text is at hand: a new one that is yet to be written into a file.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Ring`] if the id or the text is none.
    pub fn of_text(id: &str, text: &Secret) -> Result<Self, KeystoreError> {
        let spec = KekSpec { id: id.to_owned(), file: None, env: None, pkcs11: None };
        if !name::is_safe(id) {
            return Err(refused(&spec, BAD_ID));
        }
        let key = parse(text.expose()).ok_or_else(|| refused(&spec, BAD_TEXT))?;
        Ok(Self([Kek { id: spec.id, key: Key::Memory(key) }].into()))
    }

    /// The text of a new random key, to be written into a file.
    pub fn generate_text() -> Zeroizing<String> {
        let key = Zeroizing::new(random::bytes::<32>());
        Zeroizing::new(base64url::encode(&key[..]))
    }

    /// The id of the key that seals.
    pub(crate) fn sealing_id(&self) -> &str {
        &self.first().id
    }

    /// Whether the ring holds a key of this id.
    pub(crate) fn holds(&self, id: &str) -> bool {
        self.0.iter().any(|kek| kek.id == id)
    }

    /// Seals `text` under the first key; gives the nonce and the ciphertext with its tag. A key in a token is waited
    /// for.
    ///
    /// Nonces are random: with 96 bits, 2³² keys could be sealed under one key before a repetition becomes a
    /// matter worth thinking about (NIST SP 800-38D §8.3).
    pub(crate) fn seal(
        &self,
        text: Zeroizing<Vec<u8>>,
        aad: &[u8],
    ) -> Result<([u8; NONCE_LEN], Vec<u8>), KeystoreError> {
        let nonce = random::bytes::<NONCE_LEN>();
        let sealed = match &self.first().key {
            Key::Memory(key) => {
                seal(key, nonce, text, aad).ok_or_else(|| failed("AES-256-GCM did not seal"))?
            }
            Key::Token(key) => key.seal(nonce, &text, aad)?,
        };
        Ok((nonce, sealed))
    }

    /// Opens what the key `id` sealed; `None` if it is another key, or anything was changed.
    pub(crate) fn open(
        &self,
        id: &str,
        nonce: [u8; NONCE_LEN],
        sealed: Vec<u8>,
        aad: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeystoreError> {
        match self.0.iter().find(|kek| kek.id == id).map(|kek| &kek.key) {
            Some(Key::Memory(key)) => Ok(open(key, nonce, sealed, aad)),
            Some(Key::Token(key)) => key.open_sealed(nonce, &sealed, aad),
            None => Ok(None),
        }
    }

    fn first(&self) -> &Kek {
        self.0.first().expect("`read` refuses an empty ring, and nothing else makes one")
    }
}

impl fmt::Debug for KekRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|kek| &kek.id)).finish()
    }
}

fn seal(key: &[u8; 32], nonce: [u8; NONCE_LEN], mut text: Zeroizing<Vec<u8>>, aad: &[u8]) -> Option<Vec<u8>> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = cipher(key)?.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut text[..]).ok()?;
    // From here on `text` is ciphertext.
    let mut sealed = text.to_vec();
    sealed.extend_from_slice(tag.as_ref());
    Some(sealed)
}

fn open(key: &[u8; 32], nonce: [u8; NONCE_LEN], sealed: Vec<u8>, aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(sealed);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let len = cipher(key)?.open_in_place(nonce, Aad::from(aad), &mut text).ok()?.len();
    text.truncate(len);
    Some(text)
}

fn cipher(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new)
}

fn failed(what: &str) -> KeystoreError {
    KeystoreError::Unavailable(what.to_owned())
}

const BAD_ID: &str = "an id is 1 to 128 of A-Z a-z 0-9 . _ - and has no dot in front";
const BAD_TEXT: &str =
    "its text is not a key; 32 bytes are wanted, as base64url, base64 or hex, and nothing else";

fn read_one(spec: &KekSpec, base_dir: &Path) -> Result<Kek, KeystoreError> {
    if !name::is_safe(&spec.id) {
        return Err(refused(spec, BAD_ID));
    }
    let key = match (&spec.file, &spec.env, &spec.pkcs11) {
        (Some(_), None, None) | (None, Some(_), None) => Key::Memory(read_text(spec, base_dir)?),
        (None, None, Some(token)) => {
            if !name::is_safe(&token.label) {
                return Err(refused(
                    spec,
                    "`label` is 1 to 128 of A-Z a-z 0-9 . _ - and has no dot in front",
                ));
            }
            Key::Token(TokenKek::open(token, base_dir).map_err(|e| refused(spec, &e.to_string()))?)
        }
        (None, None, None) => {
            return Err(refused(spec, "it says not where the key is; give `file`, `env` or `pkcs11`"));
        }
        _ => return Err(refused(spec, "it has several of `file`, `env` and `pkcs11`; keep one of them")),
    };
    Ok(Kek { id: spec.id.clone(), key })
}

fn read_text(spec: &KekSpec, base_dir: &Path) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let source = SecretRef { file: spec.file.clone(), env: spec.env.clone() };
    let text = source.read(base_dir).map_err(|e| refused(spec, &e.to_string()))?;
    parse(text.expose()).ok_or_else(|| refused(spec, BAD_TEXT))
}

fn refused(spec: &KekSpec, why: &str) -> KeystoreError {
    KeystoreError::Ring(format!("key-encryption key `{}`: {why}", spec.id))
}

/// 32 bytes in one of three spellings, told apart by their lengths.
fn parse(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    match text.len() {
        43 => base64url::decode_exact(text).ok(),
        44 => {
            let unpadded = Zeroizing::new(text.strip_suffix('=')?.replace('+', "-").replace('/', "_"));
            base64url::decode_exact(&unpadded).ok()
        }
        64 => hex(text),
        _ => None,
    }
    .map(Zeroizing::new)
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(bytes)
}
