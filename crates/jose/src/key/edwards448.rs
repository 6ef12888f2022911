//! Which 57 bytes may stand for a point of edwards448 (RFC 8032 §5.2.3). Whether there is such a point
//! the provider tells.

/// p = 2⁴⁴⁸ − 2²²⁴ − 1. All numbers here are little-endian, as in the encoding of a point.
const P: [u8; 56] = {
    let mut p = [0xFF; 56];
    p[28] = 0xFE;
    p
};

/// The y coordinates of the four points whose order divides 4: those of order 4, 1 and 2.
const SMALL_ORDER_Y: [[u8; 56]; 3] = [
    [0; 56],
    {
        let mut one = [0; 56];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = P;
        minus_one[0] -= 1;
        minus_one
    },
];

/// Whether nothing but the sign of x stands beside y, and y is below p. A second encoding of a point
/// would give one key two names.
///
/// The points without x, whose sign has no meaning, are of small order.
pub(crate) fn is_canonical(point: &[u8; 57]) -> bool {
    let (y, sign) = point.split_at(56);
    sign[0] & 0x7F == 0 && y.iter().rev().cmp(P.iter().rev()).is_lt()
}

/// Whether the order of this canonical point divides 4.
pub(crate) fn has_small_order(point: &[u8; 57]) -> bool {
    SMALL_ORDER_Y.iter().any(|y| point[..56] == y[..])
}
