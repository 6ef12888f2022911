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

const P_LESS_1: Number = [P[0] - 1, P[1], P[2], P[3]];

/// Whether there is an x to this y, which is little-endian and below p.
pub(crate) fn has_x(y: &[u8; 32]) -> bool {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(y.chunks_exact(8)) {
        *limb = bytes.iter().rev().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
    }
    let y2 = multiply(limbs, limbs);
    // x² = (y² − 1)/(d·y² + 1). A quotient is a square where the product is, and the divisor is
    // never zero.
    let u = add(y2, P_LESS_1);
    let v = add(multiply(D, y2), [1, 0, 0, 0]);
    symbol(multiply(u, v)) != Symbol::NoSquare
}

/// What a number is modulo p.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbol {
    Zero,
    Square,
    NoSquare,
}

/// The Jacobi symbol of a over p, a fraction of the work of Euler's criterion: Euclid's algorithm by the
/// leading bits as far as they decide it, and the rest by the binary one.
fn symbol(a: Number) -> Symbol {
    let p_is_larger = a.iter().rev().lt(P.iter().rev());
    // p is 1 modulo 4, so (p/a) = (a/p).
    let (larger, smaller) = if p_is_larger { (P, a) } else { (a, P) };
    let mut euclid = Euclid { larger, smaller, negative: 0 };
    while euclid.leap() {}
    let mut pair = euclid.pair();
    // The numbers shrink together, and so do the steps.
    pair.shrink::<4>();
    pair.shrink::<3>();
    pair.shrink::<2>();
    pair.shrink::<1>();
    match (pair.odd, pair.negative) {
        ([1, 0, 0, 0], false) => Symbol::Square,
        ([1, 0, 0, 0], true) => Symbol::NoSquare,
        _ => Symbol::Zero,
    }
}

/// Two numbers that are not both even, and in the lowest bit the sign that their symbol is to be
/// multiplied with: (larger/smaller), or (smaller/larger) if the smaller one is even.
struct Euclid {
    larger: Number,
    smaller: Number,
    negative: u64,
}

impl Euclid {
    /// Divides as often as the leading 64 bits of both numbers know the quotient, without the numbers
    /// themselves, which are brought up to date at the end (D. H. Lehmer, 1938). False if they fit a
    /// limb, or if not even one quotient is known.
    fn leap(&mut self) -> bool {
        // As long as remainders, and their distance to the divisor, are not below this, the factors are
        // at most 2³¹ and the sum of two below this: then the bits left out change no quotient
        // (Jebelean: "A double-digit Lehmer-Euclid algorithm", 1995).
        const BOUND: u64 = 1 << 33;
        let top = self.larger.iter().rposition(|limb| *limb != 0).unwrap_or_default();
        if top == 0 {
            return false;
        }
        let shift = self.larger[top].leading_zeros();
        let leading = |number: &Number| number[top] << shift | number[top - 1] >> 1 >> (63 - shift);
        let (mut x, mut y) = (leading(&self.larger), leading(&self.smaller));
        let (mut low_x, mut low_y) = (self.larger[0], self.smaller[0]);
        // How often the larger and, in the upper half, the smaller number is in x and in y; one of the
        // two is to be subtracted, in turn.
        let (mut in_x, mut in_y) = (1, 1 << 32);
        let mut steps = 0_u32;
        while let Some(quotient) = x.checked_div(y) {
            let rest = x - quotient * y;
            if rest < BOUND || y - rest < BOUND {
                break;
            }
            let low_rest = low_x.wrapping_sub(quotient.wrapping_mul(low_y));
            self.negative ^= flips(low_x, low_y, quotient, low_rest);
            (x, y) = (y, rest);
            (low_x, low_y) = (low_y, low_rest);
            (in_x, in_y) = (in_y, in_x + quotient * in_y);
            steps += 1;
        }
        if steps == 0 {
            return false;
        }
        let (mut larger, mut smaller) = (self.larger, self.smaller);
        if steps % 2 == 1 {
            (larger, smaller) = (smaller, larger);
            (in_x, in_y) = (in_x.rotate_left(32), in_y.rotate_left(32));
        }
        let halves = |factors: u64| (factors & u64::from(u32::MAX), factors >> 32);
        let ((add, take), (less, more)) = (halves(in_x), halves(in_y));
        self.larger = difference(add, &larger, take, &smaller);
        self.smaller = difference(more, &smaller, less, &larger);
        true
    }

    fn pair(self) -> Pair {
        let Self { larger, smaller, negative } = self;
        let (even, odd) = if smaller[0] & 1 == 1 { (larger, smaller) } else { (smaller, larger) };
        Pair { even, odd, negative: negative & 1 == 1 }
    }
}

/// Whether the symbol of x and y, in the sense of [`Euclid`], is not that of y and rest = x − quotient·y,
/// in the lowest bit. The low bits of the numbers tell.
fn flips(x: u64, y: u64, quotient: u64, rest: u64) -> u64 {
    // If y is odd, (x/y) = (rest/y), which is −(y/rest) where both are 3 modulo 4.
    let both = rest & y;
    // If y is 2 modulo 4, (y/x) and (y/(x − y)) differ where x is 3 modulo 4, as every second one of x,
    // x − y, x − 2y, … is. If 4 divides y, they are the same.
    (both & both >> 1) ^ ((quotient + (x >> 1 & 1)) >> 1 & y >> 1 & !y)
}

/// a times one number less b times another, where a and b are below 2⁶³ and the result is not negative.
fn difference(a: u64, number: &Number, b: u64, other: &Number) -> Number {
    let mut result = [0; 4];
    let mut carry = 0;
    for i in 0..4 {
        let wide = i128::from(a) * i128::from(number[i]) - i128::from(b) * i128::from(other[i]) + carry;
        (result[i], carry) = (wide as u64, wide >> 64);
    }
    result
}

/// Two numbers, and the sign that their symbol is to be multiplied with. `even` may be odd at first.
struct Pair {
    even: Number,
    odd: Number,
    negative: bool,
}

impl Pair {
    /// Goes on until both numbers fit into fewer than N limbs, or `even` is zero.
    fn shrink<const N: usize>(&mut self) {
        let (mut a, mut b) = ([0; N], [0; N]);
        a.copy_from_slice(&self.even[..N]);
        b.copy_from_slice(&self.odd[..N]);
        let mut negative = self.negative as u64;
        while (N == 1 || a[N - 1] | b[N - 1] != 0) && a != [0; N] {
            while a[0] == 0 {
                // 2⁶⁴ is a square.
                a.rotate_left(1);
            }
            let zeros = a[0].trailing_zeros();
            for i in 0..N {
                let next = if i + 1 < N { a[i + 1] } else { 0 };
                a[i] = a[i] >> zeros | next << 1 << (63 - zeros);
            }
            // (2/b) = −1 where b is 3 or 5 modulo 8: where the second and third bit differ.
            negative ^= u64::from(zeros) & (b[0] >> 1 ^ b[0] >> 2);
            let (difference, below) = minus(a, b);
            // (a/b) = −(b/a) where both are 3 modulo 4.
            negative ^= below & (a[0] & b[0]) >> 1;
            // All bits set if they change places: a coin toss, so no branch.
            let mask = below.wrapping_neg();
            let mut carry = below;
            for i in 0..N {
                b[i] ^= (a[i] ^ b[i]) & mask;
                let carried;
                (a[i], carried) = (difference[i] ^ mask).overflowing_add(carry);
                carry = u64::from(carried);
            }
        }
        self.even[..N].copy_from_slice(&a);
        self.odd[..N].copy_from_slice(&b);
        self.negative = negative & 1 == 1;
    }
}

/// a − b modulo 2^(64·N), and 1 if b is larger.
fn minus<const N: usize>(a: [u64; N], b: [u64; N]) -> ([u64; N], u64) {
    let mut difference = [0; N];
    let mut borrow = false;
    for i in 0..N {
        let (once, first) = a[i].overflowing_sub(b[i]);
        let (twice, second) = once.overflowing_sub(u64::from(borrow));
        (difference[i], borrow) = (twice, first | second);
    }
    (difference, u64::from(borrow))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// (p − 1)/2 = 2²⁵⁴ − 10, Euler's exponent.
    const EULER: Number = [0xffff_ffff_ffff_fff6, u64::MAX, u64::MAX, 0x3fff_ffff_ffff_ffff];

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
            a = minus(a, P).0;
        }
        a
    }

    #[test]
    fn symbols_are_those_of_eulers_criterion() {
        for (number, expected) in [([0; 4], Symbol::Zero), (P, Symbol::Zero), (add(P, P), Symbol::Zero)] {
            assert_eq!(symbol(number), expected);
        }
        let mut number = [3, 0, 0, 0];
        let mut squares = 0;
        for round in 0..300 {
            // Also numbers with long runs of zeros, and those of few limbs.
            let mut sparse = number;
            sparse[round % 4] = 0;
            sparse[round / 4 % 4] &= u64::MAX << (round % 64);
            let mut short = number;
            short[round % 5..].fill(0);
            for number in [number, sparse, short] {
                let expected = match reduce(power(number, EULER)) {
                    [0, 0, 0, 0] => Symbol::Zero,
                    [1, 0, 0, 0] => Symbol::Square,
                    _ => Symbol::NoSquare,
                };
                assert_eq!(symbol(number), expected, "{number:x?}");
                squares += u32::from(expected == Symbol::Square);
            }
            number = add(multiply(number, number), [round as u64, 0, 0, 0]);
        }
        assert!((300..600).contains(&squares), "{squares}");
    }

    #[test]
    fn constants_are_what_they_are_said_to_be() {
        assert_eq!(reduce(add(multiply(D, [121_666, 0, 0, 0]), [121_665, 0, 0, 0])), [0; 4]);
        assert_eq!(add(add(EULER, EULER), [1, 0, 0, 0]), P);
        assert_eq!(reduce(P), [0; 4]);
        assert_eq!(reduce([u64::MAX; 4]), [37, 0, 0, 0]);
        assert_eq!(reduce(power([2, 0, 0, 0], add(EULER, EULER))), [1, 0, 0, 0], "Fermat");
        assert_eq!(reduce(power([2, 0, 0, 0], EULER)), P_LESS_1, "2 is no square");
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
