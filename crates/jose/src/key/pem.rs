//! PEM (RFC 7468), and telling what a text is, so that an error can say what was seen.

use pem_rfc7468::{Decoder, LineEnding};
use zeroize::Zeroizing;

use crate::{
    KeyError,
    key::{
        MAX_KEY_BYTES, der,
        material::{PrivateMaterial, PublicMaterial},
    },
};

const WANTED_PUBLIC: &str = "a public key (PEM labelled `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`)";
const WANTED_PRIVATE: &str =
    "a private key (PEM labelled `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`)";

/// What a PEM block holds, by its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Spki,
    Pkcs1Public,
    Certificate,
    Pkcs8,
    Pkcs1Private,
    Sec1,
}

impl Container {
    fn seen(self) -> &'static str {
        match self {
            Self::Spki => "a public key (SPKI)",
            Self::Pkcs1Public => "an RSA public key (PKCS#1)",
            Self::Certificate => "an X.509 certificate",
            Self::Pkcs8 => "a private key (PKCS#8)",
            Self::Pkcs1Private => "an RSA private key (PKCS#1)",
            Self::Sec1 => "an EC private key (SEC1)",
        }
    }

    pub(crate) fn is_private(self) -> bool {
        matches!(self, Self::Pkcs8 | Self::Pkcs1Private | Self::Sec1)
    }
}

/// One decoded block.
pub(crate) struct Block {
    pub(crate) container: Container,
    der: Zeroizing<Vec<u8>>,
}

impl Block {
    pub(crate) fn public(&self) -> Result<PublicMaterial, KeyError> {
        match self.container {
            Container::Spki => der::public_from_spki(&self.der),
            Container::Pkcs1Public => der::public_from_pkcs1(&self.der),
            Container::Certificate => der::public_from_certificate(&self.der),
            _ => Err(KeyError::Format { seen: self.container.seen(), wanted: WANTED_PUBLIC }),
        }
    }

    pub(crate) fn private(&self) -> Result<PrivateMaterial, KeyError> {
        match self.container {
            Container::Pkcs8 => der::private_from_pkcs8(&self.der),
            Container::Pkcs1Private => der::private_from_pkcs1(&self.der),
            Container::Sec1 => der::private_from_sec1(&self.der),
            _ => Err(KeyError::Format { seen: self.container.seen(), wanted: WANTED_PRIVATE }),
        }
    }
}

/// Reads a text with exactly one key in it.
///
/// OpenSSL writes the curve in a block of its own before an EC key (`EC PARAMETERS`); that one is
/// passed over, since the key repeats it.
pub(crate) fn parse(text: &str) -> Result<Block, KeyError> {
    if text.len() > MAX_KEY_BYTES {
        return Err(KeyError::TooLarge(MAX_KEY_BYTES));
    }
    let mut text = text.trim();
    if let Some((_, after)) = text.split_once("-----END EC PARAMETERS-----") {
        text = after.trim_start();
    }
    let Some((_, first)) = text.split_once("-----BEGIN ") else {
        return Err(KeyError::Format { seen: describe(text.as_bytes()), wanted: "a key in PEM" });
    };
    let malformed = |problem| KeyError::Malformed { format: "PEM", problem };
    if first.contains("-----BEGIN ") {
        return Err(malformed("there are several blocks, and only one is read"));
    }
    // PKCS#8 says it in the label, older formats in a header that RFC 7468 does not have.
    if first.starts_with("ENCRYPTED PRIVATE KEY") || first.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(KeyError::Format { seen: "an encrypted private key", wanted: "one without password" });
    }
    // Lines are 64 characters wide in RFC 7468 and 76 in MIME; the first one tells.
    let width = first.lines().nth(1).map_or(0, str::len).max(1);
    let mut decoder = Decoder::new_wrapped(text.as_bytes(), width)
        .or_else(|_| Decoder::new(text.as_bytes()))
        .map_err(|_| malformed("no base64 between a BEGIN and an END line"))?;
    let container = match decoder.type_label() {
        "PUBLIC KEY" => Container::Spki,
        "RSA PUBLIC KEY" => Container::Pkcs1Public,
        "CERTIFICATE" => Container::Certificate,
        "PRIVATE KEY" => Container::Pkcs8,
        "RSA PRIVATE KEY" => Container::Pkcs1Private,
        "EC PRIVATE KEY" => Container::Sec1,
        "ENCRYPTED PRIVATE KEY" => {
            return Err(KeyError::Format {
                seen: "an encrypted private key",
                wanted: "one without password",
            });
        }
        "OPENSSH PRIVATE KEY" => {
            return Err(KeyError::Format { seen: "an OpenSSH private key", wanted: "PKCS#8" });
        }
        _ => return Err(KeyError::Unsupported("a PEM block with this label")),
    };
    let mut der = Zeroizing::new(Vec::with_capacity(decoder.remaining_len()));
    decoder.decode_to_end(&mut der).map_err(|_| malformed("not base64"))?;
    Ok(Block { container, der })
}

pub(crate) fn encode(label: &str, der: &[u8]) -> Result<String, KeyError> {
    pem_rfc7468::encode_string(label, LineEnding::LF, der).map_err(|_| KeyError::Backend)
}

/// What these bytes are, as far as their beginning tells.
pub(crate) fn describe(bytes: &[u8]) -> &'static str {
    let text = bytes.trim_ascii_start();
    if text.starts_with(b"{") {
        "JSON"
    } else if contains(text, b"-----BEGIN ") {
        "PEM"
    } else if is_ssh(text) {
        "an SSH public key"
    } else if der::is_key(bytes) {
        "a key in DER"
    } else {
        "an unknown format"
    }
}

/// Whether these bytes are a key in some text form: what nobody means as an HMAC secret.
pub(crate) fn is_key_text(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    contains(text, b"-----BEGIN ") || is_ssh(text) || text.starts_with(b"{") && contains(text, b"\"kty\"")
}

fn is_ssh(text: &[u8]) -> bool {
    [&b"ssh-rsa "[..], b"ssh-ed25519 ", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"]
        .iter()
        .any(|prefix| text.starts_with(prefix))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
