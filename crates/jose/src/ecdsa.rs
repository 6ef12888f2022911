//! The two forms of an ECDSA signature: r‖s of fixed width in JWS (RFC 7518 §3.4), DER in X.509 and
//! in most key devices.

use der::{Decode, Encode, Sequence, asn1::UintRef};

use crate::{Alg, SignError, key::kind::Curve};

#[derive(Sequence)]
struct Signature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// The DER form of r‖s, for any curve of this library: the length tells.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, ecdsa};
///
/// let signature = SigningKey::generate(Alg::Es512)?.sign(b"message")?;
/// let der = ecdsa::fixed_to_der(&signature)?;
/// assert_eq!(ecdsa::der_to_fixed(Alg::Es512, &der)?, signature);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`SignError::EcdsaEncoding`] for an odd or impossible length, or where r or s is zero.
pub fn fixed_to_der(fixed: &[u8]) -> Result<Vec<u8>, SignError> {
    if !Curve::ALL.iter().any(|curve| fixed.len() == 2 * curve.len()) {
        return Err(SignError::EcdsaEncoding);
    }
    let (r, s) = fixed.split_at(fixed.len() / 2);
    if [r, s].iter().any(|number| number.iter().all(|byte| *byte == 0)) {
        return Err(SignError::EcdsaEncoding);
    }
    let signature = UintRef::new(r).and_then(|r| Signature { r, s: UintRef::new(s)? }.to_der());
    signature.map_err(|_| SignError::EcdsaEncoding)
}

/// r‖s of a DER signature, each padded on the left to the width that `alg` has.
///
/// ```
/// use sealwright_jose::{Alg, SignError, ecdsa};
///
/// // SEQUENCE { INTEGER 1, INTEGER 2 }
/// let fixed = ecdsa::der_to_fixed(Alg::Es256, &[0x30, 6, 2, 1, 1, 2, 1, 2])?;
/// assert_eq!((fixed.len(), fixed[31], fixed[63]), (64, 1, 2));
/// // A second zero in front is not DER, and zero is no r.
/// let broken = [&[0x30, 8, 2, 3, 0, 0, 1, 2, 1, 2][..], &[0x30, 6, 2, 1, 0, 2, 1, 2]];
/// assert!(broken.iter().all(|der| ecdsa::der_to_fixed(Alg::Es256, der) == Err(SignError::EcdsaEncoding)));
/// # Ok::<(), SignError>(())
/// ```
///
/// # Errors
///
/// [`SignError::EcdsaEncoding`] if it is not strict DER, r or s is zero or too long, or `alg` is not
/// ECDSA.
pub fn der_to_fixed(alg: Alg, der: &[u8]) -> Result<Vec<u8>, SignError> {
    let curve = Curve::from_alg(alg).ok_or(SignError::EcdsaEncoding)?;
    let signature = Signature::from_der(der).map_err(|_| SignError::EcdsaEncoding)?;
    let mut fixed = Vec::with_capacity(2 * curve.len());
    for number in [signature.r.as_bytes(), signature.s.as_bytes()] {
        if number == [0] {
            return Err(SignError::EcdsaEncoding);
        }
        let padding = curve.len().checked_sub(number.len()).ok_or(SignError::EcdsaEncoding)?;
        fixed.resize(fixed.len() + padding, 0);
        fixed.extend_from_slice(number);
    }
    Ok(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALGS: [Alg; 4] = [Alg::Es256, Alg::Es384, Alg::Es512, Alg::Es256k];

    #[test]
    fn both_forms_are_each_other() {
        for alg in ALGS {
            let len = alg.signature_len().unwrap();
            let mut short = vec![0; len];
            (short[len / 2 - 1], short[len / 2 + 8]) = (0xFF, 0x7F);
            for fixed in [vec![0x80; len], vec![0x01; len], short] {
                let der = fixed_to_der(&fixed).unwrap();
                assert_eq!(der_to_fixed(alg, &der).unwrap(), fixed);
                for bent in [&der[..der.len() - 1], &[&der[..], &[0]].concat(), &fixed] {
                    assert_eq!(der_to_fixed(alg, bent), Err(SignError::EcdsaEncoding));
                }
            }
        }
    }

    #[test]
    fn a_number_too_long_for_the_curve_is_refused() {
        let der = fixed_to_der(&[0x01; 132]).unwrap();
        for alg in [Alg::Es256, Alg::Es384, Alg::Es256k, Alg::Ed25519, Alg::Rs256, Alg::Hs256] {
            assert_eq!(der_to_fixed(alg, &der), Err(SignError::EcdsaEncoding), "{alg}");
        }
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let long_form = |der: &[u8]| [&[0x30, 0x81], &der[1..]].concat();
        let short = fixed_to_der(&[0x01; 64]).unwrap();
        assert!(der_to_fixed(Alg::Es256, &short).is_ok());
        for der in [
            &[][..],
            &[0x30, 0x00],
            &[0x30, 0x03, 0x02, 0x01, 0x01],
            // Negative, with a needless zero, zero itself, three numbers.
            &[0x30, 0x06, 0x02, 0x01, 0x80, 0x02, 0x01, 0x01],
            &[0x30, 0x07, 0x02, 0x02, 0x00, 0x01, 0x02, 0x01, 0x01],
            &[0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x01],
            &[0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x00],
            &[0x30, 0x09, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01],
            // A number without bytes, one that is no INTEGER, a SET, a length that does not end.
            &[0x30, 0x05, 0x02, 0x00, 0x02, 0x01, 0x01],
            &[0x30, 0x06, 0x04, 0x01, 0x01, 0x02, 0x01, 0x01],
            &[0x31, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01],
            &[0x30, 0x80, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00, 0x00],
            // BER allows a length in more bytes than it needs.
            &long_form(&short),
        ] {
            assert_eq!(der_to_fixed(Alg::Es256, der), Err(SignError::EcdsaEncoding), "{der:?}");
        }
        assert_eq!(fixed_to_der(&[0; 64]), Err(SignError::EcdsaEncoding));
        assert_eq!(fixed_to_der(&[&[1; 32][..], &[0; 32]].concat()), Err(SignError::EcdsaEncoding));
        for len in [0, 1, 63, 65, 80, 95, 97, 128, 130, 131, 133] {
            assert_eq!(fixed_to_der(&vec![1; len]), Err(SignError::EcdsaEncoding), "{len}");
        }
    }
}
