//! What the audit log says about operations: who, what, by which rule; never a token or a document.

use aws_lc_rs::digest;
use sealwright_audit::Entry;
use sealwright_jose::base64url;
use sealwright_resource_server::AccessToken;
use serde_json::{Value, json};

use super::Operation;
use crate::{
    authorizer::{Action, Authorized, Denial},
    ca::Issued,
    validation::Report,
    worker::{JadesWorker, Signed},
};

/// What the audit log takes as a name.
const MAX_SUBJECT_BYTES: usize = 1024;

/// `certificate.issued`
pub(super) fn certificate(operation: &Operation, worker: &JadesWorker, issued: &Issued) -> Entry {
    Entry {
        event: "certificate.issued",
        operation: Some(operation.id.clone()),
        subject: None,
        details: json!({
            "worker": operation.worker.name,
            "authority": worker.token.authority().name(),
            "serial": issued.serial,
            "certificate_subject": issued.subject,
            "not_before": issued.not_before.to_rfc3339(),
            "not_after": issued.not_after.to_rfc3339(),
            "one_time": true,
        }),
    }
}

/// `signature.created`
pub(super) fn signature(
    operation: &Operation,
    authorized: &Authorized,
    worker: &JadesWorker,
    signed: &Signed,
    sha256: &[u8; 32],
) -> Entry {
    let details = json!({
        "worker": operation.worker.name,
        "format": "jades",
        "level": "B-B",
        "alg": worker.alg.name(),
        "digest": digest_json(sha256),
        "signing_time": signed.signing_time.to_rfc3339(),
        "serial": signed.certificate.serial,
        "certificate_subject": signed.certificate.subject,
        "rule": authorized.rule(),
        "binding": authorized.binding(),
        "authentication": authentication(authorized.token()),
    });
    entry("signature.created", operation, authorized.token(), details)
}

/// `document.validated`
pub(super) fn validation(
    operation: &Operation,
    authorized: &Authorized,
    report: &Report,
    sha256: &[u8; 32],
    trust_snapshot: &str,
) -> Entry {
    let details = json!({
        "worker": operation.worker.name,
        "digest": digest_json(sha256),
        "indication": report.indication.as_str(),
        "sub_indication": report.sub_indication,
        "trust_snapshot": trust_snapshot,
        "rule": authorized.rule(),
        "binding": authorized.binding(),
        "authentication": authentication(authorized.token()),
    });
    entry("document.validated", operation, authorized.token(), details)
}

/// `signature.refused` and `validation.refused`
pub(super) fn refusal(operation: &Operation, token: &AccessToken, denial: &Denial) -> Entry {
    let event = match operation.worker.action() {
        Action::Sign => "signature.refused",
        Action::Validate => "validation.refused",
    };
    let details = json!({
        "worker": operation.worker.name,
        "code": denial.code.as_str(),
        "reason": denial.reason,
        "checks": operation.trace.to_string(),
        "authentication": authentication(token),
    });
    entry(event, operation, token, details)
}

fn entry(event: &'static str, operation: &Operation, token: &AccessToken, details: Value) -> Entry {
    let subject = Some(recordable(token.subject()));
    Entry { event, operation: Some(operation.id.clone()), subject, details }
}

/// The log takes no subject of any length and form; one that it would not take stands there as its digest,
/// since an operation without an entry would be worse.
fn recordable(subject: &str) -> String {
    if subject.len() <= MAX_SUBJECT_BYTES && !subject.contains('\0') {
        return subject.to_owned();
    }
    format!("sha256:{}", base64url::encode(digest::digest(&digest::SHA256, subject.as_bytes())))
}

/// Where the proof of identity came from: what an auditor needs to find the login behind the signature.
fn authentication(token: &AccessToken) -> Value {
    json!({
        "issuer": token.issuer(),
        "client_id": token.client_id(),
        "jti": token.jti(),
        "acr": token.acr(),
        "amr": token.amr(),
        "auth_time": token.auth_time(),
    })
}

fn digest_json(sha256: &[u8; 32]) -> Value {
    json!({"alg": "SHA-256", "value": base64_simd::STANDARD.encode_to_string(sha256)})
}
