//! Whether 32 bytes are a point of edwards25519 (RFC 8032 §5.1.3).
//!
//! AWS-LC looks only when it verifies, which then always fails; here a key file with a slip in it
//! is refused when it is read. Public numbers only, so nothing needs to take constant time.

use std::hint::select_unpredictable;

/// An integer modulo p = 2²⁵⁵ − 19: four limbs, least significant first, below 2²⁵⁶ and not always
/// below p.
type Number = [u64; 4];

const P: Number = [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff];

/// p less a small number.
const fn minus_small(number: u64) -> Number {
    [P[0] - number, P[1], P[2], P[3]]
}

/// Whether there is an x to this y, which is little-endian and below p.
pub(crate) fn has_x(y: &[u8; 32]) -> bool {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(y.chunks_exact(8)) {
        *limb = bytes.iter().rev().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
    }
    let y2 = multiply(limbs, limbs);
    // x² = (y² − 1)/(d·y² + 1) with a d of −121665/121666. A quotient is a square where the product is, and the
    // divisor is never zero. Nor does a factor matter that is a square: that of the divisor here is −121666².
    let dividend = add(y2, minus_small(1));
    let divisor = add(scale(y2, 121_665 * 121_666), minus_small(121_666 * 121_666));
    symbol(multiply(dividend, divisor)) != Symbol::NoSquare
}

/// What a number is modulo p.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbol {
    Zero,
    Square,
    NoSquare,
}

/// The Jacobi symbol of a over p, a fraction of the work of Euler's criterion.
fn symbol(a: Number) -> Symbol {
    let mut pair = Pair { a, b: P, negative: 0 };
    // The numbers shrink together, and so does the work of a round.
    pair.shrink::<4>();
    pair.shrink::<3>();
    pair.shrink::<2>();
    pair.symbol()
}

/// Two numbers in one limb each, or what stands for longer ones: (a/b) is looked for. `b` is odd.
///
/// What stands for longer ones does not always know which of them is larger. If the larger one is taken from the
/// smaller one, a negative number is left, but never two: the next difference of a negative and a positive number is
/// positive or leaves the positive one as b. With |b| for b below a symbol, all that is said here holds for such
/// numbers, too, by the lowest bits of two's complement; the reciprocity because one of the two is positive.
struct Short {
    a: u64,
    b: u64,
    /// The sign that the symbol is to be multiplied with: the second bit, in which 3 differs from 1. The others mean
    /// nothing.
    negative: u64,
}

impl Short {
    /// Divides a, which is a multiple of that, by a power of two.
    #[inline(always)]
    fn halve(&mut self, times: u32) {
        self.a >>= times;
        // (2/b) = −1 where b is 3 or 5 modulo 8: where the second and third bit differ.
        self.negative ^= u64::from(times) << 1 & (self.b ^ self.b >> 1);
    }

    /// Takes the smaller one of two odd numbers from the larger one, which becomes a. Says whether they changed
    /// places, and how often a can be halved now.
    #[inline(always)]
    fn subtract(&mut self) -> (bool, u32) {
        let Self { a, b, .. } = *self;
        let (difference, below) = a.overflowing_sub(b);
        // (a/b) = −(b/a) where both are 3 modulo 4.
        self.negative ^= select_unpredictable(below, a & b, 0);
        // A coin toss, so no branch.
        self.a = select_unpredictable(below, b.wrapping_sub(a), difference);
        self.b = select_unpredictable(below, a, b);
        (below, difference.trailing_zeros())
    }
}

/// Two numbers, of which the second is odd, and the sign that their symbol is to be multiplied with, as in [`Short`].
struct Pair {
    a: Number,
    b: Number,
    negative: u64,
}

/// How often a is halved in a round: until the last time, at least the three bits that the symbol needs are exact.
const HALVINGS: u32 = LOW - 3;

/// How many of the 64 bits of [`Short`] are the lowest ones of a longer number.
const LOW: u32 = 31;

impl Pair {
    /// Goes on until both numbers fit into fewer than N limbs, or a is zero: the binary algorithm (J. Stein, 1967) by
    /// the leading and the lowest bits of both numbers, which are brought up to date once a round (T. Pornin:
    /// "Optimized Binary GCD for Modular Inversion", 2020).
    ///
    /// The lowest bits decide on the symbol, and enough of them are exact. The leading ones decide only which number is
    /// taken from which: where they guess wrong, a number becomes negative, and the symbol stays right.
    ///
    /// Each round makes the product of the numbers smaller, so there is an end. Let A and B be what stands for the
    /// numbers at first, and A' and B' at the end of the round. Each is less than u = 2³¹ away from its number, in that
    /// scale: at first by the bits left out, and at the end because the factors of neither new number add up to more
    /// than 2²⁸, by which it was divided. Now A'·B' ≤ A·B/2²⁸ and A' + B' ≤ A + B. So if A and B are at least 8u, the
    /// product of the numbers is at most (A' + u)·(B' + u) < 0.27·A·B after the round, and was above (7/8)²·A·B before.
    /// If one of them is below 8u = 2³⁴, the other one is at least 2⁶³: halved 28 times at most it stays the larger one,
    /// at 2³⁵ less 2³⁴, and so does its number, of which a part was taken; the smaller one is as it was or was halved.
    fn shrink<const N: usize>(&mut self) {
        let (mut a, mut b) = ([0; N], [0; N]);
        a.copy_from_slice(&self.a[..N]);
        b.copy_from_slice(&self.b[..N]);
        while a[N - 1] | b[N - 1] != 0 {
            let shift = (a[N - 1] | b[N - 1]).leading_zeros();
            let ends = |number: &[u64; N]| {
                let leading = number[N - 1] << shift | number[N - 2] >> 1 >> (63 - shift);
                leading >> LOW << LOW | number[0] & ((1 << LOW) - 1)
            };
            let mut short = Short { a: ends(&a), b: ends(&b), negative: self.negative };
            if short.a == 0 && a == [0; N] {
                break;
            }
            // How often a and, in the upper half, b is in the new a and in the new b, times 2^HALVINGS at the end.
            // One of the two is to be subtracted; which one changes whenever they change places.
            let (mut in_a, mut in_b) = (1_u64, 1 << 32);
            let mut swapped = false;
            let (mut zeros, mut left) = (short.a.trailing_zeros(), HALVINGS);
            while zeros < left {
                short.halve(zeros);
                in_b <<= zeros;
                left -= zeros;
                let below;
                (below, zeros) = short.subtract();
                (in_a, in_b) = (in_a + in_b, select_unpredictable(below, in_a, in_b));
                swapped ^= below;
            }
            short.halve(left);
            in_b <<= left;
            // With 2⁶⁴ for 2^HALVINGS, the new numbers come out at the next limb.
            let scaled = |factors: u64| (factors << 32 << (32 - HALVINGS), factors >> 32 << (64 - HALVINGS));
            let ((plus, minus), (less, more)) = (scaled(in_a), scaled(in_b));
            let (new_a, below) = difference(plus, &a, minus, &b);
            let new_b = if less | more == 0 {
                // 2⁶⁴ itself, for which there is no room: b is one of the two as it was.
                if swapped { a } else { b }
            } else {
                difference(more, &b, less, &a).0
            };
            (a, b) = (new_a, new_b);
            // (−1/b) = −1 where b is 3 modulo 4.
            self.negative = short.negative ^ if below != swapped { b[0] } else { 0 };
        }
        self.a[..N].copy_from_slice(&a);
        self.b[..N].copy_from_slice(&b);
    }

    /// The symbol, once both numbers fit a limb or a is zero.
    fn symbol(self) -> Symbol {
        let [b, above @ ..] = self.b;
        let mut short = Short { a: self.a[0], b, negative: self.negative };
        let mut zeros = short.a.trailing_zeros();
        while short.a != 0 {
            short.halve(zeros);
            (_, zeros) = short.subtract();
        }
        match (short.b, above, short.negative & 2) {
            (1, [0, 0, 0], 0) => Symbol::Square,
            (1, [0, 0, 0], _) => Symbol::NoSquare,
            _ => Symbol::Zero,
        }
    }
}

/// The distance between a times one number and b times another, which is a multiple of 2⁶⁴, divided by that; and
/// whether the second one is larger.
#[inline(always)]
fn difference<const N: usize>(a: u64, number: &[u64; N], b: u64, other: &[u64; N]) -> ([u64; N], bool) {
    let (mut result, below) = minus(upper(a, number), upper(b, other));
    // All bits set where it is to be negated: a coin toss, so no branch.
    let (mask, mut carry) = (below.wrapping_neg(), below);
    for limb in &mut result {
        let carried;
        (*limb, carried) = (*limb ^ mask).overflowing_add(carry);
        carry = u64::from(carried);
    }
    (result, below == 1)
}

/// A product without its lowest limb.
#[inline(always)]
fn upper<const N: usize>(factor: u64, number: &[u64; N]) -> [u64; N] {
    let mut product = [0; N];
    let (_, mut carry) = factor.carrying_mul(number[0], 0);
    for i in 1..N {
        (product[i - 1], carry) = factor.carrying_mul(number[i], carry);
    }
    product[N - 1] = carry;
    product
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
    let (mut sum, mut carry) = ([0; 4], false);
    for i in 0..4 {
        (sum[i], carry) = a[i].carrying_add(b[i], carry);
    }
    fold(sum, u64::from(carry))
}

fn multiply(a: Number, b: Number) -> Number {
    let mut product = [0_u64; 8];
    for i in 0..4 {
        let mut carry = 0;
        for j in 0..4 {
            (product[i + j], carry) = a[i].carrying_mul_add(b[j], product[i + j], carry);
        }
        product[i + 4] = carry;
    }
    let (low, high) = product.split_at(4);
    let (mut sum, mut carry) = ([0; 4], 0);
    for i in 0..4 {
        (sum[i], carry) = high[i].carrying_mul_add(38, low[i], carry);
    }
    fold(sum, carry)
}

fn scale(a: Number, factor: u64) -> Number {
    let (mut product, mut carry) = ([0; 4], 0);
    for i in 0..4 {
        (product[i], carry) = a[i].carrying_mul(factor, carry);
    }
    fold(product, carry)
}

/// Brings back below 2²⁵⁶ what goes on above by less than 2⁵⁸: 2²⁵⁶ is 38 modulo p.
fn fold(mut number: Number, above: u64) -> Number {
    let mut carry = above * 38;
    for limb in &mut number {
        let over;
        (*limb, over) = limb.overflowing_add(carry);
        carry = u64::from(over);
    }
    // If this one is set, next to nothing is left below it.
    number[0] += carry * 38;
    number
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

    /// The symbol, which is that of Euler's criterion.
    fn checked(number: Number) -> Symbol {
        let expected = match reduce(power(number, EULER)) {
            [0, 0, 0, 0] => Symbol::Zero,
            [1, 0, 0, 0] => Symbol::Square,
            _ => Symbol::NoSquare,
        };
        assert_eq!(symbol(number), expected, "{number:x?}");
        expected
    }

    #[test]
    fn symbols_are_those_of_eulers_criterion() {
        for number in [[0; 4], P, add(P, P)] {
            assert_eq!(checked(number), Symbol::Zero);
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
                squares += u32::from(checked(number) == Symbol::Square);
            }
            number = add(multiply(number, number), [round as u64, 0, 0, 0]);
        }
        assert!((300..600).contains(&squares), "{squares}");
    }

    #[test]
    fn a_y_is_known_by_the_equation_of_the_curve() {
        // d of RFC 8032 §5.1.
        const D: Number =
            [0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73];
        let mut y = [3, 0, 0, 0];
        let mut points = 0;
        for round in 0..300 {
            y = reduce(add(multiply(y, y), [round, 0, 0, 0]));
            let y2 = multiply(y, y);
            let dividend = add(y2, minus_small(1));
            let divisor = add(multiply(D, y2), [1, 0, 0, 0]);
            let mut bytes = [0; 32];
            for (bytes, limb) in bytes.chunks_exact_mut(8).zip(y) {
                bytes.copy_from_slice(&limb.to_le_bytes());
            }
            let is_point = checked(multiply(dividend, divisor)) != Symbol::NoSquare;
            assert_eq!(has_x(&bytes), is_point, "{y:x?}");
            points += u32::from(is_point);
        }
        assert!((100..200).contains(&points), "{points}");
    }

    /// In a round of 4, 3 and 2 limbs the last guess is wrong, which one number in ten thousand brings: a is negative
    /// then, and b is 3 modulo 4.
    #[test]
    fn symbols_after_a_wrong_last_guess_are_those_of_eulers_criterion() {
        for number in [
            [0, 0x8e03_cdc4_010d_e560, 0x80a8_d6cb_3b8e_a6aa, 0x3ef6_67d3_384b_5167],
            [0x37c6_3b10_1653_ac99, 0x1216_dfa7_cc07_0d80, 0x0ca7_25b3_a4da_639b, u64::MAX],
            [0x809c_7fcb_69b1_75b4, 0, 0, 0],
        ] {
            checked(number);
        }
    }

    /// Chance brings none of these, but who chooses a key might.
    #[test]
    fn symbols_of_unlikely_numbers_are_those_of_eulers_criterion() {
        let mut random = [5, 7, 11, 13];
        for bits in 0..255 {
            random = multiply(random, random);
            let mut two = [0; 4];
            two[bits / 64] = 1 << (bits % 64);
            let below = minus(two, [1, 0, 0, 0]).0;
            // Of so many bits each: a short number, one that can be halved often, and one with all leading bits of
            // p, by which nobody knows which one is larger.
            let (mut short, mut even, mut close) = ([0; 4], [0; 4], [0; 4]);
            for i in 0..4 {
                short[i] = random[i] & below[i];
                even[i] = random[i] & !below[i];
                close[i] = P[i] ^ short[i];
            }
            for number in [two, below, short, even, close, minus(P, two).0, add(P, two), add(P, short)] {
                checked(number);
            }
        }
    }

    #[test]
    fn constants_are_what_they_are_said_to_be() {
        assert_eq!(reduce(add(scale([1, 0, 0, 0], 19), minus_small(19))), [0; 4]);
        assert_eq!(add(add(EULER, EULER), [1, 0, 0, 0]), P);
        assert_eq!(reduce(P), [0; 4]);
        assert_eq!(reduce([u64::MAX; 4]), [37, 0, 0, 0]);
        assert_eq!(reduce(power([2, 0, 0, 0], add(EULER, EULER))), [1, 0, 0, 0], "Fermat");
        assert_eq!(reduce(power([2, 0, 0, 0], EULER)), minus_small(1), "2 is no square");
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
