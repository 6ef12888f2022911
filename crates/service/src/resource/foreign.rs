//! Documents that were written for Kubernetes: which are read, and what of them is Kubernetes' own business.

use super::{
    API_VERSION, suggest,
    tree::{Entry, Node, Value},
};

/// The `apiVersion` of Tanzu Application Platform's Application Single Sign-On.
pub const APPSSO_API_VERSION: &str = "sso.apps.tanzu.vmware.com/v1alpha1";

/// The kinds that are read of other `apiVersion`s than ours.
const FOREIGN: [(&str, &[&str]); 3] = [
    (APPSSO_API_VERSION, &["AuthServer", "ClientRegistration"]),
    ("v1", &["Secret"]),
    ("secretgen.k14s.io/v1alpha1", &["RSAKey"]),
];

/// What a cluster adds to metadata, so that it stands in whatever `kubectl get -o yaml` prints.
const WRITTEN_BY_KUBERNETES: [&str; 10] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "uid",
];

/// Whether this version has this kind; if not, what to write.
pub(super) fn check(version: &str, kind: &str) -> Result<(), String> {
    let foreign = FOREIGN.iter().find(|(_, kinds)| kinds.contains(&kind)).map(|(version, _)| *version);
    // Some kinds are there twice, as theirs and as ours; a Secret is Kubernetes' alone.
    let ours_too = foreign.is_none_or(|version| version == APPSSO_API_VERSION);
    match (version, foreign) {
        (API_VERSION, Some(theirs)) if !ours_too => Err(format!("a `{kind}` is of `{theirs}`")),
        (API_VERSION, _) => Ok(()),
        (_, Some(theirs)) if version == theirs => Ok(()),
        (_, Some(theirs)) if !ours_too => Err(format!("`{version}` has no `{kind}` here; write `{theirs}`")),
        (_, Some(theirs)) => Err(format!("`{version}` is not known; write `{API_VERSION}` or `{theirs}`")),
        (_, None) => match FOREIGN.iter().find(|(known, _)| *known == version) {
            Some((_, kinds)) => {
                let kinds = suggest::list(kinds);
                Err(format!("of `{version}`, {kinds} is read here; kinds of our own have `{API_VERSION}`"))
            }
            None => Err(format!("`{version}` is not known; write `{API_VERSION}`")),
        },
    }
}

/// Whether a kind has a `spec`; only Kubernetes' own kind here has not.
pub(super) fn has_spec(kind: &str) -> bool {
    kind != "Secret"
}

/// Takes out what Kubernetes has written into a document, and says what that was.
pub(super) fn take_written_by_kubernetes(document: &mut Node) -> Vec<&'static str> {
    let mut taken = Vec::new();
    let Value::Map(entries) = &mut document.value else { return taken };
    if let Some(Entry { node: Node { value: Value::Map(metadata), .. }, .. }) =
        entries.iter_mut().find(|entry| entry.key == "metadata")
    {
        metadata.retain(|entry| match WRITTEN_BY_KUBERNETES.iter().find(|name| **name == entry.key) {
            Some(name) => {
                taken.push(*name);
                false
            }
            None => true,
        });
    }
    let before = entries.len();
    entries.retain(|entry| entry.key != "status");
    if entries.len() < before {
        taken.push("status");
    }
    taken
}
