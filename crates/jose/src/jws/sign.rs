//! Producing a JWS: at once with a key at hand, or in two phases with a key that lives elsewhere.

use serde_json::Value;

use crate::{Alg, MacKey, SignError, SigningKey, base64url, header::REGISTERED, json::quote, jws::Limits};

/// A protected header under construction: written compactly, in the order of the calls, `alg`
/// first.
///
/// ```
/// use sealwright_jose::{Alg, jws::{Header, prepare}};
///
/// let header = Header::new(Alg::Es256).typ("jose+json").param("iat", 1764547200.into());
/// let prepared = prepare(header, b"hello")?;
/// assert!(prepare(Header::new(Alg::Es256).param("alg", "none".into()), b"hello").is_err());
/// # Ok::<(), sealwright_jose::SignError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Header {
    alg: Alg,
    parameters: Vec<(String, Value)>,
    refused: Option<String>,
}

impl Header {
    /// A header of this algorithm and nothing else.
    pub fn new(alg: Alg) -> Self {
        Self { alg, parameters: Vec::new(), refused: None }
    }

    /// The key identifier (RFC 7515 §4.1.4).
    #[must_use]
    pub fn kid(self, kid: &str) -> Self {
        self.with("kid", kid.into())
    }

    /// The type of the whole object (RFC 7515 §4.1.9), such as `at+jwt`.
    #[must_use]
    pub fn typ(self, typ: &str) -> Self {
        self.with("typ", typ.into())
    }

    /// The media type of the payload (RFC 7515 §4.1.10).
    #[must_use]
    pub fn cty(self, cty: &str) -> Self {
        self.with("cty", cty.into())
    }

    /// Any other parameter, such as `x5c` or `iat`. [`prepare`] refuses `alg`, `kid`, `typ`, `cty`,
    /// `crit`, `b64`, the parameters of encryption, and a second of the same name.
    #[must_use]
    pub fn param(mut self, name: &str, value: Value) -> Self {
        const FREE: [&str; 6] = ["jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256"];
        if name == "b64" || REGISTERED.contains(&name) && !FREE.contains(&name) {
            self.refused.get_or_insert_with(|| name.to_owned());
            return self;
        }
        self.with(name, value)
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        if self.parameters.iter().any(|(known, _)| known == name) {
            self.refused.get_or_insert_with(|| name.to_owned());
        }
        self.parameters.push((name.to_owned(), value));
        self
    }

    /// The base64url text of the header.
    fn encode(&self) -> Result<String, SignError> {
        if let Some(name) = &self.refused {
            return Err(SignError::HeaderParameter(name.clone()));
        }
        let mut json = format!(r#"{{"alg":"{}""#, self.alg);
        for (name, value) in &self.parameters {
            json.push(',');
            json.push_str(&quote(name));
            json.push(':');
            json.push_str(&value.to_string());
        }
        json.push('}');
        let limit = Limits::default().header_bytes;
        if json.len() > limit { Err(SignError::HeaderTooLarge(limit)) } else { Ok(base64url::encode(json)) }
    }
}

/// What is to be signed, by a key that may live elsewhere.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SigningInput<'a> {
    /// The bytes themselves; the signer hashes them as the algorithm says.
    Message(&'a [u8]),
}

/// A JWS without its signature: header and payload are fixed.
#[derive(Clone, Debug)]
pub struct Prepared {
    alg: Alg,
    /// Protected header, dot, payload.
    input: String,
    dot: usize,
}

/// First phase of signing: fixes header and payload. The key gets [`Prepared::signing_input`], and
/// its signature goes into [`Prepared::finish_compact`] or [`Prepared::finish_flattened`].
///
/// # Errors
///
/// [`SignError::HeaderParameter`] or [`SignError::HeaderTooLarge`].
pub fn prepare(header: Header, payload: &[u8]) -> Result<Prepared, SignError> {
    Ok(prepare_encoded(header.alg, &header.encode()?, payload))
}

fn prepare_encoded(alg: Alg, header: &str, payload: &[u8]) -> Prepared {
    // Room for dot and signature, too, so that finishing the compact form does not move the text.
    let room = header.len() + 1 + base64url::encoded_len(payload.len()) + 1 + 1400;
    let mut input = String::with_capacity(room);
    input.push_str(header);
    input.push('.');
    base64url::encode_to(payload, &mut input);
    Prepared { alg, input, dot: header.len() }
}

impl Prepared {
    /// The algorithm that the header names, and that the key must have.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// What the key signs.
    pub fn signing_input(&self) -> SigningInput<'_> {
        SigningInput::Message(self.input.as_bytes())
    }

    /// The compact serialization with this signature, which is in its JWS form.
    ///
    /// # Errors
    ///
    /// [`SignError::SignatureLength`] if the algorithm has no signatures of that length.
    pub fn finish_compact(self, signature: &[u8]) -> Result<String, SignError> {
        self.check(signature)?;
        let mut jws = self.input;
        jws.push('.');
        base64url::encode_to(signature, &mut jws);
        Ok(jws)
    }

    /// The flattened JSON serialization with this signature, which is in its JWS form.
    ///
    /// # Errors
    ///
    /// As [`finish_compact`](Self::finish_compact).
    pub fn finish_flattened(self, signature: &[u8]) -> Result<String, SignError> {
        self.check(signature)?;
        let (protected, payload) = (&self.input[..self.dot], &self.input[self.dot + 1..]);
        let mut jws = String::with_capacity(self.input.len() + 1400 + 64);
        for part in [r#"{"payload":""#, payload, r#"","protected":""#, protected, r#"","signature":""#] {
            jws.push_str(part);
        }
        base64url::encode_to(signature, &mut jws);
        jws.push_str("\"}");
        Ok(jws)
    }

    fn check(&self, signature: &[u8]) -> Result<(), SignError> {
        let len = signature.len();
        if self.alg.signature_len_is_possible(len) {
            Ok(())
        } else {
            Err(SignError::SignatureLength { alg: self.alg, len })
        }
    }
}

/// Signs with a key at hand: `alg` and `kid` come from the key. Built once, shared by all requests.
///
/// ```
/// use sealwright_jose::{Alg, SigningKey, jws::Signer};
///
/// let key = SigningKey::generate(Alg::Ed25519)?.with_kid("k1");
/// let signer = Signer::new(&key).typ("at+jwt");
/// let token = signer.sign_compact(br#"{"sub":"alice"}"#)?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Signer {
    key: Secret,
    header: Header,
    /// The header's text, made anew by each call that changes it.
    encoded: Result<String, SignError>,
}

#[derive(Clone, Debug)]
enum Secret {
    Signing(SigningKey),
    Mac(MacKey),
}

impl Signer {
    /// Signs with a private key.
    pub fn new(key: &SigningKey) -> Self {
        Self::with_secret(Secret::Signing(key.clone()), key.alg(), key.kid())
    }

    /// Signs with a symmetric key.
    pub fn with_mac(key: &MacKey) -> Self {
        Self::with_secret(Secret::Mac(key.clone()), key.alg(), key.kid())
    }

    fn with_secret(key: Secret, alg: Alg, kid: Option<&str>) -> Self {
        let header = Header::new(alg);
        let header = match kid {
            Some(kid) => header.kid(kid),
            None => header,
        };
        Self { key, encoded: header.encode(), header }
    }

    fn with_header(self, header: Header) -> Self {
        Self { key: self.key, encoded: header.encode(), header }
    }

    /// The type of the whole object, such as `at+jwt`.
    #[must_use]
    pub fn typ(self, typ: &str) -> Self {
        let header = self.header.clone().typ(typ);
        self.with_header(header)
    }

    /// The media type of the payload.
    #[must_use]
    pub fn cty(self, cty: &str) -> Self {
        let header = self.header.clone().cty(cty);
        self.with_header(header)
    }

    /// Any other parameter; see [`Header::param`].
    #[must_use]
    pub fn param(self, name: &str, value: Value) -> Self {
        let header = self.header.clone().param(name, value);
        self.with_header(header)
    }

    /// The compact serialization of `payload`, signed.
    ///
    /// # Errors
    ///
    /// A [`SignError`], also for a header that could not be built.
    pub fn sign_compact(&self, payload: &[u8]) -> Result<String, SignError> {
        let prepared = self.prepare(payload)?;
        let signature = self.sign(&prepared)?;
        prepared.finish_compact(&signature)
    }

    /// The flattened JSON serialization of `payload`, signed.
    ///
    /// # Errors
    ///
    /// As [`sign_compact`](Self::sign_compact).
    pub fn sign_flattened(&self, payload: &[u8]) -> Result<String, SignError> {
        let prepared = self.prepare(payload)?;
        let signature = self.sign(&prepared)?;
        prepared.finish_flattened(&signature)
    }

    fn prepare(&self, payload: &[u8]) -> Result<Prepared, SignError> {
        let header = self.encoded.as_ref().map_err(SignError::clone)?;
        Ok(prepare_encoded(self.header.alg, header, payload))
    }

    fn sign(&self, prepared: &Prepared) -> Result<Vec<u8>, SignError> {
        let input = prepared.input.as_bytes();
        match &self.key {
            Secret::Signing(key) => key.sign(input),
            Secret::Mac(key) => key.sign(input),
        }
    }
}
