//! The two forms of an ECDSA signature: r‖s of fixed width in JWS (RFC 7518 §3.4), DER in X.509 and
//! in most key devices.

use der::{Decode, Encode, Sequence, asn1::UintRef};

use crate::SignError;

#[derive(Sequence)]
struct Signature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// The DER form of r‖s.
///
/// # Errors
///
/// [`SignError::EcdsaEncoding`] for an odd or impossible length, or where r or s is zero.
pub fn fixed_to_der(fixed: &[u8]) -> Result<Vec<u8>, SignError> {
    if !matches!(fixed.len(), 64 | 96 | 132) {
        return Err(SignError::EcdsaEncoding);
    }
    let (r, s) = fixed.split_at(fixed.len() / 2);
    if [r, s].iter().any(|number| number.iter().all(|byte| *byte == 0)) {
        return Err(SignError::EcdsaEncoding);
    }
    let signature = UintRef::new(r).and_then(|r| Signature { r, s: UintRef::new(s)? }.to_der());
    signature.map_err(|_| SignError::EcdsaEncoding)
}

/// r‖s of a DER signature, each padded to `coordinate_len` bytes (32 for P-256).
///
/// # Errors
///
/// [`SignError::EcdsaEncoding`] if it is not strict DER, or r or s is zero or too long.
pub fn der_to_fixed(der: &[u8], coordinate_len: usize) -> Result<Vec<u8>, SignError> {
    let signature = Signature::from_der(der).map_err(|_| SignError::EcdsaEncoding)?;
    let mut fixed = Vec::with_capacity(2 * coordinate_len);
    for number in [signature.r.as_bytes(), signature.s.as_bytes()] {
        if number == [0] {
            return Err(SignError::EcdsaEncoding);
        }
        let padding = coordinate_len.checked_sub(number.len()).ok_or(SignError::EcdsaEncoding)?;
        fixed.resize(fixed.len() + padding, 0);
        fixed.extend_from_slice(number);
    }
    Ok(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_each_other() {
        for fixed in [[0x80; 64], [0x01; 64], {
            let mut short = [0; 64];
            short[31] = 0xFF;
            short[40] = 0x7F;
            short
        }] {
            let der = fixed_to_der(&fixed).unwrap();
            assert_eq!(der_to_fixed(&der, 32).unwrap(), fixed);
            assert_eq!(der_to_fixed(&der[..der.len() - 1], 32), Err(SignError::EcdsaEncoding));
            assert_eq!(der_to_fixed(&[&der[..], &[0]].concat(), 32), Err(SignError::EcdsaEncoding));
        }
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for der in [
            &[][..],
            &[0x30, 0x00],
            &[0x30, 0x03, 0x02, 0x01, 0x01],
            // Negative, with a needless zero, zero itself, three numbers.
            &[0x30, 0x06, 0x02, 0x01, 0x80, 0x02, 0x01, 0x01],
            &[0x30, 0x07, 0x02, 0x02, 0x00, 0x01, 0x02, 0x01, 0x01],
            &[0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x01],
            &[0x30, 0x09, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01],
        ] {
            assert_eq!(der_to_fixed(der, 32), Err(SignError::EcdsaEncoding), "{der:?}");
        }
        assert_eq!(fixed_to_der(&[0; 64]), Err(SignError::EcdsaEncoding));
        assert_eq!(fixed_to_der(&[1; 63]), Err(SignError::EcdsaEncoding));
        assert_eq!(fixed_to_der(&[]), Err(SignError::EcdsaEncoding));
    }
}
