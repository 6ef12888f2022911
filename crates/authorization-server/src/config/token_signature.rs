//! `AuthServer.spec.tokenSignature`: the keys that sign tokens, and by what plan they come and go.

mod declared;
mod material;
mod spec;

use std::path::PathBuf;
use std::time::Duration;

use sealwright_jose::{Alg, VerifyingKey};
use sealwright_keystore::KeyHandle;
use sealwright_service::clock::Timestamp;
use sealwright_service::resource::{Report, Resource};
use sealwright_service::secret::Secret;

pub(super) use self::declared::KeyRef;
use self::declared::KeyRefs;
pub(crate) use self::declared::{Role, ToMake};
use self::spec::ProviderSpec;
pub(super) use self::spec::{Mode, TokenSignatureSpec};
use super::secrets::Secrets;
use crate::signing_keys::plan::{Plan, PlanSpec};

/// Where the fields stand.
const PATH: &str = "spec.tokenSignature";

/// The keys that sign tokens.
#[derive(Clone, Debug)]
pub(crate) enum TokenSignature {
    /// The server makes its keys and changes them by plan.
    Automatic(Automatic),
    /// The resources say which keys there are.
    Declared(Declared),
}

/// Keys by plan.
#[derive(Clone, Debug)]
pub(crate) struct Automatic {
    pub(crate) plan: Plan,
    pub(crate) provider: ProviderConfig,
}

/// Keys that the resources name; they come and go with the resources.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    /// Its timings hold for declared keys, too: how long caches keep the set, and how long verifiers remember. Its
    /// algorithms are those of the keys, that of the signing key first.
    pub(crate) plan: Plan,
    /// The key that signs. Without one the server runs, serves the set and issues nothing.
    pub(crate) signing: Option<DeclaredKey>,
    /// Keys that are announced because they will sign later.
    pub(crate) published: Vec<DeclaredKey>,
    /// Keys that signed, and whose tokens are still good.
    pub(crate) verifying: Vec<DeclaredKey>,
    /// References that lead nowhere, a sentence each.
    pub(crate) unresolved: Vec<String>,
    /// Keys that are not there yet and are made at the first start.
    pub(crate) to_make: Vec<ToMake>,
    /// Whether a key is wrong in itself, so that no server takes these resources over; the conditions say why.
    pub(crate) is_broken: bool,
    pub(crate) conditions: Conditions,
}

impl Declared {
    /// The names of all keys.
    pub(crate) fn kids(&self) -> impl Iterator<Item = &str> {
        let keys = self.signing.iter().chain(&self.published).chain(&self.verifying);
        keys.map(|key| key.kid.as_str())
    }

    /// The names of all keys, also of those that are not made yet.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.kids().chain(self.to_make.iter().map(|key| key.name.as_str()))
    }

    /// Adds the key of an `RSAKey`.
    pub(crate) fn put_made(&mut self, made: ToMake, key: KeyHandle) {
        let ToMake { name: kid, role, evict_at, .. } = made;
        let public = key.verifying_key().clone().with_kid(&kid);
        let private = (role == Role::Signing).then_some(key);
        self.put(role, DeclaredKey { kid, alg: Alg::Rs256, private, public, evict_at });
    }

    /// Says of a key for `role` why it is not there.
    pub(crate) fn lacks(&mut self, role: Role, why: String) {
        match role {
            Role::Signing => self.conditions.sign_and_verify_key.and(Resolved::No(why)),
            Role::Published | Role::Verifying => self.conditions.extra_verify_keys.and(Resolved::No(why)),
        }
    }

    /// Adds a key for `role`.
    pub(crate) fn put(&mut self, role: Role, key: DeclaredKey) {
        match role {
            Role::Signing => self.signing = Some(key),
            Role::Published => self.published.push(key),
            Role::Verifying => self.verifying.push(key),
        }
    }
}

/// A key that a resource names.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredKey {
    /// The name of its Secret.
    pub(crate) kid: String,
    pub(crate) alg: Alg,
    /// Of the key that signs alone.
    pub(crate) private: Option<KeyHandle>,
    pub(crate) public: VerifyingKey,
    /// Not before this is it taken out of the set.
    pub(crate) evict_at: Option<Timestamp>,
}

/// Whether what is referred to was found, as AppSSO's status conditions say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// `SignAndVerifyKeyResolved`.
    pub(crate) sign_and_verify_key: Resolved,
    /// `ExtraVerifyKeysResolved`.
    pub(crate) extra_verify_keys: Resolved,
}

/// Whether a reference leads to something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    Yes,
    /// Why not, as a sentence.
    No(String),
}

impl Resolved {
    /// Keeps the first reason.
    fn and(&mut self, other: Self) {
        if *self == Self::Yes {
            *self = other;
        }
    }
}

/// Where private keys are made and used.
#[derive(Clone, Debug)]
pub(crate) enum ProviderConfig {
    /// In this process; at rest sealed under the key-encryption key.
    Local,
    /// In a PKCS#11 token.
    Pkcs11(Pkcs11Config),
}

/// A PKCS#11 token.
#[derive(Clone, Debug)]
pub(crate) struct Pkcs11Config {
    /// The token's driver, a shared library.
    pub(crate) module: PathBuf,
    /// The label of the token.
    pub(crate) token: String,
    pub(crate) pin: Secret,
    /// How many sessions are kept open at most.
    pub(crate) sessions: u32,
}

const DEFAULT_SESSIONS: u32 = 8;

impl TokenSignature {
    /// The plan, whichever way keys come.
    pub(crate) fn plan(&self) -> &Plan {
        match self {
            Self::Automatic(automatic) => &automatic.plan,
            Self::Declared(declared) => &declared.plan,
        }
    }

    /// Says what the clients need, once all of them are known: how long tokens live at most, and the algorithms that some
    /// ask for by name.
    pub(super) fn set_needs(&mut self, lifetime: Duration, asked_for: Vec<Alg>) {
        let plan = match self {
            Self::Automatic(automatic) => &mut automatic.plan,
            Self::Declared(declared) => &mut declared.plan,
        };
        (plan.token_lifetime, plan.asked_for) = (lifetime, asked_for);
    }
}

/// What is read of `spec.tokenSignature`.
pub(super) struct Read {
    pub(super) token_signature: TokenSignature,
    pub(super) keys_dir: PathBuf,
}

/// Reads `spec.tokenSignature`; `unsafe_timings` is whether timings that verifiers cannot follow were acknowledged.
pub(super) fn read(
    resource: &Resource,
    spec: TokenSignatureSpec,
    unsafe_timings: bool,
    secrets: &Secrets<'_>,
    report: &mut Report,
) -> Option<Read> {
    let keys_dir = resource.base_dir().join(&spec.keys_dir);
    let refers = spec.of_one_mode().any(|(_, mode)| mode == Mode::Declared);
    let mode = spec.mode.unwrap_or(if refers { Mode::Declared } else { Mode::Automatic });
    for (field, _) in spec.of_one_mode().filter(|(_, of)| *of != mode) {
        let message = match mode {
            Mode::Automatic => {
                "with `mode: automatic` the server makes its own keys; remove this, or the mode"
            }
            Mode::Declared => {
                "declared keys come and go with the resources; remove this, or the references to keys"
            }
        };
        resource.fault(&format!("{PATH}.{field}"), message, report);
    }
    let token_signature = match mode {
        Mode::Automatic => {
            let algorithms = algorithms(resource, &spec.algorithms, report);
            let plan = plan(resource, &spec, algorithms, unsafe_timings, report);
            let provider = provider(resource, spec.provider, report);
            TokenSignature::Automatic(Automatic { plan, provider: provider? })
        }
        Mode::Declared => {
            let plan = plan(resource, &spec, Vec::new(), unsafe_timings, report);
            let refs = KeyRefs {
                signing: spec.sign_and_verify_key_ref,
                published: spec.published_key_refs,
                verifying: spec.extra_verify_key_refs,
                keys_from: spec.keys_from,
                only: spec.only,
            };
            TokenSignature::Declared(declared::read(resource, &refs, plan, secrets, report))
        }
    };
    Some(Read { token_signature, keys_dir })
}

fn plan(
    resource: &Resource,
    spec: &TokenSignatureSpec,
    algorithms: Vec<Alg>,
    unsafe_timings: bool,
    report: &mut Report,
) -> Plan {
    let duration = |field: Option<sealwright_service::resource::DurationField>| field.map(Duration::from);
    let checked = Plan::check(PlanSpec {
        algorithms,
        rotate_every: duration(spec.rotate_every),
        publish_lead: duration(spec.publish_lead),
        evict_grace: duration(spec.evict_grace),
        jwks_max_age: duration(spec.jwks_max_age),
        max_stale: duration(spec.max_stale),
        poll: duration(spec.poll),
        require_replica_ack: spec.require_replica_ack,
        ack_timeout: duration(spec.ack_timeout),
        // Known when the clients are.
        token_lifetime: Duration::ZERO,
        unsafe_timings,
    });
    for remark in checked.faults {
        resource.fault(&format!("{PATH}.{}", remark.field), remark.message, report);
    }
    for remark in checked.warnings {
        resource.warn(&format!("{PATH}.{}", remark.field), remark.message, report);
    }
    checked.plan
}

fn algorithms(resource: &Resource, names: &[String], report: &mut Report) -> Vec<Alg> {
    let path = format!("{PATH}.algorithms");
    if names.is_empty() {
        resource.fault(&path, "name at least one algorithm, such as ES256", report);
    }
    let mut algorithms = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let path = format!("{path}[{i}]");
        match algorithm(name) {
            Ok(alg) if algorithms.contains(&alg) => {
                resource.fault(&path, "this algorithm stands there twice", report);
            }
            Ok(alg) => algorithms.push(alg),
            Err(message) => resource.fault(&path, message, report),
        }
    }
    algorithms
}

/// The signature algorithm of that name, if one half of its keys can be published.
fn algorithm(name: &str) -> Result<Alg, String> {
    match Alg::from_name(name) {
        Some(alg) if !alg.is_mac() => Ok(alg),
        found => {
            let what =
                if found.is_some() { "tokens are signed with asymmetric keys" } else { "no such algorithm" };
            let known: Vec<&str> =
                Alg::ALL.iter().filter(|alg| !alg.is_mac()).map(|alg| alg.name()).collect();
            Err(format!("{what}; use one of {}", known.join(", ")))
        }
    }
}

fn provider(resource: &Resource, spec: Option<ProviderSpec>, report: &mut Report) -> Option<ProviderConfig> {
    let Some(ProviderSpec::Pkcs11 { module, token, pin, sessions }) = spec else {
        return Some(ProviderConfig::Local);
    };
    let path = format!("{PATH}.provider");
    if token.is_empty() {
        resource.fault(&format!("{path}.token"), "write the label of the token", report);
    }
    let pin = pin
        .read(resource.base_dir())
        .map_err(|error| resource.fault(&format!("{path}.pin"), error.to_string(), report))
        .ok();
    // A name without a folder is the system's to find.
    let module = if module.components().count() > 1 { resource.base_dir().join(module) } else { module };
    let sessions = sessions.unwrap_or(DEFAULT_SESSIONS);
    Some(ProviderConfig::Pkcs11(Pkcs11Config { module, token, pin: pin?, sessions }))
}
