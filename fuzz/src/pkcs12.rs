//! PKCS#12: files of anybody, and files whose MAC is right, as those are whose author knows the password.

use sealwright_jose::{Alg, Digest, Hash, MacKey, Pkcs12};

use crate::time::bounded;

const PASSWORD: &str = "fuzz";
/// Made by OpenSSL 3 with one iteration.
const MADE: [&[u8]; 2] = [include_bytes!("../corpus/pkcs12/p256"), include_bytes!("../corpus/pkcs12/plain")];
const CONTENT: &[u8] = include_bytes!("../corpus/pkcs12/plain_content");

/// The bytes as a file, and as the content of one.
pub fn pkcs12(data: &[u8]) {
    bounded(data.len(), || {
        match Pkcs12::read(data, PASSWORD) {
            // The MAC covers the key.
            Ok(opened) => assert!(MADE.iter().any(|made| key_of(made) == key(&opened)), "forged"),
            Err(error) => assert!(!MADE.contains(&data), "{error}"),
        }
        match Pkcs12::read(&with_mac(data), PASSWORD) {
            Ok(opened) => drop(key(&opened)),
            Err(error) => assert_ne!(data, CONTENT, "{error}"),
        }
    });
}

fn key_of(file: &[u8]) -> Option<String> {
    key(&Pkcs12::read(file, PASSWORD).expect("OpenSSL made it"))
}

/// The thumbprint of a key on P-256, which signs.
fn key(opened: &Pkcs12) -> Option<String> {
    let key = opened.signing_key(Alg::Es256).ok()?;
    let signature = key.sign(b"x").expect("what was read signs");
    assert!(key.verifying_key().verify(b"x", &signature).is_ok());
    Some(key.verifying_key().thumbprint_base64url())
}

/// A file with this content (RFC 7292 §4), under a MAC of one iteration by the password.
fn with_mac(content: &[u8]) -> Vec<u8> {
    const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    const SHA256: &[u8] = b"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00";
    const SALT: [u8; 8] = [7; 8];
    let key = MacKey::from_bytes(Alg::Hs256, mac_key(&SALT).as_bytes()).expect("32 bytes");
    let mac = key.sign(content).expect("a MAC of any text");
    let safe = element(0x30, &[DATA, &element(0xa0, &[&element(0x04, &[content])])]);
    let digest = element(0x30, &[SHA256, &element(0x04, &[&mac])]);
    let mac = element(0x30, &[&digest, &element(0x04, &[&SALT])]);
    element(0x30, &[b"\x02\x01\x03", &safe, &mac])
}

/// RFC 7292 appendix B.2 with ID 3 and a single iteration: each part fills blocks of 64 bytes.
fn mac_key(salt: &[u8]) -> Digest {
    let password: Vec<u8> = PASSWORD.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect();
    let mut text = vec![3; 64];
    for part in [salt, &password] {
        text.extend(part.iter().cycle().take(64));
    }
    Digest::of(Hash::Sha256, &text)
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match content.len() {
        len @ 0..0x80 => out.push(len as u8),
        len => {
            let bytes = len.to_be_bytes();
            let bytes = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or_default()..];
            out.push(0x80 | bytes.len() as u8);
            out.extend(bytes);
        }
    }
    out.extend(content);
    out
}
