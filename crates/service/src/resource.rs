//! Resource files: YAML documents → typed specs, all errors at once, each with file and line.
#![allow(missing_docs, unused_variables, clippy::todo, clippy::missing_errors_doc, dead_code)]
use std::path::{Path, PathBuf};
/// One thing wrong in a resource file. Displays as `file:line:column: kind/name: path: message`.
#[derive(Clone, Debug)]
pub struct Fault {
    pub file: PathBuf,
    pub line: usize,
    pub column: usize,
    pub message: String,
}
/// All that is wrong. `Display` prints one line each.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub faults: Vec<Fault>,
    pub warnings: Vec<Fault>,
}
impl Report {
    pub fn is_empty(&self) -> bool {
        todo!()
    } // no faults
}
impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl std::error::Error for Report {}
/// One document: `apiVersion`, `kind`, `metadata`, `spec`.
#[derive(Clone, Debug)]
pub struct Resource {
    pub api_version: String,
    pub kind: String,
    pub name: String,
    pub namespace: Option<String>,
    pub labels: std::collections::BTreeMap<String, String>,
    node: (),
}
impl Resource {
    /// The folder of the file, from which relative paths in the spec count.
    pub fn base_dir(&self) -> &Path {
        todo!()
    }
    /// Reads the spec; pushes every fault (unknown field with a suggestion, missing field, wrong type, bad value).
    pub fn spec<T: serde::de::DeserializeOwned + schemars::JsonSchema>(
        &self,
        report: &mut Report,
    ) -> Option<T> {
        todo!()
    }
    /// Reports `message` at a path inside the document such as `spec.rules[0].claim`.
    pub fn fault(&self, path: &str, message: impl Into<String>, report: &mut Report) {
        todo!()
    }
    pub fn warn(&self, path: &str, message: impl Into<String>, report: &mut Report) {
        todo!()
    }
}
/// Reads files and folders (`*.yaml`, `*.yml`); syntax errors, broken metadata, duplicate (kind, namespace, name) are faults.
pub fn load(paths: &[PathBuf], report: &mut Report) -> Vec<Resource> {
    todo!()
}
/// For tests: documents from text.
pub fn parse(file: &Path, text: &str, report: &mut Report) -> Vec<Resource> {
    todo!()
}
pub const API_VERSION: &str = "sealwright.dev/v1alpha1";

/// A duration such as `5m`, `300s`, `12h`, `250ms`, as a spec field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationField(pub std::time::Duration);
impl<'de> serde::Deserialize<'de> for DurationField {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        todo!()
    }
}
impl schemars::JsonSchema for DurationField {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        todo!()
    }
    fn json_schema(g: &mut schemars::SchemaGenerator) -> schemars::Schema {
        todo!()
    }
}
