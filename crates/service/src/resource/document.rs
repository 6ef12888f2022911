//! One document that names itself, and the typed reading of its spec.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{
    API_VERSION, Fault, Report, foreign, shape, suggest,
    tree::{Node, Position, Value},
};

/// One document: `apiVersion`, `kind`, `metadata`, and `spec` or what its kind has instead. Cheap to clone.
///
/// It may come from a document with faults in its metadata, so that those of its spec are found as well; the fields are to be
/// trusted only while the report is empty.
#[derive(Clone, Debug)]
pub struct Resource {
    /// [`API_VERSION`](super::API_VERSION), or one of the others that are read.
    pub api_version: String,
    /// What the document describes, such as `Worker`.
    pub kind: String,
    /// Its name among those of its kind and namespace: lower-case letters, digits, `-` and `.` (RFC 1123).
    pub name: String,
    /// Its namespace, if it has one; none and `default` are the same for names.
    pub namespace: Option<String>,
    /// What selectors look at.
    pub labels: BTreeMap<String, String>,
    /// What tools write down; nothing here reads them.
    pub annotations: BTreeMap<String, String>,
    file: Arc<Path>,
    node: Arc<Node>,
}

/// The members that every document has.
const ENVELOPE: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// The shape of a document before its kind is known.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    api_version: String,
    kind: String,
    metadata: Metadata,
    #[expect(dead_code, reason = "only its presence is part of the shape")]
    #[schemars(with = "serde_json::Value")]
    spec: IgnoredAny,
}

/// The same of a kind that has other members than `spec`; only what all have is looked at.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BareEnvelope {
    #[expect(dead_code, reason = "its value is compared before the shape is")]
    api_version: String,
    kind: String,
    metadata: Metadata,
}

impl From<Envelope> for BareEnvelope {
    fn from(Envelope { api_version, kind, metadata, .. }: Envelope) -> Self {
        Self { api_version, kind, metadata }
    }
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Metadata {
    name: String,
    namespace: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Resource {
    /// Reads a document's envelope; `None` when it cannot be known what it is.
    pub(super) fn read(file: &Arc<Path>, mut node: Node, report: &mut Report) -> Option<Self> {
        let api_version = text(&node, &["apiVersion"]).unwrap_or_default();
        let written = match api_version == API_VERSION {
            true => Vec::new(),
            false => foreign::take_written_by_kubernetes(&mut node),
        };
        let mut resource = Self {
            api_version,
            kind: text(&node, &["kind"]).unwrap_or_default(),
            name: text(&node, &["metadata", "name"]).unwrap_or_default(),
            namespace: text(&node, &["metadata", "namespace"]),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            file: Arc::clone(file),
            node: Arc::new(node),
        };
        if !resource.api_version.is_empty()
            && let Err(message) = foreign::check(&resource.api_version, &resource.kind)
        {
            // Of another system's document nothing else can be said.
            resource.fault("apiVersion", message, report);
            return None;
        }
        if !written.is_empty() {
            let message = format!("Kubernetes writes {}; it is passed over", suggest::list(&written));
            resource.warn("metadata", message, report);
        }
        let sound = if foreign::has_spec(&resource.kind) {
            resource.read_envelope::<Envelope>(&resource.node, report).map(BareEnvelope::from)
        } else {
            resource.read_envelope(&resource.node.with_members(|key| ENVELOPE.contains(&key)), report)
        };
        if let Some(BareEnvelope { kind, metadata, .. }) = sound {
            let Metadata { name, namespace, labels, annotations } = metadata;
            (resource.kind, resource.name, resource.namespace) = (kind, name, namespace);
            (resource.labels, resource.annotations) = (labels, annotations);
            resource.check_names(report);
        }
        (!resource.kind.is_empty()).then_some(resource)
    }

    fn read_envelope<T: DeserializeOwned + JsonSchema>(&self, node: &Node, report: &mut Report) -> Option<T> {
        let found = shape::check::<T>(node, "");
        let sound = found.is_empty();
        for shape::Found { path, misplaced, .. } in found {
            self.push(misplaced.at, &path, &misplaced.message, &mut report.faults);
        }
        if sound { serde_json::from_value(node.to_json(&[])).ok() } else { None }
    }

    fn check_names(&self, report: &mut Report) {
        if !is_rfc1123(&self.name, 253, true) {
            let rule = "must be lower-case letters, digits, `-` and `.`, begin and end with a letter or digit, and have at \
                        most 253 characters";
            self.fault("metadata.name", rule, report);
        }
        if self.namespace.as_ref().is_some_and(|namespace| !is_rfc1123(namespace, 63, false)) {
            let rule = "must be lower-case letters, digits and `-`, begin and end with a letter or digit, and have at most \
                        63 characters";
            self.fault("metadata.namespace", rule, report);
        }
    }

    /// The file it stands in, as it was named.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The line of its first field.
    pub fn line(&self) -> usize {
        self.node.at.line
    }

    /// The folder of the file, from which relative paths in the spec count.
    pub fn base_dir(&self) -> &Path {
        match self.file.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }

    /// Reads the spec. All faults are in the report: unknown fields (with a suggestion), missing ones, wrong types, values that
    /// are not among the allowed or that `T` refuses.
    ///
    /// A spec whose only faults are unknown fields is read without them, so that what else is wrong with it is reported in the
    /// same run; the report says that it must not be used. With other faults this is `None`.
    pub fn spec<T: DeserializeOwned + JsonSchema>(&self, report: &mut Report) -> Option<T> {
        // Without a spec the envelope's check has said so.
        self.typed(self.node.member("spec")?, "spec", report)
    }

    /// As [`spec`](Self::spec), for a kind that has other members in its place, such as `Secret`: reads all that is not
    /// `apiVersion`, `kind` or `metadata`.
    pub fn body<T: DeserializeOwned + JsonSchema>(&self, report: &mut Report) -> Option<T> {
        self.typed(&self.node.with_members(|key| !ENVELOPE.contains(&key)), "", report)
    }

    fn typed<T: DeserializeOwned + JsonSchema>(
        &self,
        node: &Node,
        path: &str,
        report: &mut Report,
    ) -> Option<T> {
        let found = shape::check::<T>(node, path);
        for shape::Found { path, misplaced, .. } in &found {
            self.push(misplaced.at, path, &misplaced.message, &mut report.faults);
        }
        if found.iter().any(|found| !found.superfluous) {
            return None;
        }
        let unknown: Vec<Position> = found.iter().map(|found| found.misplaced.at).collect();
        match serde_path_to_error::deserialize(node.to_json(&unknown)) {
            Ok(spec) => Some(spec),
            Err(error) => {
                let path = match error.path().to_string().as_str() {
                    "." => path.to_owned(),
                    below if below.starts_with('[') => format!("{path}{below}"),
                    below => shape::join(path, below),
                };
                self.fault(&path, error.inner().to_string(), report);
                None
            }
        }
    }

    /// The paths in this document that `pattern` fits and that are not empty. `[]` in it stands for each entry of a list:
    /// `spec.identityProviders[].ldap` finds `spec.identityProviders[1].ldap`.
    pub fn find(&self, pattern: &str) -> Vec<String> {
        let mut found = vec![(String::new(), &*self.node)];
        for step in pattern.split('.') {
            let (key, each) = step.strip_suffix("[]").map_or((step, false), |key| (key, true));
            found = found
                .into_iter()
                .filter_map(|(path, node)| Some((shape::join(&path, key), node.member(key)?)))
                .flat_map(|(path, node)| match &node.value {
                    Value::List(items) if each => {
                        items.iter().enumerate().map(|(i, item)| (format!("{path}[{i}]"), item)).collect()
                    }
                    _ if each => Vec::new(),
                    _ => vec![(path, node)],
                })
                .collect();
        }
        let some = found.into_iter().filter(|(_, node)| !matches!(node.value, Value::Null));
        some.map(|(path, _)| path).collect()
    }

    /// What stands at these keys, one in the other, if it is text, a number, `true` or `false`: as it would be written.
    pub fn scalar(&self, keys: &[&str]) -> Option<String> {
        let node = keys.iter().try_fold(&*self.node, |node, key| node.member(key))?;
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// The paths that stand in this document under one of these names, at any depth; relative ones count from its folder.
    pub fn paths(&self, names: &[&str]) -> Vec<PathBuf> {
        let mut found = Vec::new();
        self.node.each_entry(&mut |entry| {
            if names.contains(&entry.key.as_str())
                && let Some(path) = entry.node.text()
            {
                found.push(self.base_dir().join(path));
            }
        });
        found
    }

    /// The parts in which `other`, a later state of this resource, differs from it: members of the spec, or of the document
    /// where there is none.
    pub fn changed_parts(&self, other: &Self) -> Vec<String> {
        let (ours, theirs) = (self.parts(), other.parts());
        let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name)).cloned().collect()
    }

    fn parts(&self) -> BTreeMap<String, serde_json::Value> {
        let entries = |node: &Node, path: &str| -> Vec<(String, serde_json::Value)> {
            let entries = node.entries().unwrap_or_default().iter();
            entries.map(|entry| (shape::join(path, &entry.key), entry.node.to_json(&[]))).collect()
        };
        let mut parts: BTreeMap<_, _> = entries(&self.node, "").into_iter().collect();
        if parts.remove("spec").is_some()
            && let Some(spec) = self.node.member("spec")
        {
            parts.extend(entries(spec, "spec"));
        }
        parts
    }

    /// Reports `message` at a path inside the document, such as `spec.rules[0].claim`.
    ///
    /// A path that is not there is reported at its nearest part that is.
    pub fn fault(&self, path: &str, message: impl Into<String>, report: &mut Report) {
        self.push(self.locate(path), path, &message.into(), &mut report.faults);
    }

    /// As [`fault`](Self::fault), for what should be looked at but stops nothing.
    pub fn warn(&self, path: &str, message: impl Into<String>, report: &mut Report) {
        self.push(self.locate(path), path, &message.into(), &mut report.warnings);
    }

    fn push(&self, at: Position, path: &str, message: &str, into: &mut Vec<Fault>) {
        let mut line = String::new();
        if !self.kind.is_empty() {
            let name = if self.name.is_empty() { "?" } else { &self.name };
            line = format!("{}/{name}: ", self.kind);
        }
        if !path.is_empty() {
            line = format!("{line}{path}: ");
        }
        let file = PathBuf::from(&*self.file);
        into.push(Fault { file, line: at.line, column: at.column, message: format!("{line}{message}") });
    }

    /// Where `path` stands, or the longest part of it that exists.
    fn locate(&self, path: &str) -> Position {
        let (mut node, mut rest) = (&*self.node, path);
        loop {
            let next = match (&node.value, rest.strip_prefix('[')) {
                (Value::List(items), Some(index)) => index.split_once(']').and_then(|(index, tail)| {
                    let item = items.get(index.parse::<usize>().ok()?)?;
                    Some((item, tail))
                }),
                (Value::Map(entries), _) => {
                    // Keys may hold dots (`app.kubernetes.io/name`), so the longest that fits is meant.
                    let fitting = entries.iter().filter_map(|entry| {
                        let tail = rest.strip_prefix(entry.key.as_str())?;
                        (tail.is_empty() || tail.starts_with(['.', '['])).then_some((entry, tail))
                    });
                    let longest = fitting.max_by_key(|(entry, _)| entry.key.len());
                    longest.map(|(entry, tail)| (&entry.node, tail))
                }
                _ => None,
            };
            let Some((below, tail)) = next else { return node.at };
            (node, rest) = (below, tail.strip_prefix('.').unwrap_or(tail));
        }
    }

    /// What must be unique: kind, namespace and name.
    pub fn key(&self) -> (String, String, String) {
        let namespace = self.namespace.as_deref().unwrap_or("default");
        (self.kind.clone(), namespace.to_owned(), self.name.clone())
    }
}

/// Reports every resource whose kind is not among `known`, with the kind that was probably meant.
pub fn refuse_unknown_kinds(resources: &[Resource], known: &[&str], report: &mut Report) {
    for resource in resources {
        if !known.contains(&resource.kind.as_str()) {
            resource.fault("kind", format!("unknown kind{}", suggest::hint(&resource.kind, known)), report);
        }
    }
}

fn text(node: &Node, path: &[&str]) -> Option<String> {
    let found = path.iter().try_fold(node, |node, key| node.member(key))?;
    found.text().map(str::to_owned)
}

fn is_rfc1123(name: &str, max: usize, dots: bool) -> bool {
    let label = |label: &str| {
        let edges = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        label.starts_with(edges) && label.ends_with(edges) && label.chars().all(|c| edges(c) || c == '-')
    };
    name.len() <= max && if dots { name.split('.').all(label) } else { label(name) }
}
