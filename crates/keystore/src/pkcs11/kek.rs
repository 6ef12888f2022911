//! A key-encryption key in a token.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use aws_lc_rs::aead::NONCE_LEN;
use cryptoki::{
    error::{Error, RvError},
    mechanism::{Mechanism, MechanismType, aead::GcmParams},
    object::{Attribute, ObjectHandle},
    types::Ulong,
};
use sealwright_service::{random, secret::SecretRef};
use zeroize::Zeroizing;

use super::{
    Pkcs11Spec,
    error::TokenError,
    pool::{Failure, Held, Kind, Pool, patiently},
};
use crate::KeystoreError;

const TAG_BITS: u64 = 128;

/// How long another process may take to make the key.
const MAKING: Duration = Duration::from_secs(5);

/// A key-encryption key in a PKCS#11 token: an AES key of 256 bits that never leaves it.
#[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KekPkcs11Spec {
    /// The token's driver, a shared library. A path with a folder counts from the resource's folder; a name alone is
    /// the system's to find.
    pub module: PathBuf,
    /// The label of the token. Either this or `slot`.
    pub token: Option<String>,
    /// The number of its slot, where labels are not enough.
    pub slot: Option<u64>,
    /// Where the user's PIN is.
    pub pin: SecretRef,
    /// The label of the key, which is its `CKA_ID` as well.
    pub label: String,
    /// Whether the token makes the key when it has none of this label. Default: no.
    #[serde(default)]
    pub create: bool,
}

/// An AES-256 key in a token. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct TokenKek {
    pool: Arc<Pool>,
    label: String,
}

impl TokenKek {
    /// Finds the key, or has it made if that was asked for.
    pub(crate) fn open(spec: &KekPkcs11Spec, base_dir: &Path) -> Result<Self, KeystoreError> {
        let token = Pkcs11Spec {
            module: spec.module.clone(),
            token: spec.token.clone(),
            slot: spec.slot,
            pin: spec.pin.clone(),
            sessions: Some(1),
        };
        let pool = Arc::new(Pool::open(token.read(base_dir)?)?);
        let kek = Self { pool, label: spec.label.clone() };
        if !kek.pool.has(MechanismType::AES_GCM) {
            return Err(
                kek.wrong("its module has no CKM_AES_GCM, so that it cannot hold key-encryption keys")
            );
        }
        patiently(|| {
            kek.pool.run(|held| match kek.key(held) {
                Err(Failure::Final(KeystoreError::Token(TokenError::KeyMissing { .. }))) if spec.create => {
                    kek.make(held)
                }
                found => found.map(drop),
            })
        })?;
        Ok(kek)
    }

    /// Ciphertext and tag, as AES-256-GCM in memory gives them.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        text: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, KeystoreError> {
        let _permit = self.pool.permit_blocking()?;
        let sealed = self.pool.run(|held| {
            let key = self.key(held)?;
            Ok(encrypt(held, key, nonce, text, aad)?)
        })?;
        // What is kept must be what was meant: a driver that left out the tag would be found out too late.
        if sealed.len() != text.len() + (TAG_BITS / 8) as usize {
            return Err(self.wrong("what it encrypted has the wrong length"));
        }
        Ok(sealed)
    }

    /// `None` if this key has not sealed that.
    pub(crate) fn open_sealed(
        &self,
        nonce: [u8; NONCE_LEN],
        sealed: &[u8],
        aad: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeystoreError> {
        let _permit = self.pool.permit_blocking()?;
        self.pool.run(|held| {
            let key = self.key(held)?;
            match decrypt(held, key, nonce, sealed, aad) {
                Ok(text) => Ok(Some(text)),
                Err(Error::Pkcs11(code, _)) if is_refusal(code) => Ok(None),
                // So says SoftHSM of a false tag, and of everything else that it does not name. If the key still does
                // its work, then it was the tag.
                Err(Error::Pkcs11(RvError::GeneralError | RvError::FunctionFailed, _))
                    if works(held, key)? =>
                {
                    Ok(None)
                }
                Err(error) => Err(error.into()),
            }
        })
    }

    fn key(&self, held: &mut Held) -> Result<ObjectHandle, Failure> {
        held.find(Kind::Secret, &self.label, &self.label, self.pool.token())?.ok_or_else(|| {
            let (token, kid) = (self.pool.token().to_owned(), self.label.clone());
            TokenError::KeyMissing { token, what: "key labelled", kid }.into()
        })
    }

    /// Has the token make the key, of which there must be one however many processes ask at once: nothing would say which of
    /// two is meant.
    ///
    /// It gets its name only when it is seen to be alone. Of two that are made at the same time each sees the other or is seen
    /// by it, so at most one is named; who is not alone takes its own back, which nothing was sealed under, and looks again.
    fn make(&self, held: &mut Held) -> Result<(), Failure> {
        let deadline = Instant::now() + MAKING;
        loop {
            match self.key(held) {
                Err(Failure::Final(KeystoreError::Token(TokenError::KeyMissing { .. }))) => {}
                found => return found.map(drop),
            }
            if self.in_the_making(held)?.is_empty() {
                let made = held.session.generate_key(&Mechanism::AesKeyGen, &self.template())?;
                match self.name_if_alone(held, made) {
                    Ok(true) => return Ok(()),
                    Ok(false) => {}
                    Err(failure) => {
                        let _ = held.session.destroy_object(made);
                        return Err(failure);
                    }
                }
            }
            if Instant::now() >= deadline {
                let what = format!(
                    "an earlier attempt or another process began to make it and did not finish; remove the key labelled `{}` with the token's own \
                     tool",
                    self.unnamed()
                );
                return Err(Failure::Final(self.wrong(&what)));
            }
            let [pause] = random::bytes::<1>();
            thread::sleep(Duration::from_millis(10 + u64::from(pause)));
        }
    }

    fn name_if_alone(&self, held: &Held, made: ObjectHandle) -> Result<bool, Failure> {
        // In this order: of another that was made at the same time it is seen here, or it has its name by then and is seen
        // there. The other way round it could get its name between the two questions.
        let is_alone = self.in_the_making(held)? == [made];
        if is_alone && held.labelled(Kind::Secret, &self.label, &self.label)?.is_empty() {
            held.session.update_attributes(made, &[Attribute::Label(self.label.as_bytes().to_vec())])?;
            return Ok(true);
        }
        held.session.destroy_object(made)?;
        Ok(false)
    }

    fn in_the_making(&self, held: &Held) -> Result<Vec<ObjectHandle>, Failure> {
        held.labelled(Kind::Secret, &self.label, &self.unnamed())
    }

    /// The label of a key that is not yet known to be the only one.
    fn unnamed(&self) -> String {
        format!("{}.new", self.label)
    }

    fn template(&self) -> [Attribute; 11] {
        [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Id(self.label.as_bytes().to_vec()),
            Attribute::Label(self.unnamed().into_bytes()),
            Attribute::ValueLen(Ulong::from(32_u64)),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
        ]
    }

    fn wrong(&self, what: &str) -> KeystoreError {
        let (token, kid) = (self.pool.token().to_owned(), self.label.clone());
        TokenError::Key { token, kid, what: what.to_owned() }.into()
    }
}

fn encrypt(
    held: &Held,
    key: ObjectHandle,
    mut nonce: [u8; NONCE_LEN],
    text: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, Error> {
    let mechanism = Mechanism::AesGcm(GcmParams::new(&mut nonce, aad, Ulong::from(TAG_BITS))?);
    held.session.encrypt(&mechanism, key, text)
}

fn decrypt(
    held: &Held,
    key: ObjectHandle,
    mut nonce: [u8; NONCE_LEN],
    sealed: &[u8],
    aad: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mechanism = Mechanism::AesGcm(GcmParams::new(&mut nonce, aad, Ulong::from(TAG_BITS))?);
    held.session.decrypt(&mechanism, key, sealed).map(Zeroizing::new)
}

/// Whether the key opens what it seals.
fn works(held: &Held, key: ObjectHandle) -> Result<bool, Error> {
    let (nonce, text) = (random::bytes(), random::bytes::<16>());
    let sealed = encrypt(held, key, nonce, &text, b"")?;
    decrypt(held, key, nonce, &sealed, b"").map(|opened| opened[..] == text)
}

/// How modules say that the tag does not fit.
fn is_refusal(code: RvError) -> bool {
    matches!(code, RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange | RvError::SignatureInvalid)
}
