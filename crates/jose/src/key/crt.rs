//! The numbers of an RSA private key that its format left out: OpenSSH keeps no exponents modulo
//! the primes, and a JWK may have nothing but `d` (RFC 7518 §6.3.2).
//!
//! Secret numbers are only put through operations that take constant time. What shows is how long
//! they are, and how often a base had to be tried.

use crypto_bigint::{
    BoxedUint, ConcatenatingMul, Gcd, NonZero, Odd, Resize,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use zeroize::Zeroizing;

use crate::{
    KeyError,
    key::material::{PublicMaterial, RsaPrivate},
};

type Secret = Zeroizing<BoxedUint>;

const UNFIT: KeyError = KeyError::Invalid("the private numbers do not fit each other or the public ones");

/// With each base, a key whose d fits fails to show its factors at most every second time.
const BASES: u32 = 32;

/// The whole key of n, e and d (SP 800-56B revision 2, appendix C.1). It fails for a d that is not
/// the inverse of e.
///
/// It takes an exponentiation modulo n for each base that is tried: for most keys one or two.
pub(crate) fn from_exponent(n: &[u8], e: &[u8], d: &[u8]) -> Result<RsaPrivate, KeyError> {
    // The rules for the size of n and e, before any long arithmetic.
    PublicMaterial::check_rsa(n, e)?;
    let modulus = number(n)?;
    let precision = modulus.bits_precision();
    let secret_d = smaller_than(d, &modulus)?;
    // k = d·e − 1 is a multiple of the order of every number modulo n.
    let k = Zeroizing::new(secret_d.concatenating_mul(number(e)?));
    let k = Zeroizing::new(k.wrapping_sub(BoxedUint::one_with_precision(k.bits_precision())));
    if k.is_zero().into() {
        return Err(UNFIT);
    }
    let twos = k.trailing_zeros();
    let odd_part = Zeroizing::new(k.shr(twos));
    let odd_modulus: Odd<BoxedUint> = Option::from(modulus.to_odd()).ok_or(UNFIT)?;
    let params = BoxedMontyParams::new(odd_modulus.clone());
    let one = BoxedUint::one_with_precision(precision);
    let minus_one = modulus.wrapping_sub(&one);
    for base in 2..2 + BASES {
        let base = BoxedMontyForm::new(BoxedUint::from(base).resize(precision), &params);
        let mut power = Zeroizing::new(base.pow(&odd_part));
        let mut root = Zeroizing::new(power.retrieve());
        for _ in 0..twos {
            if *root == one || *root == minus_one {
                break;
            }
            power = Zeroizing::new(power.square());
            let square = Zeroizing::new(power.retrieve());
            if *square == one {
                // A root of 1 that is neither 1 nor −1: it is 1 modulo one of the primes only.
                let p = Zeroizing::new(odd_modulus.gcd(&root.wrapping_sub(&one)).get());
                return from_prime(n, e, d, &modulus, &p);
            }
            root = square;
        }
        if *root != one && *root != minus_one {
            return Err(UNFIT);
        }
    }
    Err(UNFIT)
}

/// The whole key of n, e, d and one of the primes.
pub(crate) fn from_factor(n: &[u8], e: &[u8], d: &[u8], p: &[u8]) -> Result<RsaPrivate, KeyError> {
    PublicMaterial::check_rsa(n, e)?;
    let modulus = number(n)?;
    let p = smaller_than(p, &modulus)?;
    from_prime(n, e, d, &modulus, &p)
}

fn from_prime(
    n: &[u8],
    e: &[u8],
    d: &[u8],
    modulus: &BoxedUint,
    p: &BoxedUint,
) -> Result<RsaPrivate, KeyError> {
    let divisor: NonZero<BoxedUint> = Option::from(p.to_nz()).ok_or(UNFIT)?;
    let (quotient, remainder) = modulus.div_rem(&divisor);
    let (quotient, divisor) = (Zeroizing::new(quotient), Zeroizing::new(divisor.get()));
    if !bool::from(remainder.is_zero()) {
        return Err(UNFIT);
    }
    // As most do, the larger one first: so that q is already below p when it is inverted.
    let (p, q) = if *divisor > *quotient { (divisor, quotient) } else { (quotient, divisor) };
    let precision = p.bits();
    if precision < 2 || q.bits() < 2 {
        return Err(UNFIT);
    }
    let half = |number: &BoxedUint| Zeroizing::new(number.resize(precision));
    let (p, q) = (half(&p), half(&q));
    let secret_d = smaller_than(d, modulus)?;
    let reduced = |prime: &BoxedUint| -> Result<Secret, KeyError> {
        let one = BoxedUint::one_with_precision(prime.bits_precision());
        let order: NonZero<BoxedUint> = Option::from(prime.wrapping_sub(one).to_nz()).ok_or(UNFIT)?;
        let rest = Zeroizing::new(secret_d.rem(&order));
        drop(Zeroizing::new(order.get()));
        Ok(rest)
    };
    let odd_p: Odd<BoxedUint> = Option::from(p.to_odd()).ok_or(UNFIT)?;
    let inverse: Option<BoxedUint> = q.invert_odd_mod(&odd_p).into();
    drop(Zeroizing::new(odd_p.get()));
    let inverse = Zeroizing::new(inverse.ok_or(UNFIT)?);
    Ok(RsaPrivate {
        n: n.into(),
        e: e.into(),
        d: bytes(&secret_d),
        p: bytes(&p),
        q: bytes(&q),
        dp: bytes(&*reduced(&p)?),
        dq: bytes(&*reduced(&q)?),
        qi: bytes(&inverse),
    })
}

/// Whether p and q differ so little that the modulus is easily factored: by no more than 2 to the
/// power of half its bits less 100 (FIPS 186-5 A.1.3).
pub(crate) fn primes_are_close(n: &[u8], p: &[u8], q: &[u8]) -> bool {
    let precision = (n.len() * 8) as u32;
    let read = |bytes| BoxedUint::from_be_slice_truncated(bytes, precision);
    let (p, q) = (Zeroizing::new(read(p)), Zeroizing::new(read(q)));
    let (difference, borrow) = p.underflowing_sub(&*q);
    let difference = if borrow.into() { q.wrapping_sub(&*p) } else { difference };
    Zeroizing::new(difference).bits() <= (precision / 2).saturating_sub(100)
}

fn number(bytes: &[u8]) -> Result<BoxedUint, KeyError> {
    BoxedUint::from_be_slice(bytes, (bytes.len() * 8) as u32).map_err(|_| UNFIT)
}

fn smaller_than(bytes: &[u8], limit: &BoxedUint) -> Result<Secret, KeyError> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let secret = BoxedUint::from_be_slice(&bytes[zeros..], limit.bits_precision()).map_err(|_| UNFIT)?;
    let secret = Zeroizing::new(secret);
    if *secret < *limit { Ok(secret) } else { Err(UNFIT) }
}

fn bytes(secret: &BoxedUint) -> Zeroizing<Vec<u8>> {
    let whole = Zeroizing::new(secret.to_be_bytes());
    let zeros = whole.iter().take_while(|byte| **byte == 0).count();
    Zeroizing::new(whole[zeros..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::pem;

    /// An RSA key of 2048 bits with all its numbers.
    fn known() -> RsaPrivate {
        let text = include_str!("../../tests/it/vectors/openssl/rsa1.pem");
        match pem::parse(text).and_then(|block| block.private(None)) {
            Ok(crate::key::material::PrivateMaterial::Rsa(key)) => key,
            _ => unreachable!("the file is an RSA private key"),
        }
    }

    fn assert_same(key: &RsaPrivate, other: &RsaPrivate) {
        for (a, b) in [
            (&key.d, &other.d),
            (&key.p, &other.p),
            (&key.q, &other.q),
            (&key.dp, &other.dp),
            (&key.dq, &other.dq),
            (&key.qi, &other.qi),
        ] {
            assert_eq!(a, b);
        }
    }

    #[test]
    fn the_numbers_that_were_left_out_are_found() {
        let key = known();
        assert_same(&from_exponent(&key.n, &key.e, &key.d).unwrap(), &key);
        assert_same(&from_factor(&key.n, &key.e, &key.d, &key.p).unwrap(), &key);
        assert_same(&from_factor(&key.n, &key.e, &key.d, &key.q).unwrap(), &key);
    }

    #[test]
    fn numbers_that_do_not_belong_together_are_refused() {
        let key = known();
        let add = |number: &[u8], add: u8| {
            let mut number = number.to_vec();
            if let Some(last) = number.last_mut() {
                *last = last.wrapping_add(add);
            }
            number
        };
        for bad in [&add(&key.d, 2)[..], &[], &[0], &[1], &key.n, &[&[1], &key.n[..]].concat()] {
            assert!(from_exponent(&key.n, &key.e, bad).is_err());
        }
        assert!(from_exponent(&key.n, &[3], &key.d).is_err());
        assert!(from_exponent(&add(&key.n, 2), &key.e, &key.d).is_err());
        // With e = d = 1 every modulus would fit.
        assert!(from_exponent(&key.n, &[1], &[1]).is_err());
        for bad in [&add(&key.p, 2)[..], &[], &[0], &[1], &key.n] {
            assert!(from_factor(&key.n, &key.e, &key.d, bad).is_err());
        }
    }

    #[test]
    fn primes_that_are_close_are_seen() {
        let key = known();
        assert!(!primes_are_close(&key.n, &key.p, &key.q));
        assert!(primes_are_close(&key.n, &key.p, &key.p));
        let mut near = key.p.to_vec();
        near[20] ^= 1;
        assert!(primes_are_close(&key.n, &key.p, &near));
        assert!(primes_are_close(&key.n, &near, &key.p));
        let mut far = key.p.to_vec();
        far[10] ^= 1;
        assert!(!primes_are_close(&key.n, &key.p, &far));
    }
}
