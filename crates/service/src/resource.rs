//! Resource files: YAML documents → typed specs, all faults at once, each with file, line and column.
//!
//! A file holds one or more documents (`---` between them), each with `apiVersion`, `kind`, `metadata` and `spec`. They are
//! read in two steps, so that one mistake does not hide the next: [`load`] makes [`Resource`]s of the files, and
//! [`Resource::spec`] compares a spec with the JSON Schema of its type, which finds everything that has the wrong shape, before
//! serde makes the value. What only the caller can know (a reference to nothing, two options that exclude each other) it
//! adds with [`Resource::fault`]. Nothing may start while the [`Report`] has faults.
//!
//! Kinds are of [`API_VERSION`], or of Kubernetes where a document was written for it: `Secret`, whose members stand where others
//! have `spec` ([`Resource::body`]), secretgen's `RSAKey`, and AppSSO's `AuthServer` and `ClientRegistration`. What a cluster
//! adds (`metadata.uid`, `status` and so on) is passed over with a warning.
//!
//! YAML is read by version 1.2: `yes` and `on` are text, and so is everything in quotes. Anchors, aliases and tags are
//! refused, because a document should say what it means where a reader looks; so are files over 1 MiB, nesting beyond
//! 32 levels and a key that stands twice.
//!
//! # Examples
//!
//! ```
//! use sealwright_service::resource::{self, DurationField, Report};
//! use std::path::Path;
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(rename_all = "camelCase", deny_unknown_fields)]
//! struct PingSpec {
//!     target: url::Url,
//!     every: DurationField,
//! }
//!
//! let text = "\
//! apiVersion: sealwright.dev/v1alpha1
//! kind: Ping
//! metadata: {name: home}
//! spec:
//!   targt: https://example.com
//!   every: 5
//! ";
//! let mut report = Report::default();
//! let resources = resource::parse(Path::new("ping.yaml"), text, &mut report);
//! assert!(resources[0].spec::<PingSpec>(&mut report).is_none());
//! assert_eq!(
//!     report.to_string(),
//!     "ping.yaml:5:3: Ping/home: spec: missing field `target`\n\
//!      ping.yaml:5:3: Ping/home: spec.targt: unknown field, did you mean `target`?\n\
//!      ping.yaml:6:10: Ping/home: spec.every: expected a duration such as `5m`, found a number; add its unit: ms, s, m, h or d"
//! );
//! ```

mod document;
mod duration;
mod foreign;
mod load;
mod report;
mod shape;
mod suggest;
mod tree;

pub use document::{Resource, refuse_unknown_kinds};
pub use duration::{DurationError, DurationField};
pub use foreign::APPSSO_API_VERSION;
pub use load::{load, parse};
pub use report::{Fault, Report};

/// The `apiVersion` of our kinds.
pub const API_VERSION: &str = "sealwright.dev/v1alpha1";
