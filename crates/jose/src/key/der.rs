//! DER containers of keys: SPKI and X.509 certificates (RFC 5280 §4.1), PKCS#8 (RFC 5958), PKCS#1
//! (RFC 8017 A.1), SEC1 (RFC 5915), EdDSA keys (RFC 8410), ML-DSA keys (RFC 9881). Strict DER, and
//! nothing after it.

#[cfg(feature = "ed448")]
use const_oid::db::rfc8410::ID_ED_448;
use const_oid::db::{
    rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION},
    rfc8410::ID_ED_25519,
};
use der::{
    AnyRef, Decode, Encode, Reader, Sequence, SliceReader, Tag, TagNumber,
    asn1::{BitStringRef, ObjectIdentifier, OctetStringRef, UintRef},
};
use pkcs1::{RsaPrivateKey, RsaPublicKey};
use pkcs8::PrivateKeyInfo;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use crate::{
    KeyError,
    key::{
        MAX_KEY_BYTES,
        container::Container,
        foreign::Foreign,
        kind::{Curve, Kind, MlDsa},
        material::{Point, PrivateMaterial, PublicMaterial, RsaPrivate, Seed, bits},
    },
};

fn malformed(format: &'static str) -> impl Fn(der::Error) -> KeyError {
    move |_| KeyError::Malformed { format, problem: "not the DER of one" }
}

fn check_size(der: &[u8]) -> Result<(), KeyError> {
    if der.len() > MAX_KEY_BYTES { Err(KeyError::TooLarge(MAX_KEY_BYTES)) } else { Ok(()) }
}

pub(crate) fn public_from_spki(der: &[u8]) -> Result<PublicMaterial, KeyError> {
    check_size(der)?;
    let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(malformed("SPKI"))?;
    let key = spki
        .subject_public_key
        .as_bytes()
        .ok_or(KeyError::Malformed { format: "SPKI", problem: "the key is not whole bytes" })?;
    match kind(&spki.algorithm)? {
        Kind::Rsa => public_from_pkcs1(key),
        Kind::Ec(curve) => Point::parse(curve, key).map(PublicMaterial::Ec),
        Kind::Ed25519 => PublicMaterial::ed25519(key),
        #[cfg(feature = "ed448")]
        Kind::Ed448 => PublicMaterial::ed448(key),
        Kind::MlDsa(set) => PublicMaterial::ml_dsa(set, key),
        Kind::Oct => Err(UNKNOWN_KIND),
    }
}

pub(crate) fn public_from_pkcs1(der: &[u8]) -> Result<PublicMaterial, KeyError> {
    check_size(der)?;
    let key = RsaPublicKey::from_der(der).map_err(malformed("PKCS#1 public key"))?;
    PublicMaterial::rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())
}

/// The public key of a certificate, of which nothing else is checked: not its signature, its dates
/// or its chain.
pub(crate) fn public_from_certificate(der: &[u8]) -> Result<PublicMaterial, KeyError> {
    check_size(der)?;
    public_from_spki(certificate_spki(der).map_err(malformed("X.509 certificate"))?)
}

fn certificate_spki(der: &[u8]) -> der::Result<&[u8]> {
    let certificate = AnyRef::from_der(der)?;
    certificate.sequence(|certificate| {
        let tbs: AnyRef<'_> = certificate.decode()?;
        AnyRef::decode(certificate)?;
        BitStringRef::decode(certificate)?;
        let mut tbs = SliceReader::new(sequence_value(tbs)?)?;
        if tbs.peek_tag()? == (Tag::ContextSpecific { constructed: true, number: TagNumber::N0 }) {
            AnyRef::decode(&mut tbs)?;
        }
        // serialNumber, signature, issuer, validity, subject
        for _ in 0..5 {
            AnyRef::decode(&mut tbs)?;
        }
        tbs.tlv_bytes()
    })
}

fn sequence_value(any: AnyRef<'_>) -> der::Result<&[u8]> {
    der::Tagged::tag(&any).assert_eq(Tag::Sequence)?;
    Ok(any.value())
}

pub(crate) fn private_from_pkcs8(der: &[u8]) -> Result<PrivateMaterial, KeyError> {
    const FORMAT: &str = "PKCS#8";
    check_size(der)?;
    let info = PrivateKeyInfo::from_der(der).map_err(malformed(FORMAT))?;
    match kind(&info.algorithm)? {
        Kind::Rsa => private_from_pkcs1(info.private_key),
        Kind::Ec(curve) => {
            let (_, d, inner) = read_sec1(info.private_key, Some(curve))?;
            let public = match (inner, info.public_key) {
                (inner, None) => inner,
                (None, Some(outer)) => Some(Point::parse(curve, outer)?),
                (Some(inner), Some(outer)) if outer == inner.bytes() => Some(inner),
                _ => return Err(KeyError::Invalid("it names two different public keys")),
            };
            Ok(PrivateMaterial::Ec { curve, d, public })
        }
        Kind::Ed25519 => {
            let (seed, public) = read_edwards(&info, "an Ed25519 key does not have 32 bytes")?;
            Ok(PrivateMaterial::Ed25519 { seed, public })
        }
        #[cfg(feature = "ed448")]
        Kind::Ed448 => {
            let (seed, public) = read_edwards(&info, "an Ed448 key does not have 57 bytes")?;
            Ok(PrivateMaterial::Ed448 { seed, public })
        }
        Kind::MlDsa(set) => {
            let (seed, expanded) = read_ml_dsa(set, info.private_key)?;
            let public = info.public_key.map(Into::into);
            Ok(PrivateMaterial::MlDsa { set, seed, expanded, public })
        }
        Kind::Oct => Err(UNKNOWN_KIND),
    }
}

type EdwardsHalves<const N: usize> = (Seed<N>, Option<[u8; N]>);

/// Reads an EdDSA key (RFC 8410 §7).
fn read_edwards<const N: usize>(
    info: &PrivateKeyInfo<'_>,
    wrong_length: &'static str,
) -> Result<EdwardsHalves<N>, KeyError> {
    let seed = OctetStringRef::from_der(info.private_key).map_err(malformed("PKCS#8"))?;
    let seed = Seed::copy_of(seed.as_bytes()).ok_or(KeyError::Invalid(wrong_length))?;
    let public = info.public_key.map(|key| key.try_into().map_err(|_| KeyError::Invalid(wrong_length)));
    Ok((seed, public.transpose()?))
}

/// An Ed448 seed in PKCS#8.
#[cfg(feature = "ed448")]
pub(crate) fn ed448_to_pkcs8(seed: &[u8; 57]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let seed = OctetStringRef::new(seed).and_then(|seed| seed.to_der()).map(Zeroizing::new);
    let seed = seed.map_err(|_| KeyError::Backend)?;
    let algorithm = AlgorithmIdentifierRef { oid: ID_ED_448, parameters: None };
    let der = PrivateKeyInfo::new(algorithm, &seed).to_der();
    der.map(Zeroizing::new).map_err(|_| KeyError::Backend)
}

/// Both forms of an ML-DSA private key (RFC 9881 §6).
#[derive(Sequence)]
struct SeedAndExpanded<'a> {
    seed: OctetStringRef<'a>,
    expanded: OctetStringRef<'a>,
}

type MlDsaForms = (Seed<32>, Option<Zeroizing<Vec<u8>>>);

/// Reads one of the three forms of RFC 9881 §6. The expanded key alone is refused: a JWK has room
/// for the seed only (RFC 9964 §3), and from the expanded key it cannot be found again.
fn read_ml_dsa(set: MlDsa, der: &[u8]) -> Result<MlDsaForms, KeyError> {
    let malformed = malformed("ML-DSA private key");
    let wrong_length = KeyError::Invalid("an ML-DSA seed does not have 32 bytes");
    let key = AnyRef::from_der(der).map_err(&malformed)?;
    match der::Tagged::tag(&key) {
        Tag::ContextSpecific { constructed: false, number: TagNumber::N0 } => {
            Ok((Seed::copy_of(key.value()).ok_or(wrong_length)?, None))
        }
        Tag::OctetString => Err(KeyError::Format {
            seen: "an ML-DSA private key in expanded form only",
            wanted: "one with its seed (RFC 9881 §6, `seed` or `both`)",
        }),
        _ => {
            let both = SeedAndExpanded::from_der(der).map_err(malformed)?;
            if both.expanded.as_bytes().len() != set.expanded_len() {
                return Err(KeyError::Invalid("an expanded ML-DSA key has the wrong length"));
            }
            let expanded = Zeroizing::new(both.expanded.as_bytes().to_vec());
            Ok((Seed::copy_of(both.seed.as_bytes()).ok_or(wrong_length)?, Some(expanded)))
        }
    }
}

pub(crate) fn private_from_pkcs1(der: &[u8]) -> Result<PrivateMaterial, KeyError> {
    check_size(der)?;
    let key = RsaPrivateKey::from_der(der).map_err(malformed("PKCS#1 private key"))?;
    if key.other_prime_infos.is_some() {
        return Err(KeyError::Unsupported("an RSA key of more than two primes"));
    }
    let secret = |number: UintRef<'_>| Zeroizing::new(number.as_bytes().to_vec());
    Ok(PrivateMaterial::Rsa(RsaPrivate {
        n: key.modulus.as_bytes().into(),
        e: key.public_exponent.as_bytes().into(),
        d: secret(key.private_exponent),
        p: secret(key.prime1),
        q: secret(key.prime2),
        dp: secret(key.exponent1),
        dq: secret(key.exponent2),
        qi: secret(key.coefficient),
    }))
}

pub(crate) fn private_from_sec1(der: &[u8]) -> Result<PrivateMaterial, KeyError> {
    check_size(der)?;
    let (curve, d, public) = read_sec1(der, None)?;
    Ok(PrivateMaterial::Ec { curve, d, public })
}

/// `ECPrivateKey` of RFC 5915 §3.
#[derive(Sequence)]
struct EcPrivateKey<'a> {
    version: u8,
    private_key: OctetStringRef<'a>,
    #[asn1(context_specific = "0", optional = "true")]
    parameters: Option<ObjectIdentifier>,
    #[asn1(context_specific = "1", optional = "true")]
    public_key: Option<BitStringRef<'a>>,
}

type EcHalves = (Curve, Zeroizing<Vec<u8>>, Option<Point>);

/// `outer` is the curve that the structure around it names. Alone, it must say its curve itself (RFC
/// 5915 §3).
fn read_sec1(der: &[u8], outer: Option<Curve>) -> Result<EcHalves, KeyError> {
    const FORMAT: &str = "SEC1 private key";
    let key = EcPrivateKey::from_der(der).map_err(malformed(FORMAT))?;
    if key.version != 1 {
        return Err(KeyError::Malformed { format: FORMAT, problem: "its version is not 1" });
    }
    let named = |oid| Curve::from_oid(oid).ok_or_else(|| foreign(oid, UNKNOWN_CURVE));
    let inner = key.parameters.map(named).transpose()?;
    let curve = match (outer, inner) {
        (Some(outer), Some(inner)) if outer != inner => {
            return Err(KeyError::Invalid("it names two different curves"));
        }
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => return Err(KeyError::Invalid("it does not name its curve")),
    };
    if key.private_key.as_bytes().len() != curve.len() {
        return Err(KeyError::Invalid("an elliptic curve private key has the wrong length"));
    }
    let d = Zeroizing::new(key.private_key.as_bytes().to_vec());
    let public =
        key.public_key.map(|bits| Point::parse(curve, bits.as_bytes().unwrap_or_default())).transpose()?;
    Ok((curve, d, public))
}

/// `d` alone in SEC1, for providers that work out the public point.
pub(crate) fn ec_to_sec1(curve: Curve, d: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let private_key = OctetStringRef::new(d).map_err(|_| KeyError::Backend)?;
    let key = EcPrivateKey { version: 1, private_key, parameters: Some(curve.oid()), public_key: None };
    key.to_der().map(Zeroizing::new).map_err(|_| KeyError::Backend)
}

const UNKNOWN_CURVE: KeyError =
    KeyError::Unsupported("an elliptic curve other than P-256, P-384, P-521 and secp256k1");

const UNKNOWN_KIND: KeyError = KeyError::Unsupported(if cfg!(feature = "ed448") {
    "a key type other than RSA, EC, Ed25519, Ed448 and ML-DSA"
} else {
    "a key type other than RSA, EC, Ed25519 and ML-DSA"
});

/// The kind of key that an algorithm identifier names. One with parameters where there must be none
/// is of no known kind.
fn kind(id: &AlgorithmIdentifierRef<'_>) -> Result<Kind, KeyError> {
    match (id.oid, id.parameters) {
        (RSA_ENCRYPTION, Some(AnyRef::NULL)) => Ok(Kind::Rsa),
        (ID_EC_PUBLIC_KEY, curve) => {
            let oid = curve.and_then(|curve| curve.decode_as().ok());
            let curve = oid.and_then(Curve::from_oid).map(Kind::Ec);
            curve.ok_or_else(|| oid.map_or(UNKNOWN_CURVE, |oid| foreign(oid, UNKNOWN_CURVE)))
        }
        (ID_ED_25519, None) => Ok(Kind::Ed25519),
        #[cfg(feature = "ed448")]
        (ID_ED_448, None) => Ok(Kind::Ed448),
        (oid, parameters) => match MlDsa::from_oid(oid).filter(|_| parameters.is_none()) {
            Some(set) => Ok(Kind::MlDsa(set)),
            None => Err(foreign(oid, UNKNOWN_KIND)),
        },
    }
}

/// The error that names a kind of key that we know and do not use; otherwise `unknown`.
fn foreign(oid: ObjectIdentifier, unknown: KeyError) -> KeyError {
    Foreign::of(oid).map_or(unknown, Foreign::error)
}

/// What is seen of a key that is refused: by its numbers or for its kind.
pub(crate) struct Outline {
    pub(crate) key_type: &'static str,
    pub(crate) curve: Option<&'static str>,
    pub(crate) bits: Option<usize>,
}

impl Outline {
    /// By the identifier of a curve, or of an algorithm whose keys have one size.
    fn of(oid: ObjectIdentifier) -> Option<Self> {
        if let Some(curve) = Curve::from_oid(oid) {
            return Some(Self { key_type: "EC", curve: Some(curve.name()), bits: Some(curve.bits()) });
        }
        let foreign = Foreign::of(oid)?;
        Some(Self { key_type: foreign.key_type, curve: foreign.curve, bits: foreign.bits })
    }
}

/// Type, curve and size of a key in plain DER, as far as its algorithm identifier and its modulus tell.
pub(crate) fn outline(container: Container, der: &[u8]) -> Option<Outline> {
    let rsa = |bits| Outline { key_type: "RSA", curve: None, bits };
    let modulus = |key: &[u8]| Some(bits(RsaPublicKey::from_der(key).ok()?.modulus.as_bytes()));
    let private_modulus = |key: &[u8]| Some(bits(RsaPrivateKey::from_der(key).ok()?.modulus.as_bytes()));
    let (id, size) = match container {
        Container::Spki | Container::Certificate => {
            let der = if container == Container::Spki { der } else { certificate_spki(der).ok()? };
            let spki = SubjectPublicKeyInfoRef::from_der(der).ok()?;
            (spki.algorithm, spki.subject_public_key.as_bytes().and_then(modulus))
        }
        Container::Pkcs8 => {
            let info = PrivateKeyInfo::from_der(der).ok()?;
            (info.algorithm, private_modulus(info.private_key))
        }
        Container::Pkcs1Public => return Some(rsa(modulus(der))),
        Container::Pkcs1Private => return Some(rsa(private_modulus(der))),
        Container::Sec1 => {
            return Outline::of(EcPrivateKey::from_der(der).ok()?.parameters?);
        }
        _ => return None,
    };
    if id.oid == RSA_ENCRYPTION {
        return Some(rsa(size));
    }
    let curve = id.parameters.and_then(|curve| curve.decode_as().ok()).filter(|_| id.oid == ID_EC_PUBLIC_KEY);
    Outline::of(curve.unwrap_or(id.oid))
}

pub(crate) fn public_to_spki(key: &PublicMaterial) -> Result<Vec<u8>, KeyError> {
    let encode = |oid, parameters, key: &[u8]| {
        SubjectPublicKeyInfoRef {
            algorithm: AlgorithmIdentifierRef { oid, parameters },
            subject_public_key: BitStringRef::from_bytes(key)?,
        }
        .to_der()
    };
    let der = match key {
        PublicMaterial::Rsa { n, e } => UintRef::new(n)
            .and_then(|modulus| RsaPublicKey { modulus, public_exponent: UintRef::new(e)? }.to_der())
            .and_then(|key| encode(RSA_ENCRYPTION, Some(AnyRef::NULL), &key)),
        PublicMaterial::Ec(point) => {
            encode(ID_EC_PUBLIC_KEY, Some(AnyRef::from(&point.curve().oid())), point.bytes())
        }
        PublicMaterial::Ed25519(point) => encode(ID_ED_25519, None, point),
        #[cfg(feature = "ed448")]
        PublicMaterial::Ed448(point) => encode(ID_ED_448, None, point),
        PublicMaterial::MlDsa { set, public } => encode(set.oid(), None, public),
    };
    der.map_err(|_| KeyError::Backend)
}

/// What these bytes are, exactly, by their structure; `None` if they are no key in plain DER.
pub(crate) fn container(der: &[u8]) -> Option<Container> {
    if der.first() != Some(&0x30) || der.len() > MAX_KEY_BYTES {
        None
    } else if SubjectPublicKeyInfoRef::from_der(der).is_ok() {
        Some(Container::Spki)
    } else if RsaPublicKey::from_der(der).is_ok() {
        Some(Container::Pkcs1Public)
    } else if certificate_spki(der).is_ok() {
        Some(Container::Certificate)
    } else if PrivateKeyInfo::from_der(der).is_ok() {
        Some(Container::Pkcs8)
    } else if RsaPrivateKey::from_der(der).is_ok() {
        Some(Container::Pkcs1Private)
    } else if EcPrivateKey::from_der(der).is_ok() {
        Some(Container::Sec1)
    } else {
        None
    }
}
