//! A signing server, an issuer that it trusts, and a look at what was recorded.

mod pieces;
mod recorded;

use std::{fmt::Write as _, fs, path::Path};

use aws_lc_rs::digest;
use reqwest::{Client, RequestBuilder, Response, header::HeaderMap};
use sealwright_jose::Alg;
use sealwright_keystore::KekRing;
use sealwright_service::{
    clock::{Clock, Timestamp},
    resource::{self, Report},
    shutdown::Shutdown,
};
use sealwright_signing_server::{Running, configure, start};
use sealwright_testkit::{
    database::{Storage, sqlite_storage},
    issuer::Issuer,
};
use serde_json::{Value, json};

pub(crate) use pieces::{in_two_pieces, unfinished};
pub(crate) use recorded::Recorded;

/// When every test happens, until it moves the clock: 2026-12-01T12:00:00Z.
pub(crate) const NOW_S: i64 = 1_796_126_400;
pub(crate) const PUBLIC_URL: &str = "http://127.0.0.1:8081";
pub(crate) const DOCUMENT: &[u8] = b"# Contract\n\nAlice sells Bob a bicycle.\n";
pub(crate) const MFA: &str = "urn:sealwright:acr:mfa";

/// A running server with its surroundings.
pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) clock: Clock,
    pub(crate) storage: Storage,
    pub(crate) base: String,
    pub(crate) http: Client,
    running: Option<Running>,
    shutdown: Shutdown,
    resources: String,
}

/// The resources of the contract, for an issuer and a storage.
pub(crate) fn resources(issuer: &str, storage: &str) -> String {
    format!(
        r#"
apiVersion: sealwright.dev/v1alpha1
kind: SigningServer
metadata: {{name: main}}
spec:
  listen: 127.0.0.1:0
  publicURL: {PUBLIC_URL}
  storage: {storage}
  secrets: {{kek: [{{id: k1, file: kek}}]}}
  keysDir: keys
  maxBodyBytes: 104857600
  audit: {{checkpointEvery: 100, checkpointFile: checkpoint.jws}}
  acknowledge: [unsafeHttp]
---
apiVersion: sealwright.dev/v1alpha1
kind: TrustedIssuer
metadata: {{name: id}}
spec:
  issuer: {issuer}
  jwksURI: {issuer}/oauth2/jwks
  algs: [ES256]
  typ: [at+jwt]
  audiences: [{PUBLIC_URL}]
  clockSkew: 60s
  maxTokenAge: 600s
---
apiVersion: sealwright.dev/v1alpha1
kind: Authorizer
metadata: {{name: staff-mfa}}
spec:
  kind: jws
  issuers: [id]
  match: all
  rules: [{{claim: groups, op: contains, value: signers}}]
  assurance: {{acrAny: ["{MFA}"], amrAll: [otp], maxAuthAge: 300s}}
  binding: {{mode: required}}
  replay: {{jti: required}}
  context: {{sub: subject, given_name: signer.given_name, family_name: signer.family_name, email: signer.email}}
---
apiVersion: sealwright.dev/v1alpha1
kind: CryptoToken
metadata: {{name: onetime}}
spec: {{kind: onetime, key: ES256, ca: internal-short}}
---
apiVersion: sealwright.dev/v1alpha1
kind: CertificateAuthority
metadata: {{name: internal-short}}
spec:
  kind: internal
  key: ca
  alg: ES256
  commonName: Demo signing CA
  validity: 600s
  backdate: 60s
  subject:
    - {{type: CN, from: [signer.given_name, " ", signer.family_name], required: true, max: 64}}
    - {{type: serialNumber, from: subject, required: true}}
    - {{type: C, value: CH}}
  san: [{{type: rfc822Name, from: signer.email}}]
---
apiVersion: sealwright.dev/v1alpha1
kind: Worker
metadata: {{name: contracts}}
spec: {{kind: jades, token: onetime, authorizers: [staff-mfa], level: B-B, alg: ES256, packaging: attached, serialization: flattened, maxInputBytes: 104857600}}
---
apiVersion: sealwright.dev/v1alpha1
kind: Worker
metadata: {{name: verify}}
spec: {{kind: validator, authorizers: [staff-mfa], trust: [{{certificateAuthority: internal-short}}]}}
"#
    )
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(sqlite_storage(), |text, _| text).await
    }

    /// With resources as `edit` changes them; it also sees the folder of the files.
    pub(crate) async fn edited(edit: impl Fn(String) -> String) -> Self {
        Self::start_with(sqlite_storage(), |text, _| edit(text)).await
    }

    pub(crate) async fn start_with(storage: Storage, edit: impl FnOnce(String, &Path) -> String) -> Self {
        let issuer = Issuer::start(Alg::Es256).await;
        fs::write(storage.dir().join("kek"), KekRing::generate_text().as_str()).unwrap();
        let resources = edit(resources(&issuer.url(), &storage.yaml()), storage.dir());
        let mut world = Self {
            issuer,
            clock: Clock::fixed(Timestamp::from_secs(NOW_S)),
            storage,
            base: String::new(),
            http: Client::builder().no_proxy().build().unwrap(),
            running: None,
            shutdown: Shutdown::new(),
            resources,
        };
        world.run().await;
        world
    }

    async fn run(&mut self) {
        let mut report = Report::default();
        let file = self.storage.dir().join("sign.yaml");
        let documents = resource::parse(&file, &self.resources, &mut report);
        let mut configs = configure(&documents, &mut report);
        assert!(report.is_empty(), "{report}");
        self.shutdown = Shutdown::new();
        let started = start(configs.remove(0), self.clock.clone(), self.shutdown.clone()).await;
        let running = started.unwrap_or_else(|error| panic!("{error:?}"));
        self.base = format!("http://{}", running.local_addr);
        self.running = Some(running);
    }

    /// Stops the server; the database stays.
    pub(crate) async fn stop(&mut self) {
        self.shutdown.begin();
        if let Some(running) = self.running.take() {
            running.join().await.unwrap();
        }
    }

    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    /// Claims that pass everything, for this document and worker.
    pub(crate) fn claims(&self, worker: &str, document: &[u8]) -> Value {
        let kind = match worker {
            "verify" => "https://sealwright.dev/2026/validate",
            _ => "https://cloudsignatureconsortium.org/2025/credential",
        };
        json!({
            "iss": self.issuer.url(),
            "sub": "alice",
            "aud": PUBLIC_URL,
            "client_id": "default_portal",
            "iat": NOW_S,
            "exp": NOW_S + 300,
            "jti": sealwright_service::random::id("jti_"),
            "auth_time": NOW_S - 10,
            "acr": MFA,
            "amr": ["pwd", "otp", "mfa"],
            "groups": ["staff", "signers"],
            "given_name": "Alice",
            "family_name": "Meier",
            "email": "alice@example.com",
            "authorization_details": [{
                "type": kind,
                "credentialID": worker,
                "numSignatures": 1,
                "documentDigests": [{"hash": sha256_base64(document), "label": "contract.md", "hashType": "SDR"}],
                "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1",
                "locations": [PUBLIC_URL],
            }],
        })
    }

    pub(crate) fn token(&self, worker: &str, document: &[u8]) -> String {
        self.issuer.token(self.claims(worker, document))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.base))
    }

    /// `POST /v1/workers/contracts/sign`, JSON, with a bearer token.
    pub(crate) fn sign(&self, token: &str) -> RequestBuilder {
        self.post("/v1/workers/contracts/sign").bearer_auth(token).json(&json_body(DOCUMENT))
    }

    /// What the database holds; a token that the server signed nothing for leaves no `consumed` row.
    pub(crate) async fn recorded(&self) -> Recorded {
        Recorded::read(&self.storage).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

pub(crate) fn json_body(document: &[u8]) -> Value {
    json!({
        "input": {"content": base64_simd::STANDARD.encode_to_string(document)},
        "filename": "contract.md",
        "media_type": "text/markdown",
        "options": {},
    })
}

pub(crate) fn sha256_base64(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(digest::digest(&digest::SHA256, bytes))
}

/// Status, the headers that matter, and the body: what a snapshot shows.
pub(crate) async fn show(response: Response) -> String {
    let mut text = format!("{}\n", response.status().as_u16());
    for name in ["www-authenticate", "retry-after", "content-type", "cache-control"] {
        if let Some(value) = response.headers().get(name) {
            let _ = writeln!(text, "{name}: {}", value.to_str().unwrap());
        }
    }
    let body = response.text().await.unwrap();
    match serde_json::from_str::<Value>(&body) {
        Ok(json) => text.push_str(&serde_json::to_string_pretty(&json).unwrap()),
        Err(_) => text.push_str(&body),
    }
    text
}

/// The JSON of an answer that must be 200.
pub(crate) async fn ok(response: Response) -> Value {
    let status = response.status();
    let body = response.text().await.unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

pub(crate) fn decode(base64: &Value) -> Vec<u8> {
    base64_simd::STANDARD.decode_to_vec(base64.as_str().unwrap()).unwrap()
}
