//! The structures that keys come in, apart from JWK, and what each is called.

use zeroize::Zeroizing;

use crate::{
    KeyError,
    key::{
        MAX_KEY_BYTES, der, encrypted,
        material::{PrivateMaterial, PublicMaterial},
        openssh, pem,
    },
};

const WANTED: &str = "a key as JWK, in PEM or DER, or of OpenSSH";
const WANTED_OF_PKCS12: &str = "a key as JWK, in PEM or DER, or of OpenSSH (`Pkcs12` takes the one in it out, \
     as does `openssl pkcs12 -nocerts -in OLD -out NEW`)";
const WANTED_PUBLIC: &str = "a public key (PEM labelled `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`)";
const WANTED_PRIVATE: &str =
    "a private key (PEM labelled `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`)";

/// What a block of bytes is: by its label in PEM, by its structure in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Spki,
    Pkcs1Public,
    Certificate,
    OpenSshPublic,
    Pkcs8,
    EncryptedPkcs8,
    Pkcs1Private,
    Sec1,
    OpenSshPrivate,
}

impl Container {
    /// Tells DER by its structure; `None` for what is no key.
    pub(crate) fn of_der(bytes: &[u8]) -> Option<Self> {
        if encrypted::is_one(bytes) { Some(Self::EncryptedPkcs8) } else { der::container(bytes) }
    }

    pub(crate) fn seen(self) -> &'static str {
        match self {
            Self::Spki => "a public key (SPKI)",
            Self::Pkcs1Public => "an RSA public key (PKCS#1)",
            Self::Certificate => "an X.509 certificate",
            Self::OpenSshPublic => "an OpenSSH public key",
            Self::Pkcs8 => "a private key (PKCS#8)",
            Self::EncryptedPkcs8 => "an encrypted private key (PKCS#8)",
            Self::Pkcs1Private => "an RSA private key (PKCS#1)",
            Self::Sec1 => "an EC private key (SEC1)",
            Self::OpenSshPrivate => "an OpenSSH private key",
        }
    }

    pub(crate) fn is_private(self) -> bool {
        !matches!(self, Self::Spki | Self::Pkcs1Public | Self::Certificate | Self::OpenSshPublic)
    }
}

/// The bytes of one structure.
pub(crate) struct Block {
    pub(crate) container: Container,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

/// The numbers of a key whose kind is not known beforehand.
pub(crate) enum Material {
    Public(PublicMaterial),
    Private(PrivateMaterial),
}

impl Block {
    /// Reads PEM, a line of OpenSSH, or DER, whichever it is.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() > MAX_KEY_BYTES {
            return Err(KeyError::TooLarge(MAX_KEY_BYTES));
        }
        if let Some(container) = Container::of_der(bytes) {
            return Ok(Self { container, bytes: Zeroizing::new(bytes.to_vec()) });
        }
        match str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN ") => pem::parse(text),
            Ok(text) if pem::is_ssh(text.trim_ascii_start().as_bytes()) => openssh::parse_line(text),
            _ => {
                let wanted = if pem::is_pkcs12(bytes) { WANTED_OF_PKCS12 } else { WANTED };
                Err(KeyError::Format { seen: pem::describe(bytes), wanted })
            }
        }
    }

    pub(crate) fn public(&self) -> Result<PublicMaterial, KeyError> {
        match self.container {
            Container::Spki => der::public_from_spki(&self.bytes),
            Container::Pkcs1Public => der::public_from_pkcs1(&self.bytes),
            Container::Certificate => der::public_from_certificate(&self.bytes),
            Container::OpenSshPublic => openssh::public_from_blob(&self.bytes),
            _ => Err(KeyError::Format { seen: self.container.seen(), wanted: WANTED_PUBLIC }),
        }
    }

    /// A password that is not needed is not used.
    pub(crate) fn private(&self, password: Option<&[u8]>) -> Result<PrivateMaterial, KeyError> {
        match self.container {
            Container::Pkcs8 => der::private_from_pkcs8(&self.bytes),
            Container::EncryptedPkcs8 => der::private_from_pkcs8(&encrypted::decrypt(&self.bytes, password)?),
            Container::Pkcs1Private => der::private_from_pkcs1(&self.bytes),
            Container::Sec1 => der::private_from_sec1(&self.bytes),
            Container::OpenSshPrivate => openssh::private(&self.bytes, password),
            _ => Err(KeyError::Format { seen: self.container.seen(), wanted: WANTED_PRIVATE }),
        }
    }

    pub(crate) fn material(&self, password: Option<&[u8]>) -> Result<Material, KeyError> {
        if self.container.is_private() {
            self.private(password).map(Material::Private)
        } else {
            self.public().map(Material::Public)
        }
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        match self.container {
            Container::EncryptedPkcs8 => true,
            Container::OpenSshPrivate => openssh::is_encrypted(&self.bytes),
            _ => false,
        }
    }
}
