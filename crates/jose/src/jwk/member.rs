//! The members of a JWK that are read here; the others mean nothing to us.

use crate::json::short;

/// A member, by its name (RFC 7517 §4 and §5, RFC 7518 §6, RFC 8037 §2, RFC 9964 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    Kty,
    /// What makes an object a set.
    Keys,
    Crv,
    Alg,
    Kid,
    Use,
    KeyOps,
    X,
    Y,
    N,
    E,
    D,
    P,
    Q,
    Dp,
    Dq,
    Qi,
    Oth,
    K,
    Priv,
    Pub,
}

impl Member {
    pub(crate) const COUNT: usize = Self::Pub as usize + 1;

    /// Those whose values must stay secret.
    pub(crate) const PRIVATE: [Self; 9] =
        [Self::D, Self::P, Self::Q, Self::Dp, Self::Dq, Self::Qi, Self::Oth, Self::K, Self::Priv];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kty => "kty",
            Self::Keys => "keys",
            Self::Crv => "crv",
            Self::Alg => "alg",
            Self::Kid => "kid",
            Self::Use => "use",
            Self::KeyOps => "key_ops",
            Self::X => "x",
            Self::Y => "y",
            Self::N => "n",
            Self::E => "e",
            Self::D => "d",
            Self::P => "p",
            Self::Q => "q",
            Self::Dp => "dp",
            Self::Dq => "dq",
            Self::Qi => "qi",
            Self::Oth => "oth",
            Self::K => "k",
            Self::Priv => "priv",
            Self::Pub => "pub",
        }
    }

    /// All of them, in their order.
    const ALL: [Self; Self::COUNT] = [
        Self::Kty,
        Self::Keys,
        Self::Crv,
        Self::Alg,
        Self::Kid,
        Self::Use,
        Self::KeyOps,
        Self::X,
        Self::Y,
        Self::N,
        Self::E,
        Self::D,
        Self::P,
        Self::Q,
        Self::Dp,
        Self::Dq,
        Self::Qi,
        Self::Oth,
        Self::K,
        Self::Priv,
        Self::Pub,
    ];

    /// The member of this name, by [`short`].
    #[inline]
    pub(crate) fn of(name: u64) -> Option<Self> {
        BY_NAME[slot(name)].filter(|(known, _)| *known == name).map(|(_, member)| member)
    }

    /// The bit of a member in a set of them.
    #[inline]
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Those of [`PRIVATE`](Self::PRIVATE).
    pub(crate) const PRIVATE_BITS: u32 = {
        let (mut bits, mut at) = (0, 0);
        while at < Self::PRIVATE.len() {
            bits |= Self::PRIVATE[at].bit();
            at += 1;
        }
        bits
    };
}

const FACTOR: u64 = 0x78E5_1061_7311_D8A3;

/// Where each name stands; the factor was chosen so that no two stand in one place.
static BY_NAME: [Option<(u64, Member)>; 64] = {
    let mut table = [None; 64];
    let mut at = 0;
    while at < Member::COUNT {
        let name = short(Member::ALL[at].name().as_bytes());
        assert!(table[slot(name)].is_none(), "another factor is needed");
        table[slot(name)] = Some((name, Member::ALL[at]));
        at += 1;
    }
    table
};

const fn slot(name: u64) -> usize {
    (name.wrapping_mul(FACTOR) >> 58) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_by_its_name_and_by_no_other() {
        let names = "kty keys crv alg kid use key_ops x y n e d p q dp dq qi oth k priv pub";
        let of = |name: &str| Member::of(short(name.as_bytes()));
        let found: Vec<_> = names.split(' ').map(|name| of(name).unwrap()).collect();
        assert_eq!(found.len(), Member::COUNT);
        for (at, (member, name)) in found.iter().zip(names.split(' ')).enumerate() {
            assert_eq!((*member as usize, member.name(), Member::ALL[at]), (at, name, *member));
        }
        for other in ["", "K", "kt", "ktyy", "key-ops", "x5c", "enc", "kty\0", "\0", "\0kty", "key_ops_"] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}
