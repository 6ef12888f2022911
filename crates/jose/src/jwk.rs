//! One JSON Web Key (RFC 7517), read strictly and written in one order of members.

mod member;

use std::{borrow::Cow, ops::Deref};

use zeroize::Zeroizing;

pub(crate) use member::Member;

use crate::{
    Alg, KeyError, base64url,
    json::{self, JsonError, Name, Str, Value, short},
    key::{
        MAX_KEY_BYTES, crt,
        kind::{Curve, Kind, MlDsa},
        material::{Point, PrivateMaterial, PublicMaterial, RsaPrivate, Seed},
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
    pub(crate) const BOTH: [Self; 2] = [Self::Sign, Self::Verify];

    fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Verify => "verify",
        }
    }
}

/// A JWK whose members were read but not yet believed.
pub(crate) struct Jwk<'a> {
    /// Those that are there: one bit for each.
    present: u32,
    members: [Value<'a>; Member::COUNT],
}

impl<'a> Jwk<'a> {
    pub(crate) fn new() -> Self {
        Self { present: 0, members: [Value::NONE; Member::COUNT] }
    }

    /// Takes all members out again, to read the next key.
    pub(crate) fn clear(&mut self) {
        self.present = 0;
    }

    pub(crate) fn parse(text: &'a str) -> Result<Self, KeyError> {
        check_text(text)?;
        let mut jwk = Self::new();
        json::object(text, NESTING, |name, value| jwk.add(name, value))
            .map_err(|error| malformed("JWK", error))?;
        jwk.check_is_one()?;
        Ok(jwk)
    }

    /// Checks the members of an element of a text that was scanned as a whole.
    pub(crate) fn check_scanned(&self, text: &str) -> Result<(), KeyError> {
        check_text(text)?;
        self.check_is_one()
    }

    /// Adds a member. The caller sees to it that a name stands once.
    #[inline]
    pub(crate) fn add(&mut self, name: Name<'a>, value: Value<'a>) {
        if let Some(member) = Member::of(name.short()) {
            self.present |= member.bit();
            self.members[member as usize] = value;
        }
    }

    fn check_is_one(&self) -> Result<(), KeyError> {
        if self.value(Member::Kty).is_none() && self.value(Member::Keys).is_some() {
            return Err(KeyError::Format { seen: "a JWK set", wanted: "a single JWK" });
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn value(&self, member: Member) -> Option<Value<'a>> {
        (self.present & member.bit() != 0).then(|| self.members[member as usize])
    }

    #[inline]
    fn string(&self, member: Member) -> Result<Option<Str<'a>>, KeyError> {
        match self.value(member) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or_else(|| wrong(member, "is not a string")),
        }
    }

    #[inline]
    fn required(&self, member: Member) -> Result<Str<'a>, KeyError> {
        self.string(member)?.ok_or(KeyError::MemberMissing(member.name()))
    }

    /// The bytes of a public number, which are not wiped.
    fn number(&self, member: Member) -> Result<Vec<u8>, KeyError> {
        let bytes = base64url::decode(&unescaped(self.required(member)?));
        bytes.map_err(|_| wrong(member, "is not base64url"))
    }

    fn bytes(&self, member: Member) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.number(member).map(Zeroizing::new)
    }

    fn exact<const N: usize>(&self, member: Member) -> Result<Zeroizing<[u8; N]>, KeyError> {
        let mut bytes = Zeroizing::new([0; N]);
        self.fill(member, &mut bytes[..])?;
        Ok(bytes)
    }

    fn seed<const N: usize>(&self, member: Member) -> Result<Seed<N>, KeyError> {
        let mut seed = Seed::zero();
        self.fill(member, &mut seed[..])?;
        Ok(seed)
    }

    fn bytes_of_len(&self, member: Member, len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let mut bytes = Zeroizing::new(vec![0; len]);
        self.fill(member, &mut bytes)?;
        Ok(bytes)
    }

    /// Decodes to `out`, which the bytes must fill.
    fn fill(&self, member: Member, out: &mut [u8]) -> Result<(), KeyError> {
        let text = unescaped(self.required(member)?);
        if text.len() == base64url::encoded_len(out.len()) {
            return match base64url::decode_into(&text, out) {
                Ok(_) => Ok(()),
                Err(_) => Err(wrong(member, "is not base64url")),
            };
        }
        self.bytes(member)?;
        Err(wrong(member, "has the wrong length"))
    }

    pub(crate) fn kid(&self) -> Result<Option<Cow<'a, str>>, KeyError> {
        Ok(self.string(Member::Kid)?.map(Str::decoded))
    }

    pub(crate) fn kind(&self) -> Result<Kind, KeyError> {
        const RSA: u64 = short(b"RSA");
        const OCT: u64 = short(b"oct");
        const EC: u64 = short(b"EC");
        const OKP: u64 = short(b"OKP");
        const AKP: u64 = short(b"AKP");
        match self.required(Member::Kty)?.short() {
            RSA => Ok(Kind::Rsa),
            OCT => Ok(Kind::Oct),
            EC => Curve::from_name(&self.required(Member::Crv)?.bytes()).map(Kind::Ec).ok_or(
                KeyError::Unsupported("a curve (`crv`) other than P-256, P-384, P-521 and secp256k1 for EC"),
            ),
            OKP => match &*self.required(Member::Crv)?.bytes() {
                b"Ed25519" => Ok(Kind::Ed25519),
                #[cfg(feature = "ed448")]
                b"Ed448" => Ok(Kind::Ed448),
                _ => Err(KeyError::Unsupported(if cfg!(feature = "ed448") {
                    "a curve (`crv`) other than Ed25519 and Ed448 for OKP"
                } else {
                    "a curve (`crv`) other than Ed25519 for OKP"
                })),
            },
            // The name of the algorithm stands in for the curve (RFC 9964 §3).
            AKP => {
                let alg = Alg::from_name(&self.required(Member::Alg)?.decoded()).and_then(MlDsa::from_alg);
                alg.map(Kind::MlDsa).ok_or(KeyError::AlgUnsupported)
            }
            _ => Err(KeyError::Unsupported("a key type (`kty`) other than EC, OKP, AKP, RSA and oct")),
        }
    }

    /// Whether it holds anything that must stay secret.
    pub(crate) fn is_secret(&self) -> bool {
        self.present & Member::PRIVATE_BITS != 0
    }

    /// The algorithm that the key itself names; `EdDSA` is that of its curve.
    pub(crate) fn named_alg(&self) -> Result<Option<Alg>, KeyError> {
        let Some(name) = self.string(Member::Alg)? else {
            return Ok(None);
        };
        match Alg::meant_by(&name.decoded()) {
            [] => Err(KeyError::AlgUnsupported),
            [alg] => Ok(Some(*alg)),
            several => {
                let kind = self.kind()?;
                Ok(several.iter().find(|alg| kind.fits(**alg)).or(several.first()).copied())
            }
        }
    }

    /// The one algorithm of this key. Its own name and the caller's may be there or not, but they
    /// must agree.
    pub(crate) fn alg(&self, wanted: Option<Alg>) -> Result<Alg, KeyError> {
        let alg = match (self.named_alg()?, wanted) {
            (Some(key), Some(wanted)) if key != wanted => return Err(KeyError::AlgMismatch { key, wanted }),
            (Some(alg), _) | (None, Some(alg)) => alg,
            (None, None) => return Err(KeyError::AlgMissing),
        };
        self.kind()?.check_fits(alg).map(|()| alg)
    }

    /// The one algorithm among `allowed` that is the key's own or, if it names none, fits its type; and that type.
    pub(crate) fn alg_among(&self, allowed: &[Alg]) -> Result<(Alg, Kind), KeyError> {
        let named = self.named_alg()?;
        if named.is_some_and(|alg| !allowed.contains(&alg)) {
            return Err(KeyError::AlgNotAllowed);
        }
        let kind = self.kind()?;
        if let Some(alg) = named {
            return kind.check_fits(alg).map(|()| (alg, kind));
        }
        let mut fitting = Alg::ALL.iter().filter(|alg| allowed.contains(alg) && kind.fits(**alg));
        match (fitting.next(), fitting.next()) {
            (Some(alg), None) => Ok((*alg, kind)),
            (None, _) => Err(KeyError::AlgNotAllowed),
            (Some(_), Some(_)) => Err(KeyError::AlgAmbiguous),
        }
    }

    /// Refuses the key if `use` or `key_ops` rule out all of `wanted` (RFC 7517 §4.2, §4.3).
    pub(crate) fn check_use(&self, wanted: &[Operation]) -> Result<(), KeyError> {
        if self.string(Member::Use)?.is_some_and(|usage| !usage.is("sig")) {
            return Err(KeyError::Use("use"));
        }
        match self.operations()? {
            Some(named) if !wanted.iter().any(|op| named.contains(op)) => Err(KeyError::Use("key_ops")),
            _ => Ok(()),
        }
    }

    /// Those of our operations that `key_ops` names; `None` if the key has no such member.
    pub(crate) fn operations(&self) -> Result<Option<Vec<Operation>>, KeyError> {
        let Some(value) = self.value(Member::KeyOps) else {
            return Ok(None);
        };
        let strings = value.strings().ok_or_else(|| wrong(Member::KeyOps, "is not an array of strings"))?;
        let mut names: Vec<_> = strings.into_iter().map(Str::decoded).collect();
        // A stranger's set may name thousands.
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(wrong(Member::KeyOps, "repeats a value"));
        }
        Ok(Some(
            Operation::BOTH.into_iter().filter(|op| names.iter().any(|name| name == op.name())).collect(),
        ))
    }

    /// The numbers of a key of this kind, which is [its own](Self::kind).
    pub(crate) fn public_material(&self, kind: Kind) -> Result<PublicMaterial, KeyError> {
        match kind {
            Kind::Rsa => PublicMaterial::rsa(self.number(Member::N)?, self.number(Member::E)?),
            Kind::Ec(curve) => Point::filled_by(curve, |x, y| {
                self.fill(Member::X, x)?;
                self.fill(Member::Y, y)
            })
            .map(PublicMaterial::Ec),
            Kind::Ed25519 => PublicMaterial::ed25519(&self.exact::<32>(Member::X)?[..]),
            #[cfg(feature = "ed448")]
            Kind::Ed448 => PublicMaterial::ed448(&self.exact::<57>(Member::X)?[..]),
            Kind::MlDsa(set) => {
                PublicMaterial::ml_dsa(set, &self.bytes_of_len(Member::Pub, set.public_len())?)
            }
            Kind::Oct => Err(KeyError::Format { seen: "a symmetric key", wanted: "a public key" }),
        }
    }

    pub(crate) fn private_material(&self) -> Result<PrivateMaterial, KeyError> {
        let kind = self.kind()?;
        if kind == Kind::Oct {
            return Err(KeyError::Format { seen: "a symmetric key", wanted: "a private key" });
        }
        if !self.is_secret() {
            let wanted = "a private one (with `d`, or `priv` for AKP)";
            return Err(KeyError::Format { seen: "a public JWK", wanted });
        }
        if self.value(Member::Oth).is_some() {
            return Err(KeyError::Unsupported("an RSA key of more than two primes (`oth`)"));
        }
        Ok(match self.public_material(kind)? {
            PublicMaterial::Rsa { n, e } => PrivateMaterial::Rsa(self.rsa_private(n, e)?),
            PublicMaterial::Ec(point) => {
                let curve = point.curve();
                PrivateMaterial::Ec {
                    curve,
                    d: self.bytes_of_len(Member::D, curve.len())?,
                    public: Some(point),
                }
            }
            PublicMaterial::Ed25519(point) => {
                PrivateMaterial::Ed25519 { seed: self.seed(Member::D)?, public: Some(point) }
            }
            #[cfg(feature = "ed448")]
            PublicMaterial::Ed448(point) => {
                PrivateMaterial::Ed448 { seed: self.seed(Member::D)?, public: Some(point) }
            }
            PublicMaterial::MlDsa { set, public } => {
                let seed = self.seed(Member::Priv)?;
                PrivateMaterial::MlDsa { set, seed, expanded: None, public: Some(public) }
            }
        })
    }

    /// Who writes one of the primes and their companions must write all (RFC 7518 §6.3.2); who
    /// writes none leaves it to us to find them.
    fn rsa_private(&self, n: Box<[u8]>, e: Box<[u8]>) -> Result<RsaPrivate, KeyError> {
        let d = self.bytes(Member::D)?;
        if [Member::P, Member::Q, Member::Dp, Member::Dq, Member::Qi]
            .iter()
            .all(|one| self.value(*one).is_none())
        {
            return crt::from_exponent(&n, &e, &d);
        }
        let (p, q) = (self.bytes(Member::P)?, self.bytes(Member::Q)?);
        Ok(RsaPrivate {
            n,
            e,
            d,
            p,
            q,
            dp: self.bytes(Member::Dp)?,
            dq: self.bytes(Member::Dq)?,
            qi: self.bytes(Member::Qi)?,
        })
    }

    /// The secret of a symmetric key.
    pub(crate) fn secret(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self.kind()? {
            Kind::Oct => self.bytes(Member::K),
            other => Err(KeyError::Format { seen: other.seen(), wanted: "a symmetric key (`kty` is `oct`)" }),
        }
    }
}

fn wrong(member: Member, problem: &'static str) -> KeyError {
    KeyError::Member { member: member.name(), problem }
}

/// The characters that are meant, of what may be a secret: a copy is wiped.
#[inline]
fn unescaped(text: Str<'_>) -> Text<'_> {
    match text.decoded() {
        Cow::Borrowed(text) => Text::Borrowed(text),
        Cow::Owned(text) => Text::Owned(Zeroizing::new(text)),
    }
}

enum Text<'a> {
    Borrowed(&'a str),
    Owned(Zeroizing<String>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

fn check_text(text: &str) -> Result<(), KeyError> {
    if text.len() > MAX_KEY_BYTES {
        return Err(KeyError::TooLarge(MAX_KEY_BYTES));
    }
    if !text.trim_ascii_start().starts_with('{') {
        let seen = crate::key::pem::describe(text.as_bytes());
        return Err(KeyError::Format { seen, wanted: "a JWK" });
    }
    Ok(())
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
            PublicMaterial::Ec(point) => {
                let (x, y) = point.coordinates();
                self.member("kty", "EC");
                self.member("crv", point.curve().name());
                self.number("x", x);
                self.number("y", y);
            }
            PublicMaterial::Ed25519(point) => {
                self.member("kty", "OKP");
                self.member("crv", "Ed25519");
                self.number("x", point);
            }
            #[cfg(feature = "ed448")]
            PublicMaterial::Ed448(point) => {
                self.member("kty", "OKP");
                self.member("crv", "Ed448");
                self.number("x", point);
            }
            // Its `alg` is written with every key.
            PublicMaterial::MlDsa { public, .. } => {
                self.member("kty", "AKP");
                self.number("pub", public);
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
            PrivateMaterial::Ec { d, .. } => self.number("d", d),
            PrivateMaterial::Ed25519 { seed, .. } => self.number("d", &seed[..]),
            #[cfg(feature = "ed448")]
            PrivateMaterial::Ed448 { seed, .. } => self.number("d", &seed[..]),
            PrivateMaterial::MlDsa { seed, .. } => self.number("priv", &seed[..]),
        }
    }

    pub(crate) fn usage(&mut self, alg: Alg, kid: Option<&str>) {
        self.member("use", "sig");
        self.member("alg", alg.name());
        if let Some(kid) = kid {
            self.member("kid", kid);
        }
    }

    /// What the key may be used for, where that is not all that its type can do.
    pub(crate) fn only_for(&mut self, operation: Operation) {
        for part in [",\"key_ops\":[\"", operation.name(), "\"]"] {
            self.0.push_str(part);
        }
    }

    pub(crate) fn finish(mut self) -> Zeroizing<String> {
        self.0.push('}');
        self.0
    }
}
