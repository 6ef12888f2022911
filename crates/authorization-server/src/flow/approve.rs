//! The page on which a person agrees, or does not.

use super::finish::{self, Next};
use super::{audit, login};
use crate::error::OAuthError;
use crate::state::App;
use crate::store::interaction::{Interaction, Progress};

/// What the person pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Approve,
    Deny,
}

impl Decision {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "approve" => Some(Self::Approve),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }
}

/// Carries the decision out.
pub(crate) async fn decide(app: &App, run: &Interaction, decision: Decision) -> Result<Next, OAuthError> {
    let Progress::Approval { subject, factors, auth_time } = &run.progress else {
        return Ok(login::current(run));
    };
    match decision {
        Decision::Approve => finish::issue_code(app, run, subject, *factors, *auth_time).await,
        Decision::Deny => {
            let next = finish::refuse(app, &run.id, &run.request, OAuthError::AccessDenied).await?;
            if next != Next::Over {
                audit::denied(app, &run.request, subject).await?;
            }
            Ok(next)
        }
    }
}
