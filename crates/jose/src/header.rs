//! The JOSE header (RFC 7515 §4), read without copying and believed only in its protected part.

use std::{borrow::Cow, collections::HashSet};

use crate::{
    VerifyError, VerifyErrorKind,
    json::{self, Name, Str, Value, short},
    jws::{Limits, ParameterType, Policy},
};

/// Parameters that RFC 7515 and RFC 7518 define: they are never extensions, so `crit` must not name
/// them (§4.1.11), and an application cannot claim to understand them in a way of its own.
pub(crate) const REGISTERED: [&str; 18] = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip", "epk",
    "apu", "apv", "p2s", "p2c",
];

// The names that are looked for, as numbers: quick to compare.
const ALG: u64 = short(b"alg");
const KID: u64 = short(b"kid");
const TYP: u64 = short(b"typ");
const CRIT: u64 = short(b"crit");
const B64: u64 = short(b"b64");
const CTY: u64 = short(b"cty");
const JKU: u64 = short(b"jku");
const X5U: u64 = short(b"x5u");
const X5T: u64 = short(b"x5t");
const X5T_S256: u64 = short(b"x5t#S256");
const JWK: u64 = short(b"jwk");
const X5C: u64 = short(b"x5c");
const ENC: u64 = short(b"enc");

/// More names than that no `crit` has; checking one costs a look at the whole header.
const MAX_CRITICAL: usize = 32;

/// By which rules headers are read.
#[derive(Debug)]
pub(crate) struct HeaderRules {
    pub(crate) policy: Policy,
    pub(crate) nesting: usize,
    /// Extensions that the application processes.
    pub(crate) understood: Vec<String>,
    /// Whether `b64` (RFC 7797) is understood.
    pub(crate) unencoded: bool,
    /// What the application declared of its own parameters.
    pub(crate) declared: Vec<Declared>,
    /// Whether a parameter that nobody knows is left alone, as under every policy but joserfc's.
    pub(crate) unknown_may_stand: bool,
}

/// A parameter of the application's own.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) of: ParameterType,
    pub(crate) is_required: bool,
}

impl HeaderRules {
    /// For looking into a token that nobody believes yet.
    pub(crate) fn peeking(policy: Policy, limits: &Limits) -> Self {
        Self { unencoded: true, unknown_may_stand: true, ..Self::new(policy, limits) }
    }

    /// Nothing is declared and nothing understood.
    pub(crate) fn new(policy: Policy, limits: &Limits) -> Self {
        Self {
            policy,
            nesting: limits.nesting,
            understood: Vec::new(),
            unencoded: false,
            declared: Vec::new(),
            unknown_may_stand: policy != Policy::Joserfc,
        }
    }

    /// Whether the application said anything of a parameter of this name.
    fn knows(&self, name: Name<'_>) -> bool {
        self.understood.iter().any(|known| name.is(known))
            || self.declared.iter().any(|declared| name.is(&declared.name))
    }
}

/// A header whose registered parameters have the right types. Those that name keys (`jwk`, `jku`,
/// `x5u`, `x5c`) are checked and then left alone: a token never brings the key that it is verified
/// with.
pub(crate) struct Header<'a> {
    pub(crate) text: &'a str,
    pub(crate) alg: Option<Str<'a>>,
    pub(crate) kid: Option<Str<'a>>,
    pub(crate) typ: Option<Str<'a>>,
    crit: Option<Value<'a>>,
    b64: Option<Value<'a>>,
    is_empty: bool,
}

impl<'a> Header<'a> {
    pub(crate) fn parse(text: &'a str, rules: &HeaderRules) -> Result<Self, VerifyError> {
        let text = rules.policy.json(text);
        let wants_urls = rules.policy == Policy::Joserfc;
        let (mut alg, mut kid, mut typ, mut crit, mut b64) = (None, None, None, None, None);
        let (mut others, mut is_empty, mut encrypted, mut unknown) = (Others::default(), true, false, false);
        json::object_with(text, rules.nesting, rules.policy.names(), |name, value| {
            is_empty = false;
            match name.short() {
                ALG => alg = Some(value),
                KID => kid = Some(value),
                TYP => typ = Some(value),
                CRIT => crit = Some(value),
                B64 => b64 = Some(value),
                CTY => others.note(0, is_string(value)),
                JKU => others.note(1, is_string(value) && (!wants_urls || is_url(value))),
                X5U => others.note(2, is_string(value) && (!wants_urls || is_url(value))),
                X5T => others.note(3, is_string(value)),
                X5T_S256 => others.note(4, is_string(value)),
                JWK => others.note(5, value.is_object()),
                X5C => others.note(6, is_chain(value)),
                // Only a JWE has it, and by it a JWE is told from a JWS (RFC 7516 §9).
                ENC => encrypted = true,
                _ => unknown |= !rules.unknown_may_stand && !rules.knows(name),
            }
        })?;
        if encrypted {
            return Err(VerifyErrorKind::Encrypted.into());
        }
        let (alg, kid, typ) = (string(alg)?, string(kid)?, string(typ)?);
        if others.any_is_bad() {
            Err(VerifyErrorKind::Malformed.into())
        } else if unknown {
            Err(VerifyErrorKind::ParameterUnknown.into())
        } else {
            Ok(Self { text, alg, kid, typ, crit, b64, is_empty })
        }
    }

    /// Whether it has no parameter at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Whether it says that the payload is not encoded (RFC 7797 §3), by right or not.
    pub(crate) fn claims_unencoded(&self) -> bool {
        self.b64.is_some_and(|value| value.raw() == "false")
    }

    /// Holds `crit` to RFC 7515 §4.1.11 and `b64` to RFC 7797 §3 and §6, and refuses what is
    /// critical and not understood.
    pub(crate) fn check_critical(&self, rules: &HeaderRules) -> Result<(), VerifyErrorKind> {
        let mut b64_is_critical = false;
        if let Some(crit) = self.crit {
            self.check_names(crit, rules, &mut b64_is_critical)?;
        }
        let Some(b64) = self.b64 else {
            return Ok(());
        };
        if !rules.unencoded {
            return Err(VerifyErrorKind::Critical);
        }
        match b64.raw() {
            // Whoever does not know `b64` must refuse the token instead of misreading the payload.
            "false" | "true" if b64_is_critical => Ok(()),
            "true" if !rules.policy.is_strict() => Ok(()),
            "false" | "true" => Err(VerifyErrorKind::Critical),
            _ => Err(VerifyErrorKind::Malformed),
        }
    }

    fn check_names(
        &self,
        crit: Value<'a>,
        rules: &HeaderRules,
        b64: &mut bool,
    ) -> Result<(), VerifyErrorKind> {
        let (mut count, mut good) = (0, true);
        let is_array = crit.for_each_element(&mut |element| {
            count += 1;
            good &= count <= MAX_CRITICAL && element.as_str().is_some();
        });
        if !is_array || !good || count == 0 && rules.policy.is_strict() {
            return Err(VerifyErrorKind::Critical);
        }
        crit.for_each_element(&mut |element| {
            good &= element.as_str().is_some_and(|name| {
                *b64 |= name.is("b64");
                let known = rules.unencoded && name.is("b64")
                    || rules.understood.iter().any(|known| name.is(known))
                    || rules.policy.may_be_critical().iter().any(|known| name.is(known));
                known
                    && json::member(self.text, &name.decoded()).is_some()
                    && (!rules.policy.is_strict() || is_once(crit, name))
            });
        });
        if good { Ok(()) } else { Err(VerifyErrorKind::Critical) }
    }

    /// Holds the parameters that the application declared to what it said of them: in either header of the right
    /// type, and in this one if they are required. Joserfc asks of both headers together.
    pub(crate) fn check_declared(
        &self,
        unprotected: Option<&Header<'_>>,
        rules: &HeaderRules,
    ) -> Result<(), VerifyErrorKind> {
        for declared in &rules.declared {
            let own = json::member(self.text, &declared.name);
            let beside = unprotected.and_then(|header| json::member(header.text, &declared.name));
            if [own, beside].into_iter().flatten().any(|value| !declared.of.fits(value)) {
                return Err(VerifyErrorKind::Malformed);
            }
            let is_there = own.is_some() || beside.is_some() && rules.policy == Policy::Joserfc;
            if declared.is_required && !is_there {
                return Err(VerifyErrorKind::ParameterMissing);
            }
        }
        Ok(())
    }

    /// Holds the unprotected header beside this one to RFC 7515 §7.2.1 and §4.1.11: no name in
    /// both, nothing in it that decides how to verify.
    pub(crate) fn check_unprotected(
        &self,
        unprotected: &Header<'_>,
        policy: Policy,
    ) -> Result<(), VerifyErrorKind> {
        if unprotected.crit.is_some() || unprotected.b64.is_some() {
            return Err(VerifyErrorKind::Critical);
        }
        if unprotected.alg.is_some() && policy.is_strict() {
            return Err(VerifyErrorKind::Malformed);
        }
        if unprotected.is_empty || self.is_empty {
            return Ok(());
        }
        let mut names = NameSet::default();
        let mut disjoint = true;
        json::members(self.text, |name, _| names.add(*name)).map_err(|_| VerifyErrorKind::Malformed)?;
        json::members(unprotected.text, |name, _| disjoint &= !names.has(*name))
            .map_err(|_| VerifyErrorKind::Malformed)?;
        if disjoint { Ok(()) } else { Err(VerifyErrorKind::Malformed) }
    }
}

/// The registered parameters that are only checked, one bit each: whether the last one of that name
/// was of a wrong type.
#[derive(Default)]
struct Others(u8);

impl Others {
    fn note(&mut self, bit: u8, good: bool) {
        self.0 = if good { self.0 & !(1 << bit) } else { self.0 | 1 << bit };
    }

    fn any_is_bad(&self) -> bool {
        self.0 != 0
    }
}

/// The names of one header. Those of a usual one are compared one by one, without allocating; many
/// go to a hash set, so that they do not cost the square of their number.
#[derive(Default)]
struct NameSet<'a> {
    few: [Option<Str<'a>>; 12],
    len: usize,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> NameSet<'a> {
    fn add(&mut self, name: Str<'a>) {
        match self.few.get_mut(self.len) {
            Some(slot) => *slot = Some(name),
            None => {
                self.many.insert(name.decoded());
            }
        }
        self.len += 1;
    }

    fn has(&self, name: Str<'_>) -> bool {
        let name = name.decoded();
        self.few.iter().flatten().any(|known| known.is(&name))
            || !self.many.is_empty() && self.many.contains(&name)
    }
}

/// A parameter of a header text that was accepted, as a value of its own.
pub(crate) fn parameter(text: &str, name: &str) -> Option<serde_json::Value> {
    serde_json::from_str(json::member(text, name)?.raw()).ok()
}

fn string(value: Option<Value<'_>>) -> Result<Option<Str<'_>>, VerifyErrorKind> {
    value.map(|value| value.as_str().ok_or(VerifyErrorKind::Malformed)).transpose()
}

fn is_string(value: Value<'_>) -> bool {
    value.as_str().is_some()
}

pub(crate) fn is_url(value: Value<'_>) -> bool {
    value.as_str().is_some_and(|url| {
        let url = url.decoded();
        url.starts_with("http://") || url.starts_with("https://")
    })
}

/// At least one certificate (RFC 7515 §4.1.6), nothing but strings.
fn is_chain(value: Value<'_>) -> bool {
    let (mut any, mut strings) = (false, true);
    value.for_each_element(&mut |element| {
        any = true;
        strings &= is_string(element);
    }) && any
        && strings
}

fn is_once(list: Value<'_>, name: Str<'_>) -> bool {
    let name = name.decoded();
    let mut times = 0;
    list.for_each_element(&mut |element| {
        times += usize::from(element.as_str().is_some_and(|other| other.is(&name)));
    });
    times == 1
}
