//! Moduli that give themselves away: those with a small prime factor, and those that bear the mark
//! of ROCA (CVE-2017-15361).
//!
//! Chips with a certain library made primes of the form k·M + (65537ᵃ mod M), where M is the product
//! of the first primes. So modulo each of those the modulus is a power of 65537 as well, which by
//! chance one in 2²⁷ is, and it can be factored (Nemec, Sys, Svenda, Klinec, Matyas: "The Return of
//! Coppersmith's Attack", CCS 2017).
//!
//! A modulus is public, so nothing here needs to take constant time; but a set may hold hundreds.

/// The odd primes up to 751, whose product SP 800-89 §5.3.3 has a modulus checked against.
const PRIMES: [u16; 132] = {
    let mut primes = [0; 132];
    let mut found = 0;
    let mut candidate = 3_u16;
    while found < primes.len() {
        let mut divisor = 3;
        while divisor * divisor <= candidate && !candidate.is_multiple_of(divisor) {
            divisor += 2;
        }
        if divisor * divisor > candidate {
            primes[found] = candidate;
            found += 1;
        }
        candidate += 2;
    }
    primes
};

/// What tells the multiples of an odd prime without a division: multiplied with its inverse modulo
/// 2⁶⁴, a multiple becomes its quotient, all else something larger than any.
#[derive(Clone, Copy)]
struct Divisor {
    inverse: u64,
    largest_quotient: u64,
}

static DIVISORS: [Divisor; PRIMES.len()] = {
    let mut divisors = [Divisor { inverse: 1, largest_quotient: 0 }; PRIMES.len()];
    let mut at = 0;
    while at < PRIMES.len() {
        let prime = PRIMES[at] as u64;
        divisors[at] = Divisor { inverse: inverse(prime), largest_quotient: u64::MAX / prime };
        at += 1;
    }
    divisors
};

/// 1/odd modulo 2⁶⁴.
const fn inverse(odd: u64) -> u64 {
    // Each round doubles the bits that are right, of which there are three at first.
    let mut inverse = odd;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

impl Divisor {
    fn divides(self, number: u64) -> bool {
        number.wrapping_mul(self.inverse) <= self.largest_quotient
    }
}

/// The smallest keys that the library made (512 bits) have the primes from 3 to 167 in their M, and
/// all larger ones have those too: so many.
const MARKED: usize = 38;

/// For each of those, one bit for each power of 65537 modulo the prime.
static POWERS: [[u64; 3]; MARKED] = {
    let mut powers = [[0; 3]; MARKED];
    let mut at = 0;
    while at < MARKED {
        let mut power = 1;
        loop {
            powers[at][power / 64] |= 1 << (power % 64);
            power = power * 65537 % PRIMES[at] as usize;
            if power == 1 {
                break;
            }
        }
        at += 1;
    }
    powers
};

/// Limbs of 64 bits in the longest modulus.
const LIMBS: usize = 8192 / 64;

/// Primes whose product is below 2⁵⁶, so that the sum of `LIMBS` products of a limb and a weight
/// stays below 2¹²⁷.
struct Group {
    primes: (usize, usize),
    product: u64,
    /// −1/product modulo 2⁶⁴.
    minus_inverse: u64,
    /// 2^(64·(i + 1)) modulo the product: once 2⁶⁴ too much, which [`remainder`](Self::remainder)
    /// takes out again.
    weights: [[u64; 4]; LIMBS / 4],
}

const GROUPS: usize = 20;

static TABLE: [Group; GROUPS] = {
    const EMPTY: Group = Group { primes: (0, 0), product: 1, minus_inverse: 0, weights: [[0; 4]; LIMBS / 4] };
    let mut table = [EMPTY; GROUPS];
    let (mut group, mut prime) = (0, 0);
    while prime < PRIMES.len() {
        let start = prime;
        let mut product = 1_u64;
        while prime < PRIMES.len() && product < (1 << 56) / PRIMES[prime] as u64 {
            product *= PRIMES[prime] as u64;
            prime += 1;
        }
        table[group].primes = (start, prime);
        table[group].product = product;
        table[group].minus_inverse = inverse(product).wrapping_neg();
        let (mut limb, mut weight) = (0, (1_u128 << 64) % product as u128);
        while limb < LIMBS {
            table[group].weights[limb / 4][limb % 4] = weight as u64;
            weight = (weight << 64) % product as u128;
            limb += 1;
        }
        group += 1;
    }
    assert!(group == GROUPS, "as many groups as there are");
    table
};

impl Group {
    /// What is the same as the number modulo each of the primes, without a division (P. L. Montgomery:
    /// "Modular Multiplication Without Trial Division", 1985).
    fn remainder(&self, limbs: &[[u64; 4]]) -> u64 {
        // Two sums, since each waits for its own carries.
        let (mut sum, mut other) = (0, 0);
        for ([a, b, c, d], weights) in limbs.iter().zip(&self.weights) {
            let product = |limb: &u64, at: usize| u128::from(*limb) * u128::from(weights[at]);
            sum += product(a, 0) + product(b, 1);
            other += product(c, 2) + product(d, 3);
        }
        sum += other;
        let times = (sum as u64).wrapping_mul(self.minus_inverse);
        ((sum + u128::from(times) * u128::from(self.product)) >> 64) as u64
    }
}

/// What a modulus gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    SmallFactor,
    Roca,
}

/// Looks for marks in a big-endian modulus of at most 8192 bits.
pub(crate) fn mark(n: &[u8]) -> Option<Mark> {
    let mut limbs = [[0_u64; 4]; LIMBS / 4];
    let (first, whole) = n.as_rchunks::<8>();
    let whole = whole.iter().rev().map(|bytes| u64::from_be_bytes(*bytes));
    let first = first.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
    for (limb, value) in limbs.as_flattened_mut().iter_mut().zip(whole.chain([first])) {
        *limb = value;
    }
    let limbs = &limbs[..n.len().div_ceil(32).min(LIMBS / 4)];
    let mut roca = true;
    for group in &TABLE {
        let rest = group.remainder(limbs);
        let (start, end) = group.primes;
        if DIVISORS[start..end].iter().any(|divisor| divisor.divides(rest)) {
            return Some(Mark::SmallFactor);
        }
        // Of the moduli without the mark hardly one gets past the first dozen.
        roca = roca && (start..end).all(|at| is_power_of_65537(rest, at));
    }
    roca.then_some(Mark::Roca)
}

/// Whether it is one modulo the prime at this place; modulo the primes after the marked ones anything
/// may be.
fn is_power_of_65537(number: u64, at: usize) -> bool {
    POWERS.get(at).is_none_or(|powers| {
        let rest = (number % u64::from(PRIMES[at])) as usize;
        powers[rest / 64] >> (rest % 64) & 1 == 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A modulus of two primes of the form above, made for this test with M the product of the first
    /// 126 primes, as 2048-bit keys had it.
    const ROCA: &str = include_str!("../../tests/it/vectors/roca2048.hex");

    fn number(hex: &str) -> Vec<u8> {
        let hex = hex.trim();
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn a_marked_modulus_is_found_and_its_neighbours_are_not() {
        let marked = number(ROCA);
        assert_eq!(mark(&marked), Some(Mark::Roca));
        for add in (2..=200_u8).step_by(2) {
            let mut other = marked.clone();
            let Some(last) = other.last_mut() else { unreachable!() };
            *last = last.wrapping_add(add);
            assert_ne!(mark(&other), Some(Mark::Roca), "{add}");
        }
    }

    #[test]
    fn each_small_factor_is_found() {
        assert_eq!(PRIMES.last(), Some(&751));
        assert_eq!(PRIMES[MARKED - 1], 167);
        for prime in PRIMES {
            // prime · (2^2040 + 2^1000 + 1), whose other factors do not matter.
            let mut number = vec![0; 260];
            for at in [4, 134, 259] {
                number[at - 1] = (prime >> 8) as u8;
                number[at] |= prime as u8;
            }
            assert_eq!(mark(&number), Some(Mark::SmallFactor), "{prime}");
        }
        // 2^2203 − 1 is prime.
        let mut mersenne = vec![0xFF; 276];
        mersenne[0] = 0x07;
        assert_eq!(mark(&mersenne), None);
    }
}
