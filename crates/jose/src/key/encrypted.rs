//! PKCS#8 behind a password (RFC 5958 §3, RFC 8018 §6.2): PBES2 with PBKDF2 or scrypt, and AES-CBC.

use std::num::NonZeroU32;

use der::{
    AnyRef, Decode, Encode, Sequence, Tag, Tagged,
    asn1::{ObjectIdentifier, OctetStringRef},
};
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, PBES2_OID, Parameters, Pbkdf2Params, Pbkdf2Prf};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use crate::{
    KeyError,
    key::MAX_KEY_BYTES,
    provider::{self, Prf},
};

pub(crate) const FORMAT: &str = "encrypted PKCS#8";

/// What a file may ask for: ten million iterations take some seconds. Key stores use up to a
/// million.
pub(crate) const MAX_ITERATIONS: u32 = 10_000_000;

/// What a file may ask scrypt for: 256 MiB (it needs 128·N·r bytes) and 2²⁴ blocks (it mixes N·r·p).
const MAX_SCRYPT_BLOCKS: u64 = 1 << 21;
const MAX_SCRYPT_WORK: u64 = 1 << 24;

/// What is written: as many as OWASP recommends for PBKDF2 with HMAC-SHA-256.
const ITERATIONS: u32 = 600_000;

/// What all of this is about.
pub(crate) const PBES2: ObjectIdentifier = PBES2_OID;

/// `EncryptedPrivateKeyInfo` of RFC 5958 §3.
#[derive(Sequence)]
struct EncryptedPrivateKeyInfo<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    data: OctetStringRef<'a>,
}

/// Whether these bytes are such a structure, whatever the encryption.
pub(crate) fn is_one(der: &[u8]) -> bool {
    EncryptedPrivateKeyInfo::from_der(der).is_ok_and(|info| info.algorithm.parameters.is_some())
}

/// The PKCS#8 structure inside.
pub(crate) fn decrypt(der: &[u8], password: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if der.len() > MAX_KEY_BYTES {
        return Err(KeyError::TooLarge(MAX_KEY_BYTES));
    }
    let malformed = |_| KeyError::Malformed { format: FORMAT, problem: "not the DER of one" };
    let info = EncryptedPrivateKeyInfo::from_der(der).map_err(malformed)?;
    if info.algorithm.oid != PBES2 {
        return Err(KeyError::Unsupported(OLD));
    }
    decrypt_data(&info.algorithm, info.data.as_bytes(), password)
}

/// What PBES2 encrypted with these parameters, which must be a SEQUENCE.
pub(crate) fn decrypt_data(
    algorithm: &AlgorithmIdentifierRef<'_>,
    data: &[u8],
    password: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let malformed = KeyError::Malformed { format: FORMAT, problem: "not the DER of one" };
    let parameters = algorithm.parameters.ok_or(malformed)?;
    let parameters = Parameters::try_from(parameters).map_err(|_| explain(parameters))?;
    let (iv, key_len) = match parameters.encryption {
        EncryptionScheme::Aes128Cbc { iv } => (iv, 16),
        EncryptionScheme::Aes192Cbc { iv } => (iv, 24),
        EncryptionScheme::Aes256Cbc { iv } => (iv, 32),
        _ => return Err(KeyError::Unsupported(CIPHER)),
    };
    if parameters.kdf.key_length().is_some_and(|len| usize::from(len) != key_len) {
        return Err(KeyError::Malformed {
            format: FORMAT,
            problem: "the key is not as long as its cipher's",
        });
    }
    let password = password.ok_or(KeyError::PasswordNeeded)?;
    let key = derive(&parameters.kdf, password, key_len)?;
    provider::aes_cbc_decrypt_padded(&key, *iv, data)
        // One wrong password in 256 leaves a padding that looks sound, but no structure before it.
        .filter(|plain| AnyRef::from_der(plain).is_ok_and(|any| any.tag() == Tag::Sequence))
        .ok_or(KeyError::Password)
}

const OLD: &str = "a private key behind the old password encryption of PKCS#5 or PKCS#12 (DES, RC2 or RC4; \
    `openssl pkcs8 -in OLD -topk8 -v2 aes-256-cbc -out NEW` writes it anew)";
const CIPHER: &str = "a private key encrypted with another cipher than AES-CBC \
    (`openssl pkcs8 -in OLD -topk8 -v2 aes-256-cbc -out NEW` writes it anew)";
const KDF: &str =
    "a password scheme other than PBKDF2 (HMAC with SHA-1, SHA-256, SHA-384 or SHA-512) and scrypt";

/// Why the parameters were not read: an unknown algorithm, or not DER at all.
fn explain(parameters: AnyRef<'_>) -> KeyError {
    const AES_CBC: [&str; 3] =
        ["2.16.840.1.101.3.4.1.2", "2.16.840.1.101.3.4.1.22", "2.16.840.1.101.3.4.1.42"];
    let oids = parameters.sequence(|reader| {
        let kdf = AlgorithmIdentifierRef::decode(reader)?;
        let cipher = AlgorithmIdentifierRef::decode(reader)?;
        Ok((kdf.oid, cipher.oid))
    });
    let known = |oid: ObjectIdentifier| AES_CBC.iter().any(|name| ObjectIdentifier::new(name) == Ok(oid));
    match oids {
        Ok((_, cipher)) if !known(cipher) => KeyError::Unsupported(CIPHER),
        Ok(_) => KeyError::Unsupported(KDF),
        Err(_) => KeyError::Malformed { format: FORMAT, problem: "not the DER of one" },
    }
}

fn derive(kdf: &Kdf<'_>, password: &[u8], len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut key = Zeroizing::new(vec![0; len]);
    match kdf {
        Kdf::Pbkdf2(params) => {
            let prf = match params.prf {
                Pbkdf2Prf::HmacWithSha1 => Prf::Sha1,
                Pbkdf2Prf::HmacWithSha256 => Prf::Sha256,
                Pbkdf2Prf::HmacWithSha384 => Prf::Sha384,
                Pbkdf2Prf::HmacWithSha512 => Prf::Sha512,
                _ => return Err(KeyError::Unsupported(KDF)),
            };
            let zero = KeyError::Malformed { format: FORMAT, problem: "no iteration at all" };
            let iterations = NonZeroU32::new(params.iteration_count).ok_or(zero)?;
            if iterations.get() > MAX_ITERATIONS {
                return Err(KeyError::TooCostly("more than 10,000,000 iterations of PBKDF2"));
            }
            provider::pbkdf2(prf, iterations, params.salt, password, &mut key);
        }
        Kdf::Scrypt(params) => {
            let (n, r, p) = (params.cost_parameter, params.block_size, params.parallelization);
            let blocks = n.checked_mul(u64::from(r)).filter(|blocks| *blocks <= MAX_SCRYPT_BLOCKS);
            let work = blocks.map(|blocks| blocks * u64::from(p)).filter(|work| *work <= MAX_SCRYPT_WORK);
            if work.is_none() {
                return Err(KeyError::TooCostly("more than 256 MiB or 2^24 blocks of scrypt"));
            }
            let bad = KeyError::Malformed { format: FORMAT, problem: "impossible parameters of scrypt" };
            if n < 2 || !n.is_power_of_two() {
                return Err(bad);
            }
            let params_ = scrypt::Params::new(n.ilog2() as u8, r.into(), p.into());
            let derived = params_.map(|p| scrypt::scrypt(password, params.salt, &p, &mut key));
            if !matches!(derived, Ok(Ok(()))) {
                return Err(bad);
            }
        }
        _ => return Err(KeyError::Unsupported(KDF)),
    }
    Ok(key)
}

/// The PKCS#8 structure behind a password: PBKDF2 with HMAC-SHA-256 and AES-256-CBC, which every
/// reader of PBES2 knows.
pub(crate) fn encrypt(pkcs8: &[u8], password: &[u8]) -> Result<Vec<u8>, KeyError> {
    if password.is_empty() {
        return Err(KeyError::PasswordNeeded);
    }
    let (mut salt, mut iv, mut key) = ([0; 16], [0; 16], Zeroizing::new([0; 32]));
    provider::random(&mut salt)?;
    provider::random(&mut iv)?;
    let iterations = NonZeroU32::new(ITERATIONS).ok_or(KeyError::Backend)?;
    provider::pbkdf2(Prf::Sha256, iterations, &salt, password, &mut key[..]);
    let data = provider::aes_256_cbc_encrypt_padded(&key, iv, pkcs8).ok_or(KeyError::Backend)?;
    let encode = || -> der::Result<Vec<u8>> {
        let kdf = Pbkdf2Params {
            salt: &salt,
            iteration_count: ITERATIONS,
            key_length: None,
            prf: Pbkdf2Prf::HmacWithSha256,
        };
        let encryption = EncryptionScheme::Aes256Cbc { iv: &iv };
        let parameters = Parameters { kdf: kdf.into(), encryption }.to_der()?;
        EncryptedPrivateKeyInfo {
            algorithm: AlgorithmIdentifierRef {
                oid: PBES2,
                parameters: Some(AnyRef::from_der(&parameters)?),
            },
            data: OctetStringRef::new(&data)?,
        }
        .to_der()
    };
    encode().map_err(|_| KeyError::Backend)
}
