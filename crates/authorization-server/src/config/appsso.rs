//! AppSSO's own resources, `sso.apps.tanzu.vmware.com/v1alpha1`: what Tanzu Application Platform's Application Single Sign-On
//! reads is read here, and what it means there and cannot mean here is said.

pub(super) mod auth_server;
pub(super) mod client_registration;
mod fields;

use std::path::PathBuf;

use sealwright_service::resource::{Report, Resource};

use self::fields::{Field, Treatment};

/// Which namespaces' clients may register; `*` or nothing means all.
pub(super) const ALLOW_CLIENT_NAMESPACES: &str = "sso.apps.tanzu.vmware.com/allow-client-namespaces";
/// Acknowledges an issuer without TLS.
pub(super) const ALLOW_UNSAFE_ISSUER_URI: &str = "sso.apps.tanzu.vmware.com/allow-unsafe-issuer-uri";
/// Acknowledges passwords in the resource.
const ALLOW_UNSAFE_IDENTITY_PROVIDER: &str = "sso.apps.tanzu.vmware.com/allow-unsafe-identity-provider";

/// Our own annotations: what AppSSO's platform decides and a server of its own has to be told.
const LISTEN: &str = "sealwright.dev/listen";
const STATE_DIR: &str = "sealwright.dev/state-dir";
const KEK_FILE: &str = "sealwright.dev/kek-file";
const KEYS_FROM: &str = "sealwright.dev/keys-from";
/// Roles in AppSSO's manifests are the applications', so none of them administers the server unless this names it.
const ADMIN_ROLE: &str = "sealwright.dev/admin-role";
const OURS: [&str; 5] = [LISTEN, STATE_DIR, KEK_FILE, KEYS_FROM, ADMIN_ROLE];

/// Says of each field of the table that stands in `resource` what the table says.
fn treat(resource: &Resource, fields: &[Field], report: &mut Report) {
    for field in fields {
        for path in resource.find(field.pattern) {
            let keys: Vec<&str> = path.split('.').collect();
            if field.unless.is_some() && resource.scalar(&keys).as_deref() == field.unless {
                continue;
            }
            match field.treatment {
                Treatment::Honoured => {}
                Treatment::Warned => resource.warn(&path, field.says, report),
                Treatment::Refused => resource.fault(&path, field.says, report),
            }
        }
    }
}

/// A misspelt annotation of ours would change nothing, unseen.
fn check_annotations(resource: &Resource, report: &mut Report) {
    for name in resource.annotations.keys() {
        if name.starts_with("sealwright.dev/") && !OURS.contains(&name.as_str()) {
            let message =
                format!("unknown annotation; known are {}", OURS.map(|o| format!("`{o}`")).join(", "));
            resource.fault(&format!("metadata.annotations.{name}"), message, report);
        }
    }
}

/// The files with key-encryption keys that the annotations of an AppSSO manifest name, for who watches files for changes.
pub fn annotated_kek_files(resource: &Resource) -> Vec<PathBuf> {
    let text = resource.annotations.get(KEK_FILE);
    let specs = text.map_or_else(Vec::new, |text| auth_server::kek_files(text));
    specs.into_iter().filter_map(|kek| kek.file).map(|file| resource.base_dir().join(file)).collect()
}

/// The path that an annotation names, as it stands there: from the folder of the resource, as paths of our own specs are.
fn path_annotation(resource: &Resource, name: &str) -> Option<PathBuf> {
    resource.annotations.get(name).map(PathBuf::from)
}
