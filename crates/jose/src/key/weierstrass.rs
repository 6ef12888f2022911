//! Whether a point is on its curve, y² = x³ + ax + b (SP 800-186 §3.2.1, SEC 2 §2.4.1), so that a
//! key is refused when it is imported though the provider's form of it is made when it is first used.
//!
//! A public key is no secret, so nothing here needs to take constant time. All these curves have
//! cofactor 1: a point on the curve is one of the group that signatures are made in.

use crate::key::{kind::Curve, limbs, material::Point};

static P256: Equation<4> = Equation::minus_three(
    "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
);
static P384: Equation<6> = Equation::minus_three(
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
);
static P521: Equation<9> = Equation::minus_three(
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
);
static P256K1: Equation<4> =
    Equation::zero("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f", "07");

pub(crate) fn is_on_curve(point: &Point) -> bool {
    let xy = point.coordinates();
    match point.curve() {
        Curve::P256 => P256.holds(xy),
        Curve::P384 => P384.holds(xy),
        Curve::P521 => P521.holds(xy),
        Curve::Secp256k1 => P256K1.holds(xy),
    }
}

/// A number below the prime, least significant limb first.
type Number<const LIMBS: usize> = [u64; LIMBS];

/// The curve's equation, for products that are made without a division: each comes out divided by R = 2^(64·LIMBS)
/// (P. L. Montgomery: "Modular Multiplication Without Trial Division", 1985). Instead of multiplying x and y with R
/// beforehand, a and b are divided as often as what they are added to.
struct Equation<const LIMBS: usize> {
    p: Number<LIMBS>,
    /// −1/p modulo 2⁶⁴.
    minus_inverse: u64,
    /// a/R.
    a: Number<LIMBS>,
    /// b/R².
    b: Number<LIMBS>,
}

impl<const LIMBS: usize> Equation<LIMBS> {
    /// With an a of −3, as NIST's curves have it.
    const fn minus_three(p: &str, b: &str) -> Self {
        let mut a: Number<LIMBS> = number(p);
        a[0] -= 3;
        Self::new(number(p), a, number(b))
    }

    /// With an a of 0.
    const fn zero(p: &str, b: &str) -> Self {
        Self::new(number(p), [0; LIMBS], number(b))
    }

    const fn new(p: Number<LIMBS>, a: Number<LIMBS>, b: Number<LIMBS>) -> Self {
        let this = Self { p, minus_inverse: limbs::inverse(p[0]).wrapping_neg(), a, b };
        Self { a: this.divided(&a), b: this.divided(&this.divided(&b)), ..this }
    }

    fn holds(&self, (x, y): (&[u8], &[u8])) -> bool {
        let (Some(x), Some(y)) = (self.element(x), self.element(y)) else {
            return false;
        };
        let x2_and_a = self.sum(&self.product(&x, &x), &self.a);
        self.divided(&self.product(&y, &y)) == self.sum(&self.product(&x2_and_a, &x), &self.b)
    }

    /// The number of big-endian bytes; `None` if it is not below the prime, which would be a second way
    /// to write the same point.
    fn element(&self, bytes: &[u8]) -> Option<Number<LIMBS>> {
        let mut number = [0; LIMBS];
        limbs::fill(&mut number, bytes);
        (!self.is_reached(&number)).then_some(number)
    }

    /// Whether a number is at least p.
    const fn is_reached(&self, number: &Number<LIMBS>) -> bool {
        let mut at = LIMBS;
        while at > 0 {
            at -= 1;
            if number[at] != self.p[at] {
                return number[at] > self.p[at];
            }
        }
        true
    }

    /// a + b.
    #[inline]
    fn sum(&self, a: &Number<LIMBS>, b: &Number<LIMBS>) -> Number<LIMBS> {
        let (mut sum, mut carry) = ([0; LIMBS], false);
        for at in 0..LIMBS {
            (sum[at], carry) = a[at].carrying_add(b[at], carry);
        }
        self.reduced(sum, carry)
    }

    /// a·b/R.
    #[inline]
    fn product(&self, a: &Number<LIMBS>, b: &Number<LIMBS>) -> Number<LIMBS> {
        let (mut sum, mut top) = ([0; LIMBS], 0);
        for limb in a {
            let mut carry = 0;
            for at in 0..LIMBS {
                (sum[at], carry) = multiply_add(*limb, b[at], sum[at], carry);
            }
            top = self.shifted(&mut sum, u128::from(top) + u128::from(carry));
        }
        self.reduced(sum, top != 0)
    }

    /// a/R.
    #[inline]
    const fn divided(&self, a: &Number<LIMBS>) -> Number<LIMBS> {
        let (mut sum, mut top, mut round) = (*a, 0, 0);
        while round < LIMBS {
            top = self.shifted(&mut sum, top as u128);
            round += 1;
        }
        self.reduced(sum, top != 0)
    }

    /// Adds the multiple of p that makes the lowest limb zero, and takes that off. What stands above the limbs comes and
    /// goes as a number of its own.
    #[inline]
    const fn shifted(&self, sum: &mut Number<LIMBS>, top: u128) -> u64 {
        let times = sum[0].wrapping_mul(self.minus_inverse);
        let (_, mut carry) = multiply_add(times, self.p[0], sum[0], 0);
        let mut at = 1;
        while at < LIMBS {
            (sum[at - 1], carry) = multiply_add(times, self.p[at], sum[at], carry);
            at += 1;
        }
        let top = top + carry as u128;
        sum[LIMBS - 1] = top as u64;
        (top >> 64) as u64
    }

    /// What is below 2p, with a bit above the limbs, below p.
    #[inline]
    const fn reduced(&self, mut number: Number<LIMBS>, above: bool) -> Number<LIMBS> {
        if above || self.is_reached(&number) {
            let (mut borrow, mut at) = (false, 0);
            while at < LIMBS {
                let (once, first) = number[at].overflowing_sub(self.p[at]);
                let (twice, second) = once.overflowing_sub(borrow as u64);
                (number[at], borrow) = (twice, first | second);
                at += 1;
            }
        }
        number
    }
}

/// a·b + c + d, by limbs.
#[inline]
const fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let wide = a as u128 * b as u128 + c as u128 + d as u128;
    (wide as u64, (wide >> 64) as u64)
}

/// The number of this hexadecimal text.
const fn number<const LIMBS: usize>(hex: &str) -> Number<LIMBS> {
    let (mut number, mut at) = ([0; LIMBS], 0);
    while at < hex.len() {
        let digit = hex.as_bytes()[hex.len() - 1 - at];
        let digit = if digit <= b'9' { digit - b'0' } else { digit - b'a' + 10 };
        number[at / 16] |= (digit as u64) << (at % 16 * 4);
        at += 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use crypto_bigint::U256;

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
        for (curve, p) in [(Curve::P256, P256.p), (Curve::Secp256k1, P256K1.p)] {
            let p = U256::from_words(p);
            let write = |x: &U256, y: &U256| {
                let mut bytes = vec![4];
                bytes.extend_from_slice(&x.to_be_bytes());
                bytes.extend_from_slice(&y.to_be_bytes());
                Point::parse(curve, &bytes).unwrap()
            };
            let (x, y) = small(curve);
            assert!(is_on_curve(&write(&x, &y)), "{}", curve.name());
            let second = x.wrapping_add(&p);
            assert!(second > x, "it fits the field");
            assert!(!is_on_curve(&write(&second, &y)), "{}", curve.name());
        }
    }

    /// In 66 bytes there is room for each number of P-521 and the prime.
    #[test]
    fn of_p_521_no_coordinate_has_a_second_spelling() {
        let plus_p = |number: &[u8]| {
            // p is 2^521 - 1: one bit more, less one.
            let mut sum = number.to_vec();
            sum[0] += 2;
            for byte in sum.iter_mut().rev() {
                let (less, borrowed) = byte.overflowing_sub(1);
                *byte = less;
                if !borrowed {
                    break;
                }
            }
            sum
        };
        let key = SigningKey::generate(Curve::P521.alg()).unwrap().verifying_key();
        let PublicMaterial::Ec(point) = key.material() else { unreachable!("the key is of EC") };
        let (x, y) = point.coordinates();
        let written = |x: &[u8], y: &[u8]| Point::parse(Curve::P521, &[&[4], x, y].concat()).unwrap();
        assert!(is_on_curve(&written(x, y)));
        assert!(!is_on_curve(&written(&plus_p(x), y)));
        assert!(!is_on_curve(&written(x, &plus_p(y))));
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
