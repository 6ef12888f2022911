//! The protected header, built by its producer.

use serde_json::Value;

use crate::{
    Alg, SignError,
    json::quote,
    jws::sign::member::{self, Member},
};

/// A protected header under construction: written compactly, in the order of the calls. `alg`
/// stands first unless the caller places it.
///
/// Each name stands once, `alg` is the algorithm of the key, and the parameters of RFC 7515 §4.1
/// have the types that it gives them. It has at most 16 KiB and 16 levels, as much as a verifier takes
/// by default. What breaks that is reported when the header is used.
///
/// ```
/// use sealwright_jose::{Alg, jws::{Header, Signer}, MacKey};
///
/// let key = MacKey::generate(Alg::Hs256)?;
/// let header = Header::new(Alg::Hs256).typ("jose+json").param("iat", 1764547200.into()).critical("iat");
/// let token = Signer::mac(&key).header(header).sign_compact(b"hello")?;
///
/// // The caller may place `alg`, but not say another one than the key's.
/// let header = Header::from_json(Alg::Hs256, r#"{"typ": "JWT", "alg": "HS256"}"#)?;
/// assert_eq!(header.to_json()?, r#"{"typ":"JWT","alg":"HS256"}"#);
/// assert!(Header::from_json(Alg::Hs256, r#"{"alg":"none"}"#).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Header {
    alg: Alg,
    members: Vec<Member>,
    /// What `crit` lists; the member of that name marks its place among the others.
    critical: Vec<String>,
    refused: Option<SignError>,
}

impl Header {
    /// A header of this algorithm and nothing else.
    ///
    /// ```
    /// use sealwright_jose::{Alg, jws::Header};
    ///
    /// assert_eq!(Header::new(Alg::Es256).to_json()?, r#"{"alg":"ES256"}"#);
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    pub fn new(alg: Alg) -> Self {
        Self { alg, members: Vec::new(), critical: Vec::new(), refused: None }
    }

    /// The header of these members in this order, by the rules of [`param`](Self::param).
    ///
    /// ```
    /// use sealwright_jose::{Alg, SignError, jws::Header};
    ///
    /// let header = Header::from_members(Alg::Es256, [("typ", "JWT".into()), ("iat", 1764547200.into())])?;
    /// assert_eq!(header.to_json()?, r#"{"alg":"ES256","typ":"JWT","iat":1764547200}"#);
    ///
    /// let twice = Header::from_members(Alg::Es256, [("typ", "JWT".into()), ("typ", "at+jwt".into())]);
    /// assert_eq!(twice.unwrap_err(), SignError::HeaderParameter("typ".to_owned()));
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For the first member that cannot stand there, [`SignError::HeaderParameter`],
    /// [`HeaderValue`](SignError::HeaderValue), [`AlgMismatch`](SignError::AlgMismatch) or
    /// [`Critical`](SignError::Critical); [`HeaderJson`](SignError::HeaderJson) for more than 16 levels and
    /// [`HeaderTooLarge`](SignError::HeaderTooLarge) for more than 16 KiB.
    pub fn from_members<N: AsRef<str>>(
        alg: Alg,
        members: impl IntoIterator<Item = (N, Value)>,
    ) -> Result<Self, SignError> {
        let members = members.into_iter();
        members.fold(Self::new(alg), |header, (name, value)| header.param(name.as_ref(), value)).checked()
    }

    /// The header of a JSON text that is one object: its members in their order, in their
    /// values numbers and escapes as they are spelt there, without the whitespace between them.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SignError, jws::Header};
    ///
    /// let header = Header::from_json(Alg::Es256, r#"{"x": {"b": 1.50, "a": "\u00e9"}}"#)?;
    /// assert_eq!(header.to_json()?, r#"{"alg":"ES256","x":{"b":1.50,"a":"\u00e9"}}"#);
    /// let twice = Header::from_json(Alg::Es256, r#"{"x":{"a":1,"a":2}}"#);
    /// assert_eq!(twice.unwrap_err(), SignError::HeaderJson);
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SignError::HeaderJson`] if it is no object or has a name twice at any depth,
    /// [`SignError::HeaderTooLarge`] for a text of more than 16 KiB, otherwise as
    /// [`from_members`](Self::from_members).
    pub fn from_json(alg: Alg, json: &str) -> Result<Self, SignError> {
        let members = Member::read_header(json)?;
        members
            .into_iter()
            .fold(Self::new(alg), |header, (member, value)| header.add(member, &value))
            .checked()
    }

    /// The key identifier (RFC 7515 §4.1.4).
    ///
    /// ```
    /// use sealwright_jose::{Alg, SignError, SigningKey, jws::{Header, Signer}};
    ///
    /// let signer = Signer::new(&SigningKey::generate(Alg::Es256)?.with_kid("k1"));
    /// assert!(signer.clone().header(Header::new(Alg::Es256).kid("k1")).sign_compact(b"hello").is_ok());
    /// // It would lead whoever verifies to another key than the one that signed.
    /// let error = signer.header(Header::new(Alg::Es256).kid("k2")).sign_compact(b"hello").unwrap_err();
    /// assert_eq!(error, SignError::HeaderParameter("kid".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn kid(self, kid: &str) -> Self {
        self.param("kid", kid.into())
    }

    /// The type of the whole object (RFC 7515 §4.1.9), such as `at+jwt`.
    ///
    /// ```
    /// use sealwright_jose::{Alg, jws::Header};
    ///
    /// assert_eq!(Header::new(Alg::Es256).typ("at+jwt").to_json()?, r#"{"alg":"ES256","typ":"at+jwt"}"#);
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    #[must_use]
    pub fn typ(self, typ: &str) -> Self {
        self.param("typ", typ.into())
    }

    /// The media type of the payload (RFC 7515 §4.1.10).
    ///
    /// ```
    /// use sealwright_jose::{Alg, jws::Header};
    ///
    /// let header = Header::new(Alg::Es256).typ("jose+json").cty("application/pdf");
    /// assert!(header.to_json()?.ends_with(r#""typ":"jose+json","cty":"application/pdf"}"#));
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    #[must_use]
    pub fn cty(self, cty: &str) -> Self {
        self.param("cty", cty.into())
    }

    /// Any parameter, here in the order. What cannot stand there is reported when the header is used.
    ///
    /// Refused are a name that stood before, a value that is not of its parameter's type (so `jku`
    /// and `x5u` are http URLs, `jwk` has no private member, `x5c` is base64), the parameters of
    /// encryption, and an `alg` that is not the key's. `alg` may be `EdDSA`, the older name
    /// (RFC 9864 §2.2), where the key is on one of its curves. `crit` lists names as
    /// [`critical`](Self::critical) does; `b64` may be `false`, which `crit` must list.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SignError, jws::Header};
    ///
    /// let header = Header::new(Alg::Ed25519).param("iat", 1764547200.into()).param("alg", "EdDSA".into());
    /// assert_eq!(header.to_json()?, r#"{"iat":1764547200,"alg":"EdDSA"}"#);
    ///
    /// let error = Header::new(Alg::Ed25519).param("alg", "ES256".into()).to_json();
    /// assert_eq!(error, Err(SignError::AlgMismatch { key: Alg::Ed25519 }));
    /// let error = Header::new(Alg::Ed25519).param("kid", 7.into()).to_json();
    /// assert_eq!(error, Err(SignError::HeaderValue { name: "kid".to_owned(), wanted: "a string" }));
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    #[must_use]
    pub fn param(self, name: &str, value: Value) -> Self {
        let member = Member::new(name, &value);
        self.add(member, &value)
    }

    /// Calls the parameter `name` critical: a reader that does not understand it must refuse the
    /// JWS (RFC 7515 §4.1.11). `crit` stands where the first such call is.
    ///
    /// Refused are names that stand twice, that are not in this header, and those that RFC 7515 and
    /// RFC 7518 define themselves.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SignError, jws::Header};
    ///
    /// let header = Header::new(Alg::Es256).param("until", 1764550800.into());
    /// let json = header.clone().critical("until").to_json()?;
    /// assert_eq!(json, r#"{"alg":"ES256","until":1764550800,"crit":["until"]}"#);
    /// let absent = header.critical("from").to_json();
    /// assert_eq!(absent, Err(SignError::Critical("from".to_owned())));
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    #[must_use]
    pub fn critical(mut self, name: &str) -> Self {
        if !member::may_be_critical(name) || self.critical.iter().any(|known| known == name) {
            return self.refuse(SignError::Critical(name.to_owned()));
        }
        if self.critical.is_empty() {
            self.members.push(Member { name: "crit".to_owned(), json: String::new() });
        }
        self.critical.push(name.to_owned());
        self
    }

    /// The payload is signed as it is and not in base64url (RFC 7797): `"b64":false`, which is
    /// critical.
    ///
    /// ```
    /// use sealwright_jose::{Alg, jws::{Header, prepare}};
    ///
    /// let header = Header::new(Alg::Es256).unencoded();
    /// assert_eq!(header.to_json()?, r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#);
    /// let prepared = prepare(header, b"$.02")?;
    /// assert!(prepared.message().ends_with(b".$.02"), "signed as it is");
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    #[must_use]
    pub fn unencoded(self) -> Self {
        self.param("b64", false.into()).critical("b64")
    }

    /// The JSON text of the header, as it is signed.
    ///
    /// ```
    /// use sealwright_jose::{Alg, SignError, base64url, jws::{Header, prepare}};
    ///
    /// let header = Header::new(Alg::Es256).typ("JWT");
    /// let signed = format!("{}.{}", base64url::encode(header.to_json()?), base64url::encode("hello"));
    /// assert_eq!(prepare(header, b"hello")?.message(), signed.as_bytes());
    ///
    /// let large = Header::new(Alg::Es256).param("note", "x".repeat(16 * 1024).into());
    /// assert_eq!(large.to_json(), Err(SignError::HeaderTooLarge(16 * 1024)));
    /// # Ok::<(), sealwright_jose::SignError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The [`SignError`] of the first call that could not be followed, as
    /// [`from_members`](Self::from_members) says them; [`SignError::Critical`] also for a critical name that
    /// is not there, and [`SignError::HeaderTooLarge`] for more than 16 KiB.
    pub fn to_json(&self) -> Result<String, SignError> {
        self.write(true)
    }

    /// The algorithm that it is for.
    pub(super) fn alg(&self) -> Alg {
        self.alg
    }

    /// Whether the payload is signed as it is.
    pub(super) fn is_unencoded(&self) -> bool {
        self.has("b64")
    }

    /// Whether nothing stands in it but, perhaps, `alg`.
    pub(super) fn is_empty(&self) -> bool {
        self.refused.is_none() && self.members.is_empty()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    fn add(mut self, member: Member, value: &Value) -> Self {
        let name = member.name.as_str();
        if self.has(name) || member::is_of_encryption(name) {
            return self.refuse(SignError::HeaderParameter(member.name));
        }
        if name == "crit" {
            return match critical_names(value) {
                Some(names) => names.into_iter().fold(self, Self::critical),
                None => self.refuse(SignError::HeaderValue {
                    name: member.name,
                    wanted: "a list of names, at least one",
                }),
            };
        }
        if name == "alg" && !value.as_str().is_some_and(|name| member::names_alg(name, self.alg)) {
            let key = self.alg;
            return self.refuse(SignError::AlgMismatch { key });
        }
        match member::check_value(name, value) {
            Ok(()) => {
                self.members.push(member);
                self
            }
            Err(error) => self.refuse(error),
        }
    }

    fn refuse(mut self, error: SignError) -> Self {
        self.refused.get_or_insert(error);
        self
    }

    fn checked(self) -> Result<Self, SignError> {
        self.to_json()?;
        Ok(self)
    }

    /// The JSON text; without `alg` if that stands elsewhere and not in this header.
    pub(super) fn write(&self, with_alg: bool) -> Result<String, SignError> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        let is_absent = |name: &&String| !self.has(name.as_str());
        if let Some(name) = self.critical.iter().find(is_absent) {
            return Err(SignError::Critical(name.clone()));
        }
        if self.is_unencoded() && !self.critical.iter().any(|name| name == "b64") {
            return Err(SignError::Critical("b64".to_owned()));
        }
        let alg = Member::new("alg", &self.alg.name().into());
        let first = (with_alg && !self.has("alg")).then_some(&alg);
        let crit = self.crit();
        let members = self.members.iter().map(|member| if member.name == "crit" { &crit } else { member });
        member::object(first.into_iter().chain(members))
    }

    fn crit(&self) -> Member {
        let names: Vec<String> = self.critical.iter().map(|name| quote(name)).collect();
        Member { name: "crit".to_owned(), json: format!("[{}]", names.join(",")) }
    }
}

fn critical_names(value: &Value) -> Option<Vec<&str>> {
    let names: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
    names.filter(|names| !names.is_empty())
}
