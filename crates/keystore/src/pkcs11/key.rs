//! Making, testing and removing keys in a token.

use std::cell::Cell;

use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use sealwright_jose::{Alg, VerifyingKey};
use sealwright_service::random;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

use super::{
    error::TokenError,
    pool::{Failure, Held, Kind, Pool},
    scheme::Scheme,
};
use crate::{KeystoreError, Origin};

const VERSION: u32 = 1;

/// What is kept of a key in a token. Nothing in it is secret, and nothing in it is trusted: that the key in the token
/// is the one of `public_jwk` is found out with a signature.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenKey {
    version: u32,
    kid: String,
    alg: String,
    /// For people; the key is looked for where the settings say.
    token: String,
    public_jwk: Box<RawValue>,
}

impl TokenKey {
    pub(super) fn text(pool: &Pool, public: &VerifyingKey) -> Result<String, KeystoreError> {
        let no_text = |e| KeystoreError::Unavailable(format!("the public key has no JSON text: {e}"));
        let key = Self {
            version: VERSION,
            kid: public.kid().unwrap_or_default().to_owned(),
            alg: public.alg().name().to_owned(),
            token: pool.token().to_owned(),
            public_jwk: RawValue::from_string(public.to_jwk()).map_err(no_text)?,
        };
        serde_json::to_string(&key).map_err(no_text)
    }

    pub(super) fn parse(kid: &str, text: &str) -> Result<VerifyingKey, KeystoreError> {
        let origin = Origin::Text(kid.to_owned());
        let wrong = |what: String| KeystoreError::kept(&origin, what);
        let kept: Self =
            serde_json::from_str(text).map_err(|e| wrong(format!("it names no key in a token: {e}")))?;
        if kept.version != VERSION {
            return Err(wrong(format!("version {} is not known here; {VERSION} is", kept.version)));
        }
        if kept.kid != kid {
            return Err(wrong(format!("it names the key `{}`: it was renamed or swapped", kept.kid)));
        }
        let public = VerifyingKey::from_jwk(kept.public_jwk.get())
            .map_err(|e| wrong(format!("`public_jwk` is not usable: {e}")))?;
        if public.alg().name() != kept.alg || public.kid() != Some(kid) {
            return Err(wrong("`public_jwk` has another `alg` or `kid` than stands beside it".into()));
        }
        Ok(public)
    }
}

/// The text of a key of which nothing but its place is known yet; it opens none.
pub(super) fn place(pool: &Pool, kid: &str) -> String {
    json!({"version": VERSION, "kid": kid, "token": pool.token()}).to_string()
}

/// How the token does this algorithm, if it does.
pub(super) fn scheme(pool: &Pool, alg: Alg) -> Result<Scheme, KeystoreError> {
    let cannot =
        |what: &str| TokenError::Algorithm { token: pool.token().to_owned(), alg, what: what.to_owned() };
    let scheme = Scheme::of(alg)
        .ok_or_else(|| cannot("use one of RS256 to RS512, PS256 to PS512, ES256 to ES512 and Ed25519"))?;
    for (mechanism, name) in scheme.mechanisms() {
        if !pool.has(mechanism) {
            return Err(cannot(&format!("its module has no {name}")).into());
        }
    }
    Ok(scheme)
}

/// Makes a key and tests it; what does not pass is removed again.
pub(super) fn generate(pool: &Pool, kid: &str, alg: Alg) -> Result<VerifyingKey, KeystoreError> {
    let scheme = scheme(pool, alg)?;
    let public = pool.run(|held| {
        if !held.all(Kind::Private, kid)?.is_empty() || !held.all(Kind::Public, kid)?.is_empty() {
            return Err(Failure::Final(KeystoreError::Exists(kid.to_owned())));
        }
        let (public, private) = make(held, scheme, kid, alg)?;
        let read = scheme
            .public_key(held, public, alg)?
            .map_err(|source| Failure::Final(KeystoreError::key(kid, source)))
            .and_then(|key| stays_inside(pool, held, kid, private).map(|()| key));
        if read.is_err() {
            for object in [private, public] {
                // It is an error already; that the object stays does not make it another one.
                let _ = held.session.destroy_object(object);
            }
        }
        read
    })?;
    let public = public.with_kid(kid);
    test(pool, scheme, kid, &public).inspect_err(|_| {
        let _ = destroy(pool, kid);
    })?;
    Ok(public)
}

/// A key is found by its algorithm too: whoever can change the records must not make an RS256 key one for PS256.
fn label(kid: &str, alg: Alg) -> String {
    format!("{kid} {}", alg.name())
}

fn make(held: &Held, scheme: Scheme, kid: &str, alg: Alg) -> Result<(ObjectHandle, ObjectHandle), Failure> {
    let named = [
        Attribute::Token(true),
        Attribute::Id(kid.as_bytes().to_vec()),
        Attribute::Label(label(kid, alg).into_bytes()),
    ];
    let mut public = named.to_vec();
    public.extend([Attribute::Private(false), Attribute::Verify(true)]);
    public.extend(scheme.parameters());
    let mut private = named.to_vec();
    private.extend([
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ]);
    // For signing alone: what one use gives away must not help with another.
    private.extend([Attribute::Decrypt(false), Attribute::Unwrap(false), Attribute::Derive(false)]);
    Ok(held.session.generate_key_pair(&scheme.generation(), &public, &private)?)
}

/// Refuses a key that the token would hand out, whatever it was asked for.
fn stays_inside(pool: &Pool, held: &Held, kid: &str, private: ObjectHandle) -> Result<(), Failure> {
    let wanted = [AttributeType::Sensitive, AttributeType::Extractable, AttributeType::Local];
    let attributes = held.session.get_attributes(private, &wanted)?;
    let says = |attribute| attributes.contains(&attribute);
    if says(Attribute::Sensitive(true)) && says(Attribute::Extractable(false)) && says(Attribute::Local(true))
    {
        return Ok(());
    }
    Err(TokenError::Key {
        token: pool.token().to_owned(),
        kid: kid.to_owned(),
        what: "the token made a key that can be taken out of it, so that it was removed again".into(),
    }
    .into())
}

/// One signature with the key in the token, and its check with the public half.
pub(super) fn test(
    pool: &Pool,
    scheme: Scheme,
    kid: &str,
    public: &VerifyingKey,
) -> Result<(), KeystoreError> {
    let message = random::bytes::<32>();
    let signature = sign(pool, scheme, kid, public.alg(), &scheme.input_of(&message))?;
    public.verify(&message, &signature).map_err(|_| KeystoreError::SelfTest(kid.to_owned()))
}

/// Signs what [`Scheme::input_of`] gave. The caller has a permit.
pub(super) fn sign(
    pool: &Pool,
    scheme: Scheme,
    kid: &str,
    alg: Alg,
    input: &[u8],
) -> Result<Vec<u8>, KeystoreError> {
    let token = || pool.token().to_owned();
    pool.run(|held| {
        let key = held.find(Kind::Private, kid, &label(kid, alg), pool.token())?.ok_or_else(|| {
            TokenError::KeyMissing { token: token(), what: "private key", kid: kid.to_owned() }
        })?;
        let signature = scheme.sign(held, key, input)?;
        if scheme.signature_len().is_some_and(|len| len != signature.len()) {
            let what = "its signature has the wrong length".into();
            return Err(TokenError::Key { token: token(), kid: kid.to_owned(), what }.into());
        }
        Ok(signature)
    })
}

/// Removes both halves; whether the private one was there.
pub(super) fn destroy(pool: &Pool, kid: &str) -> Result<bool, KeystoreError> {
    // Also where the session is lost after the first half.
    let was_there = Cell::new(false);
    pool.run(|held| {
        held.forget();
        // The private half first: whatever happens then, nobody signs with it.
        for kind in [Kind::Private, Kind::Public] {
            for object in held.all(kind, kid)? {
                held.session.destroy_object(object)?;
                was_there.set(was_there.get() || kind == Kind::Private);
            }
        }
        Ok(was_there.get())
    })
}
