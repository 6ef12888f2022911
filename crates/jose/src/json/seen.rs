//! No name stands in an object twice.

use std::{borrow::Cow, collections::HashSet};

use super::{JsonError, Name, Str, scan::Scanner};

/// The names seen in one object.
///
/// A header or a claims set has few, so those stand in a table without allocating, and a mark of 64
/// bits tells most of them apart without looking at them again; an object of thousands goes to a
/// hash set with a secret seed, so that it does not cost the square of its size.
pub(super) struct Seen<'a> {
    /// One bit for each mark seen, by six bits of its hash: a name whose bit is not set is new.
    filter: u64,
    len: usize,
    marks: [u64; FEW],
    /// Where in the text they begin: a table of the names themselves took 100 instructions to clear for
    /// each object, and few are ever looked at again.
    starts: [usize; FEW],
    many: Option<HashSet<Cow<'a, str>>>,
}

const FEW: usize = 16;

impl<'a> Seen<'a> {
    #[inline]
    pub(super) fn new() -> Self {
        Self { filter: 0, len: 0, marks: [0; FEW], starts: [0; FEW], many: None }
    }

    /// Adds a name, of the same text as the others.
    #[inline(always)]
    pub(super) fn add(&mut self, name: Name<'a>) -> Result<(), JsonError> {
        let mark = if name.short() == 0 { mark_of_long(*name) } else { name.short() };
        // The top bits of a product depend on all bits of its factors.
        let bit = 1 << (mark.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58);
        if self.filter & bit != 0 && self.is_among_few(*name, mark) {
            return Err(JsonError::DuplicateName);
        }
        self.filter |= bit;
        if self.len == FEW {
            return self.add_to_many(*name);
        }
        self.marks[self.len] = mark;
        self.starts[self.len] = name.start;
        self.len += 1;
        Ok(())
    }

    fn is_among_few(&self, name: Str<'_>, mark: u64) -> bool {
        let mut few = self.marks.iter().zip(&self.starts).take(self.len);
        few.any(|(known, start)| {
            *known == mark && Scanner::string_at(name.text, *start).is_ok_and(|seen| seen.same(name))
        })
    }

    #[cold]
    fn add_to_many(&mut self, name: Str<'a>) -> Result<(), JsonError> {
        let many = self.many.get_or_insert_default();
        if many.insert(name.decoded()) { Ok(()) } else { Err(JsonError::DuplicateName) }
    }
}

/// The same for the same name, and for most others not: their number, their first eight and their last eight bytes.
fn mark_of_long(name: Str<'_>) -> u64 {
    let bytes = &*name.bytes();
    let word = |chunk: Option<&[u8; 8]>| chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk));
    let (first, last) = (word(bytes.first_chunk()), word(bytes.last_chunk()));
    first ^ last.rotate_left(29) ^ (bytes.len() as u64).wrapping_mul(0xFF51_AFD7_ED55_8CCD)
}
