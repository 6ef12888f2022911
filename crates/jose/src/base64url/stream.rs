//! Base64url of data that comes in pieces.

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

/// Encodes pieces as if they were one, in constant memory.
#[derive(Clone, Default)]
pub(crate) struct StreamEncoder {
    /// What is left of the pieces so far: too little for a group of four characters.
    rest: [u8; 3],
    len: usize,
}

/// How much is encoded at once: little enough for the fastest cache, enough for vector code.
const BLOCK: usize = 6 * 1024;

impl StreamEncoder {
    /// Adds a piece, and hands on the text of all groups that are full.
    pub(crate) fn update(&mut self, mut piece: &[u8], mut take: impl FnMut(&[u8])) {
        if self.len > 0 {
            let missing = (3 - self.len).min(piece.len());
            let (start, more) = piece.split_at(missing);
            self.rest[self.len..self.len + missing].copy_from_slice(start);
            self.len += missing;
            piece = more;
            if self.len < 3 {
                return;
            }
            take(URL_SAFE_NO_PAD.encode(&self.rest, [0; 4].as_mut_slice().as_out()));
            self.len = 0;
        }
        let mut text = [0; BLOCK / 3 * 4];
        let (groups, rest) = piece.split_at(piece.len() - piece.len() % 3);
        for block in groups.chunks(BLOCK) {
            take(URL_SAFE_NO_PAD.encode(block, text.as_mut_slice().as_out()));
        }
        self.rest[..rest.len()].copy_from_slice(rest);
        self.len = rest.len();
    }

    /// Hands on the text of what is left.
    pub(crate) fn finish(self, mut take: impl FnMut(&[u8])) {
        take(URL_SAFE_NO_PAD.encode(&self.rest[..self.len], [0; 4].as_mut_slice().as_out()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_every_size_give_the_text_of_the_whole() {
        let data: Vec<u8> = (0..2 * BLOCK + 5).map(|n| (n * 7 % 251) as u8).collect();
        for len in [0, 1, 2, 3, 4, 5, 6, 31, BLOCK - 1, BLOCK, BLOCK + 1, data.len()] {
            let data = &data[..len];
            for size in [1, 2, 3, 4, 5, 7, 64, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
                let (mut encoder, mut text) = (StreamEncoder::default(), Vec::new());
                for piece in data.chunks(size) {
                    encoder.update(piece, |part| text.extend_from_slice(part));
                    encoder.update(b"", |part| text.extend_from_slice(part));
                }
                encoder.finish(|part| text.extend_from_slice(part));
                assert_eq!(text, super::super::encode(data).into_bytes(), "{len} in pieces of {size}");
            }
        }
    }
}
