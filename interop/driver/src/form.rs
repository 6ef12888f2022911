//! The forms in which a signature and its payload can stand: serializations (RFC 7515 §7), detached payloads
//! (appendix F) and unencoded ones (RFC 7797).

use crate::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Compact,
    Flattened,
    General,
    /// `header..signature`.
    Detached,
    /// A JSON object without `payload`.
    DetachedFlattened,
    DetachedGeneral,
    /// The payload stands in the compact form as it is, so that it must be safe in a URL.
    Unencoded,
    UnencodedDetached,
    /// The payload stands in the JSON object as text.
    UnencodedFlattened,
    UnencodedGeneral,
    /// A JSON object without `payload`, which is text outside it.
    UnencodedDetachedFlattened,
    UnencodedDetachedGeneral,
}

impl Form {
    pub(crate) const ALL: [Self; 12] = [
        Self::Compact,
        Self::Flattened,
        Self::General,
        Self::Detached,
        Self::DetachedFlattened,
        Self::DetachedGeneral,
        Self::Unencoded,
        Self::UnencodedDetached,
        Self::UnencodedFlattened,
        Self::UnencodedGeneral,
        Self::UnencodedDetachedFlattened,
        Self::UnencodedDetachedGeneral,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Flattened => "flattened",
            Self::General => "general",
            Self::Detached => "detached",
            Self::DetachedFlattened => "detached-flattened",
            Self::DetachedGeneral => "detached-general",
            Self::Unencoded => "unencoded",
            Self::UnencodedDetached => "unencoded-detached",
            Self::UnencodedFlattened => "unencoded-flattened",
            Self::UnencodedGeneral => "unencoded-general",
            Self::UnencodedDetachedFlattened => "unencoded-detached-flattened",
            Self::UnencodedDetachedGeneral => "unencoded-detached-general",
        }
    }

    pub(crate) const fn is_detached(self) -> bool {
        matches!(
            self,
            Self::Detached
                | Self::DetachedFlattened
                | Self::DetachedGeneral
                | Self::UnencodedDetached
                | Self::UnencodedDetachedFlattened
                | Self::UnencodedDetachedGeneral
        )
    }

    pub(crate) const fn is_unencoded(self) -> bool {
        matches!(
            self,
            Self::Unencoded
                | Self::UnencodedDetached
                | Self::UnencodedFlattened
                | Self::UnencodedGeneral
                | Self::UnencodedDetachedFlattened
                | Self::UnencodedDetachedGeneral
        )
    }

    pub(crate) const fn is_general(self) -> bool {
        matches!(
            self,
            Self::General | Self::DetachedGeneral | Self::UnencodedGeneral | Self::UnencodedDetachedGeneral
        )
    }

    /// A payload that has never been signed before, of the widest kind that the form can carry.
    pub(crate) fn payload(self, random: &mut Random) -> Vec<u8> {
        match self {
            Self::Unencoded => random.hex(20).into_bytes(),
            // Dots, quotes and letters beyond ASCII: what an encoded payload never shows.
            form if form.is_unencoded() => format!("$.02 \"{}\" ☃", random.hex(20)).into_bytes(),
            _ => {
                let length = 1 + random.below(200);
                random.bytes(length)
            }
        }
    }
}
