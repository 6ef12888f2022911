//! What private keys behind a password need: keys from passwords, and AES.

use std::num::NonZeroU32;

use aws_lc_rs::{
    cipher::{
        AES_128, AES_192, AES_256, Algorithm, DecryptingKey, DecryptionContext, EncryptionContext,
        PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    iv::FixedLength,
    pbkdf2,
};
use zeroize::Zeroizing;

/// The hash inside PBKDF2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prf {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// How the blocks of a file are chained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chaining {
    Cbc,
    Ctr,
}

/// PBKDF2 (RFC 8018 §5.2). The caller has bounded the iterations.
pub(crate) fn pbkdf2(prf: Prf, iterations: NonZeroU32, salt: &[u8], password: &[u8], key: &mut [u8]) {
    let prf = match prf {
        Prf::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Prf::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Prf::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Prf::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
    };
    pbkdf2::derive(prf, iterations, salt, password, key);
}

/// Decrypts AES without padding, in place; the key's length says which AES.
pub(crate) fn aes_decrypt(chaining: Chaining, key: &[u8], iv: [u8; 16], text: &mut [u8]) -> Option<()> {
    let key = UnboundCipherKey::new(aes(key)?, key).ok()?;
    let key = match chaining {
        Chaining::Cbc => DecryptingKey::cbc(key),
        Chaining::Ctr => DecryptingKey::ctr(key),
    };
    key.ok()?.decrypt(text, DecryptionContext::Iv128(FixedLength::from(iv))).ok()?;
    Some(())
}

/// Decrypts AES-CBC with the padding of PKCS#7; `None` if the padding is not one.
pub(crate) fn aes_cbc_decrypt_padded(key: &[u8], iv: [u8; 16], text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(aes(key)?, key).ok()?).ok()?;
    let mut text = Zeroizing::new(text.to_vec());
    let len = key.decrypt(&mut text, DecryptionContext::Iv128(FixedLength::from(iv))).ok()?.len();
    text.truncate(len);
    Some(text)
}

/// Encrypts with AES-256-CBC and the padding of PKCS#7.
pub(crate) fn aes_256_cbc_encrypt_padded(key: &[u8; 32], iv: [u8; 16], text: &[u8]) -> Option<Vec<u8>> {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    // Room for the padding, so that the buffer does not move and leave the plain text behind.
    let mut out = Vec::with_capacity(text.len() + 16);
    out.extend_from_slice(text);
    key.less_safe_encrypt(&mut out, EncryptionContext::Iv128(FixedLength::from(iv))).ok()?;
    Some(out)
}

fn aes(key: &[u8]) -> Option<&'static Algorithm> {
    match key.len() {
        16 => Some(&AES_128),
        24 => Some(&AES_192),
        32 => Some(&AES_256),
        _ => None,
    }
}
