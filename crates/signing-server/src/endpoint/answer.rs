//! Results on the wire.

use axum::{
    Json,
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};
use sealwright_audit::Receipt;
use serde::Serialize;

use super::base64_body::Base64Body;
use crate::{
    format::jades,
    operation::{Authorization, SignedOperation, ValidatedOperation},
    validation::Report,
};

const X_RECEIPT: &str = "x-receipt";

/// The answer to `sign`, but for the document.
#[derive(Serialize)]
struct SignAnswer<'a> {
    operation_id: &'a str,
    worker: &'a str,
    signature: Signature<'a>,
    certificate: Certificate<'a>,
    authorization: &'a Authorization,
    receipt: &'a Receipt,
}

#[derive(Serialize)]
struct Signature<'a> {
    format: &'a str,
    level: &'a str,
    alg: &'a str,
    signing_time: String,
    digest: Digest,
}

#[derive(Serialize)]
struct Digest {
    alg: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Certificate<'a> {
    chain: Vec<String>,
    serial: &'a str,
    subject: &'a str,
    one_time: bool,
    not_after: String,
}

/// The answer to `validate`.
#[derive(Serialize)]
struct ValidateAnswer<'a> {
    operation_id: &'a str,
    worker: &'a str,
    #[serde(flatten)]
    report: &'a Report,
    trust_snapshot: &'a str,
    authorization: &'a Authorization,
    receipt: &'a Receipt,
}

/// The signed document itself if the client asked for it, otherwise JSON that holds it.
pub(super) fn signed(done: SignedOperation, wants_document: bool) -> Response {
    if wants_document {
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(jades::MEDIA_TYPE)), no_store()];
        let mut response = (headers, done.signed.document).into_response();
        insert_receipt(response.headers_mut(), &done.receipt);
        return response;
    }
    let certificate = &done.signed.certificate;
    let answer = SignAnswer {
        operation_id: &done.operation_id,
        worker: &done.worker,
        signature: Signature {
            format: "jades",
            level: "B-B",
            alg: done.alg.name(),
            signing_time: done.signed.signing_time.to_rfc3339(),
            digest: Digest { alg: super::digest::SHA_256, value: super::digest::encode(&done.digest) },
        },
        certificate: Certificate {
            chain: done.signed.chain.iter().map(|der| base64_simd::STANDARD.encode_to_string(der)).collect(),
            serial: &certificate.serial,
            subject: &certificate.subject,
            one_time: true,
            not_after: certificate.not_after.to_rfc3339(),
        },
        authorization: &done.authorization,
        receipt: &done.receipt,
    };
    let mut head = serde_json::to_string(&answer).expect("texts and numbers under names serialise");
    // The document is the last member, so that everything before it is known when sending begins.
    head.pop();
    head.push_str(r#","output":{"media_type":""#);
    head.push_str(jades::MEDIA_TYPE);
    head.push_str(r#"","content":""#);
    let body = Body::new(Base64Body::new(head, done.signed.document, r#""}}"#));
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), no_store()], body).into_response()
}

pub(super) fn validated(done: &ValidatedOperation) -> Response {
    let answer = ValidateAnswer {
        operation_id: &done.operation_id,
        worker: &done.worker,
        report: &done.report,
        trust_snapshot: &done.trust_snapshot,
        authorization: &done.authorization,
        receipt: &done.receipt,
    };
    ([no_store()], Json(answer)).into_response()
}

/// Whether `Accept` names the signed document's own type.
pub(super) fn wants_document(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value
            .split(',')
            .any(|range| range.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case(jades::MEDIA_TYPE))
    })
}

/// The operation's id on every answer, so that the log and the audit entry can be found.
pub(super) fn with_operation_id(mut response: Response, operation_id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(operation_id) {
        response.headers_mut().insert("x-operation-id", value);
    }
    response
}

fn insert_receipt(headers: &mut HeaderMap, receipt: &Receipt) {
    let Receipt { sequence, entry, previous } = receipt;
    if let Ok(value) =
        HeaderValue::from_str(&format!("sequence={sequence}; entry={entry}; previous={previous}"))
    {
        headers.insert(X_RECEIPT, value);
    }
}

/// Signed documents and reports are for the one who asked.
fn no_store() -> (header::HeaderName, HeaderValue) {
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
