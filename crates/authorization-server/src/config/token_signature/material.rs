//! Keys as Secrets hold them: `key.pem` with the private half, `pub.pem` with the public one.

use sealwright_jose::{Alg, Inspected, KeyError, SigningKey, VerifyingKey};

/// The private half: PKCS#8 or PKCS#1, and SEC1 for elliptic curves.
pub(super) const KEY_PEM: &str = "key.pem";
/// The public half: SPKI.
pub(super) const PUB_PEM: &str = "pub.pem";

/// A key that was read.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) alg: Alg,
    pub(super) private: Option<SigningKey>,
    pub(super) public: VerifyingKey,
}

/// What is wrong with a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// In which entry.
    pub(super) entry: &'static str,
    pub(super) message: String,
}

impl Wrong {
    fn new(entry: &'static str, message: impl Into<String>) -> Self {
        Self { entry, message: message.into() }
    }
}

/// The key of two PEM texts, of which one may be missing: a key that only verifies needs no private half, and the public
/// one can be had from that. Its algorithm is `wanted`, or the first that fits the key.
pub(super) fn read(
    key_pem: Option<&[u8]>,
    pub_pem: Option<&[u8]>,
    wanted: Option<Alg>,
) -> Result<Material, Wrong> {
    let private = key_pem.map(|bytes| private(bytes, wanted)).transpose()?;
    let wanted = private.as_ref().map(SigningKey::alg).or(wanted);
    let public = pub_pem.map(|bytes| public(bytes, wanted)).transpose()?;
    match (private, public) {
        (Some(private), Some(public)) if private.verifying_key().thumbprint() != public.thumbprint() => {
            Err(Wrong::new(PUB_PEM, format!("this is not the public half of {KEY_PEM}")))
        }
        (Some(private), _) => {
            let public = private.verifying_key();
            Ok(Material { alg: private.alg(), private: Some(private), public })
        }
        (None, Some(public)) => Ok(Material { alg: public.alg(), private: None, public }),
        (None, None) => Err(Wrong::new(KEY_PEM, format!("there is neither {KEY_PEM} nor {PUB_PEM}"))),
    }
}

fn private(bytes: &[u8], wanted: Option<Alg>) -> Result<SigningKey, Wrong> {
    let wrong = |message: String| Wrong::new(KEY_PEM, message);
    let (text, facts) = inspect(bytes).map_err(wrong)?;
    if !facts.is_secret() {
        return Err(wrong("this is a public key; the private one belongs here".to_owned()));
    }
    let alg = algorithm(&facts, wanted).map_err(wrong)?;
    SigningKey::from_pem(alg, text).map_err(|error| wrong(error.to_string()))
}

fn public(bytes: &[u8], wanted: Option<Alg>) -> Result<VerifyingKey, Wrong> {
    let wrong = |message: String| Wrong::new(PUB_PEM, message);
    let (text, facts) = inspect(bytes).map_err(wrong)?;
    if facts.is_secret() {
        return Err(wrong("this is a private key; the public one belongs here".to_owned()));
    }
    let alg = algorithm(&facts, wanted).map_err(wrong)?;
    VerifyingKey::from_pem(alg, text).map_err(|error| wrong(error.to_string()))
}

fn inspect(bytes: &[u8]) -> Result<(&str, Inspected), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "this is not text; PEM is wanted".to_owned())?;
    if text.trim().is_empty() {
        return Err("this is empty; PEM is wanted".to_owned());
    }
    if !text.contains("-----BEGIN ") {
        return Err("this is not PEM, which begins with `-----BEGIN `".to_owned());
    }
    match Inspected::read(bytes, None) {
        Ok(facts) => Ok((text, facts)),
        Err(KeyError::PasswordNeeded) => {
            Err("this key is encrypted; write it without a password, as `openssl pkey -in FILE` does"
                .to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn algorithm(facts: &Inspected, wanted: Option<Alg>) -> Result<Alg, String> {
    if let Some(fault) = facts.faults().first() {
        return Err(fault.clone());
    }
    wanted
        .or_else(|| facts.fitting_algs().iter().copied().find(|alg| !alg.is_mac()))
        .ok_or_else(|| "no algorithm fits this key".to_owned())
}
