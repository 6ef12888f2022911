//! Kinds of keys that are known by name and cannot be used, so that an error can say what was seen.

use const_oid::ObjectIdentifier;

use crate::KeyError;

/// A kind of key of which nothing but the name is known.
pub(crate) struct Foreign {
    oid: &'static str,
    seen: &'static str,
    /// As in a JWK (`kty`), if there are such; otherwise by its own name.
    pub(crate) key_type: &'static str,
    pub(crate) curve: Option<&'static str>,
    pub(crate) bits: Option<usize>,
}

impl Foreign {
    pub(crate) fn of(oid: ObjectIdentifier) -> Option<&'static Self> {
        KNOWN.iter().find(|known| ObjectIdentifier::new(known.oid) == Ok(oid))
    }

    pub(crate) fn error(&self) -> KeyError {
        KeyError::Unsupported(self.seen)
    }

    const fn new(oid: &'static str, key_type: &'static str, seen: &'static str) -> Self {
        Self { oid, seen, key_type, curve: None, bits: None }
    }

    const fn okp(oid: &'static str, curve: &'static str, bits: usize, seen: &'static str) -> Self {
        Self { oid, seen, key_type: "OKP", curve: Some(curve), bits: Some(bits) }
    }

    const fn ec(oid: &'static str, curve: &'static str, bits: usize, seen: &'static str) -> Self {
        Self { oid, seen, key_type: "EC", curve: Some(curve), bits: Some(bits) }
    }
}

/// By RFC 8410 §3, RFC 3279 §2.3, RFC 8017 A.2.3, RFC 5480 §2.1.1.1, RFC 5639 §4.1, RFC 9935, RFC 9909.
const KNOWN: &[Foreign] = &[
    Foreign::okp("1.3.101.110", "X25519", 256, "an X25519 key, which is for key agreement,"),
    Foreign::okp("1.3.101.111", "X448", 448, "an X448 key, which is for key agreement,"),
    #[cfg(not(feature = "ed448"))]
    Foreign::okp("1.3.101.113", "Ed448", 456, "an Ed448 key (without the feature `ed448`)"),
    // With the feature it is one of ours, and refused only for what stands beside its name.
    #[cfg(feature = "ed448")]
    Foreign::okp("1.3.101.113", "Ed448", 456, "an Ed448 key with parameters"),
    Foreign::new("1.2.840.10040.4.1", "DSA", "a DSA key"),
    Foreign::new("1.2.840.113549.1.3.1", "DH", "a Diffie-Hellman key"),
    Foreign::new("1.2.840.10046.2.1", "DH", "a Diffie-Hellman key"),
    Foreign::new("1.2.840.113549.1.1.10", "RSA", "an RSA key for PSS alone (`id-RSASSA-PSS`)"),
    Foreign::new("1.2.840.113549.1.1.7", "RSA", "an RSA key for encryption (`id-RSAES-OAEP`)"),
    Foreign::ec("1.3.132.0.33", "P-224", 224, "a P-224 key"),
    Foreign::ec("1.2.840.10045.3.1.1", "P-192", 192, "a P-192 key"),
    Foreign::ec("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256, "a brainpoolP256r1 key"),
    Foreign::ec("1.3.36.3.3.2.8.1.1.8", "brainpoolP256t1", 256, "a brainpoolP256t1 key"),
    Foreign::ec("1.3.36.3.3.2.8.1.1.9", "brainpoolP320r1", 320, "a brainpoolP320r1 key"),
    Foreign::ec("1.3.36.3.3.2.8.1.1.10", "brainpoolP320t1", 320, "a brainpoolP320t1 key"),
    Foreign::ec("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384, "a brainpoolP384r1 key"),
    Foreign::ec("1.3.36.3.3.2.8.1.1.12", "brainpoolP384t1", 384, "a brainpoolP384t1 key"),
    Foreign::ec("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512, "a brainpoolP512r1 key"),
    Foreign::ec("1.3.36.3.3.2.8.1.1.14", "brainpoolP512t1", 512, "a brainpoolP512t1 key"),
    Foreign::ec("1.2.156.10197.1.301", "SM2", 256, "an SM2 key"),
    Foreign::new("2.16.840.1.101.3.4.4.1", "ML-KEM-512", "an ML-KEM key, which is for key agreement,"),
    Foreign::new("2.16.840.1.101.3.4.4.2", "ML-KEM-768", "an ML-KEM key, which is for key agreement,"),
    Foreign::new("2.16.840.1.101.3.4.4.3", "ML-KEM-1024", "an ML-KEM key, which is for key agreement,"),
    Foreign::new("2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.21", "SLH-DSA-SHA2-128f", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.22", "SLH-DSA-SHA2-192s", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.23", "SLH-DSA-SHA2-192f", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.24", "SLH-DSA-SHA2-256s", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.25", "SLH-DSA-SHA2-256f", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.26", "SLH-DSA-SHAKE-128s", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.27", "SLH-DSA-SHAKE-128f", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.28", "SLH-DSA-SHAKE-192s", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.29", "SLH-DSA-SHAKE-192f", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.30", "SLH-DSA-SHAKE-256s", "an SLH-DSA key"),
    Foreign::new("2.16.840.1.101.3.4.3.31", "SLH-DSA-SHAKE-256f", "an SLH-DSA key"),
    Foreign::new("1.2.643.7.1.1.1.1", "GOST", "a GOST key"),
];
