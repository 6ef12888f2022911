//! Whether 32 bytes are a point of edwards25519 (RFC 8032 §5.1.3).
//!
//! AWS-LC looks only when it verifies, which then always fails; here a key file with a slip in it
//! is refused when it is read. Public numbers only, so nothing needs to take constant time.

/// An integer modulo p = 2²⁵⁵ − 19: four limbs, least significant first, below 2²⁵⁶ and not always
/// below p.
type Number = [u64; 4];

/// −121665/121666 modulo p, the d of −x² + y² = 1 + d·x²·y².
const D: Number =
    [0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73];

const P: Number = [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff];

/// (p − 1)/2 = 2²⁵⁴ − 10, Euler's exponent.
const EULER: Number = [0xffff_ffff_ffff_fff6, u64::MAX, u64::MAX, 0x3fff_ffff_ffff_ffff];

/// Whether there is an x to this y, which is little-endian and below p.
pub(crate) fn has_x(y: &[u8; 32]) -> bool {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(y.chunks_exact(8)) {
        *limb = bytes.iter().rev().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
    }
    let y2 = multiply(limbs, limbs);
    // x² = (y² − 1)/(d·y² + 1). A quotient is a square where the product is, and the divisor is
    // never zero.
    let u = add(y2, subtract(P, [1, 0, 0, 0]));
    let v = add(multiply(D, y2), [1, 0, 0, 0]);
    let symbol = reduce(power(multiply(u, v), EULER));
    symbol == [0; 4] || symbol == [1, 0, 0, 0]
}

fn add(a: Number, b: Number) -> Number {
    let mut sum = [0; 8];
    let mut carry = 0;
    for i in 0..4 {
        let wide = u128::from(a[i]) + u128::from(b[i]) + carry;
        (sum[i], carry) = (wide as u64, wide >> 64);
    }
    sum[4] = carry as u64;
    fold(sum)
}

/// a − b, where b is not larger.
fn subtract(a: Number, b: Number) -> Number {
    let mut difference = [0; 4];
    let mut borrow = false;
    for i in 0..4 {
        let (once, first) = a[i].overflowing_sub(b[i]);
        let (twice, second) = once.overflowing_sub(u64::from(borrow));
        (difference[i], borrow) = (twice, first || second);
    }
    difference
}

fn multiply(a: Number, b: Number) -> Number {
    let mut product = [0_u64; 8];
    for i in 0..4 {
        let mut carry = 0;
        for j in 0..4 {
            let wide = u128::from(a[i]) * u128::from(b[j]) + u128::from(product[i + j]) + carry;
            (product[i + j], carry) = (wide as u64, wide >> 64);
        }
        product[i + 4] = carry as u64;
    }
    fold(product)
}

/// Brings eight limbs to four: 2²⁵⁶ is 38 modulo p.
fn fold(mut wide: [u64; 8]) -> Number {
    while wide[4..] != [0; 4] {
        let high: [u64; 4] = [wide[4], wide[5], wide[6], wide[7]];
        let mut carry = 0;
        for i in 0..4 {
            let sum = u128::from(wide[i]) + u128::from(high[i]) * 38 + carry;
            (wide[i], carry) = (sum as u64, sum >> 64);
        }
        wide[4..].copy_from_slice(&[carry as u64, 0, 0, 0]);
    }
    [wide[0], wide[1], wide[2], wide[3]]
}

fn power(base: Number, exponent: Number) -> Number {
    let mut result = [1, 0, 0, 0];
    for limb in exponent.into_iter().rev() {
        for bit in (0..64).rev() {
            result = multiply(result, result);
            if limb >> bit & 1 == 1 {
                result = multiply(result, base);
            }
        }
    }
    result
}

/// The same number below p.
fn reduce(mut a: Number) -> Number {
    while a.iter().rev().ge(P.iter().rev()) {
        a = subtract(a, P);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_what_they_are_said_to_be() {
        assert_eq!(reduce(add(multiply(D, [121_666, 0, 0, 0]), [121_665, 0, 0, 0])), [0; 4]);
        assert_eq!(add(add(EULER, EULER), [1, 0, 0, 0]), P);
        assert_eq!(reduce(P), [0; 4]);
        assert_eq!(reduce([u64::MAX; 4]), [37, 0, 0, 0]);
        assert_eq!(reduce(power([2, 0, 0, 0], add(EULER, EULER))), [1, 0, 0, 0], "Fermat");
        assert_eq!(reduce(power([2, 0, 0, 0], EULER)), subtract(P, [1, 0, 0, 0]), "2 is no square");
        assert_eq!(reduce(power([4, 0, 0, 0], EULER)), [1, 0, 0, 0]);
    }

    #[test]
    fn small_numbers_that_are_a_y_are_known() {
        let has = |y: u8| {
            let mut bytes = [0; 32];
            bytes[0] = y;
            has_x(&bytes)
        };
        assert_eq!((0..24).filter(|y| has(*y)).collect::<Vec<_>>(), EXPECTED);
    }

    /// Worked out with Python's integers.
    const EXPECTED: &[u8] = &[0, 1, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 19, 21, 23];
}
