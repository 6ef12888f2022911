//! The members of a JWK that are read here; the others mean nothing to us.

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

    #[inline]
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"kty" => Self::Kty,
            b"keys" => Self::Keys,
            b"crv" => Self::Crv,
            b"alg" => Self::Alg,
            b"kid" => Self::Kid,
            b"use" => Self::Use,
            b"key_ops" => Self::KeyOps,
            b"x" => Self::X,
            b"y" => Self::Y,
            b"n" => Self::N,
            b"e" => Self::E,
            b"d" => Self::D,
            b"p" => Self::P,
            b"q" => Self::Q,
            b"dp" => Self::Dp,
            b"dq" => Self::Dq,
            b"qi" => Self::Qi,
            b"oth" => Self::Oth,
            b"k" => Self::K,
            b"priv" => Self::Priv,
            b"pub" => Self::Pub,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_by_its_name_and_by_no_other() {
        let names = "kty keys crv alg kid use key_ops x y n e d p q dp dq qi oth k priv pub";
        let found: Vec<_> = names.split(' ').map(|name| Member::of(name.as_bytes()).unwrap()).collect();
        assert_eq!(found.len(), Member::COUNT);
        for (at, (member, name)) in found.iter().zip(names.split(' ')).enumerate() {
            assert_eq!((*member as usize, member.name()), (at, name));
        }
        for other in ["", "K", "kt", "ktyy", "key-ops", "x5c", "enc"] {
            assert_eq!(Member::of(other.as_bytes()), None, "{other}");
        }
    }
}
