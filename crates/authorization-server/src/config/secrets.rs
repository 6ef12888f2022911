//! `Secret` and `RSAKey`: what Kubernetes keeps secrets in, and what its secretgen makes keys of.

use std::collections::BTreeMap;
use std::fs;

use schemars::JsonSchema;
use sealwright_service::resource::{Report, Resource};
use serde::Deserialize;
use zeroize::Zeroizing;

/// All that a `Secret` has in place of a spec.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SecretBody {
    /// Such as `Opaque` or `servicebinding.io/oauth2`.
    r#type: Option<String>,
    /// Base64.
    #[serde(default)]
    data: BTreeMap<String, String>,
    /// Plain text, which wins over `data`.
    #[serde(default)]
    string_data: BTreeMap<String, String>,
    /// Of no meaning outside of a cluster.
    #[expect(dead_code, reason = "only its shape is checked")]
    immutable: Option<bool>,
}

/// `RSAKey.spec`.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RsaKeySpec {
    secret_template: Option<SecretTemplate>,
}

/// `RSAKey.spec.secretTemplate`: the Secret that secretgen would write.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SecretTemplate {
    #[expect(dead_code, reason = "only its shape is checked")]
    r#type: Option<String>,
    #[expect(dead_code, reason = "only its shape is checked")]
    metadata: Option<BTreeMap<String, serde_json::Value>>,
    #[serde(default)]
    string_data: BTreeMap<String, String>,
}

/// What a resource's namespace is where it names none.
pub(super) fn namespace(resource: &Resource) -> &str {
    resource.namespace.as_deref().unwrap_or("default")
}

/// The `Secret`s and `RSAKey`s of all files, by namespace and name.
#[derive(Default)]
pub(super) struct Secrets<'r> {
    secrets: BTreeMap<(&'r str, &'r str), Secret<'r>>,
    made: BTreeMap<(&'r str, &'r str), bool>,
}

/// One `Secret`.
pub(super) struct Secret<'r> {
    pub(super) resource: &'r Resource,
    /// Its type, such as `Opaque`.
    pub(super) kind: String,
    /// `None` if it is broken, which the report says.
    entries: Option<BTreeMap<String, Zeroizing<Vec<u8>>>>,
}

/// What is known under a name.
pub(super) enum Found<'s> {
    Secret(&'s Secret<'s>),
    /// Of an `RSAKey`, for which a key is made.
    Made,
    /// The report says what is wrong with it.
    Broken,
    Nothing,
}

impl<'r> Secrets<'r> {
    /// Reads all of them.
    pub(super) fn read(resources: &'r [Resource], report: &mut Report) -> Self {
        let mut read = Self::default();
        for resource in resources {
            let key = (namespace(resource), resource.name.as_str());
            match resource.kind.as_str() {
                "Secret" => drop(read.secrets.insert(key, secret(resource, report))),
                "RSAKey" => drop(read.made.insert(key, rsa_key(resource, report))),
                _ => {}
            }
        }
        read
    }

    /// What `name` is in `namespace`. A Secret that stands beside the RSAKey of its name is what secretgen made of that.
    pub(super) fn find<'s>(&'s self, namespace: &'s str, name: &'s str) -> Found<'s> {
        match (self.secrets.get(&(namespace, name)), self.made.get(&(namespace, name))) {
            (Some(Secret { entries: None, .. }), _) | (None, Some(false)) => Found::Broken,
            (Some(secret), _) => Found::Secret(secret),
            (None, Some(true)) => Found::Made,
            (None, None) => Found::Nothing,
        }
    }
}

impl Secret<'_> {
    /// The value of an entry.
    pub(super) fn entry(&self, name: &str) -> Option<&[u8]> {
        Some(self.entries.as_ref()?.get(name)?.as_slice())
    }

    /// Where an entry stands in its document.
    pub(super) fn path(&self, entry: &str) -> String {
        let plain = format!("stringData.{entry}");
        if self.resource.scalar(&["stringData", entry]).is_some() { plain } else { format!("data.{entry}") }
    }
}

fn secret<'r>(resource: &'r Resource, report: &mut Report) -> Secret<'r> {
    let body = resource.body::<SecretBody>(report);
    let kind = body.as_ref().and_then(|body| body.r#type.clone()).unwrap_or_else(|| "Opaque".to_owned());
    if body.as_ref().is_some_and(|body| !(body.data.is_empty() && body.string_data.is_empty())) {
        warn_if_shared(resource, report);
    }
    Secret { resource, kind, entries: body.and_then(|body| entries(resource, body, report)) }
}

fn entries(
    resource: &Resource,
    body: SecretBody,
    report: &mut Report,
) -> Option<BTreeMap<String, Zeroizing<Vec<u8>>>> {
    let mut entries = BTreeMap::new();
    let mut sound = true;
    for (name, encoded) in body.data {
        // Lines may be folded, as `base64` writes them.
        let encoded = Zeroizing::new(encoded.replace(['\n', '\r', ' '], ""));
        match base64_simd::STANDARD.decode_to_vec(encoded.as_bytes()) {
            Ok(bytes) => drop(entries.insert(name, Zeroizing::new(bytes))),
            Err(_) => {
                let message = "this is not base64; plain text stands under `stringData`";
                resource.fault(&format!("data.{name}"), message, report);
                sound = false;
            }
        }
    }
    for (name, text) in body.string_data {
        entries.insert(name, Zeroizing::new(text.into_bytes()));
    }
    sound.then_some(entries)
}

/// Whether it is sound.
fn rsa_key(resource: &Resource, report: &mut Report) -> bool {
    let Some(spec) = resource.spec::<RsaKeySpec>(report) else { return false };
    // Without a template secretgen writes the two entries that are needed.
    let Some(template) = spec.secret_template else { return true };
    for (entry, value) in [("key.pem", "$(privateKey)"), ("pub.pem", "$(publicKey)")] {
        if template.string_data.get(entry).is_none_or(|text| text.trim() != value) {
            let message = format!("a signing key needs the entry `{entry}: {value}`");
            resource.fault("spec.secretTemplate.stringData", message, report);
            return false;
        }
    }
    true
}

/// Warns of a file with a secret in it that others than its owner may read.
#[cfg(unix)]
fn warn_if_shared(resource: &Resource, report: &mut Report) {
    use std::os::unix::fs::PermissionsExt;

    let file = resource.file();
    if fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
        let file = file.display();
        let message = format!(
            "others than the owner may read this file, which has a secret in it; run `chmod 600 {file}`"
        );
        resource.warn("", message, report);
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_: &Resource, _: &mut Report) {}
