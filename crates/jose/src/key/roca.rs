//! Moduli that give themselves away: those with a small prime factor, and those that bear the mark
//! of ROCA (CVE-2017-15361).
//!
//! Chips with a certain library made primes of the form k·M + (65537ᵃ mod M), where M is the product
//! of the first primes. So modulo each of those the modulus is a power of 65537 as well, which by
//! chance one in 2²⁷ is, and it can be factored (Nemec, Sys, Svenda, Klinec, Matyas: "The Return of
//! Coppersmith's Attack", CCS 2017).
//!
//! A modulus is public, so nothing here needs to take constant time; but a set may hold hundreds.

use super::limbs::{self, inverse};

/// The odd primes up to 751, whose product SP 800-89 §5.3.3 has a modulus checked against, and one more, which makes
/// the groups below equally large.
const PRIMES: [u16; GROUPS * IN_GROUP] = {
    let mut primes = [0; GROUPS * IN_GROUP];
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

impl Divisor {
    const fn new(prime: u16) -> Self {
        Self { inverse: inverse(prime as u64), largest_quotient: u64::MAX / prime as u64 }
    }

    fn divides(self, number: u64) -> bool {
        number.wrapping_mul(self.inverse) <= self.largest_quotient
    }
}

/// The powers of 65537 modulo a prime, one bit for each.
#[derive(Clone, Copy)]
struct Powers {
    prime: u64,
    bits: [u64; 3],
}

impl Powers {
    const fn modulo(prime: u16) -> Self {
        let mut bits = [0; 3];
        let mut power = 1;
        loop {
            bits[power / 64] |= 1 << (power % 64);
            power = power * 65537 % prime as usize;
            if power == 1 {
                return Self { prime: prime as u64, bits };
            }
        }
    }

    fn has(&self, number: u64) -> bool {
        let rest = (number % self.prime) as usize;
        self.bits[rest / 64] >> (rest % 64) & 1 == 1
    }
}

/// Limbs of 64 bits in the longest modulus.
const LIMBS: usize = 8192 / 64;

/// Primes whose product is below 2⁵⁶, so that the sum of `LIMBS` products of a limb and a weight
/// stays below 2¹²⁷.
struct Group {
    product: u64,
    /// −1/product modulo 2⁶⁴.
    minus_inverse: u64,
    divisors: [Divisor; IN_GROUP],
    /// The smallest keys that the library made (512 bits) have the primes from 3 to 167 in their M, and all larger
    /// ones have those too: two in each group.
    marked: [Powers; MARKED],
    /// 2^(64·(i + 1)) modulo the product: once 2⁶⁴ too much, which [`remainder`](Self::remainder)
    /// takes out again.
    weights: [[u64; 8]; LIMBS / 8],
}

const GROUPS: usize = 19;
const IN_GROUP: usize = 7;
const MARKED: usize = 2;

static TABLE: [Group; GROUPS] = {
    const EMPTY: Group = Group {
        product: 1,
        minus_inverse: 0,
        divisors: [Divisor::new(3); IN_GROUP],
        marked: [Powers::modulo(3); MARKED],
        weights: [[0; 8]; LIMBS / 8],
    };
    let mut table = [EMPTY; GROUPS];
    let mut at = 0;
    while at < GROUPS {
        let group = &mut table[at];
        let mut column = 0;
        while column < IN_GROUP {
            let prime = PRIMES[place(at, column)];
            group.product *= prime as u64;
            group.divisors[column] = Divisor::new(prime);
            if column < MARKED {
                group.marked[column] = Powers::modulo(prime);
            }
            column += 1;
        }
        assert!(group.product < 1 << 56, "the sums have room");
        group.minus_inverse = inverse(group.product).wrapping_neg();
        let (mut limb, mut weight) = (0, (1_u128 << 64) % group.product as u128);
        while limb < LIMBS {
            group.weights[limb / 8][limb % 8] = weight as u64;
            weight = (weight << 64) % group.product as u128;
            limb += 1;
        }
        at += 1;
    }
    table
};

/// Where among the primes a group has its own: one of each size, those of the smallest size in the opposite order, so
/// that all products are about as long.
const fn place(group: usize, column: usize) -> usize {
    if column == 0 { GROUPS - 1 - group } else { column * GROUPS + group }
}

impl Group {
    /// What is the same as the number modulo each of the primes, without a division (P. L. Montgomery:
    /// "Modular Multiplication Without Trial Division", 1985).
    fn remainder(&self, limbs: &[[u64; 8]]) -> u64 {
        // Two sums, since each waits for its own carries.
        let (mut sum, mut other) = (0, 0);
        for (limbs, weights) in limbs.iter().zip(&self.weights) {
            for at in [0, 2, 4, 6] {
                sum += u128::from(limbs[at]) * u128::from(weights[at]);
                other += u128::from(limbs[at + 1]) * u128::from(weights[at + 1]);
            }
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
    let mut limbs = [[0_u64; 8]; LIMBS / 8];
    limbs::fill(limbs.as_flattened_mut(), n);
    let limbs = &limbs[..n.len().div_ceil(64).min(LIMBS / 8)];
    let mut roca = true;
    for group in &TABLE {
        let rest = group.remainder(limbs);
        // Hardly one has a factor, so all are asked and one branch is taken.
        if group.divisors.iter().fold(false, |found, divisor| found | divisor.divides(rest)) {
            return Some(Mark::SmallFactor);
        }
        // Of the moduli without the mark hardly one gets past the first dozen.
        roca = roca && group.marked.iter().all(|powers| powers.has(rest));
    }
    roca.then_some(Mark::Roca)
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
        assert_eq!(PRIMES[PRIMES.len() - 2..], [751, 757]);
        assert_eq!(PRIMES[MARKED * GROUPS - 1], 167);
        let mut places: Vec<_> = (0..PRIMES.len()).map(|at| place(at % GROUPS, at / GROUPS)).collect();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..PRIMES.len()), "each is in one group");
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
