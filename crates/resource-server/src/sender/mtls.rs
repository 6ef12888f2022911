//! The client certificate that a token is bound to (RFC 8705 §3).

use sealwright_jose::{Digest, Hash, base64url};
use std::fmt;

/// The SHA-256 of a certificate in DER, as `x5t#S256` names it.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::sender::CertThumbprint;
///
/// let thumbprint = CertThumbprint::of_der(b"the DER of a certificate");
/// let text = thumbprint.to_string();
/// assert_eq!(CertThumbprint::parse(&text), Some(thumbprint));
/// assert_eq!(CertThumbprint::parse(&format!("{text}=")), None, "base64url has no padding here");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CertThumbprint([u8; 32]);

impl CertThumbprint {
    /// The thumbprint of a certificate in DER. Nothing in it is read: whoever made the connection checked it.
    pub fn of_der(der: &[u8]) -> Self {
        let mut thumbprint = [0; 32];
        thumbprint.copy_from_slice(Digest::of(Hash::Sha256, der).as_bytes());
        Self(thumbprint)
    }

    /// The thumbprint that these bytes are.
    pub fn from_bytes(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// Reads canonical base64url without padding; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode_exact(text).ok().map(Self)
    }

    /// The 32 bytes of it.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for CertThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(self.0))
    }
}

impl fmt::Debug for CertThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertThumbprint({self})")
    }
}

/// The certificate that the client proved when its connection was made: an extension of the request.
///
/// Whoever accepts the TLS connection puts it among the request's extensions, since it alone knows. Behind a
/// proxy that terminates TLS it comes in a header of that proxy's: then only what the proxy itself wrote may be
/// believed, and it must remove that header from what clients send.
///
/// # Examples
///
/// ```
/// use sealwright_resource_server::sender::ClientCertificate;
///
/// # let der = b"the end-entity certificate of the connection";
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(ClientCertificate::from_der(der));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCertificate(CertThumbprint);

impl ClientCertificate {
    /// From the certificate in DER: the first of the chain that the client sent.
    pub fn from_der(der: &[u8]) -> Self {
        Self(CertThumbprint::of_der(der))
    }

    /// Where only its thumbprint is known.
    pub fn from_thumbprint(thumbprint: CertThumbprint) -> Self {
        Self(thumbprint)
    }

    /// Its thumbprint.
    pub fn thumbprint(&self) -> CertThumbprint {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_has_one_spelling() {
        let text = CertThumbprint::from_bytes([0xFB; 32]).to_string();
        assert_eq!(CertThumbprint::parse(&text), Some(CertThumbprint::from_bytes([0xFB; 32])));
        let other_alphabet = text.replace('-', "+").replace('_', "/");
        assert_ne!(other_alphabet, text);
        for bad in [
            "",
            &text[1..],
            &format!("{text}A"),
            &format!("{text}="),
            &format!(" {text}"),
            &other_alphabet,
            // The example of RFC 8705 §3.1, whose last character sets a bit that stands for nothing.
            "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2",
            // Hexadecimal, as OpenSSL and some proxies write it.
            &"fb".repeat(32),
        ] {
            assert_eq!(CertThumbprint::parse(bad), None, "{bad}");
        }
    }
}
