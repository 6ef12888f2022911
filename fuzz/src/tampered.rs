//! What sign made, changed as the fuzzer likes: verify accepts only what sign made.

use crate::{material, time::bounded, tokens};

/// A genuine token, changed byte by byte.
///
/// The first byte chooses the token, each three after it one change.
pub fn tampered(data: &[u8]) {
    let Some((choice, changes)) = data.split_first() else { return };
    let tokens = &*material::COMPACT;
    let jsons = &*material::JSON;
    let choice = usize::from(*choice) % (tokens.len() + jsons.len());
    let good = tokens.get(choice).unwrap_or_else(|| &jsons[choice - tokens.len()]);
    let Ok(text) = String::from_utf8(change(good.as_bytes(), changes)) else { return };
    bounded(text.len(), || {
        tokens::verify_compact(&text);
        tokens::verify_json(&text);
    });
}

/// Each three bytes are an operation with its place in the upper bits, the rest of the place, and a
/// value.
fn change(good: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for change in changes.chunks_exact(3).take(32) {
        let at = (usize::from(change[0] >> 3) << 8 | usize::from(change[1])) % (bytes.len() + 1);
        let value = change[2];
        match change[0] & 7 {
            0 if at < bytes.len() => bytes[at] ^= value,
            1 if at < bytes.len() => bytes[at] = value,
            2 => bytes.insert(at, value),
            3 if at < bytes.len() => {
                bytes.remove(at);
            }
            4 => bytes.truncate(at),
            // A stretch of the token a second time, at another place.
            5 => {
                let end = (at + usize::from(value)).min(bytes.len());
                let stretch = bytes[at..end].to_vec();
                bytes.extend(stretch);
            }
            // The part between two dots, or quotes, from another token.
            6 => splice(&mut bytes, at, value),
            7 if at < bytes.len() => {
                let other = (at + usize::from(value)) % bytes.len();
                bytes.swap(at, other);
            }
            _ => {}
        }
    }
    bytes
}

fn splice(bytes: &mut Vec<u8>, at: usize, value: u8) {
    let is_edge = |byte: &u8| matches!(byte, b'.' | b'"');
    let start = bytes[..at].iter().rposition(is_edge).map_or(0, |edge| edge + 1);
    let end = bytes[at..].iter().position(is_edge).map_or(bytes.len(), |edge| at + edge);
    let parts: Vec<&str> = material::COMPACT.iter().flat_map(|token| token.split('.')).collect();
    bytes.splice(start..end, parts[usize::from(value) % parts.len()].bytes());
}
