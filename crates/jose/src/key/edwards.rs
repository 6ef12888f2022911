//! Whether 32 bytes are a point of edwards25519 (RFC 8032 §5.1.3).
//!
//! AWS-LC looks only when it verifies, which then always fails; here a key file with a slip in it
//! is refused when it is read. Public numbers only, so nothing needs to take constant time.

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

/// The Jacobi symbol of a over p, a fraction of the work of Euler's criterion: Euclid's algorithm by the
/// leading bits as far as they decide it, and by the numbers themselves once they are short.
fn symbol(a: Number) -> Symbol {
    let p_is_larger = a.iter().rev().lt(P.iter().rev());
    // p is 1 modulo 4, so (p/a) = (a/p).
    let (larger, smaller) = if p_is_larger { (P, a) } else { (a, P) };
    let mut euclid = Euclid { larger, smaller, low: Low::of(&larger, &smaller) };
    while euclid.leap() {}
    if let ([x, 0, 0, 0], [y, 0, 0, 0]) = (euclid.larger, euclid.smaller) {
        return euclid.low.symbol_of_limbs(x, y);
    }
    // A quotient of more than thirty bits, which chance does not bring, but who chose the key might.
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

/// Two numbers that are not both even: (larger/smaller) is looked for, or (smaller/larger) if the smaller one is even.
struct Euclid {
    larger: Number,
    smaller: Number,
    low: Low,
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
        // How often the larger and, in the upper half, the smaller number is in x and in y; one of the
        // two is to be subtracted, in turn.
        let (mut in_x, mut in_y) = (1, 1 << 32);
        let mut low = self.low;
        // Two divisions a round, so that x and y need not change places.
        let odd = loop {
            let (Some(quotient), Some(rest)) = (x.checked_div(y), x.checked_rem(y)) else { break false };
            if rest < BOUND || y - rest < BOUND {
                break false;
            }
            low = low.divided(quotient);
            (x, in_x) = (rest, in_x + quotient * in_y);
            let (quotient, rest) = (y / x, y % x);
            if rest < BOUND || x - rest < BOUND {
                break true;
            }
            low = low.divided(quotient);
            (y, in_y) = (rest, in_y + quotient * in_x);
        };
        if in_x == 1 {
            return false;
        }
        self.low = low;
        let (mut larger, mut smaller) = (self.larger, self.smaller);
        if odd {
            // What is in y now is the larger one: they changed places once more.
            (larger, smaller) = (smaller, larger);
            (in_x, in_y) = (in_y.rotate_left(32), in_x.rotate_left(32));
        }
        let halves = |factors: u64| (factors & u64::from(u32::MAX), factors >> 32);
        let ((add, take), (less, more)) = (halves(in_x), halves(in_y));
        self.larger = difference(add, &larger, take, &smaller);
        self.smaller = difference(more, &smaller, less, &larger);
        true
    }

    fn pair(self) -> Pair {
        let Self { larger, smaller, low } = self;
        let (even, odd) = if smaller[0] & 1 == 1 { (larger, smaller) } else { (smaller, larger) };
        Pair { even, odd, negative: low.is_negative() }
    }
}

/// The lowest two bits of both numbers, and the sign that their symbol is to be multiplied with: all that a division
/// needs to know besides its quotient. The sign, two bits of x, two of y, and room for two of a quotient.
#[derive(Clone, Copy)]
struct Low(u8);

/// What is left after a division, by that and the quotient's lowest two bits.
static DIVIDED: [Low; 256] = {
    let mut table = [Low(0); 256];
    let mut at = 0_u64;
    while at < 128 {
        let (sign, x, y, quotient) = (at >> 6, at >> 4 & 3, at >> 2 & 3, at & 3);
        let rest = x.wrapping_sub(quotient * y) & 3;
        let sign = sign ^ flips(x, y, quotient, rest) & 1;
        table[at as usize] = Low((sign << 6 | y << 4 | rest << 2) as u8);
        at += 1;
    }
    table
};

impl Low {
    fn of(x: &Number, y: &Number) -> Self {
        Self(((x[0] & 3) << 4 | (y[0] & 3) << 2) as u8)
    }

    #[inline]
    fn divided(self, quotient: u64) -> Self {
        DIVIDED[usize::from(self.0 | quotient as u8 & 3)]
    }

    fn is_negative(self) -> bool {
        self.0 >> 6 & 1 == 1
    }

    /// The symbol once both numbers fit a limb.
    fn symbol_of_limbs(mut self, mut x: u64, mut y: u64) -> Symbol {
        while let (Some(quotient), Some(rest)) = (x.checked_div(y), x.checked_rem(y)) {
            self = self.divided(quotient);
            (x, y) = (y, rest);
        }
        match (x, self.is_negative()) {
            (1, false) => Symbol::Square,
            (1, true) => Symbol::NoSquare,
            _ => Symbol::Zero,
        }
    }
}

/// Whether the symbol of x and y, in the sense of [`Euclid`], is not that of y and rest = x − quotient·y,
/// in the lowest bit. The low bits of the numbers tell.
const fn flips(x: u64, y: u64, quotient: u64, rest: u64) -> u64 {
    // If y is odd, (x/y) = (rest/y), which is −(y/rest) where both are 3 modulo 4.
    let both = rest & y;
    // If y is 2 modulo 4, (y/x) and (y/(x − y)) differ where x is 3 modulo 4, as every second one of x,
    // x − y, x − 2y, … is. If 4 divides y, they are the same.
    (both & both >> 1) ^ ((quotient + (x >> 1 & 1)) >> 1 & y >> 1 & !y)
}

/// a times one number less b times another, where the result is not negative.
#[inline]
fn difference(a: u64, number: &Number, b: u64, other: &Number) -> Number {
    let (mut result, mut carry) = ([0; 4], 0);
    for i in 0..4 {
        // Of at most 97 bits and a sign, since factors have at most 33.
        let plus = i128::from(a) * i128::from(number[i]);
        let sum = plus - i128::from(b) * i128::from(other[i]) + carry;
        (result[i], carry) = (sum as u64, sum >> 64);
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
