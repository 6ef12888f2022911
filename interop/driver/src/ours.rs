//! Our side: what `sealwright-jose` makes and accepts.

use sealwright_jose::{
    Alg, Key, KeyError, MacKey, SigningKey,
    jws::{self, Require, Scratch, Signer, Verified, VerifiedGeneral, Verifier, VerifierBuilder},
};
use serde_json::Value;

use crate::{axis::Name, form::Form, peer::KeyFile};

/// What we say: a thing, or why not.
type Ours<T> = Result<T, String>;

/// One of our keys, made at this run.
pub(crate) struct OurKey {
    pub(crate) name: Name,
    pub(crate) kid: String,
    pub(crate) key: Key,
    pub(crate) private: KeyFile,
    pub(crate) public: KeyFile,
}

impl OurKey {
    pub(crate) fn generate(name: Name, kid: &str) -> Ours<Self> {
        let key = if name.alg.is_mac() {
            MacKey::generate(name.alg).map(|key| Key::Mac(key.with_kid(kid)))
        } else {
            let key = match name.header {
                "RS384" => SigningKey::generate_rsa(name.alg, 3072),
                "RS512" => SigningKey::generate_rsa(name.alg, 4096),
                _ => SigningKey::generate(name.alg),
            };
            key.map(|key| Key::Signing(key.with_kid(kid)))
        };
        let key = key.map_err(said)?;
        let private = private_jwk(&key).map_err(said)?;
        let public = match key.verifying_key() {
            Some(public) => public.to_jwk(),
            None => private.clone(),
        };
        Ok(Self {
            name,
            kid: kid.to_owned(),
            private: KeyFile::jwk(under(name, &private)?),
            public: KeyFile::jwk(under(name, &public)?),
            key,
        })
    }

    /// The key in another format, if we write it.
    pub(crate) fn export(
        &self,
        format: &'static str,
        private: bool,
        password: &str,
    ) -> Option<Ours<KeyFile>> {
        let plain = |data: Vec<u8>| KeyFile { format, data, password: None };
        let locked = |data: Vec<u8>| KeyFile { password: Some(password.to_owned()), ..plain(data) };
        if format == "jwk" {
            return Some(Ok(if private { self.private.clone() } else { self.public.clone() }));
        }
        let Key::Signing(key) = &self.key else { return None };
        let public = key.verifying_key();
        let data = match (format, private) {
            ("pkcs8-pem", true) => key.to_pem().map(|pem| pem.as_bytes().to_vec()).map(plain),
            ("pkcs8-der", true) => key.to_pkcs8_der().map(|der| der.to_vec()).map(plain),
            ("encrypted-pem", true) => {
                key.to_encrypted_pem(password.as_bytes()).map(String::into_bytes).map(locked)
            }
            ("encrypted-der", true) => key.to_encrypted_pkcs8_der(password.as_bytes()).map(locked),
            ("spki-pem", false) => public.to_pem().map(String::into_bytes).map(plain),
            ("spki-der", false) => Ok(plain(public.to_spki_der())),
            _ => return None,
        };
        Some(data.map_err(said))
    }
}

fn private_jwk(key: &Key) -> Result<String, KeyError> {
    match key {
        Key::Signing(key) => key.to_jwk().map(|jwk| jwk.to_string()),
        Key::Mac(key) => Ok(key.to_jwk().to_string()),
        _ => unreachable!("only private keys are made here"),
    }
}

/// A key that is to be used under an old name must not name the new one.
fn under(name: Name, jwk: &str) -> Ours<String> {
    if name.header == name.alg.name() {
        return Ok(jwk.to_owned());
    }
    let mut members: Value = serde_json::from_str(jwk).map_err(said)?;
    members.as_object_mut().ok_or("a JWK of ours is no object")?.remove("alg");
    Ok(members.to_string())
}

/// A peer's key file.
pub(crate) fn read(alg: Alg, file: &KeyFile) -> Ours<Key> {
    let password = file.password.as_deref().map(str::as_bytes);
    Key::parse_with_password(&file.data, Some(alg), password).map_err(said)
}

/// Signs with each key; only the general forms have more than one.
pub(crate) fn sign(form: Form, keys: &[(Name, &Key, &str)], payload: &[u8]) -> Ours<String> {
    let signers: Vec<Signer> =
        keys.iter().map(|(name, key, kid)| signer(form, *name, key, kid)).collect::<Ours<_>>()?;
    let [first, ..] = signers.as_slice() else { return Err("nobody signs".into()) };
    let all: Vec<&Signer> = signers.iter().collect();
    match form {
        Form::Compact | Form::Unencoded => first.sign_compact(payload),
        Form::Flattened | Form::UnencodedFlattened => first.sign_flattened(payload),
        Form::General | Form::UnencodedGeneral => jws::sign_general(&all, payload),
        Form::Detached | Form::UnencodedDetached => first.sign_detached(payload),
        Form::DetachedFlattened | Form::UnencodedDetachedFlattened => first.sign_flattened_detached(payload),
        Form::DetachedGeneral | Form::UnencodedDetachedGeneral => jws::sign_general_detached(&all, payload),
    }
    .map_err(said)
}

fn signer(form: Form, name: Name, key: &Key, kid: &str) -> Ours<Signer> {
    let signer = match key {
        Key::Signing(key) => Signer::new(&key.clone().with_kid(kid)),
        Key::Mac(key) => Signer::mac(&key.clone().with_kid(kid)),
        _ => return Err("a public key cannot sign".into()),
    };
    let signer =
        if name.header == name.alg.name() { signer } else { signer.param("alg", name.header.into()) };
    Ok(if form.is_unencoded() { signer.unencoded() } else { signer })
}

/// The payload, if `token` is valid under all keys. `detached` is what the form leaves out.
pub(crate) fn verify(form: Form, keys: &[(&Key, &str)], token: &str, detached: &[u8]) -> Ours<Vec<u8>> {
    let verifier = verifier(form, keys)?;
    let mut scratch = Scratch::new();
    let of_one = |verified: Verified<'_>| verified.payload().to_vec();
    let of_many = |verified: VerifiedGeneral<'_>| verified.payload().to_vec();
    match form {
        Form::Compact | Form::Unencoded => verifier.verify_compact(token, &mut scratch).map(of_one),
        Form::Flattened | Form::UnencodedFlattened => {
            verifier.verify_flattened(token, &mut scratch).map(of_one)
        }
        Form::General | Form::UnencodedGeneral => {
            verifier.verify_general(token, Require::All, &mut scratch).map(of_many)
        }
        Form::Detached | Form::UnencodedDetached => {
            verifier.verify_detached(token, detached, &mut scratch).map(of_one)
        }
        Form::DetachedFlattened
        | Form::DetachedGeneral
        | Form::UnencodedDetachedFlattened
        | Form::UnencodedDetachedGeneral => {
            verifier.verify_detached_json(token, detached, Require::All, &mut scratch).map(of_many)
        }
    }
    .map_err(|error| format!("{error}: {}", error.kind()))
}

fn verifier(form: Form, keys: &[(&Key, &str)]) -> Ours<Verifier> {
    let mut algs: Vec<Alg> = keys.iter().map(|(key, _)| key.alg()).collect();
    algs.dedup();
    let add = |builder: VerifierBuilder, (key, kid): &(&Key, &str)| match key {
        Key::Mac(key) => builder.mac_key(key.clone().with_kid(*kid)),
        key => match key.verifying_key() {
            Some(key) => builder.key(key.with_kid(*kid)),
            None => builder,
        },
    };
    let builder = keys.iter().fold(Verifier::builder_from(&algs), add);
    let builder = if form.is_unencoded() { builder.unencoded() } else { builder };
    builder.build().map_err(said)
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
