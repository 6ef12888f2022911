//! `POST /v1/workers/{name}/sign` and `/validate`.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Path, Request, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use sealwright_resource_server::TokenError;

use super::{
    answer,
    challenge::challenge,
    document::{Document, expected_bytes},
    name,
    question::Question,
};
use crate::{
    authorizer::{Action, Admitted, Denial, DenialCode, Stopped},
    memory::Room,
    operation::Operation,
    problem::Failure,
    state::App,
    uploads::Upload,
    worker::{Kind, Worker},
};

/// `POST /v1/workers/{name}/sign`
pub(crate) async fn sign(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    work(&app, &name(path), Action::Sign, request).await
}

/// `POST /v1/workers/{name}/validate`
pub(crate) async fn validate(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    work(&app, &name(path), Action::Validate, request).await
}

/// What a worker is and does is public (`GET /v1/workers/{name}`), so a name that nothing has is 404 for
/// strangers, too.
async fn work(app: &App, name: &str, action: Action, request: Request) -> Response {
    let worker = match find(app, name, action) {
        Ok(worker) => worker,
        Err(failure) => return failure.into_response(),
    };
    let operation = Operation::begin(worker);
    let id = operation.id.clone();
    let answered = Box::pin(answer(app, operation, request)).await;
    answer::with_operation_id(answered.unwrap_or_else(IntoResponse::into_response), &id)
}

fn find(app: &App, name: &str, action: Action) -> Result<Arc<Worker>, Failure> {
    let worker = app.workers.get(name).ok_or(Failure::WorkerUnknown("no worker has this name".into()))?;
    if worker.action() == action {
        Ok(Arc::clone(worker))
    } else {
        Err(Failure::WorkerUnknown(format!("this worker does not {}", action.name()).into()))
    }
}

async fn answer(app: &App, mut operation: Operation, request: Request) -> Result<Response, Failure> {
    // Before the body: nobody's upload is read to find out that they may not upload.
    let admitted = match operation.admit(app, &(&request).into()).await {
        Ok(admitted) => admitted,
        Err(Stopped::Stranger(TokenError::Missing)) => {
            let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
            let peer = connection.map(|info| app.proxies.origin(info.0.ip(), request.headers()));
            let question = Question::read(request, peer).await.inspect_err(|failure| {
                app.audit.count_refusal(failure.code());
            })?;
            return challenge(app, &operation, question).await;
        }
        Err(Stopped::Stranger(error)) => return Err(operation.refuse_stranger(app, error)),
        Err(Stopped::Known(token, denial)) => return Err(operation.refuse(app, &token, denial).await),
    };
    let upload = operation.begin_upload(app, &admitted).await?;
    let wants_document = answer::wants_document(request.headers());
    let expected = expected_bytes(request.headers(), operation.worker.max_input_bytes);
    let Some(room) = app.memory.take(expected).await else {
        let denial = Denial::new(DenialCode::Overloaded, "there was no room for the document in time");
        return Err(operation.refuse(app, admitted.token(), denial).await);
    };
    let document = match Document::read(request, operation.worker.max_input_bytes).await {
        Ok(document) => document,
        Err(denial) => return Err(operation.refuse(app, admitted.token(), denial).await),
    };
    run(app, operation, admitted, document, (room, upload), wants_document).await
}

/// The operation runs to its end even if the client goes away: what was reserved is consumed or released,
/// and recorded.
async fn run(
    app: &App,
    operation: Operation,
    admitted: Admitted,
    document: Document,
    held: (Room, Option<Upload>),
    wants_document: bool,
) -> Result<Response, Failure> {
    let app = app.clone();
    let running = tokio::spawn(async move {
        let _held = held;
        match operation.worker.kind {
            Kind::Jades(_) => {
                let done = operation.sign(&app, admitted, document).await?;
                Ok(answer::signed(done, wants_document))
            }
            Kind::Validator(_) => {
                let done = operation.validate(&app, admitted, document).await?;
                Ok(answer::validated(&done))
            }
        }
    });
    match running.await {
        Ok(result) => result,
        // The handler panics as the operation did, and the layer that catches panics answers.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Failure::StorageUnavailable),
        },
    }
}
