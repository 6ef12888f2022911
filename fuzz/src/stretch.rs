//! A small piece repeated many times: what costs the square of the size shows here.

use sealwright_jose::{
    Alg, JwkSet, Key, MacKey, VerifyingKey, base64url,
    jws::{Policy, Require, Scratch, Unverified},
    jwt::Claims,
};

use crate::{material, time::bounded};

/// The parsers' own limits lie at or below this, or between this and ten times it.
const MOST_BYTES: usize = 256 * 1024;

/// `head`, many times `unit`, `tail`: the two bytes 0xFF stand between them, or the unit is all.
pub fn stretch(data: &[u8]) {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == 0xFF).collect();
    let (head, unit, tail): (&[u8], &[u8], &[u8]) = match parts[..] {
        [head, unit, tail, ..] => (head, unit, tail),
        [head, unit] => (head, unit, b""),
        _ => (b"", data, b""),
    };
    if unit.is_empty() {
        return;
    }
    let bytes = [head, &unit.repeat(MOST_BYTES / unit.len()), tail].concat();
    bounded(bytes.len(), || {
        let _ = Key::parse_der(&bytes, Alg::Es256);
        let _ = Key::parse_der(&bytes, Alg::Rs256);
        let _ = VerifyingKey::from_certificate_der(Alg::Es256, &bytes);
        let _ = MacKey::from_bytes(Alg::Hs256, &bytes);
        let _ = Claims::parse(&bytes);
        let Ok(text) = str::from_utf8(&bytes) else { return };
        let _ = Key::parse(text, Some(Alg::Es256));
        let _ = JwkSet::parse_any(text, Alg::ALL);
        let _ = base64url::decode(text);
        let _ = Unverified::peek_compact(text);
        let _ = Unverified::peek_flattened(text);
        for policy in [Policy::Strict, Policy::Rfc, Policy::Joserfc] {
            let verifier = material::verifier(policy);
            let mut scratch = Scratch::new();
            let _ = verifier.verify_compact(text, &mut scratch);
            let _ = verifier.verify_detached(text, b"payload", &mut scratch);
            let _ = verifier.verify_json(text, Require::All, &mut scratch);
            let _ = verifier.examine_json(text, &mut scratch);
        }
    });
}
