//! Whether a point is on its curve, y² = x³ + ax + b (SP 800-186 §3.2.1, SEC 2 §2.4.1), so that a
//! key is refused when it is imported though the provider's form of it is made when it is first used.
//!
//! A public key is no secret, so nothing here needs to take constant time. All these curves have
//! cofactor 1: a point on the curve is one of the group that signatures are made in.

use crypto_bigint::{
    Limb, U256, U384, U576, Uint, const_monty_params,
    modular::{ConstMontyForm, ConstMontyParams},
};

use crate::key::{kind::Curve, material::Point};

// The primes, at the width of whole limbs.
const_monty_params!(P256, U256, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
const_monty_params!(
    P384,
    U384,
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff"
);
const_monty_params!(
    P521,
    U576,
    "00000000000001ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
);
const_monty_params!(P256K1, U256, "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");

const P256_B: U256 = U256::from_be_hex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
const P384_B: U384 = U384::from_be_hex(
    "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
);
const P521_B: U576 = U576::from_be_hex(
    "0000000000000051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
);

pub(crate) fn is_on_curve(point: &Point) -> bool {
    let xy = point.coordinates();
    match point.curve() {
        Curve::P256 => const { Equation::<P256, 4>::minus_three(&P256_B) }.holds(xy),
        Curve::P384 => const { Equation::<P384, 6>::minus_three(&P384_B) }.holds(xy),
        Curve::P521 => const { Equation::<P521, 9>::minus_three(&P521_B) }.holds(xy),
        Curve::Secp256k1 => const { Equation::<P256K1, 4>::zero(&U256::from_u8(7)) }.holds(xy),
    }
}

struct Equation<P: ConstMontyParams<LIMBS>, const LIMBS: usize> {
    a: ConstMontyForm<P, LIMBS>,
    b: ConstMontyForm<P, LIMBS>,
}

impl<P: ConstMontyParams<LIMBS>, const LIMBS: usize> Equation<P, LIMBS> {
    /// With an a of −3, as NIST's curves have it.
    const fn minus_three(b: &Uint<LIMBS>) -> Self {
        let three = ConstMontyForm::new(&Uint::from_u8(3));
        Self { a: three.neg(), b: ConstMontyForm::new(b) }
    }

    /// With an a of 0.
    const fn zero(b: &Uint<LIMBS>) -> Self {
        Self { a: ConstMontyForm::ZERO, b: ConstMontyForm::new(b) }
    }

    fn holds(&self, (x, y): (&[u8], &[u8])) -> bool {
        let (Some(x), Some(y)) = (element::<P, LIMBS>(x), element::<P, LIMBS>(y)) else {
            return false;
        };
        y.square() == (x.square() + self.a) * x + self.b
    }
}

/// The number of big-endian bytes; `None` if it is not below the prime, which would be a second way
/// to write the same point.
fn element<P: ConstMontyParams<LIMBS>, const LIMBS: usize>(bytes: &[u8]) -> Option<ConstMontyForm<P, LIMBS>> {
    let mut limbs = [Limb::ZERO; LIMBS];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.rchunks(8)) {
        *limb = Limb::from_u64(bytes.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte)));
    }
    let number = Uint::new(limbs);
    (number.cmp_vartime(P::PARAMS.modulus().as_ref()).is_lt()).then(|| ConstMontyForm::new(&number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SigningKey, key::material::PublicMaterial, provider::PublicKey};

    /// What the provider says is what is said here, of points and of what is almost one.
    #[test]
    fn the_provider_agrees() {
        for curve in Curve::ALL {
            let agreed = |bytes: &[u8]| {
                let point = Point::parse(curve, bytes).unwrap();
                let on_curve = is_on_curve(&point);
                assert_eq!(PublicKey::new(curve.alg(), &PublicMaterial::Ec(point)).is_ok(), on_curve);
                on_curve
            };
            for _ in 0..8 {
                let key = SigningKey::generate(curve.alg()).unwrap().verifying_key();
                let PublicMaterial::Ec(point) = key.material() else { unreachable!("the key is of EC") };
                assert!(agreed(point.bytes()), "{}", curve.name());
                for at in 1..point.bytes().len() {
                    for bit in [0, 7] {
                        let mut bytes = point.bytes().to_vec();
                        bytes[at] ^= 1 << bit;
                        assert!(!agreed(&bytes), "{} {at}", curve.name());
                    }
                }
                // In the wrong order they are none.
                let (x, y) = point.coordinates();
                assert!(!agreed(&[&[4], y, x].concat()));
            }
            for byte in [0, 1, 0xFF] {
                let mut bytes = vec![byte; 1 + 2 * curve.len()];
                bytes[0] = 4;
                assert!(!agreed(&bytes), "{} {byte}", curve.name());
            }
        }
    }

    /// x and x + p mean the same, and only one of them may be written.
    #[test]
    fn a_coordinate_is_below_the_prime() {
        for (curve, p) in
            [(Curve::P256, P256::PARAMS.modulus()), (Curve::Secp256k1, P256K1::PARAMS.modulus())]
        {
            let write = |x: &U256, y: &U256| {
                let mut bytes = vec![4];
                bytes.extend_from_slice(&x.to_be_bytes());
                bytes.extend_from_slice(&y.to_be_bytes());
                Point::parse(curve, &bytes).unwrap()
            };
            let (x, y) = small(curve);
            assert!(is_on_curve(&write(&x, &y)), "{}", curve.name());
            let second = x.wrapping_add(p.as_ref());
            assert!(second > x, "it fits the field");
            assert!(!is_on_curve(&write(&second, &y)), "{}", curve.name());
        }
    }

    /// A point with a small x; found by trying x = 0, 1, … for one of which y is a square root.
    fn small(curve: Curve) -> (U256, U256) {
        match curve {
            Curve::P256 => (
                U256::from_u8(0),
                U256::from_be_hex("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4"),
            ),
            _ => (
                U256::from_u8(1),
                U256::from_be_hex("4218f20ae6c646b363db68605822fb14264ca8d2587fdd6fbc750d587e76a7ee"),
            ),
        }
    }
}
