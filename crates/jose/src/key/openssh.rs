//! OpenSSH's own formats: a public key as one line (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4), and
//! the private key file (`PROTOCOL.key` of OpenSSH), plain or behind a password.

use zeroize::Zeroizing;

use crate::{
    KeyError,
    key::{
        MAX_KEY_BYTES,
        container::{Block, Container},
        crt,
        kind::Curve,
        material::{Point, PrivateMaterial, PublicMaterial, Seed},
        pem,
    },
    provider::{self, Chaining},
};

const PUBLIC: &str = "OpenSSH public key";
const PRIVATE: &str = "OpenSSH private key";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// OpenSSH writes 16 or 24 rounds; a thousand take some ten seconds.
const MAX_ROUNDS: u32 = 1000;

/// Reads one line `TYPE BASE64 [COMMENT]`. Options before the type, as in `authorized_keys`, are
/// refused.
pub(crate) fn parse_line(text: &str) -> Result<Block, KeyError> {
    if text.len() > MAX_KEY_BYTES {
        return Err(KeyError::TooLarge(MAX_KEY_BYTES));
    }
    let malformed = |problem| KeyError::Malformed { format: PUBLIC, problem };
    if !pem::is_ssh(text.trim_ascii_start().as_bytes()) {
        let seen = pem::describe(text.as_bytes());
        return Err(KeyError::Format { seen, wanted: "an OpenSSH public key (`ssh-ed25519 AAAA…`)" });
    }
    if text.trim_ascii().contains('\n') {
        return Err(malformed("there are several lines, and only one is read"));
    }
    let mut words = text.split_ascii_whitespace();
    let (Some(name), Some(blob)) = (words.next(), words.next()) else {
        return Err(malformed("it is not `TYPE BASE64 [COMMENT]`"));
    };
    let bytes = base64_simd::STANDARD.decode_to_vec(blob).map_err(|_| malformed("not base64"))?;
    if (Reader { rest: &bytes, format: PUBLIC }).string()? != name.as_bytes() {
        return Err(malformed("the text and the base64 name two different types"));
    }
    Ok(Block { container: Container::OpenSshPublic, bytes: Zeroizing::new(bytes) })
}

/// Reads the bytes that the base64 of such a line stands for.
pub(crate) fn public_from_blob(blob: &[u8]) -> Result<PublicMaterial, KeyError> {
    let mut reader = Reader { rest: blob, format: PUBLIC };
    let kind = reader.string()?;
    let key = public_fields(kind, &mut reader)?;
    reader.end()?;
    Ok(key)
}

/// Whether these bytes are such a public key, or begin as a private key file does: what nobody means
/// as an HMAC secret.
pub(crate) fn is_blob(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) || public_from_blob(bytes).is_ok()
}

/// Reads the fields after the type.
fn public_fields(kind: &[u8], reader: &mut Reader<'_>) -> Result<PublicMaterial, KeyError> {
    match kind {
        b"ssh-rsa" => {
            let e = reader.number()?;
            PublicMaterial::rsa(reader.number()?, e)
        }
        b"ssh-ed25519" => PublicMaterial::ed25519(reader.string()?),
        _ => point(kind, reader).map(PublicMaterial::Ec),
    }
}

/// Reads the curve, which the type names too, and the point (RFC 5656 §3.1).
fn point(kind: &[u8], reader: &mut Reader<'_>) -> Result<Point, KeyError> {
    let curve = match kind {
        b"ecdsa-sha2-nistp256" => Curve::P256,
        b"ecdsa-sha2-nistp384" => Curve::P384,
        b"ecdsa-sha2-nistp521" => Curve::P521,
        _ => {
            return Err(KeyError::Unsupported(
                "an SSH key type other than ssh-rsa, ssh-ed25519 and ecdsa-sha2-nistp256, -384 and -521",
            ));
        }
    };
    if !kind.ends_with(reader.string()?) {
        return Err(reader.malformed("its type and its curve differ"));
    }
    Point::parse(curve, reader.string()?)
}

/// Reads what stands between `BEGIN` and `END OPENSSH PRIVATE KEY`.
pub(crate) fn private(bytes: &[u8], password: Option<&[u8]>) -> Result<PrivateMaterial, KeyError> {
    if bytes.len() > MAX_KEY_BYTES {
        return Err(KeyError::TooLarge(MAX_KEY_BYTES));
    }
    let malformed = |problem| KeyError::Malformed { format: PRIVATE, problem };
    let fields = bytes.strip_prefix(MAGIC).ok_or(malformed("it does not begin as one"))?;
    let mut reader = Reader { rest: fields, format: PRIVATE };
    let (cipher, kdf, options) = (cipher(reader.string()?)?, reader.string()?, reader.string()?);
    if reader.u32()? != 1 {
        return Err(malformed("there is not exactly one key"));
    }
    let announced = reader.string()?;
    let section = reader.string()?;
    reader.end()?;
    let section = match cipher {
        Some(cipher) => decrypt(cipher, kdf, options, section, password)?,
        None if kdf == b"none" && options.is_empty() => Zeroizing::new(section.to_vec()),
        None => return Err(malformed("it has a password scheme, but no cipher")),
    };
    let mut reader = Reader { rest: &section, format: PRIVATE };
    // Twice the same random number shows that the password was right.
    if reader.u32()? != reader.u32()? {
        let plain = malformed("its check numbers differ");
        return Err(if cipher.is_some() { KeyError::Password } else { plain });
    }
    let (key, public) = private_fields(&mut reader)?;
    reader.string()?; // the comment
    if reader.rest.len() > 255 || !reader.rest.iter().zip(1..=255).all(|(byte, count)| *byte == count) {
        return Err(malformed("its padding is not 1, 2, 3, …"));
    }
    let mut announced = Reader { rest: announced, format: PRIVATE };
    let kind = announced.string()?;
    if public_fields(kind, &mut announced)? != public {
        return Err(KeyError::Invalid("it names two different public keys"));
    }
    announced.end()?;
    Ok(key)
}

/// Whether the file is behind a password, as far as its beginning tells.
pub(crate) fn is_encrypted(bytes: &[u8]) -> bool {
    let fields = bytes.strip_prefix(MAGIC).unwrap_or_default();
    Reader { rest: fields, format: PRIVATE }.string().is_ok_and(|name| name != b"none")
}

fn private_fields(reader: &mut Reader<'_>) -> Result<(PrivateMaterial, PublicMaterial), KeyError> {
    let kind = reader.string()?;
    match kind {
        b"ssh-rsa" => {
            let (n, e, d) = (reader.number()?, reader.number()?, reader.number()?);
            let (_iqmp, p, q) = (reader.number()?, reader.number()?, reader.number()?);
            let key = crt::from_factor(n, e, d, p)?;
            if key.q[..] != *q && key.p[..] != *q {
                return Err(KeyError::Invalid("its primes are not those of the modulus"));
            }
            Ok((PrivateMaterial::Rsa(key), PublicMaterial::rsa(n, e)?))
        }
        b"ssh-ed25519" => {
            let public = reader.string()?;
            let material = PublicMaterial::ed25519(public)?;
            let both: &[u8; 64] = reader
                .string()?
                .try_into()
                .map_err(|_| reader.malformed("an Ed25519 private key has 64 bytes"))?;
            let (seed, again) = both.split_at(32);
            if again != public {
                return Err(KeyError::Invalid("it names two different public keys"));
            }
            let mut key = Seed::zero();
            key.copy_from_slice(seed);
            let public = public.try_into().ok();
            Ok((PrivateMaterial::Ed25519 { seed: key, public }, material))
        }
        _ => {
            let point = point(kind, reader)?;
            let (curve, number) = (point.curve(), reader.number()?);
            // SSH drops leading zeros, the other formats keep them.
            let mut d = Zeroizing::new(vec![0; curve.len()]);
            let start = d.len().checked_sub(number.len());
            let start = start.ok_or(reader.malformed("a private number is too long"))?;
            d[start..].copy_from_slice(number);
            let public = PublicMaterial::Ec(point.clone());
            Ok((PrivateMaterial::Ec { curve, d, public: Some(point) }, public))
        }
    }
}

/// The length of the key and the chaining of a cipher; `None` if there is no encryption.
fn cipher(name: &[u8]) -> Result<Option<(usize, Chaining)>, KeyError> {
    Ok(Some(match name {
        b"none" => return Ok(None),
        b"aes128-ctr" => (16, Chaining::Ctr),
        b"aes192-ctr" => (24, Chaining::Ctr),
        b"aes256-ctr" => (32, Chaining::Ctr),
        b"aes128-cbc" => (16, Chaining::Cbc),
        b"aes192-cbc" => (24, Chaining::Cbc),
        b"aes256-cbc" => (32, Chaining::Cbc),
        _ => {
            return Err(KeyError::Unsupported(
                "an OpenSSH private key encrypted with another cipher than AES-CTR and AES-CBC \
                 (`ssh-keygen -p -Z aes256-ctr -f FILE` writes it anew)",
            ));
        }
    }))
}

fn decrypt(
    (key_len, chaining): (usize, Chaining),
    kdf: &[u8],
    options: &[u8],
    section: &[u8],
    password: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if kdf != b"bcrypt" {
        return Err(KeyError::Unsupported("an OpenSSH private key with another password scheme than bcrypt"));
    }
    let mut reader = Reader { rest: options, format: PRIVATE };
    let (salt, rounds) = (reader.string()?, reader.u32()?);
    reader.end()?;
    if rounds > MAX_ROUNDS {
        return Err(KeyError::TooCostly("more than 1,000 rounds of bcrypt"));
    }
    let password = password.ok_or(KeyError::PasswordNeeded)?;
    let mut derived = Zeroizing::new([0; 32 + 16]);
    let derived = &mut derived[..key_len + 16];
    // It refuses an empty password, an empty salt and no rounds.
    bcrypt_pbkdf::bcrypt_pbkdf(password, salt, rounds, derived).map_err(|_| KeyError::Password)?;
    let (key, iv) = derived.split_at(key_len);
    let mut text = Zeroizing::new(section.to_vec());
    let iv = iv.try_into().map_err(|_| KeyError::Backend)?;
    provider::aes_decrypt(chaining, key, iv, &mut text)
        .ok_or(KeyError::Malformed { format: PRIVATE, problem: "it is not whole blocks" })?;
    Ok(text)
}

/// The data types of RFC 4251 §5.
struct Reader<'a> {
    rest: &'a [u8],
    format: &'static str,
}

impl<'a> Reader<'a> {
    fn malformed(&self, problem: &'static str) -> KeyError {
        KeyError::Malformed { format: self.format, problem }
    }

    fn u32(&mut self) -> Result<u32, KeyError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(self.malformed("it ends too early"))?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*bytes))
    }

    fn string(&mut self) -> Result<&'a [u8], KeyError> {
        let len = self.u32()? as usize;
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(self.malformed("it ends too early"))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A positive `mpint` without its sign byte.
    fn number(&mut self) -> Result<&'a [u8], KeyError> {
        match self.string()? {
            [0, number @ ..] if number.first().is_some_and(|first| *first >= 0x80) => Ok(number),
            number @ [1..=0x7F, ..] => Ok(number),
            _ => Err(self.malformed("a number is not positive or not in its shortest form")),
        }
    }

    fn end(&self) -> Result<(), KeyError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed("bytes follow after its end")) }
    }
}
