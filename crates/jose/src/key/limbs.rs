//! Long numbers as limbs of 64 bits, the lowest first: what the checks of moduli and of points have in common.

/// Fills `limbs` with the number of big-endian bytes, of which there are at most eight for each.
#[inline]
pub(super) fn fill(limbs: &mut [u64], bytes: &[u8]) {
    let (first, whole) = bytes.as_rchunks::<8>();
    for (limb, bytes) in limbs.iter_mut().zip(whole.iter().rev()) {
        *limb = u64::from_be_bytes(*bytes);
    }
    if let Some(limb) = limbs.get_mut(whole.len()) {
        *limb = first.iter().fold(0, |limb, byte| limb << 8 | u64::from(*byte));
    }
}

/// 1/odd modulo 2⁶⁴.
pub(super) const fn inverse(odd: u64) -> u64 {
    // Each round doubles the bits that are right, of which there are three at first.
    let mut inverse = odd;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}
