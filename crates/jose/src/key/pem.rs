//! PEM (RFC 7468), and telling what a text is, so that an error can say what was seen.

use pem_rfc7468::{Decoder, LineEnding};
use zeroize::Zeroizing;

use crate::{
    KeyError,
    key::{
        MAX_KEY_BYTES,
        container::{Block, Container},
    },
};

/// Reads a text that holds one block. Text before and after it is passed over.
pub(crate) fn parse(text: &str) -> Result<Block, KeyError> {
    if text.len() > MAX_KEY_BYTES {
        return Err(KeyError::TooLarge(MAX_KEY_BYTES));
    }
    let malformed = |problem| KeyError::Malformed { format: "PEM", problem };
    // OpenSSL writes the name of the curve, which the key repeats, in a block before the key.
    let text = match text.split_once("-----END EC PARAMETERS-----") {
        Some((curve, key)) if curve.matches(BEGIN).count() == 1 => key,
        _ => text,
    };
    let mut blocks = text.split(BEGIN).skip(1);
    let Some(first) = blocks.next() else {
        return Err(KeyError::Format { seen: describe(text.as_bytes()), wanted: "a key in PEM" });
    };
    if blocks.next().is_some() {
        return Err(malformed("there are several blocks, and only one is read"));
    }
    // Older than RFC 7468, which has no such headers.
    if first.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(KeyError::Format {
            seen: "a private key encrypted in OpenSSL's old way (`Proc-Type: 4,ENCRYPTED`)",
            wanted: "encrypted PKCS#8 (`openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW` makes it)",
        });
    }
    let label = first.split("-----").next().unwrap_or_default();
    if let Some((_, seen)) = OTHERS.iter().find(|(other, _)| *other == label) {
        return Err(KeyError::Format { seen, wanted: "a key or a certificate in PEM" });
    }
    // Lines are 64 characters wide in RFC 7468, 70 in OpenSSH and 76 in MIME; the first one tells.
    let width = first.lines().nth(1).map_or(0, str::len).max(1);
    let mut decoder = Decoder::new_wrapped(text.as_bytes(), width)
        .or_else(|_| Decoder::new(text.as_bytes()))
        .map_err(|_| malformed("no base64 between a BEGIN and an END line"))?;
    let container = match decoder.type_label() {
        "PUBLIC KEY" => Container::Spki,
        "RSA PUBLIC KEY" => Container::Pkcs1Public,
        "CERTIFICATE" | "X509 CERTIFICATE" => Container::Certificate,
        "PRIVATE KEY" => Container::Pkcs8,
        "ENCRYPTED PRIVATE KEY" => Container::EncryptedPkcs8,
        "RSA PRIVATE KEY" => Container::Pkcs1Private,
        "EC PRIVATE KEY" => Container::Sec1,
        "OPENSSH PRIVATE KEY" => Container::OpenSshPrivate,
        label => return Err(KeyError::Format { seen: of_unknown_label(label), wanted: WANTED }),
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(decoder.remaining_len()));
    decoder.decode_to_end(&mut bytes).map_err(|_| malformed("not base64"))?;
    Ok(Block { container, bytes })
}

const BEGIN: &str = "-----BEGIN ";

/// Labels of what is no key of ours, and what each is.
const OTHERS: [(&str, &str); 15] = [
    ("CERTIFICATE REQUEST", "a certificate request (PEM labelled `CERTIFICATE REQUEST`)"),
    ("NEW CERTIFICATE REQUEST", "a certificate request (PEM labelled `NEW CERTIFICATE REQUEST`)"),
    (
        "TRUSTED CERTIFICATE",
        "a certificate with OpenSSL's own additions (PEM labelled `TRUSTED CERTIFICATE`)",
    ),
    ("ATTRIBUTE CERTIFICATE", "an attribute certificate (PEM labelled `ATTRIBUTE CERTIFICATE`)"),
    ("X509 CRL", "a list of revoked certificates (PEM labelled `X509 CRL`)"),
    ("PKCS7", "a PKCS#7 message (PEM labelled `PKCS7`)"),
    ("CMS", "a CMS message (PEM labelled `CMS`)"),
    ("EC PARAMETERS", "the name of a curve without a key (PEM labelled `EC PARAMETERS`)"),
    ("DSA PRIVATE KEY", "a DSA private key (PEM labelled `DSA PRIVATE KEY`)"),
    ("DSA PARAMETERS", "the parameters of DSA keys (PEM labelled `DSA PARAMETERS`)"),
    ("DH PARAMETERS", "the parameters of Diffie-Hellman keys (PEM labelled `DH PARAMETERS`)"),
    ("X9.42 DH PARAMETERS", "the parameters of Diffie-Hellman keys (PEM labelled `X9.42 DH PARAMETERS`)"),
    ("PGP PUBLIC KEY BLOCK", "an OpenPGP public key (PEM labelled `PGP PUBLIC KEY BLOCK`)"),
    ("PGP PRIVATE KEY BLOCK", "an OpenPGP private key (PEM labelled `PGP PRIVATE KEY BLOCK`)"),
    ("PGP MESSAGE", "an OpenPGP message (PEM labelled `PGP MESSAGE`)"),
];

const WANTED: &str = "a key or a certificate in PEM (labelled `PUBLIC KEY`, `PRIVATE KEY`, `CERTIFICATE`, or as \
    OpenSSL and OpenSSH label their keys)";

/// What a block is by the last words of its label, which itself may be anything and is not repeated.
fn of_unknown_label(label: &str) -> &'static str {
    let label = label.to_ascii_uppercase();
    if label.ends_with("PRIVATE KEY") {
        "a private key in PEM with an unknown label"
    } else if label.ends_with("PUBLIC KEY") {
        "a public key in PEM with an unknown label"
    } else if label.ends_with("CERTIFICATE") {
        "a certificate in PEM with an unknown label"
    } else if label.ends_with("PARAMETERS") {
        "parameters without a key, in PEM with an unknown label"
    } else {
        "PEM whose label is of no key"
    }
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
    } else if text.starts_with(b"---- BEGIN SSH2 ") {
        "an SSH public key (RFC 4716)"
    } else if text.starts_with(b"PuTTY-User-Key-File-") {
        "a PuTTY private key"
    } else if Container::of_der(bytes).is_some() {
        "a key in DER"
    } else if is_pkcs12(bytes) {
        "a PKCS#12 file"
    } else {
        "an unknown format"
    }
}

/// Whether this is DER that begins as a PFX does, with version 3 (RFC 7292 §4); no key alone has that version.
pub(crate) fn is_pkcs12(bytes: &[u8]) -> bool {
    let behind_length = match bytes {
        [0x30, 1..=0x80, ..] => 2,
        [0x30, length @ 0x81..=0x84, ..] => 2 + usize::from(length - 0x80),
        _ => return false,
    };
    bytes.get(behind_length..).is_some_and(|content| content.starts_with(&[0x02, 0x01, 0x03]))
}

/// Whether these bytes are a key in some text form: what nobody means as an HMAC secret.
pub(crate) fn is_key_text(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    contains(text, b"-----BEGIN ")
        || is_ssh(text)
        || text.starts_with(b"---- BEGIN SSH2 ")
        || text.starts_with(b"PuTTY-User-Key-File-")
        || text.starts_with(b"{") && contains(text, b"\"kty\"")
}

/// Whether these bytes begin as a line of an SSH public key does.
pub(crate) fn is_ssh(text: &[u8]) -> bool {
    [&b"ssh-rsa "[..], b"ssh-ed25519 ", b"ssh-dss ", b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"]
        .iter()
        .any(|prefix| text.starts_with(prefix))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
