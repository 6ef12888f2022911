//! JWK thumbprints (RFC 7638, RFC 8037 §2): the SHA-256 of the members that make up the key, in one
//! canonical form.

use crate::{base64url::encode, key::material::PublicMaterial, provider};

pub(crate) fn sha256(key: &PublicMaterial) -> [u8; 32] {
    let canonical = match key {
        PublicMaterial::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
        PublicMaterial::P256 { x, y } => {
            format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
        }
        PublicMaterial::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
    };
    provider::sha256(canonical.as_bytes())
}
