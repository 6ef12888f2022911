//! JWK thumbprints (RFC 7638, RFC 8037 §2, RFC 9964 §3): the SHA-256 of the members that make up the key, in one
//! canonical form.

use crate::{Digest, Hash, base64url::encode, key::material::PublicMaterial};

pub(crate) fn sha256(key: &PublicMaterial) -> [u8; 32] {
    let canonical = match key {
        PublicMaterial::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
        PublicMaterial::Ec(point) => {
            let (x, y) = point.coordinates();
            let crv = point.curve().name();
            format!(r#"{{"crv":"{crv}","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
        }
        PublicMaterial::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
        PublicMaterial::MlDsa { set, public } => {
            format!(r#"{{"alg":"{}","kty":"AKP","pub":"{}"}}"#, set.alg(), encode(public))
        }
    };
    let mut thumbprint = [0; 32];
    thumbprint.copy_from_slice(Digest::of(Hash::Sha256, canonical.as_bytes()).as_bytes());
    thumbprint
}
