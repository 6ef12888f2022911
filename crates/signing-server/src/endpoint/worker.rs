//! `GET /v1/workers/{name}`: what a worker can do, and what a token for it must have.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use sealwright_jose::Alg;
use serde::Serialize;

use super::name;
use crate::{
    authorizer::{Action, Authorizer},
    config::BindingMode,
    problem::Failure,
    state::App,
    worker::{Kind, Worker},
};

#[derive(Serialize)]
pub(crate) struct WorkerInfo {
    name: String,
    kind: &'static str,
    operations: [&'static str; 1],
    max_input_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<SignatureInfo>,
    authorization: Vec<AuthorizationInfo>,
    /// PEM of the authorities above the certificates that the worker's signatures have.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_chain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_snapshot: Option<String>,
}

#[derive(Serialize)]
struct SignatureInfo {
    format: &'static str,
    level: &'static str,
    alg: &'static str,
    packaging: &'static str,
    serialization: &'static str,
}

/// What one of the authorizers asks for. Its rules on claims are not told.
#[derive(Serialize)]
struct AuthorizationInfo {
    issuers: Vec<String>,
    acr_values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
    authorization_details_type: &'static str,
    binding: &'static str,
}

/// `GET /v1/workers/{name}`
pub(crate) async fn worker(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<WorkerInfo>, Failure> {
    let worker =
        app.workers.get(&name(path)).ok_or(Failure::WorkerUnknown("no worker has this name".into()))?;
    Ok(Json(describe(worker)))
}

fn describe(worker: &Worker) -> WorkerInfo {
    let action = worker.action();
    let authorization = worker.guard.authorizers().map(|authorizer| authorization(authorizer, action));
    let (kind, signature, certificate_chain, trust_snapshot) = match &worker.kind {
        Kind::Jades(jades) => {
            let pem = jades.token.authority().pem().to_owned();
            ("jades", Some(baseline(jades.alg)), Some(pem), None)
        }
        Kind::Validator(validator) => {
            ("validator", None, None, Some(validator.anchors.snapshot().to_owned()))
        }
    };
    WorkerInfo {
        name: worker.name.clone(),
        kind,
        operations: [action.name()],
        max_input_bytes: worker.max_input_bytes,
        signature,
        authorization: authorization.collect(),
        certificate_chain,
        trust_snapshot,
    }
}

fn baseline(alg: Alg) -> SignatureInfo {
    SignatureInfo {
        format: "jades",
        level: "B-B",
        alg: alg.name(),
        packaging: "attached",
        serialization: "flattened",
    }
}

fn authorization(authorizer: &Authorizer, action: Action) -> AuthorizationInfo {
    let config = &authorizer.config;
    AuthorizationInfo {
        issuers: config.issuers.iter().map(|issuer| issuer.terms.issuer().to_owned()).collect(),
        acr_values: config.assurance.acr_any.clone(),
        max_age: config.assurance.max_auth_age.map(|age| age.as_secs()),
        authorization_details_type: action.detail_type(),
        binding: match config.binding {
            BindingMode::Off => "off",
            BindingMode::Optional => "optional",
            BindingMode::Required => "required",
        },
    }
}
