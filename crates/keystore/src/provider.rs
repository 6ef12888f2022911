//! Keys for those who keep the records themselves.

use std::sync::{Arc, OnceLock};

use sealwright_jose::{Alg, SigningKey, VerifyingKey};
use sealwright_service::random;

use crate::{
    KekRing, KeyHandle, KeystoreError, Origin, Pkcs11Settings, Pkcs11Token, blocking::run_blocking,
    in_memory, name, sealed::key::SealedKey,
};

/// Makes, opens and destroys private keys for whoever keeps their records, say in a database. Cheap to clone.
///
/// What it gives to be kept has nothing secret in clear. Whoever can change the records can withhold a key, but
/// not give it another name, algorithm or public half.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// use sealwright_jose::Alg;
/// use sealwright_keystore::{KekRing, KekSpec, KeyProvider};
///
/// std::fs::write(dir.path().join("kek"), KekRing::generate_text().as_bytes())?;
/// let kek = KekSpec { id: "k1".into(), file: Some("kek".into()), ..KekSpec::default() };
/// let provider = KeyProvider::sealed(KekRing::read(&[kek], dir.path())?);
///
/// let kept = provider.generate("2026-11", Alg::Es256).await?;
/// // Another day, from the database:
/// let key = provider.open("2026-11", &kept.text).await?;
/// assert_eq!(key.verifying_key(), &kept.public);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct KeyProvider(Provider);

#[derive(Clone, Debug)]
enum Provider {
    Sealed(KekRing),
    /// With the ring of keys that were sealed before there was a token.
    Pkcs11(Arc<Token>, Option<KekRing>),
}

/// A token that is open, or that is opened when it is needed first. An attempt that fails is not remembered.
#[derive(Debug)]
enum Token {
    Open(Pkcs11Token),
    WhenNeeded(Pkcs11Settings, OnceLock<Pkcs11Token>),
}

impl Token {
    /// Without waiting for it.
    fn opened(&self) -> Option<&Pkcs11Token> {
        match self {
            Self::Open(token) => Some(token),
            Self::WhenNeeded(_, opened) => opened.get(),
        }
    }

    /// May take its time: a module is loaded, and a PIN is tried.
    fn get(&self) -> Result<&Pkcs11Token, KeystoreError> {
        match self {
            Self::Open(token) => Ok(token),
            Self::WhenNeeded(settings, opened) => {
                if let Some(token) = opened.get() {
                    return Ok(token);
                }
                let token = Pkcs11Token::open_blocking(settings.clone())?;
                Ok(opened.get_or_init(|| token))
            }
        }
    }
}

/// What is to be kept of a key.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Opens the key again, together with its name: the sealed key, or where it is in a token.
    pub text: String,
    /// The public half, with `kid` and `alg`.
    pub public: VerifyingKey,
}

impl KeyProvider {
    /// Keys that are made here and kept sealed, AES-256-GCM under the first key of the ring.
    ///
    /// The text is that of the files of a [`SealedStore`](crate::SealedStore).
    pub fn sealed(ring: KekRing) -> Self {
        Self(Provider::Sealed(ring))
    }

    /// Keys that are made in a token and used there; their private halves are in no text and in no memory of ours.
    pub fn pkcs11(token: Pkcs11Token) -> Self {
        Self(Provider::Pkcs11(Arc::new(Token::Open(token)), None))
    }

    /// As [`pkcs11`](Self::pkcs11), for who may need no key at all: the token is opened, and its PIN tried, when a key is made
    /// or used first. What goes wrong with it is an error there.
    pub fn pkcs11_when_needed(settings: Pkcs11Settings) -> Self {
        Self(Provider::Pkcs11(Arc::new(Token::WhenNeeded(settings, OnceLock::new())), None))
    }

    /// Opens keys that are sealed under this ring as well, so that a server can move from sealed keys to a token: new
    /// keys are made in the token, old ones go on until their time is over.
    #[must_use]
    pub fn also_sealed(self, ring: KekRing) -> Self {
        Self(match self.0 {
            Provider::Pkcs11(token, _) => Provider::Pkcs11(token, Some(ring)),
            sealed @ Provider::Sealed(_) => sealed,
        })
    }

    /// Makes a key and tests it: what was kept is opened again, signs, and its public half verifies that.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Name`] if `kid` cannot be a name, [`KeystoreError::Key`] if `alg` has no private keys,
    /// [`KeystoreError::SelfTest`].
    pub async fn generate(&self, kid: &str, alg: Alg) -> Result<Kept, KeystoreError> {
        self.with(kid, move |provider, kid| match provider {
            Provider::Sealed(ring) => make_sealed(ring, kid, alg),
            Provider::Pkcs11(token, _) => token.get()?.generate(kid, alg),
        })
        .await
    }

    /// Takes over a key that was made elsewhere, under this name, and tests it as
    /// [`generate`](Self::generate) does.
    ///
    /// # Errors
    ///
    /// As [`generate`](Self::generate).
    pub async fn import(&self, kid: &str, key: SigningKey) -> Result<Kept, KeystoreError> {
        self.with(kid, move |provider, kid| match provider {
            Provider::Sealed(ring) => keep_sealed(ring, kid, key),
            Provider::Pkcs11(..) => Err(KeystoreError::Unsupported {
                kid: kid.to_owned(),
                what: "a token holds only keys that were made in it, of which there is no other copy; let it make one",
            }),
        })
        .await
    }

    /// The handle of a key that was kept. Its private half belongs to the public one that the text shows.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::KekUnknown`], [`KeystoreError::Seal`] if the key-encryption key is another or the text was
    /// changed, [`KeystoreError::Kept`] if it is none or that of another key, [`KeystoreError::Name`].
    pub async fn open(&self, kid: &str, text: &str) -> Result<KeyHandle, KeystoreError> {
        let text = text.to_owned();
        self.with(kid, move |provider, kid| match provider {
            Provider::Sealed(ring) => Ok(in_memory(kid, open_sealed(ring, kid, &text)?)),
            Provider::Pkcs11(_, Some(ring)) if !is_in_token(&text) => {
                Ok(in_memory(kid, open_sealed(ring, kid, &text)?))
            }
            Provider::Pkcs11(token, _) => token.get()?.key(kid, &text),
        })
        .await
    }

    /// Where a key of this name will be that [`generate`](Self::generate) makes, as a text for [`destroy`](Self::destroy):
    /// kept before, it lets what was made be removed although nobody heard of it. `None` where a key is in nothing but its
    /// own text, and of a token that is not open yet.
    pub fn place(&self, kid: &str) -> Option<String> {
        match &self.0 {
            Provider::Sealed(_) => None,
            Provider::Pkcs11(token, _) => Some(token.opened()?.place(kid)),
        }
    }

    /// Destroys what of the key is not in the text; whether a private half was there. A key that is gone already is no error.
    ///
    /// A sealed key is nowhere else: it is destroyed when the last copy of its text is, or its key-encryption key.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Name`]; [`KeystoreError::Unsupported`] if it is in a token and this provider has none, or another.
    pub async fn destroy(&self, kid: &str, text: &str) -> Result<bool, KeystoreError> {
        let in_token = token_of(text);
        self.with(kid, move |provider, kid| match (provider, in_token) {
            (_, None) => Ok(false),
            (Provider::Pkcs11(token, _), Some(named)) => token.get()?.destroy(kid, &named),
            (Provider::Sealed(_), Some(_)) => Err(KeystoreError::Unsupported {
                kid: kid.to_owned(),
                what: "it is in a PKCS#11 token, which is not among the settings; remove it with the token's own tool",
            }),
        })
        .await
    }

    /// Whether what a text only says the place of is in the token of this provider, which is open.
    pub fn reaches(&self, text: &str) -> bool {
        match &self.0 {
            Provider::Sealed(_) => false,
            Provider::Pkcs11(token, _) => {
                token.opened().is_some_and(|token| token_of(text).is_some_and(|named| token.is_named(&named)))
            }
        }
    }

    /// Whether a text that was kept only says where the key is, so that erasing the text destroys nothing.
    pub fn is_reference(text: &str) -> bool {
        is_in_token(text)
    }

    /// The text that is to be kept from now on, if it must be another: `None` for a key that is sealed under the
    /// first key-encryption key already, or is in a token. A sealed key is opened either way, since another key-encryption
    /// key may go by the id that it names.
    ///
    /// When this was done for all texts, the other key-encryption keys can leave the ring.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn reseal(&self, text: &str) -> Result<Option<String>, KeystoreError> {
        let (provider, text) = (self.0.clone(), text.to_owned());
        run_blocking(move || match &provider {
            _ if is_in_token(&text) => Ok(None),
            Provider::Sealed(ring) | Provider::Pkcs11(_, Some(ring)) => {
                let sealed = SealedKey::parse(&Origin::Unread, text.as_bytes())?;
                let kid = sealed.kid().to_owned();
                let origin = Origin::Text(kid.clone());
                Ok(sealed.resealed(&origin, &kid, ring)?.map(|sealed| sealed.to_text()))
            }
            Provider::Pkcs11(_, None) => {
                let kid = SealedKey::parse(&Origin::Unread, text.as_bytes())?.kid().to_owned();
                Err(KeystoreError::Unsupported {
                    kid,
                    what: "it is sealed, and this provider has no key-encryption key",
                })
            }
        })
        .await
    }

    /// Checks the name, then works on a thread that may take its time.
    async fn with<T: Send + 'static>(
        &self,
        kid: &str,
        work: impl FnOnce(&Provider, &str) -> Result<T, KeystoreError> + Send + 'static,
    ) -> Result<T, KeystoreError> {
        name::check(kid)?;
        let (provider, kid) = (self.0.clone(), kid.to_owned());
        run_blocking(move || work(&provider, &kid)).await
    }
}

fn make_sealed(ring: &KekRing, kid: &str, alg: Alg) -> Result<Kept, KeystoreError> {
    let key = SigningKey::generate(alg).map_err(|e| KeystoreError::key(kid, e))?;
    keep_sealed(ring, kid, key)
}

/// Whether what was kept says that the key is in a token; a sealed key says that it is sealed.
fn is_in_token(text: &str) -> bool {
    token_of(text).is_some()
}

/// The token that a text says the key is in.
fn token_of(text: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Kind {
        token: Option<String>,
    }
    serde_json::from_str(text).ok().and_then(|Kind { token }| token)
}

fn open_sealed(ring: &KekRing, kid: &str, text: &str) -> Result<SigningKey, KeystoreError> {
    let origin = Origin::Text(kid.to_owned());
    if is_in_token(text) {
        return Err(KeystoreError::kept(
            &origin,
            "it is in a PKCS#11 token, and this provider has sealed keys",
        ));
    }
    SealedKey::parse(&origin, text.as_bytes())?.open(&origin, kid, ring)
}

fn keep_sealed(ring: &KekRing, kid: &str, key: SigningKey) -> Result<Kept, KeystoreError> {
    let key = key.with_kid(kid);
    let text = SealedKey::seal(kid, &key, ring)?.to_text();
    let public = key.verifying_key();
    // The test is of what will be opened one day, not of what is at hand now.
    let opened = open_sealed(ring, kid, &text)?;
    let message = random::bytes::<32>();
    let signature =
        opened.sign(&message).map_err(|source| KeystoreError::Sign { kid: kid.to_owned(), source })?;
    public.verify(&message, &signature).map_err(|_| KeystoreError::SelfTest(kid.to_owned()))?;
    Ok(Kept { text, public })
}
