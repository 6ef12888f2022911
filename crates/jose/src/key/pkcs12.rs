//! PKCS#12 (RFC 7292): a private key and its certificates behind a password, in the form that OpenSSL 3 and today's
//! Java write: PBES2 with AES-CBC, and a MAC of the SHA-2 family.

use std::fmt;

use der::{
    AnyRef, Decode, Sequence, Tag, Tagged,
    asn1::{ObjectIdentifier, OctetStringRef},
};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use crate::{
    Alg, Digest, Hash, Hasher, KeyError, SigningKey,
    key::{der::private_from_pkcs8, encrypted},
    provider,
};

const FORMAT: &str = "PKCS#12";
/// A key and a long chain have less than a tenth of this.
const MAX_BYTES: usize = 256 * 1024;
const MAX_BAGS: usize = 64;
/// A key, and its certificates in one piece; each costs a derivation of its own.
const MAX_ENCRYPTED: usize = 2;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const X509: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
const PBMAC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.14");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

const OLD: &str = "PKCS#12 with the old encryption (RC2 or triple DES; `openssl pkcs12 -legacy -in OLD -out BOTH.pem` \
    and `openssl pkcs12 -export -in BOTH.pem -out NEW` write it anew)";
const OLD_MAC: &str = "PKCS#12 with another MAC than HMAC with SHA-256, SHA-384 or SHA-512 \
    (`openssl pkcs12 -in OLD -out BOTH.pem` and `openssl pkcs12 -export -in BOTH.pem -out NEW` write it anew)";

/// What a PKCS#12 file holds: one private key, and certificates. Wiped when dropped; `Debug` shows no key.
///
/// ```
/// use sealwright_jose::{Alg, Pkcs12};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/ec.p12");
/// let file = std::fs::read(path)?;
/// let opened = Pkcs12::read(&file, "correct horse")?;
/// let key = opened.signing_key(Alg::Es256)?;
/// let chain: &[Vec<u8>] = opened.certificates();
/// assert_eq!((key.kid(), chain.len()), (None, 1), "it names no key");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pkcs12 {
    pkcs8: Zeroizing<Vec<u8>>,
    certificates: Vec<Vec<u8>>,
}

impl Pkcs12 {
    /// Opens a file, once its MAC shows that the password is right and nothing was changed.
    ///
    /// ```
    /// use sealwright_jose::{KeyError, Pkcs12};
    ///
    /// # let file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/ec.p12"));
    /// // What `openssl pkcs12 -export` wrote, with the password `correct horse`.
    /// assert!(Pkcs12::read(file, "correct horse").is_ok());
    /// assert_eq!(Pkcs12::read(file, "battery staple").unwrap_err(), KeyError::Password);
    /// # Ok::<(), KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Password`] if it is the wrong one or the file was changed, [`KeyError::Unsupported`] for
    /// old encryption, with the command that writes the file anew, [`KeyError::TooCostly`] for more than ten
    /// million iterations or more than two encrypted parts, [`KeyError::TooLarge`] beyond 256 KiB,
    /// [`KeyError::Format`] unless it holds exactly one private key; otherwise [`KeyError::Malformed`], which
    /// BER is, too.
    pub fn read(bytes: &[u8], password: &str) -> Result<Self, KeyError> {
        if bytes.len() > MAX_BYTES {
            return Err(KeyError::TooLarge(MAX_BYTES));
        }
        let file = Pfx::from_der(bytes).map_err(malformed)?;
        if file.version != 3 {
            return Err(KeyError::Malformed { format: FORMAT, problem: "its version is not 3" });
        }
        if file.content.id != DATA {
            return Err(KeyError::Unsupported("PKCS#12 that is signed instead of being behind a password"));
        }
        let content: OctetStringRef<'_> = file.content.value.decode_as().map_err(malformed)?;
        let mac = file
            .mac
            .ok_or(KeyError::Unsupported("PKCS#12 without a MAC, which nothing keeps from changes"))?;
        mac.check(content.as_bytes(), password)?;

        let mut bags = Bags { password, keys: Vec::new(), certificates: Vec::new(), seen: 0, decrypted: 0 };
        for safe in sequence_of::<ContentInfo<'_>>(content.as_bytes())? {
            if safe.id == DATA {
                let plain: OctetStringRef<'_> = safe.value.decode_as().map_err(malformed)?;
                bags.read(plain.as_bytes())?;
            } else if safe.id == ENCRYPTED_DATA {
                let data: EncryptedData<'_> = safe.value.decode_as().map_err(malformed)?;
                let plain = bags.decrypt(&data.info.algorithm, data.info.content.as_bytes())?;
                bags.read(&plain)?;
            } else {
                return Err(KeyError::Unsupported("PKCS#12 encrypted for a public key"));
            }
        }
        let Bags { mut keys, certificates, .. } = bags;
        match (keys.pop(), keys.is_empty()) {
            (Some(pkcs8), true) => Ok(Self { pkcs8, certificates }),
            (Some(_), false) => Err(KeyError::Format {
                seen: "a PKCS#12 file with several private keys",
                wanted: "one with a single private key",
            }),
            (None, _) => Err(KeyError::Format {
                seen: "a PKCS#12 file without a private key",
                wanted: "one with a single private key",
            }),
        }
    }

    /// The private key, for this algorithm.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Pkcs12};
    ///
    /// # let file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/ec.p12"));
    /// let opened = Pkcs12::read(file, "correct horse")?;
    /// assert_eq!(opened.signing_key(Alg::Es256)?.alg(), Alg::Es256);
    /// let error = opened.signing_key(Alg::Rs256).unwrap_err();
    /// assert_eq!(error.to_string(), "RS256 cannot use a P-256 key");
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`SigningKey::from_pkcs8_der`].
    pub fn signing_key(&self, alg: Alg) -> Result<SigningKey, KeyError> {
        SigningKey::from_material(alg, &private_from_pkcs8(&self.pkcs8)?)
    }

    /// The certificates in DER, in the order of the file, which most often begins with the key's own. None of them is
    /// checked.
    ///
    /// ```
    /// use sealwright_jose::{Alg, Pkcs12, VerifyingKey};
    ///
    /// # let file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/openssl/ec.p12"));
    /// let opened = Pkcs12::read(file, "correct horse")?;
    /// let of_first = VerifyingKey::from_certificate_der(Alg::Es256, &opened.certificates()[0])?;
    /// assert_eq!(of_first, opened.signing_key(Alg::Es256)?.verifying_key());
    /// # Ok::<(), sealwright_jose::KeyError>(())
    /// ```
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }
}

impl fmt::Debug for Pkcs12 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs12").field("certificates", &self.certificates.len()).finish_non_exhaustive()
    }
}

fn malformed(_: der::Error) -> KeyError {
    KeyError::Malformed { format: FORMAT, problem: "not the DER of one" }
}

fn sequence_of<'a, T: Decode<'a>>(der: &'a [u8]) -> Result<Vec<T>, KeyError> {
    let read = || -> der::Result<Vec<T>> {
        let sequence = AnyRef::from_der(der)?;
        sequence.tag().assert_eq(Tag::Sequence)?;
        sequence.sequence(|reader| {
            let mut items = Vec::new();
            while !der::Reader::is_finished(reader) {
                items.push(T::decode(reader)?);
            }
            Ok(items)
        })
    };
    read().map_err(malformed)
}

/// `PFX` of RFC 7292 §4.
#[derive(Sequence)]
struct Pfx<'a> {
    version: u8,
    content: ContentInfo<'a>,
    mac: Option<MacData<'a>>,
}

/// `ContentInfo` of RFC 2315 §7.
#[derive(Sequence)]
struct ContentInfo<'a> {
    id: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: AnyRef<'a>,
}

/// `EncryptedData` of RFC 2315 §13.
#[derive(Sequence)]
struct EncryptedData<'a> {
    version: u8,
    info: EncryptedContentInfo<'a>,
}

#[derive(Sequence)]
struct EncryptedContentInfo<'a> {
    id: ObjectIdentifier,
    algorithm: AlgorithmIdentifierRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    content: OctetStringRef<'a>,
}

/// `SafeBag` of RFC 7292 §4.2.
#[derive(Sequence)]
struct SafeBag<'a> {
    id: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: AnyRef<'a>,
    attributes: Option<AnyRef<'a>>,
}

/// `CertBag` of RFC 7292 §4.2.3.
#[derive(Sequence)]
struct CertBag<'a> {
    id: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: OctetStringRef<'a>,
}

/// `EncryptedPrivateKeyInfo` of RFC 5958 §3.
#[derive(Sequence)]
struct Shrouded<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    data: OctetStringRef<'a>,
}

/// What was found so far.
struct Bags<'p> {
    password: &'p str,
    keys: Vec<Zeroizing<Vec<u8>>>,
    certificates: Vec<Vec<u8>>,
    seen: usize,
    decrypted: usize,
}

impl Bags<'_> {
    fn decrypt(
        &mut self,
        algorithm: &AlgorithmIdentifierRef<'_>,
        data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if algorithm.oid != encrypted::PBES2 {
            return Err(KeyError::Unsupported(OLD));
        }
        self.decrypted += 1;
        if self.decrypted > MAX_ENCRYPTED {
            return Err(KeyError::TooCostly("more than two encrypted parts of PKCS#12"));
        }
        encrypted::decrypt_data(algorithm, data, Some(self.password.as_bytes()))
    }

    /// Reads `SafeContents`. Bags of other kinds (lists of revoked certificates, secrets) say nothing of the key.
    fn read(&mut self, contents: &[u8]) -> Result<(), KeyError> {
        for bag in sequence_of::<SafeBag<'_>>(contents)? {
            self.seen += 1;
            if self.seen > MAX_BAGS {
                return Err(KeyError::Malformed { format: FORMAT, problem: "more than 64 entries" });
            }
            if bag.id == SHROUDED_KEY_BAG {
                let key: Shrouded<'_> = bag.value.decode_as().map_err(malformed)?;
                let key = self.decrypt(&key.algorithm, key.data.as_bytes())?;
                self.keys.push(key);
            } else if bag.id == KEY_BAG {
                self.keys.push(to_der(bag.value)?);
            } else if bag.id == CERTIFICATE_BAG {
                let certificate: CertBag<'_> = bag.value.decode_as().map_err(malformed)?;
                if certificate.id == X509 {
                    self.certificates.push(certificate.value.as_bytes().to_vec());
                }
            }
        }
        Ok(())
    }
}

fn to_der(any: AnyRef<'_>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    der::Encode::to_der(&any).map(Zeroizing::new).map_err(malformed)
}

/// `MacData` of RFC 7292 §4.
#[derive(Sequence)]
struct MacData<'a> {
    mac: DigestInfo<'a>,
    salt: OctetStringRef<'a>,
    #[asn1(default = "one")]
    iterations: u32,
}

fn one() -> u32 {
    1
}

#[derive(Sequence)]
struct DigestInfo<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    digest: OctetStringRef<'a>,
}

impl MacData<'_> {
    fn check(&self, content: &[u8], password: &str) -> Result<(), KeyError> {
        let (hash, block) = match self.mac.algorithm.oid {
            SHA256 => (Hash::Sha256, 64),
            SHA384 => (Hash::Sha384, 128),
            SHA512 => (Hash::Sha512, 128),
            PBMAC1 => {
                return Err(KeyError::Unsupported(
                    "PKCS#12 with a MAC by PBMAC1 (leave out `-pbmac1_pbkdf2`)",
                ));
            }
            _ => return Err(KeyError::Unsupported(OLD_MAC)),
        };
        if !matches!(self.mac.algorithm.parameters, None | Some(AnyRef::NULL)) {
            return Err(KeyError::Malformed { format: FORMAT, problem: "its hash has parameters" });
        }
        if self.iterations == 0 {
            return Err(KeyError::Malformed { format: FORMAT, problem: "no iteration at all" });
        }
        if self.iterations > encrypted::MAX_ITERATIONS {
            return Err(KeyError::TooCostly(
                "more than 10,000,000 iterations of the key derivation of PKCS#12",
            ));
        }
        let key = mac_key(hash, block, password, self.salt.as_bytes(), self.iterations);
        if provider::Mac::new(hash, &key).verifies(content, self.mac.digest.as_bytes()) {
            Ok(())
        } else {
            Err(KeyError::Password)
        }
    }
}

/// The key derivation of RFC 7292 appendix B.2, with the ID 3 of MAC keys. A MAC key is as long as the hash, so that the
/// first block is all of it.
fn mac_key(hash: Hash, block: usize, password: &str, salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
    const MAC: u8 = 3;
    let mut units = Zeroizing::new(Vec::with_capacity(2 * password.len() + 2));
    // BMPString with its final zero (appendix B.1).
    for unit in password.encode_utf16().chain([0]) {
        units.extend_from_slice(&unit.to_be_bytes());
    }
    let mut hasher = Hasher::new(hash);
    hasher.update(&vec![MAC; block]);
    for text in [salt, &units] {
        let repeated: Vec<u8> =
            text.iter().copied().cycle().take(text.len().div_ceil(block) * block).collect();
        hasher.update(&Zeroizing::new(repeated));
    }
    let mut key = Zeroizing::new(hasher.finish().as_bytes().to_vec());
    for _ in 1..iterations {
        let next = Digest::of(hash, &key);
        key.copy_from_slice(next.as_bytes());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_asks_for_more_than_two_derivations() {
        let mut bags =
            Bags { password: "", keys: Vec::new(), certificates: Vec::new(), seen: 0, decrypted: 0 };
        // Each of them is malformed, which is found after it was counted and before anything is derived.
        let part = AlgorithmIdentifierRef { oid: encrypted::PBES2, parameters: None };
        for _ in 0..2 {
            assert!(matches!(bags.decrypt(&part, b""), Err(KeyError::Malformed { .. })));
        }
        assert!(matches!(bags.decrypt(&part, b""), Err(KeyError::TooCostly(_))));
    }
}
