//! `sealwright check`: every fault of the resource files, with file and line.

use sealwright_service::resource::Fault;
use serde::Serialize;

use super::{Outcome, resources::Declared};
use crate::{
    args::CheckArgs,
    error::CliError,
    output::{Output, one_line, style},
};

pub(super) fn run(args: &CheckArgs, output: &Output) -> Result<Outcome, CliError> {
    let declared = Declared::read(&args.files)?;
    let report = &declared.report;
    output.json(&Checked {
        valid: report.is_empty(),
        resources: declared.resources.len(),
        faults: report.faults.iter().map(Finding::from).collect(),
        warnings: report.warnings.iter().map(Finding::from).collect(),
    })?;
    print_findings(&declared, output);
    let resources = counted(declared.resources.len(), "resource");
    if !report.is_empty() {
        output.note(format_args!("{resources}, {}", counted(report.faults.len(), "fault")));
        return Ok(Outcome::Refused);
    }
    let good = style::GOOD;
    output
        .line(format_args!("{good}valid{good:#}: {resources}, {}", counted(declared.servers(), "server")))?;
    Ok(Outcome::Done)
}

/// Every fault and warning on standard error, a line each. A fault begins with `file:line:column`, as editors know it.
pub(super) fn print_findings(declared: &Declared, output: &Output) {
    for warning in &declared.report.warnings {
        output.warning(one_line(&warning.to_string()));
    }
    for fault in &declared.report.faults {
        output.note(one_line(&fault.to_string()));
    }
}

/// `1 fault`, `2 faults`.
pub(super) fn counted(n: usize, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{plural}")
}

/// The object of `--json`.
#[derive(Serialize)]
struct Checked<'a> {
    valid: bool,
    resources: usize,
    faults: Vec<Finding<'a>>,
    warnings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    file: String,
    line: usize,
    column: usize,
    message: &'a str,
}

impl<'a> From<&'a Fault> for Finding<'a> {
    fn from(fault: &'a Fault) -> Self {
        Self {
            file: fault.file.display().to_string(),
            line: fault.line,
            column: fault.column,
            message: &fault.message,
        }
    }
}
