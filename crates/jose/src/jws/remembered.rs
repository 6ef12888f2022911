//! Protected headers that were verified before. Issuers send the same one with every token, so what
//! it decides is looked up by its exact text instead of being decoded and parsed again.

use std::{fmt, sync::OnceLock};

use crate::jws::rules::{Decision, Fit};

/// A header longer than that, one with a certificate chain for example, is not remembered.
const MAX_BYTES: usize = 1024;
const SLOTS: usize = 8;

/// What one header decided. It is the same for every token that has it, since a verifier never
/// changes.
struct Seen {
    /// The base64url text.
    encoded: Box<str>,
    header: Box<str>,
    kid: Option<Box<str>>,
    typ: Option<Box<str>>,
    unencoded: bool,
    /// The index of the one key that it means.
    key: usize,
    /// How many characters the signature over it had: one of the same key has as many.
    signature_len: usize,
}

/// The first few headers. A slot is filled once, after a signature over that header was valid, so a
/// stranger can neither fill nor change one.
pub(super) struct Remembered([OnceLock<Seen>; SLOTS]);

impl Remembered {
    pub(super) fn new() -> Self {
        Self([const { OnceLock::new() }; SLOTS])
    }

    fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.0.iter().map_while(OnceLock::get)
    }

    /// The decision about the header that a compact JWS begins with, where that ends, and how many
    /// characters its signature probably has.
    #[inline]
    pub(super) fn find_compact(&self, jws: &str) -> Option<(usize, usize, Decision<'_>)> {
        let jws = jws.as_bytes();
        self.seen().find_map(|seen| {
            let dot = seen.encoded.len();
            let fits = jws.get(dot) == Some(&b'.') && jws[..dot] == *seen.encoded.as_bytes();
            fits.then(|| (dot, seen.signature_len, seen.decision()))
        })
    }

    /// The decision about a header by its base64url text.
    pub(super) fn find(&self, encoded: &str) -> Option<Decision<'_>> {
        self.seen().find(|seen| *seen.encoded == *encoded).map(Seen::decision)
    }

    /// Keeps a decision by which a signature was just found valid, if there is room and it is not
    /// there yet.
    pub(super) fn add(&self, encoded: &str, signature_len: usize, decision: &Decision<'_>) {
        // Slots are filled in their order.
        if self.0.last().is_some_and(|slot| slot.get().is_some()) {
            return;
        }
        let Fit::One(key) = decision.fit else {
            return;
        };
        if encoded.is_empty() || encoded.len() + decision.header.len() > MAX_BYTES {
            return;
        }
        let owned = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(Box::from);
        for slot in &self.0 {
            if let Some(seen) = slot.get() {
                if *seen.encoded == *encoded {
                    return;
                }
                continue;
            }
            let seen = Seen {
                encoded: encoded.into(),
                header: decision.header.into(),
                kid: owned(&decision.kid),
                typ: owned(&decision.typ),
                unencoded: decision.unencoded,
                key,
                signature_len,
            };
            // If another thread was faster, the next slot is tried, unless it kept the same header.
            if slot.set(seen).is_ok() {
                return;
            }
            if slot.get().is_some_and(|seen| *seen.encoded == *encoded) {
                return;
            }
        }
    }
}

impl Seen {
    fn decision(&self) -> Decision<'_> {
        Decision {
            header: &self.header,
            kid: self.kid.as_deref().map(Into::into),
            typ: self.typ.as_deref().map(Into::into),
            unencoded: self.unencoded,
            fit: Fit::One(self.key),
        }
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").field("headers", &self.seen().count()).finish()
    }
}
