//! Random identifiers from the operating system's generator (through aws-lc).

use base64_simd::URL_SAFE_NO_PAD;

/// `N` random bytes, fit for keys and tokens.
///
/// # Panics
///
/// If the operating system has no randomness to give: there is nothing safe to go on with.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    aws_lc_rs::rand::fill(&mut out).expect("the operating system gives random bytes");
    out
}

/// `prefix` and 128 random bits in base64url: an identifier that nobody can guess, such as `op_…`.
///
/// # Examples
///
/// ```
/// let id = sealwright_service::random::id("op_");
/// assert_eq!((id.len(), &id[..3]), (25, "op_"));
/// ```
pub fn id(prefix: &str) -> String {
    let mut id = String::from(prefix);
    URL_SAFE_NO_PAD.encode_append(bytes::<16>(), &mut id);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ() {
        assert_ne!(id(""), id(""));
        assert_ne!(bytes::<8>(), bytes::<8>());
    }
}
