//! AppSSO's `AuthServer`: its spec in terms of ours, with sound values for what AppSSO's platform decides.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use sealwright_jose::Alg;
use sealwright_keystore::{KekRing, KekSpec};
use sealwright_service::database::{SqliteSpec, StorageSpec};
use sealwright_service::resource::{DurationField, Report, Resource};
use sealwright_service::secret::Secret;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::{
    ADMIN_ROLE, ALLOW_CLIENT_NAMESPACES, ALLOW_UNSAFE_IDENTITY_PROVIDER, ALLOW_UNSAFE_ISSUER_URI, KEK_FILE,
    KEYS_FROM, LISTEN, STATE_DIR, check_annotations, fields, path_annotation, treat,
};
use crate::config::Config;
use crate::config::auth_server::spec::{
    AccessTokenSpec, Acknowledgement, AuditSpec, AuthServerSpec, FeaturesSpec, IdTokenSpec, PasswordsSpec,
    SecretsSpec, SessionSpec, TokenSpec,
};
use crate::config::auth_server::{self, Known};
use crate::config::first_start::{FirstStart, NewFile};
use crate::config::secrets::Secrets;
use crate::config::token_signature::{KeyRef, Mode, TokenSignatureSpec};
use crate::domain::password::{self, PasswordCost, PasswordHash};
use crate::domain::user::{DEFAULT_DOMAIN, Declared, RESERVED_CLAIMS};

/// AppSSO's default lifetime of access tokens, and of ID tokens.
const TOKEN_EXPIRY: Duration = Duration::from_secs(12 * 3600);
/// The longest that ID tokens live here.
const ID_TOKEN_EXPIRY_MAX: Duration = Duration::from_secs(24 * 3600);
/// Where the server listens behind the proxy that ends TLS.
const BEHIND_PROXY: &str = "0.0.0.0:8080";

/// AppSSO's `AuthServer.spec`. What is not used here is a value of any shape.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "of some fields only the presence counts, which the table of fields treats")]
struct AppSsoSpec {
    #[serde(rename = "issuerURI")]
    issuer_uri: Option<String>,
    tls: Option<TlsSpec>,
    cors: Option<Value>,
    token: Option<TokenLifetimes>,
    session: Option<SessionSpec>,
    token_signature: Option<SignatureSpec>,
    storage: Option<Storage>,
    ca_certs: Option<Value>,
    #[serde(default)]
    identity_providers: Vec<ProviderSpec>,
    replicas: Option<u32>,
    logging: Option<Value>,
    server: Option<Value>,
    resources: Option<Value>,
    redis_resources: Option<Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "of some fields only the presence counts, which the table of fields treats")]
struct TlsSpec {
    issuer_ref: Option<Value>,
    certificate_ref: Option<Value>,
    secret_ref: Option<NameRef>,
    #[serde(default)]
    deactivated: bool,
    #[serde(default)]
    disabled: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "of some fields only the presence counts, which the table of fields treats")]
struct TokenLifetimes {
    access_token: Option<AccessTokenSpec>,
    refresh_token: Option<AccessTokenSpec>,
    id_token: Option<IdTokenSpec>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "of some fields only the presence counts, which the table of fields treats")]
struct Storage {
    redis: Option<Value>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignatureSpec {
    sign_and_verify_key_ref: Option<NameRef>,
    /// As a page of AppSSO's documentation writes it.
    sign_ang_verify_key_ref: Option<NameRef>,
    extra_verify_key_refs: Option<Vec<VerifyRef>>,
    /// As two pages of AppSSO's documentation write it.
    extra_verify_keys: Option<Vec<VerifyRef>>,
    /// Ours: what will sign later is announced before.
    #[serde(default)]
    published_key_refs: Vec<NameRef>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VerifyRef {
    name: String,
    /// Ours: not before this moment is the key taken out of the set.
    evict_at: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NameRef {
    name: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProviderSpec {
    name: String,
    internal_unsafe: Option<InternalUnsafe>,
    ldap: Option<Value>,
    #[serde(rename = "openID")]
    open_id: Option<Value>,
    saml: Option<Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InternalUnsafe {
    #[serde(default)]
    users: Vec<UserSpec>,
    #[expect(dead_code, reason = "only its presence counts, which the table of fields treats")]
    access_token: Option<Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserSpec {
    username: String,
    password: String,
    #[serde(default)]
    claims: Map<String, Value>,
    #[serde(default)]
    roles: Vec<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    email: Option<String>,
    email_verified: Option<bool>,
}

/// Reads one `AuthServer`.
pub(in crate::config) fn read(
    resource: &Resource,
    secrets: &Secrets<'_>,
    report: &mut Report,
) -> (Option<Config>, Known) {
    treat(resource, fields::AUTH_SERVER, report);
    check_annotations(resource, report);
    if resource.labels.is_empty() {
        let message = "without a label no registration can select this server";
        resource.warn("metadata", message, report);
    }
    let Some(spec) = resource.spec::<AppSsoSpec>(report) else { return (None, Known::default()) };
    let issuer_is_known = spec.issuer_uri.is_some();
    if !issuer_is_known {
        let message = "missing field `issuerURI`: AppSSO makes it of a template; write here what clients know the server by";
        resource.fault("spec", message, report);
    }
    // Counted from the resource's folder, as all paths in a spec of our own are.
    let state_dir = path_annotation(resource, STATE_DIR)
        .unwrap_or_else(|| PathBuf::from(format!("{}-state", resource.name)));
    let ours = translated(resource, &spec, &state_dir, report);
    let (mut config, mut known) = auth_server::resolve(resource, ours, secrets, report);
    let users = users(resource, &spec.identity_providers, known.password_cost.unwrap_or_default(), report);
    if let Some(config) = &mut config {
        config.users = users;
        config.admin_role = admin_role(resource, report);
    }
    known.client_namespaces = client_namespaces(resource);
    known.state_dir = Some(resource.base_dir().join(state_dir));
    (config.filter(|_| issuer_is_known), known)
}

/// The same in terms of our own spec, whose paths, as `state_dir`, count from the folder of the resource.
fn translated(
    resource: &Resource,
    spec: &AppSsoSpec,
    state_dir: &Path,
    report: &mut Report,
) -> AuthServerSpec {
    let mut first_start =
        FirstStart { state_dir: Some(resource.base_dir().join(state_dir)), files: Vec::new() };
    let usual = DurationField(TOKEN_EXPIRY);
    let (access, id) = match &spec.token {
        Some(token) => (token.access_token.as_ref(), token.id_token.as_ref()),
        None => (None, None),
    };
    let token = TokenSpec {
        access_token: AccessTokenSpec { expiry: access.map_or(usual, |token| token.expiry) },
        id_token: IdTokenSpec {
            expiry: id.map_or(usual, |token| at_most_a_day(resource, token.expiry, report)),
        },
    };
    // So that other faults are found, too; whoever forgot the issuer is told of that alone.
    let issuer_uri = spec.issuer_uri.clone().unwrap_or_else(|| "https://issuer.invalid".to_owned());
    let unsafe_issuer = resource.annotations.contains_key(ALLOW_UNSAFE_ISSUER_URI);
    AuthServerSpec {
        listen: resource.annotations.get(LISTEN).cloned().unwrap_or_else(|| listen(&issuer_uri)),
        issuer_uri,
        token_signature: signature(resource, spec.token_signature.as_ref(), state_dir, report),
        token,
        session: spec.session.clone().unwrap_or_default(),
        storage: StorageSpec { sqlite: Some(SqliteSpec { path: state_dir.join("auth.db") }), postgres: None },
        secrets: kek(resource, state_dir, &mut first_start, report),
        domains: Vec::new(),
        acr: Vec::new(),
        passwords: PasswordsSpec::default(),
        features: FeaturesSpec::default(),
        audit: AuditSpec::default(),
        trusted_proxies: Vec::new(),
        acknowledge: if unsafe_issuer { vec![Acknowledgement::UnsafeIssuerUri] } else { Vec::new() },
        first_start,
    }
}

/// The lifetime of ID tokens. AppSSO has no bound, so what is longer than ours is no reason to refuse a manifest.
fn at_most_a_day(resource: &Resource, expiry: DurationField, report: &mut Report) -> DurationField {
    if expiry.0 <= ID_TOKEN_EXPIRY_MAX {
        return expiry;
    }
    resource.warn("spec.token.idToken.expiry", "ID tokens live for 24 hours at most, so these do", report);
    DurationField(ID_TOKEN_EXPIRY_MAX)
}

/// Plain http stays on this machine, where the issuer says; behind https there is a proxy.
fn listen(issuer: &str) -> String {
    match Url::parse(issuer) {
        Ok(url) if url.scheme() == "http" => {
            let port = url.port_or_known_default().unwrap_or(80);
            match url.host() {
                Some(Host::Ipv6(address)) => format!("[{address}]:{port}"),
                Some(Host::Ipv4(address)) => format!("{address}:{port}"),
                _ => format!("127.0.0.1:{port}"),
            }
        }
        _ => BEHIND_PROXY.to_owned(),
    }
}

fn signature(
    resource: &Resource,
    spec: Option<&SignatureSpec>,
    state_dir: &Path,
    report: &mut Report,
) -> TokenSignatureSpec {
    let none = SignatureSpec::default();
    let spec = spec.unwrap_or(&none);
    let mut twice = |right: bool, wrong: bool, name: &str, misspelt: &str| {
        if right && wrong {
            let message = format!("`{name}` stands there, too; write that alone");
            resource.fault(&format!("spec.tokenSignature.{misspelt}"), message, report);
        }
    };
    let (signing, misspelt) = (&spec.sign_and_verify_key_ref, &spec.sign_ang_verify_key_ref);
    twice(signing.is_some(), misspelt.is_some(), "signAndVerifyKeyRef", "signAngVerifyKeyRef");
    let signing = signing.as_ref().or(misspelt.as_ref());
    let (verifying, misspelt) = (&spec.extra_verify_key_refs, &spec.extra_verify_keys);
    twice(verifying.is_some(), misspelt.is_some(), "extraVerifyKeyRefs", "extraVerifyKeys");
    let verifying = verifying.as_ref().or(misspelt.as_ref()).map_or(&[][..], Vec::as_slice);
    let key = |reference: &NameRef| KeyRef { name: reference.name.clone(), ..KeyRef::default() };
    let verify_only = |reference: &VerifyRef| KeyRef {
        name: reference.name.clone(),
        alg: None,
        evict_at: reference.evict_at.clone(),
    };
    TokenSignatureSpec {
        mode: Some(Mode::Declared),
        sign_and_verify_key_ref: signing.map(key),
        published_key_refs: spec.published_key_refs.iter().map(key).collect(),
        extra_verify_key_refs: verifying.iter().map(verify_only).collect(),
        keys_from: path_annotation(resource, KEYS_FROM),
        only: Some(Alg::Rs256),
        keys_dir: state_dir.join("keys"),
        ..TokenSignatureSpec::default()
    }
}

/// The name of the key-encryption key to which nobody gave one.
const KEK: &str = "k1";

/// The files that the annotation names, each with the name of its key: `k2=new, k1=old`, of which the first seals.
pub(super) fn kek_files(text: &str) -> Vec<KekSpec> {
    let files = text.split(',').map(|entry| {
        let (id, file) = match entry.split_once('=') {
            Some((id, file)) if !id.contains('/') => (id, file),
            _ => (KEK, entry),
        };
        KekSpec { id: id.trim().to_owned(), file: Some(PathBuf::from(file.trim())), ..KekSpec::default() }
    });
    files.collect()
}

/// The key-encryption keys: those that are given, the one that was made, or a new one.
fn kek(
    resource: &Resource,
    state_dir: &Path,
    first_start: &mut FirstStart,
    report: &mut Report,
) -> SecretsSpec {
    let given = |file: PathBuf| KekSpec { id: KEK.to_owned(), file: Some(file), ..KekSpec::default() };
    if let Some(text) = resource.annotations.get(KEK_FILE) {
        let kek = kek_files(text);
        if kek.iter().filter(|kek| kek.id == KEK).count() > 1 {
            let message = "of several files each has a name, which it keeps, and the first seals: `k2=NEW, k1=OLD`; what has \
                           no name is `k1`";
            resource.fault(&format!("metadata.annotations.{KEK_FILE}"), message, report);
            return SecretsSpec { kek: kek.into_iter().take(1).collect(), made: None };
        }
        return SecretsSpec { kek, made: None };
    }
    let path = resource.base_dir().join(state_dir).join("kek");
    let message = format!(
        "the key-encryption key is kept beside what it seals, in {}: name another file by the annotation `{KEK_FILE}`",
        path.display()
    );
    resource.warn("metadata", message, report);
    if path.exists() {
        return SecretsSpec { kek: vec![given(state_dir.join("kek"))], made: None };
    }
    let content = Secret::new(KekRing::generate_text().as_str());
    let made = KekRing::of_text(KEK, &content)
        .map_err(|error| resource.fault("metadata", error.to_string(), report))
        .ok();
    let what = "a key-encryption key".to_owned();
    first_start.files.push(NewFile { path, content, what, kek: Some(KEK) });
    SecretsSpec { kek: Vec::new(), made }
}

/// The role of those who may administer the server; `None` if nobody may.
fn admin_role(resource: &Resource, report: &mut Report) -> Option<String> {
    let role = resource.annotations.get(ADMIN_ROLE)?;
    if role.trim().is_empty() {
        let message = "name a role, or remove this: then no user administers the server";
        resource.fault(&format!("metadata.annotations.{ADMIN_ROLE}"), message, report);
        return None;
    }
    Some(role.clone())
}

/// `None` for all.
fn client_namespaces(resource: &Resource) -> Option<BTreeSet<String>> {
    let names = resource.annotations.get(ALLOW_CLIENT_NAMESPACES)?;
    let names: BTreeSet<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    (!names.contains("*")).then_some(names)
}

/// The people who stand in the resource.
fn users(
    resource: &Resource,
    providers: &[ProviderSpec],
    cost: PasswordCost,
    report: &mut Report,
) -> Vec<Declared> {
    let mut names = BTreeSet::new();
    let mut usernames = BTreeSet::new();
    let mut users = Vec::new();
    let mut internal = false;
    for (i, provider) in providers.iter().enumerate() {
        let path = format!("spec.identityProviders[{i}]");
        if !names.insert(provider.name.as_str()) {
            resource.fault(&format!("{path}.name"), "this name stands there twice", report);
        }
        if provider.name.starts_with("client") || provider.name.starts_with("unknown") {
            let message = "a name begins neither with `client` nor with `unknown`";
            resource.fault(&format!("{path}.name"), message, report);
        }
        let kinds = [&provider.ldap, &provider.open_id, &provider.saml].into_iter().flatten().count();
        if kinds + usize::from(provider.internal_unsafe.is_some()) != 1 {
            let message = "name exactly one of `internalUnsafe`, `ldap`, `openID`, `saml`";
            resource.fault(&path, message, report);
        }
        let Some(unsafe_users) = &provider.internal_unsafe else { continue };
        let path = format!("{path}.internalUnsafe");
        if std::mem::replace(&mut internal, true) {
            resource.fault(&path, "there is one `internalUnsafe` at most", report);
        }
        if !resource.annotations.contains_key(ALLOW_UNSAFE_IDENTITY_PROVIDER) {
            let message = format!(
                "passwords stand readable in this file: declare `User` resources, or add the annotation \
                 `{ALLOW_UNSAFE_IDENTITY_PROVIDER}`"
            );
            resource.fault(&path, message, report);
        }
        for (j, user) in unsafe_users.users.iter().enumerate() {
            let path = format!("{path}.users[{j}]");
            users.extend(declared(resource, &path, user, cost, &mut usernames, report));
        }
    }
    users
}

fn declared(
    resource: &Resource,
    path: &str,
    user: &UserSpec,
    cost: PasswordCost,
    taken: &mut BTreeSet<String>,
    report: &mut Report,
) -> Option<Declared> {
    let name_path = format!("{path}.username");
    let username = crate::config::user::username(resource, &name_path, &user.username, taken, report);
    let mut claims = user.claims.clone();
    for (name, value) in [
        ("given_name", user.given_name.clone().map(Value::from)),
        ("family_name", user.family_name.clone().map(Value::from)),
        ("email", user.email.clone().map(Value::from)),
        ("email_verified", user.email_verified.map(Value::from)),
    ] {
        if let Some(value) = value {
            claims.entry(name).or_insert(value);
        }
    }
    for claim in claims.keys().filter(|claim| RESERVED_CLAIMS.contains(&claim.as_str())) {
        let message = format!("`{claim}` is written by the server itself");
        resource.fault(&format!("{path}.claims.{claim}"), message, report);
    }
    let password = password(&Secret::new(user.password.as_str()), cost)
        .map_err(|message| resource.fault(&format!("{path}.password"), message, report))
        .ok();
    Some(Declared {
        username: username?,
        domain: DEFAULT_DOMAIN.to_owned(),
        password: password?,
        totp: None,
        claims,
        roles: user.roles.clone(),
    })
}

fn password(text: &Secret, cost: PasswordCost) -> Result<PasswordHash, String> {
    let given = text.expose();
    if given.starts_with("{bcrypt}") {
        return Err(
            "bcrypt is not checked here; hash the password with `sealwright user hash-password`".to_owned()
        );
    }
    if given.starts_with("{argon2}") {
        return PasswordHash::parse(text).map_err(str::to_owned);
    }
    let hash = password::hash_password_at(text, cost).map_err(|error| error.to_string())?;
    PasswordHash::parse(&Secret::new(hash)).map_err(str::to_owned)
}
