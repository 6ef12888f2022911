//! JWK thumbprints (RFC 7638, RFC 8037 §2, RFC 9964 §3) and their URIs (RFC 9278): the digest of the
//! members that make up the key, in one canonical form.

use zeroize::Zeroizing;

use crate::{
    Digest, Hash,
    base64url::{self, encode},
    key::material::PublicMaterial,
};

pub(crate) fn of(key: &PublicMaterial, hash: Hash) -> Digest {
    Digest::of(hash, canonical(key).as_bytes())
}

/// The thumbprint of a symmetric key, which is a digest of its secret.
pub(crate) fn of_secret(secret: &[u8], hash: Hash) -> Digest {
    let mut text = Zeroizing::new(String::with_capacity(32 + base64url::encoded_len(secret.len())));
    text.push_str(r#"{"k":""#);
    base64url::encode_to(secret, &mut text);
    text.push_str(r#"","kty":"oct"}"#);
    Digest::of(hash, text.as_bytes())
}

pub(crate) fn uri(thumbprint: &Digest) -> String {
    // As in the IANA registry of named information hash algorithms.
    let name = match thumbprint.hash() {
        Hash::Sha256 => "sha-256",
        Hash::Sha384 => "sha-384",
        Hash::Sha512 => "sha-512",
    };
    format!("urn:ietf:params:oauth:jwk-thumbprint:{name}:{}", encode(thumbprint.as_bytes()))
}

fn canonical(key: &PublicMaterial) -> String {
    match key {
        PublicMaterial::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
        PublicMaterial::Ec(point) => {
            let (x, y) = point.coordinates();
            let crv = point.curve().name();
            format!(r#"{{"crv":"{crv}","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
        }
        PublicMaterial::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
        #[cfg(feature = "ed448")]
        PublicMaterial::Ed448(x) => format!(r#"{{"crv":"Ed448","kty":"OKP","x":"{}"}}"#, encode(x)),
        PublicMaterial::MlDsa { set, public } => {
            format!(r#"{{"alg":"{}","kty":"AKP","pub":"{}"}}"#, set.alg(), encode(public))
        }
    }
}
