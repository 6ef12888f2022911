//! One JSON Web Key (RFC 7517), read strictly and written in one order of members.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::{
    Alg, KeyError, base64url,
    json::{self, JsonError, Value},
    key::{
        MAX_KEY_BYTES,
        material::{PrivateMaterial, PublicMaterial, RsaPrivate},
    },
};

const NESTING: usize = 16;

/// What the key is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Sign,
    Verify,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Verify => "verify",
        }
    }
}

/// The type of a key, by `kty` and `crv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Rsa,
    P256,
    Ed25519,
    Oct,
}

impl Type {
    fn fits(self, alg: Alg) -> bool {
        match alg {
            Alg::Hs256 => self == Self::Oct,
            Alg::Rs256 | Alg::Ps256 => self == Self::Rsa,
            Alg::Es256 => self == Self::P256,
            Alg::Ed25519 => self == Self::Ed25519,
        }
    }

    fn seen(self) -> &'static str {
        match self {
            Self::Rsa => "an RSA key",
            Self::P256 => "a P-256 key",
            Self::Ed25519 => "an Ed25519 key",
            Self::Oct => "a symmetric key",
        }
    }
}

/// A JWK whose members were read but not yet believed.
pub(crate) struct Jwk<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Jwk<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, KeyError> {
        if text.len() > MAX_KEY_BYTES {
            return Err(KeyError::TooLarge(MAX_KEY_BYTES));
        }
        if !text.trim_ascii_start().starts_with('{') {
            let seen = crate::key::pem::describe(text.as_bytes());
            return Err(KeyError::Format { seen, wanted: "a JWK" });
        }
        let mut members = Vec::new();
        json::object(text, NESTING, |name, value| members.push((name.decoded(), value)))
            .map_err(|error| malformed("JWK", error))?;
        let jwk = Self { members };
        if jwk.value("kty").is_none() && jwk.value("keys").is_some() {
            return Err(KeyError::Format { seen: "a JWK set", wanted: "a single JWK" });
        }
        Ok(jwk)
    }

    fn value(&self, name: &str) -> Option<Value<'a>> {
        self.members.iter().find(|(n, _)| n == name).map(|(_, value)| *value)
    }

    fn string(&self, member: &'static str) -> Result<Option<Cow<'a, str>>, KeyError> {
        self.value(member)
            .map(|value| {
                let text = value.as_str().ok_or(KeyError::Member { member, problem: "is not a string" })?;
                Ok(text.decoded())
            })
            .transpose()
    }

    fn bytes(&self, member: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let text = self.string(member)?.ok_or(KeyError::MemberMissing(member))?;
        let bytes = base64url::decode(&text);
        bytes.map(Zeroizing::new).map_err(|_| KeyError::Member { member, problem: "is not base64url" })
    }

    fn exact<const N: usize>(&self, member: &'static str) -> Result<Zeroizing<[u8; N]>, KeyError> {
        let bytes: Result<[u8; N], _> = self.bytes(member)?.as_slice().try_into();
        bytes.map(Zeroizing::new).map_err(|_| KeyError::Member { member, problem: "has the wrong length" })
    }

    pub(crate) fn kid(&self) -> Result<Option<Cow<'a, str>>, KeyError> {
        self.string("kid")
    }

    pub(crate) fn key_type(&self) -> Result<Type, KeyError> {
        let kty = self.string("kty")?.ok_or(KeyError::MemberMissing("kty"))?;
        if kty == "RSA" {
            return Ok(Type::Rsa);
        }
        if kty == "oct" {
            return Ok(Type::Oct);
        }
        if kty != "EC" && kty != "OKP" {
            return Err(KeyError::Unsupported("a key type (`kty`) other than EC, OKP, RSA and oct"));
        }
        let crv = self.string("crv")?.ok_or(KeyError::MemberMissing("crv"))?;
        match (&*kty, &*crv) {
            ("EC", "P-256") => Ok(Type::P256),
            ("OKP", "Ed25519") => Ok(Type::Ed25519),
            _ => Err(KeyError::Unsupported("a curve (`crv`) other than P-256 for EC and Ed25519 for OKP")),
        }
    }

    /// Whether it holds anything that must stay secret.
    pub(crate) fn is_secret(&self) -> bool {
        ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"].iter().any(|name| self.value(name).is_some())
    }

    /// The algorithm that the key itself names.
    pub(crate) fn named_alg(&self) -> Result<Option<Alg>, KeyError> {
        let name = self.string("alg")?;
        name.map(|name| Alg::from_token(&name).ok_or(KeyError::AlgUnsupported)).transpose()
    }

    /// The one algorithm of this key. Its own name and the caller's may be there or not, but they
    /// must agree.
    pub(crate) fn alg(&self, wanted: Option<Alg>) -> Result<Alg, KeyError> {
        let alg = match (self.named_alg()?, wanted) {
            (Some(key), Some(wanted)) if key != wanted => return Err(KeyError::AlgMismatch { key, wanted }),
            (Some(alg), _) | (None, Some(alg)) => alg,
            (None, None) => return Err(KeyError::AlgMissing),
        };
        let key_type = self.key_type()?;
        if key_type.fits(alg) { Ok(alg) } else { Err(KeyError::Type { alg, seen: key_type.seen() }) }
    }

    /// The one algorithm among `allowed` that is the key's own or, if it names none, fits its type.
    pub(crate) fn alg_among(&self, allowed: &[Alg]) -> Result<Alg, KeyError> {
        if let Some(alg) = self.named_alg()? {
            return if allowed.contains(&alg) { self.alg(None) } else { Err(KeyError::AlgNotAllowed) };
        }
        let key_type = self.key_type()?;
        let mut fitting = Alg::ALL.into_iter().filter(|alg| allowed.contains(alg) && key_type.fits(*alg));
        match (fitting.next(), fitting.next()) {
            (Some(alg), None) => Ok(alg),
            (None, _) => Err(KeyError::AlgNotAllowed),
            (Some(_), Some(_)) => Err(KeyError::AlgAmbiguous),
        }
    }

    /// Refuses the key if `use` or `key_ops` rule out all of `wanted` (RFC 7517 §4.2, §4.3).
    pub(crate) fn check_use(&self, wanted: &[Operation]) -> Result<(), KeyError> {
        if self.string("use")?.is_some_and(|usage| usage != "sig") {
            return Err(KeyError::Use("use"));
        }
        match self.operations()? {
            Some(named) if !wanted.iter().any(|op| named.contains(op)) => Err(KeyError::Use("key_ops")),
            _ => Ok(()),
        }
    }

    /// Those of our operations that `key_ops` names; `None` if the key has no such member.
    pub(crate) fn operations(&self) -> Result<Option<Vec<Operation>>, KeyError> {
        let Some(value) = self.value("key_ops") else {
            return Ok(None);
        };
        let strings = value
            .strings()
            .ok_or(KeyError::Member { member: "key_ops", problem: "is not an array of strings" })?;
        let names: Vec<_> = strings.into_iter().map(json::Str::decoded).collect();
        if names.iter().enumerate().any(|(i, name)| names[..i].contains(name)) {
            return Err(KeyError::Member { member: "key_ops", problem: "repeats a value" });
        }
        let ours = [Operation::Sign, Operation::Verify];
        Ok(Some(ours.into_iter().filter(|op| names.iter().any(|name| name == op.name())).collect()))
    }

    pub(crate) fn public_material(&self) -> Result<PublicMaterial, KeyError> {
        match self.key_type()? {
            Type::Rsa => PublicMaterial::rsa(&self.bytes("n")?, &self.bytes("e")?),
            Type::P256 => PublicMaterial::p256(&self.exact::<32>("x")?[..], &self.exact::<32>("y")?[..]),
            Type::Ed25519 => PublicMaterial::ed25519(&self.exact::<32>("x")?[..]),
            Type::Oct => Err(KeyError::Format { seen: "a symmetric key", wanted: "a public key" }),
        }
    }

    pub(crate) fn private_material(&self) -> Result<PrivateMaterial, KeyError> {
        let key_type = self.key_type()?;
        if key_type == Type::Oct {
            return Err(KeyError::Format { seen: "a symmetric key", wanted: "a private key" });
        }
        if !self.is_secret() {
            return Err(KeyError::Format { seen: "a public JWK", wanted: "a private one (with `d`)" });
        }
        if self.value("oth").is_some() {
            return Err(KeyError::Unsupported("an RSA key of more than two primes (`oth`)"));
        }
        let public = self.public_material()?;
        Ok(match (key_type, public) {
            (Type::Rsa, PublicMaterial::Rsa { n, e }) => PrivateMaterial::Rsa(RsaPrivate {
                n,
                e,
                d: self.bytes("d")?,
                p: self.bytes("p")?,
                q: self.bytes("q")?,
                dp: self.bytes("dp")?,
                dq: self.bytes("dq")?,
                qi: self.bytes("qi")?,
            }),
            (_, PublicMaterial::Ed25519(point)) => {
                PrivateMaterial::Ed25519 { seed: self.exact("d")?, public: Some(point) }
            }
            (_, public) => PrivateMaterial::P256 { d: self.exact("d")?, public: Some(public) },
        })
    }

    /// The secret of a symmetric key.
    pub(crate) fn secret(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self.key_type()? {
            Type::Oct => self.bytes("k"),
            other => Err(KeyError::Format { seen: other.seen(), wanted: "a symmetric key (`kty` is `oct`)" }),
        }
    }
}

pub(crate) fn malformed(format: &'static str, error: JsonError) -> KeyError {
    let problem = match error {
        JsonError::Syntax => "not strict JSON",
        JsonError::DuplicateName => "a name stands twice in one object",
        JsonError::TooDeep => "nested too deeply",
    };
    KeyError::Malformed { format, problem }
}

/// Writes `{"kty":…}` member by member into a buffer that never grows, so that no copy of a secret
/// stays behind.
pub(crate) struct Writer(Zeroizing<String>);

impl Writer {
    pub(crate) fn new(room: usize) -> Self {
        let mut text = String::with_capacity(room + 256);
        text.push('{');
        Self(Zeroizing::new(text))
    }

    pub(crate) fn member(&mut self, name: &str, value: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&json::quote(name));
        self.0.push(':');
        self.0.push_str(&json::quote(value));
    }

    pub(crate) fn number(&mut self, name: &str, bytes: &[u8]) {
        let mut text = Zeroizing::new(String::with_capacity(base64url::encoded_len(bytes.len())));
        base64url::encode_to(bytes, &mut text);
        if self.0.len() > 1 {
            self.0.push(',');
        }
        for part in ["\"", name, "\":\"", &text, "\""] {
            self.0.push_str(part);
        }
    }

    pub(crate) fn public(&mut self, key: &PublicMaterial) {
        match key {
            PublicMaterial::Rsa { n, e } => {
                self.member("kty", "RSA");
                self.number("n", n);
                self.number("e", e);
            }
            PublicMaterial::P256 { x, y } => {
                self.member("kty", "EC");
                self.member("crv", "P-256");
                self.number("x", x);
                self.number("y", y);
            }
            PublicMaterial::Ed25519(point) => {
                self.member("kty", "OKP");
                self.member("crv", "Ed25519");
                self.number("x", point);
            }
        }
    }

    pub(crate) fn private(&mut self, key: &PrivateMaterial) {
        match key {
            PrivateMaterial::Rsa(RsaPrivate { d, p, q, dp, dq, qi, .. }) => {
                for (name, number) in [("d", d), ("p", p), ("q", q), ("dp", dp), ("dq", dq), ("qi", qi)] {
                    self.number(name, number);
                }
            }
            PrivateMaterial::P256 { d, .. } => self.number("d", &d[..]),
            PrivateMaterial::Ed25519 { seed, .. } => self.number("d", &seed[..]),
        }
    }

    pub(crate) fn usage(&mut self, alg: Alg, kid: Option<&str>) {
        self.member("use", "sig");
        self.member("alg", alg.name());
        if let Some(kid) = kid {
            self.member("kid", kid);
        }
    }

    pub(crate) fn finish(mut self) -> Zeroizing<String> {
        self.0.push('}');
        self.0
    }
}
