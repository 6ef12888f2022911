//! SHA-256 of documents: computed, and as requests state it.

use aws_lc_rs::digest;
use http::HeaderMap;

/// The name of the algorithm in JSON bodies.
pub(crate) const SHA_256: &str = "SHA-256";

/// SHA-256 in one go.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    to_array(digest::digest(&digest::SHA256, bytes))
}

/// SHA-256 of what is still arriving.
pub(super) struct Sha256(digest::Context);

impl Sha256 {
    pub(super) fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> [u8; 32] {
        to_array(self.0.finish())
    }
}

fn to_array(digest: digest::Digest) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

/// The member `sha-256` of `Content-Digest` (RFC 9530 §2), a dictionary such as `sha-256=:base64:`. Other
/// algorithms beside it are passed over.
///
/// `Err` if the header is there and has no readable SHA-256.
pub(super) fn content_digest(headers: &HeaderMap) -> Result<Option<[u8; 32]>, &'static str> {
    let mut found = None;
    let mut present = false;
    for value in headers.get_all("content-digest") {
        present = true;
        let value = value.to_str().map_err(|_| "Content-Digest is not ASCII")?;
        for member in value.split(',') {
            let Some(encoded) = member.trim().strip_prefix("sha-256=") else {
                continue;
            };
            let encoded = encoded.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
            let digest = encoded.and_then(decode).ok_or("Content-Digest has no readable sha-256")?;
            if found.replace(digest).is_some() {
                return Err("Content-Digest has sha-256 twice");
            }
        }
    }
    if present && found.is_none() { Err("Content-Digest has no sha-256") } else { Ok(found) }
}

/// 32 bytes in base64 with padding.
pub(super) fn decode(text: &str) -> Option<[u8; 32]> {
    base64_simd::STANDARD.decode_to_vec(text).ok()?.try_into().ok()
}

pub(crate) fn encode(digest: &[u8; 32]) -> String {
    base64_simd::STANDARD.encode_to_string(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Option<[u8; 32]>, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert("content-digest", value.parse().unwrap());
        content_digest(&headers)
    }

    #[test]
    fn content_digest_is_a_dictionary() {
        let hello = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
        let expected = Ok(Some(sha256(b"hello")));
        assert_eq!(read(&format!("sha-256=:{hello}:")), expected);
        assert_eq!(read(&format!("sha-512=:AAAA:, sha-256=:{hello}:")), expected);
        assert_eq!(content_digest(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn what_is_not_a_digest_is_refused() {
        let hello = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
        for value in [
            "sha-512=:AAAA:".to_owned(),
            format!("sha-256={hello}"),
            "sha-256=:AAAA:".to_owned(),
            format!("sha-256=:{}:", hello.trim_end_matches('=')),
            format!("sha-256=:{hello}:, sha-256=:{hello}:"),
            String::new(),
        ] {
            assert!(read(&value).is_err(), "{value}");
        }
    }
}
