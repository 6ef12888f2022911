//! The JOSE header (RFC 7515 §4), read without copying and believed only in its protected part.

use crate::{
    VerifyErrorKind,
    json::{self, JsonError, Str, Value},
};

/// Parameters that RFC 7515 and RFC 7518 define: they are never extensions, so `crit` must not name
/// them (§4.1.11), and an application cannot claim to understand them in a way of its own.
pub(crate) const REGISTERED: [&str; 18] = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip", "epk",
    "apu", "apv", "p2s", "p2c",
];

/// A header whose registered parameters have the right types. Those that name keys (`jwk`, `jku`,
/// `x5u`, `x5c`) are checked and then left alone: a token never brings the key that it is verified
/// with.
pub(crate) struct Header<'a> {
    pub(crate) text: &'a str,
    pub(crate) alg: Option<Str<'a>>,
    pub(crate) kid: Option<Str<'a>>,
    pub(crate) typ: Option<Str<'a>>,
    pub(crate) crit: Option<Value<'a>>,
    pub(crate) has_b64: bool,
}

impl<'a> Header<'a> {
    pub(crate) fn parse(text: &'a str, nesting: usize) -> Result<Self, VerifyErrorKind> {
        let mut header = Self { text, alg: None, kid: None, typ: None, crit: None, has_b64: false };
        let mut well_typed = true;
        let mut encrypted = false;
        json::object(text, nesting, |name, value| match &*name.decoded() {
            "alg" => well_typed &= string(value, &mut header.alg),
            "kid" => well_typed &= string(value, &mut header.kid),
            "typ" => well_typed &= string(value, &mut header.typ),
            "cty" | "jku" | "x5u" | "x5t" | "x5t#S256" => well_typed &= value.as_str().is_some(),
            "jwk" => well_typed &= value.is_object(),
            "x5c" => well_typed &= value.strings().is_some_and(|chain| !chain.is_empty()),
            "crit" => header.crit = Some(value),
            "b64" => header.has_b64 = true,
            // Only a JWE has it, and by it a JWE is told from a JWS (RFC 7516 §9).
            "enc" => encrypted = true,
            _ => {}
        })
        .map_err(kind)?;
        if encrypted {
            Err(VerifyErrorKind::Encrypted)
        } else if well_typed {
            Ok(header)
        } else {
            Err(VerifyErrorKind::Malformed)
        }
    }

    /// Holds `crit` to RFC 7515 §4.1.11, and refuses what is critical and not `understood`.
    ///
    /// `b64` (RFC 7797) is refused in any form: no payload is read unencoded here.
    pub(crate) fn check_critical(&self, understood: &[String]) -> Result<(), VerifyErrorKind> {
        if self.has_b64 {
            return Err(VerifyErrorKind::Critical);
        }
        let Some(crit) = self.crit else {
            return Ok(());
        };
        let names = crit.strings().filter(|names| !names.is_empty()).ok_or(VerifyErrorKind::Critical)?;
        // None twice, so more than are understood are too many. That also bounds the search below.
        if names.len() > understood.len() {
            return Err(VerifyErrorKind::Critical);
        }
        let mut seen = Vec::with_capacity(names.len());
        for name in names {
            let known = understood.iter().find(|known| name.is(known)).ok_or(VerifyErrorKind::Critical)?;
            if seen.contains(&known) || json::member(self.text, known).is_none() {
                return Err(VerifyErrorKind::Critical);
            }
            seen.push(known);
        }
        Ok(())
    }

    /// Holds the unprotected header beside this one to RFC 7515 §7.2.1 and §4.1.11: no name in
    /// both, nothing in it that decides how to verify.
    pub(crate) fn check_unprotected(&self, unprotected: &Header<'_>) -> Result<(), VerifyErrorKind> {
        if unprotected.crit.is_some() || unprotected.has_b64 {
            return Err(VerifyErrorKind::Critical);
        }
        if unprotected.alg.is_some() {
            return Err(VerifyErrorKind::Malformed);
        }
        let mut names = std::collections::HashSet::new();
        json::object(self.text, usize::MAX, |name, _| {
            names.insert(name.decoded());
        })
        .map_err(kind)?;
        let mut disjoint = true;
        json::object(unprotected.text, usize::MAX, |name, _| disjoint &= !names.contains(&*name.decoded()))
            .map_err(kind)?;
        if disjoint { Ok(()) } else { Err(VerifyErrorKind::Malformed) }
    }
}

/// A parameter of a header text that was accepted, as a value of its own.
pub(crate) fn parameter(text: &str, name: &str) -> Option<serde_json::Value> {
    serde_json::from_str(json::member(text, name)?.raw).ok()
}

pub(crate) fn kind(error: JsonError) -> VerifyErrorKind {
    match error {
        JsonError::Syntax | JsonError::DuplicateName => VerifyErrorKind::Malformed,
        JsonError::TooDeep => VerifyErrorKind::TooLarge,
    }
}

fn string<'a>(value: Value<'a>, slot: &mut Option<Str<'a>>) -> bool {
    *slot = value.as_str();
    slot.is_some()
}
