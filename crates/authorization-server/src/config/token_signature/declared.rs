//! Keys that resources name: from references to keys.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use sealwright_jose::Alg;
use sealwright_keystore::in_memory;
use sealwright_service::clock::Timestamp;
use sealwright_service::resource::{Report, Resource};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::material::{self, KEY_PEM, Material, PUB_PEM};
use super::{Conditions, Declared, DeclaredKey, PATH, Resolved, algorithm};
use crate::config::secrets::{Found, Secrets, namespace};
use crate::signing_keys::plan::Plan;

/// Far more than a key needs.
const MAX_BYTES: u64 = 64 * 1024;

/// The name of a Secret that holds a key.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct KeyRef {
    /// Of the Secret; also the key's `kid`.
    pub(in crate::config) name: String,
    /// The algorithm of the key. Default: the first that fits it, such as `RS256` for an RSA key.
    pub(in crate::config) alg: Option<String>,
    /// Not before this moment (RFC 3339) is the key taken out of the set. For `extraVerifyKeyRefs`.
    pub(in crate::config) evict_at: Option<String>,
}

/// All that is referred to.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct KeyRefs {
    pub(in crate::config) signing: Option<KeyRef>,
    pub(in crate::config) published: Vec<KeyRef>,
    pub(in crate::config) verifying: Vec<KeyRef>,
    /// A folder of folders, as Kubernetes mounts Secrets: `NAME/key.pem`, `NAME/pub.pem`.
    pub(in crate::config) keys_from: Option<PathBuf>,
    /// The only algorithm there is, for AppSSO.
    pub(in crate::config) only: Option<Alg>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Signing,
    Published,
    Verifying,
}

/// A key that is made at the first start, because an `RSAKey` asks for it.
#[derive(Clone, Debug)]
pub(crate) struct ToMake {
    pub(crate) namespace: String,
    /// Also its `kid`.
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) evict_at: Option<Timestamp>,
}

/// Follows all references. What is broken is a fault where it stands; what is not there is a warning and a condition.
pub(super) fn read(
    resource: &Resource,
    refs: &KeyRefs,
    mut plan: Plan,
    secrets: &Secrets<'_>,
    report: &mut Report,
) -> Declared {
    refuse_doubles(resource, refs, report);
    let folder = refs.keys_from.as_ref().map(|folder| resource.base_dir().join(folder));
    if let Some(Err(error)) = folder.as_ref().map(fs::read_dir) {
        let message = format!("this folder cannot be read: {error}");
        resource.fault(&format!("{PATH}.keysFrom"), message, report);
    }
    let mut reader = Reader { resource, only: refs.only, folder: folder.as_deref(), secrets, report };
    let mut declared = Declared {
        plan: plan.clone(),
        signing: None,
        published: Vec::new(),
        verifying: Vec::new(),
        to_make: Vec::new(),
        is_broken: false,
        unresolved: Vec::new(),
        conditions: Conditions { sign_and_verify_key: Resolved::Yes, extra_verify_keys: Resolved::Yes },
    };
    match &refs.signing {
        Some(key) => {
            let path = format!("{PATH}.signAndVerifyKeyRef");
            let resolved = reader.key(key, &path, Role::Signing, &mut declared);
            declared.conditions.sign_and_verify_key.and(resolved);
        }
        None => {
            let message = "no key is named that signs, so no tokens are issued";
            resource.warn(PATH, format!("{message}; name one in `signAndVerifyKeyRef`"), reader.report);
            declared.conditions.sign_and_verify_key = Resolved::No(message.to_owned());
        }
    }
    for (i, key) in refs.published.iter().enumerate() {
        let path = format!("{PATH}.publishedKeyRefs[{i}]");
        let resolved = reader.key(key, &path, Role::Published, &mut declared);
        declared.conditions.extra_verify_keys.and(resolved);
    }
    for (i, key) in refs.verifying.iter().enumerate() {
        let path = format!("{PATH}.extraVerifyKeyRefs[{i}]");
        let resolved = reader.key(key, &path, Role::Verifying, &mut declared);
        declared.conditions.extra_verify_keys.and(resolved);
    }
    plan.algorithms = algorithms(&declared);
    declared.plan = plan;
    declared
}

/// That of the signing key first.
fn algorithms(declared: &Declared) -> Vec<Alg> {
    let made = |role| declared.to_make.iter().any(|key| key.role == role).then_some(Alg::Rs256);
    let signing = declared.signing.as_ref().map(|key| key.alg).or_else(|| made(Role::Signing));
    signing.into_iter().collect()
}

/// A name that stands twice would be one `kid` in two states.
fn refuse_doubles(resource: &Resource, refs: &KeyRefs, report: &mut Report) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    if let Some(signing) = &refs.signing {
        seen.insert(&signing.name, "signAndVerifyKeyRef");
    }
    for (list, keys) in [("publishedKeyRefs", &refs.published), ("extraVerifyKeyRefs", &refs.verifying)] {
        for (i, key) in keys.iter().enumerate() {
            let Some(first) = seen.insert(&key.name, list) else { continue };
            let message = match first {
                "signAndVerifyKeyRef" => {
                    "this is the key that signs, which verifies, too; name it in one place".to_owned()
                }
                same if same == list => "this key stands there twice".to_owned(),
                other => format!("this key stands in `{other}` already; name it in one place"),
            };
            resource.fault(&format!("{PATH}.{list}[{i}].name"), message, report);
        }
    }
}

/// Why there is no key, in a sentence.
enum Lacking {
    /// It may come.
    Nothing(String),
    /// What is there is none, which the report says.
    Broken(String),
}

struct Reader<'a> {
    resource: &'a Resource,
    only: Option<Alg>,
    folder: Option<&'a Path>,
    secrets: &'a Secrets<'a>,
    report: &'a mut Report,
}

impl Reader<'_> {
    /// Puts the key that `reference` names where it belongs, or says why not.
    fn key(&mut self, reference: &KeyRef, path: &str, role: Role, declared: &mut Declared) -> Resolved {
        match self.find(reference, path, role, declared) {
            Ok(()) => Resolved::Yes,
            Err(Lacking::Nothing(message)) => {
                self.resource.warn(&format!("{path}.name"), message.clone(), self.report);
                declared.unresolved.push(message.clone());
                Resolved::No(message)
            }
            Err(Lacking::Broken(message)) => {
                declared.is_broken = true;
                Resolved::No(message)
            }
        }
    }

    /// A fault of this resource.
    fn broken(&mut self, path: &str, message: impl Into<String>) -> Lacking {
        let message = message.into();
        self.resource.fault(path, message.clone(), self.report);
        Lacking::Broken(message)
    }

    fn find(
        &mut self,
        reference: &KeyRef,
        path: &str,
        role: Role,
        declared: &mut Declared,
    ) -> Result<(), Lacking> {
        let evict_at = self.evict_at(reference, path, role);
        let alg = self.alg(reference, path)?;
        let name = &reference.name;
        let name_path = format!("{path}.name");
        // It becomes a part of a path.
        if !is_secret_name(name) {
            let message = "a Secret's name has lower-case letters, digits, `-` and `.`, and a letter or digit at both ends";
            return Err(self.broken(&name_path, message));
        }
        let namespace = namespace(self.resource);
        let secrets = self.secrets;
        let mut made = false;
        let inline = match secrets.find(namespace, name) {
            Found::Broken => {
                return Err(Lacking::Broken(format!("what declares `{name}` cannot be read")));
            }
            Found::Nothing => None,
            Found::Made => {
                made = true;
                None
            }
            Found::Secret(secret) => {
                let read = self.halves(secret.entry(KEY_PEM), secret.entry(PUB_PEM), alg, role);
                Some(read.map_err(|wrong| {
                    let message = format!("the Secret `{name}`: {}: {}", wrong.entry, wrong.message);
                    secret.resource.fault(&secret.path(wrong.entry), wrong.message, self.report);
                    Lacking::Broken(message)
                })?)
            }
        };
        let mounted = self.mounted(name, alg, role).map_err(|message| self.broken(&name_path, message))?;
        if made && alg.is_some_and(|alg| alg != Alg::Rs256) {
            return Err(self.broken(&format!("{path}.alg"), "the key of an RSAKey is for RS256"));
        }
        let material = match (inline, mounted) {
            (Some(one), Some(other)) if one.public.thumbprint() != other.public.thumbprint() => {
                let message =
                    "the Secret and the folder of this name hold different keys; one `kid` is for one key";
                return Err(self.broken(&name_path, message));
            }
            (None, Some(_)) if made => {
                let message = "there are an RSAKey and a folder of this name; one `kid` is for one key";
                return Err(self.broken(&name_path, message));
            }
            (Some(material), _) | (None, Some(material)) => material,
            (None, None) if made => {
                let (namespace, name) = (namespace.to_owned(), name.clone());
                declared.to_make.push(ToMake { namespace, name, role, evict_at });
                return Ok(());
            }
            (None, None) => {
                let mut message = format!("there is no Secret `{name}` in the namespace `{namespace}`");
                if let Some(folder) = self.folder {
                    message += &format!(", and no folder {}", folder.join(name).display());
                }
                return Err(Lacking::Nothing(message));
            }
        };
        let key = DeclaredKey {
            kid: name.clone(),
            alg: material.alg,
            private: material.private.map(|key| in_memory(name, key)),
            public: material.public.with_kid(name),
            evict_at,
        };
        declared.put(role, key);
        Ok(())
    }

    fn alg(&mut self, reference: &KeyRef, path: &str) -> Result<Option<Alg>, Lacking> {
        let Some(name) = &reference.alg else { return Ok(self.only) };
        algorithm(name).map(Some).map_err(|message| self.broken(&format!("{path}.alg"), message))
    }

    fn evict_at(&mut self, reference: &KeyRef, path: &str, role: Role) -> Option<Timestamp> {
        let text = reference.evict_at.as_ref()?;
        let path = format!("{path}.evictAt");
        if role != Role::Verifying {
            let message = "only a key of `extraVerifyKeyRefs` is on its way out";
            self.resource.fault(&path, message, self.report);
        }
        let at = Timestamp::parse_rfc3339(text);
        if at.is_none() {
            let message = "write a moment such as 2026-12-01T00:00:00Z (RFC 3339)";
            self.resource.fault(&path, message, self.report);
        }
        at
    }

    /// A key that signs needs its private half; of one that does not, it is not kept.
    fn halves(
        &self,
        key_pem: Option<&[u8]>,
        pub_pem: Option<&[u8]>,
        alg: Option<Alg>,
        role: Role,
    ) -> Result<Material, material::Wrong> {
        if role == Role::Signing && key_pem.is_none() {
            let message = format!("there is no {KEY_PEM}, without which nothing can be signed");
            return Err(material::Wrong { entry: KEY_PEM, message });
        }
        let mut material = material::read(key_pem, pub_pem, alg)?;
        if role != Role::Signing {
            material.private = None;
        }
        Ok(material)
    }

    /// The key in the folder of its name, if there is one.
    fn mounted(&mut self, name: &str, alg: Option<Alg>, role: Role) -> Result<Option<Material>, String> {
        let Some(folder) = self.folder.map(|folder| folder.join(name)) else { return Ok(None) };
        match fs::metadata(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{} cannot be read: {error}", folder.display())),
            Ok(meta) if !meta.is_dir() => {
                let folder = folder.display();
                return Err(format!("{folder} is not a folder with {KEY_PEM} and {PUB_PEM} in it"));
            }
            Ok(_) => {}
        }
        let key_pem = self.file(&folder.join(KEY_PEM), true)?;
        let pub_pem = self.file(&folder.join(PUB_PEM), false)?;
        let read = self.halves(as_bytes(&key_pem), as_bytes(&pub_pem), alg, role);
        read.map(Some).map_err(|wrong| format!("{}: {}", folder.join(wrong.entry).display(), wrong.message))
    }

    /// What is in a file, if it is there.
    fn file(&mut self, path: &Path, private: bool) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let failed = |error: io::Error| format!("{} cannot be read: {error}", path.display());
        let file = match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let shared = private && is_shared(&file);
        // Never grown, so that no copy of a key is left behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize + 1));
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(format!("{} is larger than 64 KiB; it cannot be a key", path.display()));
        }
        if shared {
            let path = path.display();
            let message = format!("others than the owner may read this key; run `chmod 600 {path}`");
            self.resource.warn(PATH, message, self.report);
        }
        Ok(Some(bytes))
    }
}

fn as_bytes(content: &Option<Zeroizing<Vec<u8>>>) -> Option<&[u8]> {
    content.as_ref().map(|bytes| bytes.as_slice())
}

/// RFC 1123, as Kubernetes names things: so it can climb out of no folder.
fn is_secret_name(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let label = |label: &str| {
        label.starts_with(edge) && label.ends_with(edge) && label.chars().all(|c| edge(c) || c == '-')
    };
    name.len() <= 128 && name.split('.').all(label)
}

#[cfg(unix)]
fn is_shared(file: &fs::File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_shared(_: &fs::File) -> bool {
    false
}
