//! What is signed where it does not stand in one piece: in JSON, and beside a detached payload.

use crate::{
    VerifyError, VerifyErrorKind, base64url,
    jws::{json::Entry, rules::Rules, scratch::Room},
};

/// Where the payload is.
#[derive(Clone, Copy)]
pub(super) enum Source<'e, 't> {
    /// In the token.
    Attached(&'e str),
    /// With the caller.
    Detached(&'t [u8]),
}

impl Source<'_, '_> {
    /// How much room verifying takes: signing input, headers, payload, signatures.
    pub(super) fn room(self, entries: &[Entry<'_>]) -> usize {
        let gap = entries.iter().map(|entry| entry.protected.len()).max().unwrap_or(0);
        let decoded: usize = entries
            .iter()
            .map(|entry| {
                base64url::decoded_len(entry.protected.len()) + base64url::decoded_len(entry.signature.len())
            })
            .sum();
        gap + 1
            + decoded
            + match self {
                Self::Attached(text) => text.len() + base64url::decoded_len(text.len()),
                Self::Detached(payload) => base64url::encoded_len(payload.len()),
            }
    }
}

/// Protected header, dot, payload. The payload is put there once; the header of each signature goes
/// into the gap before it.
pub(super) struct SignedInput<'t> {
    area: &'t mut [u8],
    gap: usize,
    /// `None` if it is the end of `area`.
    payload: Option<&'t [u8]>,
}

impl<'t> SignedInput<'t> {
    /// What a signature with this protected header signs.
    pub(super) fn with_header(&mut self, protected: &str) -> Result<&[u8], VerifyErrorKind> {
        let start = self.gap.checked_sub(protected.len()).ok_or(VerifyErrorKind::Malformed)?;
        self.area[start..self.gap].copy_from_slice(protected.as_bytes());
        Ok(&self.area[start..])
    }

    pub(super) fn into_payload(self) -> &'t [u8] {
        let area: &'t [u8] = self.area;
        self.payload.unwrap_or(&area[self.gap + 1..])
    }
}

impl Rules {
    /// Where the payload is. It must be in exactly one place.
    pub(super) fn source<'e, 't>(
        &self,
        attached: Option<&'e str>,
        detached: Option<&'t [u8]>,
    ) -> Result<Source<'e, 't>, VerifyErrorKind> {
        match (attached, detached) {
            (Some(text), None) => Ok(Source::Attached(text)),
            (None, Some(payload)) => Ok(Source::Detached(payload)),
            // RFC 7515 appendix F removes the member; some producers leave it empty.
            (Some(""), Some(payload)) if !self.policy().is_strict() => Ok(Source::Detached(payload)),
            _ => Err(VerifyErrorKind::Malformed),
        }
    }

    /// Puts the payload where it can be verified, and decodes it. `gap` is the length of the longest
    /// protected header.
    pub(super) fn input<'t>(
        &self,
        source: Source<'_, 't>,
        gap: usize,
        unencoded: bool,
        room: &mut Room<'t>,
    ) -> Result<SignedInput<'t>, VerifyError> {
        let len = match source {
            Source::Attached(text) => {
                self.check_payload(text, unencoded)?;
                text.len()
            }
            Source::Detached(payload) if unencoded => payload.len(),
            Source::Detached(payload) => base64url::encoded_len(payload.len()),
        };
        let area = room.take(gap + 1 + len)?;
        area[gap] = b'.';
        let end = &mut area[gap + 1..];
        let payload = match source {
            Source::Attached(text) => {
                end.copy_from_slice(text.as_bytes());
                if unencoded { None } else { Some(room.decode(text)?) }
            }
            Source::Detached(payload) => {
                if unencoded {
                    end.copy_from_slice(payload);
                } else {
                    base64url::encode_into(payload, end);
                }
                Some(payload)
            }
        };
        Ok(SignedInput { area, gap, payload })
    }
}
