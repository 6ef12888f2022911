//! One operation from the first look at its token to its audit entry.

mod record;

use std::sync::Arc;

use sealwright_audit::Receipt;
use sealwright_jose::Alg;
use sealwright_resource_server::{AccessToken, Request, TokenError};
use sealwright_service::{clock::Timestamp, random};
use serde::Serialize;

use crate::{
    authorizer::{Admitted, Authorized, Denial, DenialCode, Stopped, Target, Trace},
    ca::Subject,
    endpoint::Document,
    problem::Failure,
    state::App,
    store::{Reservation, Single},
    uploads::Upload,
    validation::Report,
    worker::{JadesWorker, Kind, SignFailure, Signed, ValidatorWorker, Worker},
};

/// An operation on its way.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) worker: Arc<Worker>,
    trace: Trace,
}

/// Who it was done for, and by which rule.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Authorization {
    issuer: String,
    subject: String,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    binding: &'static str,
}

/// A signature that was made and recorded.
#[derive(Debug)]
pub(crate) struct SignedOperation {
    pub(crate) operation_id: String,
    pub(crate) worker: String,
    pub(crate) alg: Alg,
    pub(crate) digest: [u8; 32],
    pub(crate) signed: Signed,
    pub(crate) authorization: Authorization,
    pub(crate) receipt: Receipt,
}

/// A validation that was made and recorded.
#[derive(Debug)]
pub(crate) struct ValidatedOperation {
    pub(crate) operation_id: String,
    pub(crate) worker: String,
    pub(crate) report: Report,
    pub(crate) trust_snapshot: String,
    pub(crate) authorization: Authorization,
    pub(crate) receipt: Receipt,
}

impl Operation {
    pub(crate) fn begin(worker: Arc<Worker>) -> Self {
        Self { id: random::id("op_"), worker, trace: Trace::default() }
    }

    /// Everything about the token that can be checked before the body is read.
    pub(crate) async fn admit(&mut self, app: &App, request: &Request<'_>) -> Result<Admitted, Stopped> {
        let worker = Arc::clone(&self.worker);
        let target = Target { worker: &worker.name, action: worker.action(), location: &app.public_url };
        worker.guard.admit(request, &target, app.clock.now(), &mut self.trace).await
    }

    /// Whether the token is still good for a document, before there is room for one and a byte of it is read.
    ///
    /// `None` if it counts any number of times. That it was not used yet is decided later, by
    /// [`reserve`](Self::reserve).
    pub(crate) async fn begin_upload(
        &mut self,
        app: &App,
        admitted: &Admitted,
    ) -> Result<Option<Upload>, Failure> {
        let Some(jti) = admitted.single_use() else {
            return Ok(None);
        };
        let token = admitted.token();
        let replayed = |reason| Denial::new(DenialCode::TokenReplayed, reason);
        let begun = match app.uploads.begin(token.issuer(), jti) {
            None => Err(replayed("the token is being used by another request")),
            Some(upload) => {
                let used = app.ledger.is_used(token.issuer(), jti).await;
                if used.map_err(|error| storage_failed(&error))? {
                    Err(replayed("the token was used before"))
                } else {
                    Ok(upload)
                }
            }
        };
        match begun {
            Ok(upload) => Ok(Some(upload)),
            Err(denial) => {
                self.trace.step("single_use", Err(denial.code.as_str()));
                Err(self.refuse(app, token, denial).await)
            }
        }
    }

    /// Counts the refusal of somebody who is not known; they are told one thing only.
    pub(crate) fn refuse_stranger(&self, app: &App, error: TokenError) -> Failure {
        app.audit.count_refusal(error.code());
        self.log("refused");
        Failure::Token(error)
    }

    /// Records the refusal of somebody who is known; counts it if the token has been refused often enough.
    pub(crate) async fn refuse(&self, app: &App, token: &AccessToken, denial: Denial) -> Failure {
        self.log("refused");
        if !app.refusals.admit(token, denial.code, app.clock.now()) {
            app.audit.count_refusal(denial.code.as_str());
            return Failure::Denied(denial);
        }
        match app.audit.append(record::refusal(self, token, &denial)).await {
            Ok(_) => Failure::Denied(denial),
            Err(error) => storage_failed(&error),
        }
    }

    /// Signs the document: compare, reserve, make a key, sign, consume, record.
    pub(crate) async fn sign(
        mut self,
        app: &App,
        admitted: Admitted,
        document: Document,
    ) -> Result<SignedOperation, Failure> {
        let now = app.clock.now();
        let Kind::Jades(worker) = &Arc::clone(&self.worker).kind else {
            return Err(Failure::WorkerUnknown("this worker does not sign".into()));
        };
        let authorized = self.authorize(app, admitted, &document, now).await?;
        let subject = self.subject(app, worker, &authorized).await?;
        let reservation = self.reserve(app, &authorized, now).await?;

        let Document { bytes, digest, media_type } = document;
        match worker.sign(bytes, media_type, subject, now).await {
            Ok(signed) => {
                // From here on the token is used, whatever else fails.
                app.ledger.consume(reservation).await.map_err(|error| storage_failed(&error))?;
                let receipt = self.record_signature(app, &authorized, worker, &signed, &digest).await?;
                self.log("signed");
                Ok(SignedOperation {
                    operation_id: self.id,
                    worker: self.worker.name.clone(),
                    alg: worker.alg,
                    digest,
                    signed,
                    authorization: Authorization::of(&authorized),
                    receipt,
                })
            }
            Err(failure) => Err(self.sign_failed(app, &authorized, reservation, failure).await),
        }
    }

    /// Validates a signed document; the same checks stand before it as before signing.
    pub(crate) async fn validate(
        mut self,
        app: &App,
        admitted: Admitted,
        document: Document,
    ) -> Result<ValidatedOperation, Failure> {
        let now = app.clock.now();
        let Kind::Validator(worker) = &Arc::clone(&self.worker).kind else {
            return Err(Failure::WorkerUnknown("this worker does not validate".into()));
        };
        let authorized = self.authorize(app, admitted, &document, now).await?;
        let reservation = self.reserve(app, &authorized, now).await?;
        let digest = document.digest;
        let report = match worker.validate(document.bytes, now).await {
            Ok(report) => report,
            Err(error) => return Err(self.work_failed(app, &authorized, reservation, &error).await),
        };
        app.ledger.consume(reservation).await.map_err(|error| storage_failed(&error))?;
        self.finish_validation(app, &authorized, worker, report, &digest).await
    }

    async fn finish_validation(
        self,
        app: &App,
        authorized: &Authorized,
        worker: &ValidatorWorker,
        report: Report,
        digest: &[u8; 32],
    ) -> Result<ValidatedOperation, Failure> {
        let trust_snapshot = worker.anchors.snapshot().to_owned();
        let entry = record::validation(&self, authorized, &report, digest, &trust_snapshot);
        let receipt = app.audit.append(entry).await.map_err(|error| storage_failed(&error))?;
        self.log("validated");
        Ok(ValidatedOperation {
            operation_id: self.id,
            worker: self.worker.name.clone(),
            report,
            trust_snapshot,
            authorization: Authorization::of(authorized),
            receipt,
        })
    }

    async fn authorize(
        &mut self,
        app: &App,
        admitted: Admitted,
        document: &Document,
        now: Timestamp,
    ) -> Result<Authorized, Failure> {
        match admitted.authorize(&document.digest, now, &mut self.trace) {
            Ok(authorized) => Ok(authorized),
            Err((token, denial)) => Err(self.refuse(app, &token, denial).await),
        }
    }

    /// Whether the claims make a subject is known before anything is reserved or made.
    async fn subject(
        &mut self,
        app: &App,
        worker: &JadesWorker,
        authorized: &Authorized,
    ) -> Result<Subject, Failure> {
        let subject = worker
            .subject(&authorized.context())
            .map_err(|error| Denial::new(DenialCode::SubjectTemplateFailed, error.to_string()));
        match self.trace.check("subject", subject) {
            Ok(subject) => Ok(subject),
            Err(denial) => Err(self.refuse(app, authorized.token(), denial).await),
        }
    }

    async fn reserve(
        &mut self,
        app: &App,
        authorized: &Authorized,
        now: Timestamp,
    ) -> Result<Reservation, Failure> {
        let Some(jti) = authorized.single_use() else {
            return Ok(app.ledger.unlimited());
        };
        let token = authorized.token();
        let single =
            Single { issuer: token.issuer(), jti, expires_at: Timestamp::from_secs(token.remember_until()) };
        let reserved = app.ledger.reserve(single, &self.id, &self.worker.name, now).await;
        let reserved = reserved.map_err(|error| storage_failed(&error))?;
        let denial = || Denial::new(DenialCode::TokenReplayed, "the token was used before");
        match self.trace.check("single_use", reserved.ok_or_else(denial)) {
            Ok(reservation) => Ok(reservation),
            Err(denial) => Err(self.refuse(app, token, denial).await),
        }
    }

    /// Both entries at once, so that they share one commit; the certificate's comes first.
    async fn record_signature(
        &self,
        app: &App,
        authorized: &Authorized,
        worker: &JadesWorker,
        signed: &Signed,
        digest: &[u8; 32],
    ) -> Result<Receipt, Failure> {
        let issued = record::certificate(self, worker, &signed.certificate);
        let made = record::signature(self, authorized, worker, signed, digest);
        let (issued, made) = tokio::join!(app.audit.append(issued), app.audit.append(made));
        issued.and(made).map_err(|error| storage_failed(&error))
    }

    /// Nothing was signed: the token is given back, and what happened is recorded.
    async fn sign_failed(
        &self,
        app: &App,
        authorized: &Authorized,
        reservation: Reservation,
        failure: SignFailure,
    ) -> Failure {
        if let SignFailure::Sign { issued, .. } = &failure
            && let Kind::Jades(worker) = &self.worker.kind
            && let Err(error) = app.audit.append(record::certificate(self, worker, issued)).await
        {
            return storage_failed(&error);
        }
        self.work_failed(app, authorized, reservation, &failure).await
    }

    async fn work_failed(
        &self,
        app: &App,
        authorized: &Authorized,
        reservation: Reservation,
        error: &(dyn std::error::Error + Sync),
    ) -> Failure {
        tracing::error!(operation = self.id, error = chain(error), "the work failed");
        if let Err(error) = app.ledger.release(reservation).await {
            return storage_failed(&error);
        }
        let denial = Denial::new(DenialCode::Internal, "the work failed");
        self.refuse(app, authorized.token(), denial).await
    }

    fn log(&self, outcome: &str) {
        let worker = &self.worker.name;
        tracing::info!(operation = self.id, worker, checks = %self.trace, outcome, "operation");
    }
}

impl Authorization {
    fn of(authorized: &Authorized) -> Self {
        let token = authorized.token();
        Self {
            issuer: token.issuer().to_owned(),
            subject: token.subject().to_owned(),
            rule: authorized.rule().to_owned(),
            acr: token.acr().map(str::to_owned),
            binding: authorized.binding(),
        }
    }
}

/// What cannot be recorded must not be done; the caller may try again.
fn storage_failed(error: &(dyn std::error::Error + 'static)) -> Failure {
    tracing::error!(error, "the ledger or the audit log cannot be written");
    Failure::StorageUnavailable
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
