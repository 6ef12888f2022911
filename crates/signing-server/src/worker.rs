//! Workers: what can be asked for under a name.

mod jades;
mod validator;

pub(crate) use jades::{JadesWorker, SignFailure, Signed};
pub(crate) use validator::ValidatorWorker;

use crate::authorizer::{Action, Guard};

/// A worker that is ready to work.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) name: String,
    pub(crate) guard: Guard,
    /// The largest document.
    pub(crate) max_input_bytes: u64,
    pub(crate) kind: Kind,
}

/// What it does.
#[derive(Debug)]
pub(crate) enum Kind {
    Jades(JadesWorker),
    Validator(ValidatorWorker),
}

impl Worker {
    /// What the worker can be asked for.
    pub(crate) fn action(&self) -> Action {
        match self.kind {
            Kind::Jades(_) => Action::Sign,
            Kind::Validator(_) => Action::Validate,
        }
    }
}
