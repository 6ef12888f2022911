//! A server of the test's own, on a clock that stands still.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use sealwright_authorization_server::{Assembled, PasswordCost, assemble, configure, hash_password_at};
use sealwright_service::clock::{Clock, Timestamp};
use sealwright_service::resource::{self, Report};
use sealwright_service::secret::Secret;
use sealwright_service::shutdown::Shutdown;
use sealwright_testkit::database::{Storage, sqlite_storage};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) const ISSUER: &str = "http://127.0.0.1:8080";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:9999/callback";
pub(crate) const RESOURCE: &str = "http://127.0.0.1:8081";
pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";
pub(crate) const BACKEND_SECRET: &str = "backend-secret-0123456789abcdef";
pub(crate) const PORTAL_POST_SECRET: &str = "post-secret-0123456789abcdef";
/// 20 bytes in base32.
pub(crate) const TOTP_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// 2026-11-22T00:00:00Z, the beginning of a time step.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_795_305_600);

/// A running server and its place. Fields are dropped in order.
pub(crate) struct World {
    pub(crate) server: Assembled,
    pub(crate) clock: Clock,
    pub(crate) shutdown: Shutdown,
    router: Router,
    storage: Storage,
    yaml: String,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// Status, and the body on one line.
    pub(crate) fn short(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.body)
    }
}

/// The resources of the test's server. `extra` goes into `AuthServer.spec`.
pub(crate) fn resources(storage: &str, extra: &str) -> String {
    format!(
        r#"
apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata: {{name: main, labels: {{env: test}}}}
spec:
  issuerURI: {ISSUER}
  listen: 127.0.0.1:0
  tokenSignature: {{algorithms: [ES256], keysDir: keys}}
  storage: {storage}
  secrets: {{kek: [{{id: k1, file: kek}}]}}
  domains: [{{name: staff, displayName: Example staff}}, {{name: guests}}]
  acr: [{{value: "urn:x:password", requires: [password]}}, {{value: "urn:x:mfa", requires: [password, totp]}}]
  passwords: {{argon2: {{m: 8, t: 1, p: 1}}}}
  acknowledge: [unsafeIssuerUri]
{extra}
---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: portal}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  displayName: Contract portal
  redirectURIs: ["{REDIRECT}", "https://portal.example.com/callback"]
  clientAuthenticationMethod: none
  audiences: ["{RESOURCE}", "https://other.example.com"]
  claims: [given_name, email, groups]
  contextsFrom: [default_signing-server]
  scopes: [{{name: openid}}, {{name: roles, description: What you may do}}]
---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: other}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  redirectURIs: ["{REDIRECT}"]
  clientAuthenticationMethod: none
  audiences: ["{RESOURCE}"]
  accessTokenExpiry: 2s
  requireUserConsent: true
  scopes: [{{name: roles, description: What you may do}}]
---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: posting}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  redirectURIs: ["{REDIRECT}"]
  clientAuthenticationMethod: client_secret_post
  clientSecret: {{file: posting.secret}}
  audiences: ["{RESOURCE}"]
---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: signing-server}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  clientAuthenticationMethod: client_secret_basic
  clientSecret: {{file: backend.secret}}
---
apiVersion: sealwright.dev/v1alpha1
kind: User
metadata: {{name: alice}}
spec:
  username: alice
  domain: staff
  password: {{file: password-hash}}
  totp: {{file: totp}}
  claims: {{given_name: Alice, family_name: Abel, email: alice@example.com, groups: [signers], secret_of_hers: x}}
  roles: [signers]
---
apiVersion: sealwright.dev/v1alpha1
kind: User
metadata: {{name: bob}}
spec: {{username: bob, password: {{file: password-hash}}}}
---
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: robot, namespace: works}}
spec:
  authServerSelector: {{matchLabels: {{env: test}}}}
  authorizationGrantTypes: [client_credentials]
  clientSecret: {{file: backend.secret}}
  audiences: ["{RESOURCE}", "https://other.example.com"]
  claims: [given_name, email]
  scopes: [{{name: orders:read}}, {{name: orders:write}}]
"#
    )
}

/// The files that [`resources`] refers to.
pub(crate) fn write_secrets(dir: &Path) {
    let cost = PasswordCost::new(8, 1, 1).unwrap();
    let hash = hash_password_at(&Secret::new(PASSWORD), cost).unwrap();
    let files = [
        ("kek", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
        ("password-hash", hash.as_str()),
        ("totp", TOTP_SECRET),
        ("backend.secret", BACKEND_SECRET),
        ("posting.secret", PORTAL_POST_SECRET),
        ("short.secret", "fifteen-letters"),
    ];
    for (name, content) in files {
        std::fs::write(dir.join(name), content).unwrap();
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    pub(crate) async fn with(extra: &str) -> Self {
        Self::on(sqlite_storage(), extra).await
    }

    pub(crate) async fn on(storage: Storage, extra: &str) -> Self {
        Self::of(&resources(&storage.yaml(), extra), storage).await
    }

    /// A server of AppSSO's manifests: with one more annotation, one more line of its `spec`, these users, whose password is
    /// [`PASSWORD`] wherever `HASH` stands, and these documents.
    pub(crate) async fn of_appsso(annotation: &str, spec: &str, users: &str, documents: &str) -> Self {
        let key = include_str!("keys/rsa.pem").replace('\n', "\n    ");
        let cost = PasswordCost::new(8, 1, 1).unwrap();
        let users = users.replace("HASH", &hash_password_at(&Secret::new(PASSWORD), cost).unwrap());
        let yaml = format!(
            r#"
apiVersion: sso.apps.tanzu.vmware.com/v1alpha1
kind: AuthServer
metadata:
  name: main
  labels: {{env: test}}
  annotations:
    sso.apps.tanzu.vmware.com/allow-unsafe-issuer-uri: ""
    sso.apps.tanzu.vmware.com/allow-unsafe-identity-provider: ""
    sealwright.dev/state-dir: state
    sealwright.dev/kek-file: kek
    {annotation}
spec:
  issuerURI: {ISSUER}
  tls: {{deactivated: true}}
  tokenSignature: {{signAndVerifyKeyRef: {{name: signing}}}}
  {spec}
  identityProviders:
    - name: internal
      internalUnsafe: {{users: [{users}]}}
{documents}
---
apiVersion: v1
kind: Secret
metadata: {{name: signing}}
stringData:
  key.pem: |
    {key}
"#
        );
        Self::of(&yaml, sqlite_storage()).await
    }

    pub(crate) async fn of(yaml: &str, storage: Storage) -> Self {
        Self::at(START, yaml, storage).await
    }

    async fn at(now: Timestamp, yaml: &str, storage: Storage) -> Self {
        write_secrets(storage.dir());
        let mut report = Report::default();
        let resources = resource::parse(&storage.dir().join("auth.yaml"), yaml, &mut report);
        let mut configs = configure(&resources, &mut report);
        assert!(report.is_empty(), "{report}");
        let (clock, shutdown) = (Clock::fixed(now), Shutdown::new());
        let server = assemble(configs.remove(0), clock.clone(), shutdown.clone()).await.unwrap();
        let router = server.router();
        Self { server, clock, shutdown, router, storage, yaml: yaml.to_owned() }
    }

    /// Stops the server and starts it again from the same resources.
    pub(crate) async fn restart(self) -> Self {
        self.restart_at(START).await
    }

    /// As [`World::restart`], at another time. A start looks at the keys, and does what is due.
    pub(crate) async fn restart_at(self, now: Timestamp) -> Self {
        self.shutdown.begin();
        self.server.audit().closed().await;
        self.server.database().close().await;
        Self::at(now, &self.yaml, self.storage).await
    }

    /// Changes the resources for the next start.
    pub(crate) fn change(&mut self, from: &str, to: &str) {
        assert!(self.yaml.contains(from), "{from} is not in the resources");
        self.yaml = self.yaml.replace(from, to);
    }

    /// The folder of the resources.
    pub(crate) fn dir(&self) -> &Path {
        self.storage.dir()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The answer as it begins, for one that does not end.
    pub(crate) async fn begin_from(&self, address: &str, mut request: Request<Body>) -> Response<Body> {
        let address: SocketAddr = address.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(address));
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send_from(&self, address: &str, request: Request<Body>) -> Answer {
        let response = self.begin_from(address, request).await;
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from("192.0.2.1:4711", request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(form(path, fields)).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.send(json_request(path, body)).await
    }

    /// Redeems a code as the portal does.
    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        self.redeem_with(&[("code", code)]).await
    }

    /// As [`World::redeem`], with some fields other than usual.
    pub(crate) async fn redeem_with(&self, others: &[(&str, &str)]) -> Answer {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", "default_portal"),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.post_form("/oauth2/token", &with(&usual, others)).await
    }

    /// The events of the audit log with their subjects' presence and details, after the first `skip`.
    pub(crate) async fn audit(&self) -> Vec<(String, Value)> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT event, details FROM audit_entry ORDER BY sequence")
                .fetch_all(self.server.database().reader())
                .await
                .unwrap();
        rows.into_iter().map(|(event, details)| (event, serde_json::from_str(&details).unwrap())).collect()
    }

    /// Names of the events since the server started.
    pub(crate) async fn events(&self) -> Vec<String> {
        let mut events: Vec<String> = self.audit().await.into_iter().map(|(event, _)| event).collect();
        let started = events.iter().position(|event| event == "server.started").unwrap();
        events.split_off(started + 1)
    }

    /// Counted refusals, as the log summarises them.
    pub(crate) async fn refusals(&self) -> Value {
        self.server.audit().checkpoint().await.unwrap();
        let mut total: BTreeMap<String, i64> = BTreeMap::new();
        for (_, counts) in self.audit().await.into_iter().filter(|(event, _)| event == "refusals.summarised")
        {
            for (kind, count) in counts.as_object().unwrap() {
                *total.entry(kind.clone()).or_default() += count.as_i64().unwrap();
            }
        }
        json!(total)
    }

    /// How many rows a table has.
    pub(crate) async fn rows(&self, table: &'static str) -> i64 {
        let count: sqlx::AssertSqlSafe<String> = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        sqlx::query_scalar(count).fetch_one(self.server.database().reader()).await.unwrap()
    }
}

/// Runs `futures` side by side and returns what each came to, in their order.
pub(crate) async fn all_at_once<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in running.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                *output = Some(value);
            }
        }
        if running.iter().all(|(_, output)| output.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

/// `usual`, with some fields replaced, added, or (where empty) left out.
pub(crate) fn with<'a>(
    usual: &[(&'a str, &'a str)],
    others: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<_> =
        usual.iter().filter(|(name, _)| !others.iter().any(|(n, _)| n == name)).copied().collect();
    fields.extend(others.iter().filter(|(_, value)| !value.is_empty()));
    fields
}

pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub(crate) fn form(path: &str, fields: &[(&str, &str)]) -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(encode(fields)))
        .unwrap()
}

pub(crate) fn json_request(path: &str, body: &Value) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", base64_simd::STANDARD.encode_to_string(format!("{id}:{secret}")))
}

/// What a signature needs, for one document.
pub(crate) fn details() -> Value {
    json!([{
        "type": "https://cloudsignatureconsortium.org/2025/credential", "credentialID": "contracts",
        "numSignatures": 1,
        "documentDigests": [{
            "hash": base64_simd::STANDARD.encode_to_string([0xabu8; 32]), "label": "contract.md",
            "hashType": "SDR", "size": 48213,
        }],
        "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1", "locations": [RESOURCE],
    }])
}

/// The code that Alice's authenticator shows `offset` steps from the start.
pub(crate) fn totp(offset: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(TOTP_SECRET).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(START.as_secs() + 30 * offset).unwrap()).to_string()
}

/// The claims of a token, which is not verified here.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&sealwright_jose::base64url::decode(payload).unwrap()).unwrap()
}
