//! Which checks were made and how they ended, for the log: never a value of the token.

use std::fmt;

use super::Denial;

/// The checks of one request, in order.
#[derive(Debug, Default)]
pub(crate) struct Trace(Vec<Step>);

#[derive(Debug)]
struct Step {
    check: String,
    /// The code of the failure.
    failed: Option<&'static str>,
}

impl Trace {
    /// The checks of an authorizer follow.
    pub(super) fn begin(&mut self, authorizer: &str) {
        self.0.push(Step { check: format!("[{authorizer}]"), failed: None });
    }

    pub(crate) fn step(&mut self, check: &str, outcome: Result<(), &'static str>) {
        self.0.push(Step { check: check.to_owned(), failed: outcome.err() });
    }

    /// Notes how a check ended and hands its outcome on.
    pub(crate) fn check<T>(&mut self, check: &str, outcome: Result<T, Denial>) -> Result<T, Denial> {
        self.step(check, outcome.as_ref().map(drop).map_err(|denial| denial.code.as_str()));
        outcome
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            match step.failed {
                None if step.check.starts_with('[') => write!(f, "{separator}{}", step.check)?,
                None => write!(f, "{separator}{}:ok", step.check)?,
                Some(code) => write!(f, "{separator}{}:{code}", step.check)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::DenialCode, *};

    #[test]
    fn a_trace_reads_as_one_line() {
        let mut trace = Trace::default();
        trace.begin("staff");
        trace.step("token", Ok(()));
        let denied: Result<(), _> = Err(Denial::new(DenialCode::ClaimMismatch, "groups"));
        assert!(trace.check("rules", denied).is_err());
        assert_eq!(trace.to_string(), "[staff] token:ok rules:claim_mismatch");
    }
}
