//! How far a string goes on without anything special in it.

/// Many bytes at once, in a loop that the compiler turns into vector instructions.
const BLOCK: usize = 64;

const ONES: u64 = u64::MAX / 0xFF;
const HIGH: u64 = ONES * 0x80;

/// The first quote, backslash or control character.
///
/// Names and claims are short, so eight bytes are looked at as one number; a payload of many
/// megabytes is one string, so what is longer than a block is passed over by blocks.
#[inline]
pub(super) fn special(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    let mut at = 0;
    for word in &words[..words.len().min(BLOCK / 8)] {
        let hits = special_in(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    match bytes.last_chunk() {
        // The last word overlaps the one before, in which nothing was hit.
        Some(word) if bytes.len() < BLOCK => {
            let hits = special_in(u64::from_le_bytes(*word));
            (hits != 0).then(|| bytes.len() - 8 + hits.trailing_zeros() as usize / 8)
        }
        _ => beyond(bytes, (words.len() * 8).min(BLOCK)),
    }
}

#[cold]
fn beyond(bytes: &[u8], start: usize) -> Option<usize> {
    let (blocks, _) = bytes[start..].as_chunks::<BLOCK>();
    let plain =
        blocks.iter().take_while(|block| !block.iter().fold(false, |hit, &byte| hit | is_special(byte)));
    let mut start = start + plain.count() * BLOCK;
    // What is left is less than a block, or the block with the hit.
    for word in bytes[start..].as_chunks().0 {
        let hits = special_in(u64::from_le_bytes(*word));
        if hits != 0 {
            return Some(start + hits.trailing_zeros() as usize / 8);
        }
        start += 8;
    }
    bytes[start..].iter().position(|&byte| is_special(byte)).map(|at| start + at)
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The top bit of the first byte that is special, counted from the lowest. Bits above it mean
/// nothing: the subtractions borrow across bytes, but only from a hit upwards.
#[inline]
pub(super) fn special_in(word: u64) -> u64 {
    // A byte of ASCII less a bound has its top bit set where it is below the bound, and one that was taken
    // out of itself where it is below one.
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound));
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_classified_at_every_place() {
        for len in [1, 7, 8, 9, 63, 64, 65, 127, 128, 129, 200] {
            for plain in [b' ', b'a', 0x7F, 0x80, 0xFF, b'!', b'#', b'[', b']'] {
                let mut text = vec![plain; len];
                assert_eq!(special(&text), None);
                for at in 0..len {
                    for byte in 0..=255 {
                        text[at] = byte;
                        assert_eq!(special(&text), is_special(byte).then_some(at), "{byte} at {at} of {len}");
                    }
                    text[at] = plain;
                }
            }
        }
    }

    #[test]
    fn the_first_of_several_counts() {
        let mut text = vec![b'!'; 150];
        for at in (0..150).rev() {
            text[at] = [b'"', b'\\', 0, 0x1F][at % 4];
            assert_eq!(special(&text), Some(at));
        }
    }
}
