//! What both servers share and neither is about. CONTRACT SKELETON (bodies follow).
#![allow(missing_docs, unused_variables, clippy::todo, clippy::missing_errors_doc, dead_code)]

pub mod clock {
    //! Time as a value.
    use std::time::Duration;
    /// Milliseconds since the epoch, UTC.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Timestamp(i64);
    impl Timestamp {
        pub const fn from_millis(ms: i64) -> Self { Self(ms) }
        pub const fn from_secs(s: i64) -> Self { Self(s * 1000) }
        pub const fn as_millis(self) -> i64 { self.0 }
        /// Whole seconds, rounded down: a JWT's NumericDate.
        pub const fn as_secs(self) -> i64 { self.0.div_euclid(1000) }
        #[must_use]
        pub fn plus(self, d: Duration) -> Self { todo!() }
        #[must_use]
        pub fn minus(self, d: Duration) -> Self { todo!() }
        /// RFC 3339 in UTC with milliseconds.
        pub fn to_rfc3339(self) -> String { todo!() }
    }
    /// Where the time comes from; cheap to clone.
    #[derive(Clone, Debug)]
    pub struct Clock(());
    impl Clock {
        pub fn system() -> Self { todo!() }
        /// A clock that stands still until it is moved: for tests.
        pub fn fixed(at: Timestamp) -> Self { todo!() }
        pub fn now(&self) -> Timestamp { todo!() }
        /// Moves a fixed clock; no effect on the system's.
        pub fn advance(&self, by: Duration) { todo!() }
    }
}

pub mod random {
    //! Random identifiers from the operating system's generator (aws-lc).
    pub fn bytes<const N: usize>() -> [u8; N] { todo!() }
    /// `prefix` + 128 random bits in base64url: an identifier, e.g. `op_…`.
    pub fn id(prefix: &str) -> String { todo!() }
}

pub mod secret {
    //! Strings that zeroize and never print.
    #[derive(Clone, PartialEq, Eq)] // Debug prints "[secret]"; PartialEq in constant time
    pub struct Secret(());
    impl Secret {
        pub fn new(value: impl Into<String>) -> Self { todo!() }
        pub fn expose(&self) -> &str { todo!() }
    }
    /// `File`/`Env` in a spec: `{file: PATH}` or `{env: NAME}`; exactly one. Relative paths are from the resource's folder.
    #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct SecretRef { pub file: Option<std::path::PathBuf>, pub env: Option<String> }
    impl SecretRef {
        /// Reads it (one trailing newline is cut off) ; the error says what to do; warns when the file is readable by others.
        pub fn read(&self, base_dir: &std::path::Path) -> Result<Secret, SecretError> { todo!() }
    }
    #[derive(Debug, thiserror::Error)]
    #[error("…")]
    pub struct SecretError;
}

pub mod resource {
    //! Resource files: YAML documents → typed specs, all errors at once, each with file and line.
    use std::path::{Path, PathBuf};
    /// One thing wrong in a resource file. Displays as `file:line:column: kind/name: path: message`.
    #[derive(Clone, Debug)]
    pub struct Fault { pub file: PathBuf, pub line: usize, pub column: usize, pub message: String }
    /// All that is wrong. `Display` prints one line each.
    #[derive(Clone, Debug, Default)]
    pub struct Report { pub faults: Vec<Fault>, pub warnings: Vec<Fault> }
    impl Report {
        pub fn is_empty(&self) -> bool { todo!() } // no faults
    }
    impl std::fmt::Display for Report { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { todo!() } }
    impl std::error::Error for Report {}
    /// One document: `apiVersion`, `kind`, `metadata`, `spec`.
    #[derive(Clone, Debug)]
    pub struct Resource { pub api_version: String, pub kind: String, pub name: String, pub namespace: Option<String>,
        pub labels: std::collections::BTreeMap<String, String>, node: () }
    impl Resource {
        /// The folder of the file, from which relative paths in the spec count.
        pub fn base_dir(&self) -> &Path { todo!() }
        /// Reads the spec; pushes every fault (unknown field with a suggestion, missing field, wrong type, bad value).
        pub fn spec<T: serde::de::DeserializeOwned + schemars::JsonSchema>(&self, report: &mut Report) -> Option<T> { todo!() }
        /// Reports `message` at a path inside the document such as `spec.rules[0].claim`.
        pub fn fault(&self, path: &str, message: impl Into<String>, report: &mut Report) { todo!() }
        pub fn warn(&self, path: &str, message: impl Into<String>, report: &mut Report) { todo!() }
    }
    /// Reads files and folders (`*.yaml`, `*.yml`); syntax errors, broken metadata, duplicate (kind, namespace, name) are faults.
    pub fn load(paths: &[PathBuf], report: &mut Report) -> Vec<Resource> { todo!() }
    /// For tests: documents from text.
    pub fn parse(file: &Path, text: &str, report: &mut Report) -> Vec<Resource> { todo!() }
    pub const API_VERSION: &str = "sealwright.dev/v1alpha1";

    /// A duration such as `5m`, `300s`, `12h`, `250ms`, as a spec field.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DurationField(pub std::time::Duration);
    impl<'de> serde::Deserialize<'de> for DurationField { fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> { todo!() } }
    impl schemars::JsonSchema for DurationField { fn schema_name() -> std::borrow::Cow<'static, str> { todo!() } fn json_schema(g: &mut schemars::SchemaGenerator) -> schemars::Schema { todo!() } }
}

pub mod database {
    //! SQLite or PostgreSQL behind one pool type.
    use std::path::{Path, PathBuf};
    pub type Connection = sqlx::AnyConnection;
    /// `spec.storage`: exactly one of `sqlite` and `postgres`.
    #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct StorageSpec { pub sqlite: Option<SqliteSpec>, pub postgres: Option<PostgresSpec> }
    #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct SqliteSpec { pub path: PathBuf }
    #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct PostgresSpec { pub url: super::secret::SecretRef, pub max_connections: Option<u32> }
    #[derive(Clone, Debug)]
    pub struct Database(());
    impl Database {
        /// Opens, creates if needed (SQLite), and migrates. `migrators` of several crates share one table of versions,
        /// so each crate's versions are dates of its own (`20261122_01_…`).
        pub async fn open(spec: &StorageSpec, base_dir: &Path, migrators: &[&'static sqlx::migrate::Migrator]) -> Result<Self, DatabaseError> { todo!() }
        /// For reading; on SQLite several connections.
        pub fn reader(&self) -> &sqlx::AnyPool { todo!() }
        /// For writing; on SQLite one connection, so that writers queue here and not at the file's lock.
        pub fn writer(&self) -> &sqlx::AnyPool { todo!() }
        pub async fn ping(&self) -> Result<(), DatabaseError> { todo!() }
        pub async fn close(&self) { todo!() }
    }
    #[derive(Debug, thiserror::Error)]
    #[non_exhaustive]
    pub enum DatabaseError { #[error("…")] Todo }
}

pub mod problem {
    //! RFC 9457 problem documents.
    use axum::response::{IntoResponse, Response};
    use http::StatusCode;
    /// `application/problem+json` with `type`, `title`, `status`, `code`, optional `detail`, and extension members.
    #[derive(Clone, Debug)]
    pub struct Problem(());
    impl Problem {
        pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self { todo!() }
        #[must_use]
        pub fn detail(self, detail: impl Into<String>) -> Self { todo!() }
        #[must_use]
        pub fn with(self, member: &'static str, value: serde_json::Value) -> Self { todo!() }
        pub fn status(&self) -> StatusCode { todo!() }
        pub fn code(&self) -> &'static str { todo!() }
    }
    impl IntoResponse for Problem { fn into_response(self) -> Response { todo!() } }
}

pub mod shutdown {
    //! One signal that everything that runs can wait for.
    #[derive(Clone, Debug)]
    pub struct Shutdown(());
    impl Shutdown {
        pub fn new() -> Self { todo!() }
        /// One that begins at SIGINT or SIGTERM.
        pub fn on_signals() -> Self { todo!() }
        pub fn begin(&self) { todo!() }
        pub fn has_begun(&self) -> bool { todo!() }
        pub async fn begun(&self) { todo!() }
    }
}

pub mod server {
    //! The accept loop: header and idle time limits, a cap on connections, graceful shutdown.
    use super::shutdown::Shutdown;
    #[derive(Clone, Debug)]
    pub struct ServeOptions { pub header_timeout: std::time::Duration, pub max_connections: usize, pub drain: std::time::Duration }
    impl Default for ServeOptions { fn default() -> Self { todo!() } }
    /// Serves until shutdown has begun and the open requests are answered (or `drain` is over).
    /// The peer's address is in the request's extensions as `axum::extract::ConnectInfo<SocketAddr>`.
    pub async fn serve(listener: tokio::net::TcpListener, router: axum::Router, options: ServeOptions, shutdown: Shutdown) -> std::io::Result<()> { todo!() }
}

pub mod health {
    //! `/healthz` (the process answers) and `/readyz` (each named check passes).
    use std::{future::Future, pin::Pin, sync::Arc};
    pub type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;
    pub fn routes<S: Clone + Send + Sync + 'static>(checks: Vec<(&'static str, Check)>) -> axum::Router<S> { todo!() }
}

pub mod telemetry {
    //! Logs: one subscriber for the process, made by the binary.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Format { Text, Json }
    /// `filter` as in `RUST_LOG`; writes to standard error.
    pub fn init(format: Format, filter: &str) { todo!() }
    /// A tower layer that gives each request an id (`X-Request-Id`), a span, and one line when it ends (method, route, status, ms).
    pub fn request_layer<S: Clone + Send + Sync + 'static>(router: axum::Router<S>) -> axum::Router<S> { todo!() }
}
