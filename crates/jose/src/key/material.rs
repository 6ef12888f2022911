//! The numbers that make up a key, whatever format they came in: every key passes through here, so
//! that each rule about numbers stands once.

use std::ops::{Deref, DerefMut};

use zeroize::Zeroizing;

use crate::{
    KeyError,
    key::{
        edwards,
        kind::{Curve, Kind, MlDsa},
        roca::{self, Mark},
        weierstrass,
    },
};

/// The numbers of a public key, big-endian.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PublicMaterial {
    Rsa {
        n: Box<[u8]>,
        e: Box<[u8]>,
    },
    Ec(Point),
    Ed25519([u8; 32]),
    #[cfg(feature = "ed448")]
    Ed448([u8; 57]),
    MlDsa {
        set: MlDsa,
        public: Box<[u8]>,
    },
}

/// A point of a curve of ECDSA, uncompressed: 4, x, y (SEC 1 §2.3.3). It need not be on the curve
/// before [`PublicMaterial::is_valid`] or the provider has said so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    curve: Curve,
    bytes: Box<[u8]>,
}

/// The numbers of a private key. Wiped when dropped.
///
/// The public half is `None` where the format may leave it out and the key did.
pub(crate) enum PrivateMaterial {
    Rsa(RsaPrivate),
    Ec {
        curve: Curve,
        d: Zeroizing<Vec<u8>>,
        public: Option<Point>,
    },
    Ed25519 {
        seed: Seed<32>,
        public: Option<[u8; 32]>,
    },
    #[cfg(feature = "ed448")]
    Ed448 {
        seed: Seed<57>,
        public: Option<[u8; 57]>,
    },
    /// `expanded` is the same key once more, where the format has it too.
    MlDsa {
        set: MlDsa,
        seed: Seed<32>,
        expanded: Option<Zeroizing<Vec<u8>>>,
        public: Option<Box<[u8]>>,
    },
}

/// A seed, wiped when dropped. It is on the heap: an array that is moved leaves a copy on the stack, which nobody
/// wipes.
pub(crate) struct Seed<const N: usize>(Box<Zeroizing<[u8; N]>>);

impl<const N: usize> Seed<N> {
    /// Room for a seed.
    pub(crate) fn zero() -> Self {
        Self(Box::new(Zeroizing::new([0; N])))
    }

    /// A copy of these bytes; `None` if they are too few or too many.
    pub(crate) fn copy_of(bytes: &[u8]) -> Option<Self> {
        let mut seed = Self::zero();
        (bytes.len() == N).then(|| {
            seed.copy_from_slice(bytes);
            seed
        })
    }
}

impl<const N: usize> Deref for Seed<N> {
    type Target = [u8; N];

    fn deref(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> DerefMut for Seed<N> {
    fn deref_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

/// The names are those of RFC 7518 §6.3.2.
pub(crate) struct RsaPrivate {
    pub(crate) n: Box<[u8]>,
    pub(crate) e: Box<[u8]>,
    pub(crate) d: Zeroizing<Vec<u8>>,
    pub(crate) p: Zeroizing<Vec<u8>>,
    pub(crate) q: Zeroizing<Vec<u8>>,
    pub(crate) dp: Zeroizing<Vec<u8>>,
    pub(crate) dq: Zeroizing<Vec<u8>>,
    pub(crate) qi: Zeroizing<Vec<u8>>,
}

/// Below 2048 bits is too weak (RFC 7518 §3.3), above 8192 a way to keep a verifier busy.
const RSA_BITS: (usize, usize) = (2048, 8192);

impl PublicMaterial {
    /// The RSA public key of these numbers, once they are checked.
    pub(crate) fn rsa(
        n: impl Into<Box<[u8]>> + AsRef<[u8]>,
        e: impl Into<Box<[u8]>> + AsRef<[u8]>,
    ) -> Result<Self, KeyError> {
        Self::check_rsa(n.as_ref(), e.as_ref())?;
        Ok(Self::Rsa { n: n.into(), e: e.into() })
    }

    /// Checks an RSA public key. Numbers have no leading zero octets (RFC 7518 §6.3.1.1).
    pub(crate) fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), KeyError> {
        if n.first().is_none_or(|byte| *byte == 0) || e.first().is_none_or(|byte| *byte == 0) {
            return Err(KeyError::Invalid("an RSA number is empty or has leading zeros"));
        }
        let bits = bits(n);
        let (min, max) = RSA_BITS;
        if !(min..=max).contains(&bits) {
            return Err(KeyError::Size { what: "the RSA modulus", bits, min, max });
        }
        if n.last().is_some_and(|byte| byte & 1 == 0) {
            return Err(KeyError::Invalid("the RSA modulus is even"));
        }
        if e.last().is_some_and(|byte| byte & 1 == 0) || e == [1] {
            return Err(KeyError::Invalid("the RSA exponent is even or 1"));
        }
        let bits = self::bits(e);
        if bits > 33 {
            return Err(KeyError::Size { what: "the RSA exponent", bits, min: 2, max: 33 });
        }
        match roca::mark(n) {
            Some(Mark::SmallFactor) => Err(KeyError::Weak("the RSA modulus has a small prime factor")),
            Some(Mark::Roca) => Err(KeyError::Weak(
                "the RSA modulus was made by a faulty chip and can be factored (ROCA, CVE-2017-15361)",
            )),
            None => Ok(()),
        }
    }

    /// Checks an Ed25519 public key: a canonical point of large order.
    ///
    /// Small-order points verify signatures that no one made, and a second encoding of a point
    /// gives one key two names (RFC 8032 §5.1.3).
    pub(crate) fn ed25519(point: &[u8]) -> Result<Self, KeyError> {
        let point: [u8; 32] = point
            .try_into()
            .map_err(|_| KeyError::Invalid("an Ed25519 public key does not have 32 bytes"))?;
        let mut y = point;
        y[31] &= 0x7F;
        let below_p = y.iter().rev().cmp(ED25519_P.iter().rev()).is_lt();
        if !below_p || ED25519_SMALL_ORDER_Y.contains(&y) {
            return Err(KeyError::Invalid("the Ed25519 point is of small order or not canonical"));
        }
        if !edwards::has_x(&y) {
            return Err(KeyError::Invalid("the Ed25519 point is not on the curve"));
        }
        Ok(Self::Ed25519(point))
    }

    /// As [`ed25519`](Self::ed25519), for Ed448 (RFC 8032 §5.2.3). The provider checks that the point
    /// is on the curve.
    #[cfg(feature = "ed448")]
    pub(crate) fn ed448(point: &[u8]) -> Result<Self, KeyError> {
        use crate::key::edwards448;

        let point: [u8; 57] =
            point.try_into().map_err(|_| KeyError::Invalid("an Ed448 public key does not have 57 bytes"))?;
        if edwards448::is_canonical(&point) && !edwards448::has_small_order(&point) {
            Ok(Self::Ed448(point))
        } else {
            Err(KeyError::Invalid("the Ed448 point is of small order or not canonical"))
        }
    }

    pub(crate) fn ml_dsa(set: MlDsa, public: &[u8]) -> Result<Self, KeyError> {
        if public.len() == set.public_len() {
            Ok(Self::MlDsa { set, public: public.into() })
        } else {
            Err(KeyError::Invalid("an ML-DSA public key has the wrong length"))
        }
    }

    /// Whether the numbers pass the last check; `None` if only the provider can make it.
    pub(crate) fn is_valid(&self) -> Option<bool> {
        match self {
            Self::Rsa { .. } | Self::Ed25519(_) => Some(true),
            Self::Ec(point) => Some(weierstrass::is_on_curve(point)),
            #[cfg(feature = "ed448")]
            Self::Ed448(_) => None,
            Self::MlDsa { .. } => None,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Rsa { .. } => Kind::Rsa,
            Self::Ec(point) => Kind::Ec(point.curve),
            Self::Ed25519(_) => Kind::Ed25519,
            #[cfg(feature = "ed448")]
            Self::Ed448(_) => Kind::Ed448,
            Self::MlDsa { set, .. } => Kind::MlDsa(*set),
        }
    }
}

impl Point {
    /// Reads an uncompressed point (SEC 1 §2.3.4).
    pub(crate) fn parse(curve: Curve, point: &[u8]) -> Result<Self, KeyError> {
        match point {
            [0x04, rest @ ..] if rest.len() == 2 * curve.len() => Ok(Self { curve, bytes: point.into() }),
            [0x02 | 0x03, rest @ ..] if rest.len() == curve.len() => {
                Err(KeyError::Unsupported("a compressed elliptic curve point"))
            }
            _ => Err(KeyError::Invalid("the elliptic curve point has the wrong length")),
        }
    }

    /// A point whose coordinates the caller writes, at full width, leading zeros included (RFC 7518
    /// §6.2.1.2).
    pub(crate) fn filled_by(
        curve: Curve,
        fill: impl FnOnce(&mut [u8], &mut [u8]) -> Result<(), KeyError>,
    ) -> Result<Self, KeyError> {
        let mut bytes = vec![0; 1 + 2 * curve.len()].into_boxed_slice();
        bytes[0] = 4;
        let (x, y) = bytes[1..].split_at_mut(curve.len());
        fill(x, y)?;
        Ok(Self { curve, bytes })
    }

    pub(crate) fn curve(&self) -> Curve {
        self.curve
    }

    /// The uncompressed form.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn coordinates(&self) -> (&[u8], &[u8]) {
        self.bytes[1..].split_at(self.curve.len())
    }
}

impl PrivateMaterial {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Rsa(_) => Kind::Rsa,
            Self::Ec { curve, .. } => Kind::Ec(*curve),
            Self::Ed25519 { .. } => Kind::Ed25519,
            #[cfg(feature = "ed448")]
            Self::Ed448 { .. } => Kind::Ed448,
            Self::MlDsa { set, .. } => Kind::MlDsa(*set),
        }
    }
}

/// How many bits a big-endian number has.
pub(crate) fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

/// 2²⁵⁵ − 19, little-endian as in the encoding of a point.
const ED25519_P: [u8; 32] = {
    let mut p = [0xFF; 32];
    p[0] = 0xED;
    p[31] = 0x7F;
    p
};

/// The y coordinates of the eight points whose order divides 8: those of order 4, 1, 2 and 8.
const ED25519_SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = ED25519_P;
        minus_one[0] -= 1;
        minus_one
    },
    [
        0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F, 0x2A,
        0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
    ],
    [
        0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0, 0xD5,
        0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
    ],
];
