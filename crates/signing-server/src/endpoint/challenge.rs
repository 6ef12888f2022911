//! The first answer: who must have logged in how, and for what (steps 2 to 5).

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use sealwright_resource_server::{Challenge, TokenError};
use sealwright_service::problem::Problem;

use super::{digest, question::Question};
use crate::{
    authentication_context::{Authentication, Context, ContextError, Demand},
    authorizer::{Authorizer, Target},
    operation::Operation,
    problem::Failure,
    state::App,
};

/// 401 `token_missing` with everything that it takes to get a token, and, for a client that says who it is,
/// an authentication context that was made for it.
pub(super) async fn challenge(
    app: &App,
    operation: &Operation,
    question: Question,
) -> Result<Response, Failure> {
    app.audit.count_refusal(TokenError::Missing.code());
    // Of several authorizers the first says what to ask for.
    let Some(authorizer) = operation.worker.guard.authorizers().next() else {
        return Err(Failure::Token(TokenError::Missing));
    };
    let assurance = &authorizer.config.assurance;
    let max_age_s = assurance.max_auth_age.map(|age| age.as_secs());
    let mut problem =
        Problem::new(StatusCode::UNAUTHORIZED, TokenError::Missing.code(), "An access token is needed")
            .with("acr_values", assurance.acr_any.clone().into())
            .with("resource", app.public_url.as_str().into());
    if let Some(max_age_s) = max_age_s {
        problem = problem.with("max_age", max_age_s.into());
    }
    match &question.digest {
        Some(digest) => {
            let target = Target {
                worker: &operation.worker.name,
                action: operation.worker.action(),
                location: &app.public_url,
            };
            let details = target.authorization_details(
                &digest::encode(digest),
                question.filename.as_deref(),
                question.size,
            );
            problem = problem.with("authorization_details", details.clone());
            if let Some(authentication) = &question.authentication {
                let demand = Demand {
                    acr_values: assurance.acr_any.clone(),
                    max_age_s,
                    resource: app.public_url.clone(),
                    authorization_details: details,
                };
                problem = with_context(app, authorizer, authentication, &demand, &question, problem).await?;
            }
        }
        None if question.authentication.is_some() => {
            let reason = "a context is for a document: send `input.digest`, or a small `input.content`";
            return Err(Failure::RequestMalformed(reason.into()));
        }
        None => {
            problem = problem.detail(
                "no document was read; send its SHA-256 in `input.digest` or Content-Digest to be told \
                 the authorization_details to ask for",
            );
        }
    }
    let mut response = problem.into_response();
    Challenge::bare().param("resource_metadata", &app.metadata.url()).apply(response.headers_mut());
    Ok(response)
}

async fn with_context(
    app: &App,
    authorizer: &Authorizer,
    authentication: &Authentication,
    demand: &Demand,
    question: &Question,
    problem: Problem,
) -> Result<Problem, Failure> {
    let issuer = authorizer.config.issuers.iter().find(|issuer| app.contexts.knows(&issuer.name));
    let Some(issuer) = issuer else {
        return Ok(problem.with("context_error", "contexts_not_supported".into()));
    };
    let asked = app.contexts.ask(&issuer.name, authentication, demand, question.peer, app.clock.now()).await;
    match asked {
        Ok(context) => Ok(problem.with("context", context_json(&context))),
        Err(ContextError::Refused(code)) => Ok(problem.with("context_error", code.into())),
        Err(ContextError::RateLimited { wait }) => {
            app.audit.count_refusal("rate_limited");
            Err(Failure::RateLimited(wait))
        }
        Err(error @ (ContextError::Http(_) | ContextError::Status(_) | ContextError::Answer)) => {
            tracing::warn!(
                issuer = issuer.name,
                error = &error as &dyn std::error::Error,
                "no authentication context"
            );
            Err(Failure::AuthorizationServerUnavailable)
        }
    }
}

fn context_json(context: &Context) -> serde_json::Value {
    serde_json::to_value(context).expect("texts and numbers under names serialise")
}
