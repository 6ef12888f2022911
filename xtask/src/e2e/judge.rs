//! Runs a judge's script and counts what it reports: one JSON object `{check, ok, detail}` a line.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::Result;
use crate::runner::Step;
use crate::tally::Tally;

/// A judge that takes this long has hung; the longest works for five minutes.
const LIMIT: Duration = Duration::from_secs(8 * 60);

/// Runs a judge; each of its checks counts.
pub(crate) fn run(step: &mut Step<'_>, command: &mut Command) -> Result<()> {
    verdicts(step, command).map(drop)
}

/// As [`run`], and says what each check found: for figures.
pub(crate) fn run_and_tell(step: &mut Step<'_>, command: &mut Command) -> Result<()> {
    let verdicts = verdicts(step, command)?;
    let line = |verdict: &Verdict| match verdict.detail.as_str() {
        "" => verdict.check.clone(),
        detail => format!("{}: {detail}", verdict.check),
    };
    let lines: Vec<String> = verdicts.iter().map(line).collect();
    step.note(format!("\n        {}\n       ", lines.join("\n        ")));
    Ok(())
}

fn verdicts(step: &mut Step<'_>, command: &mut Command) -> Result<Vec<Verdict>> {
    let output = step.watch(command, LIMIT)?;
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    let verdicts: Vec<Verdict> = output.text.lines().filter_map(verdict).collect();
    for verdict in &verdicts {
        if verdict.ok {
            tally.passed += 1;
        } else {
            tally.failed += 1;
            failures.push(format!("{}: {}", verdict.check, verdict.detail));
        }
    }
    step.counts(tally);
    step.note(format!("{} checks", tally.passed + tally.failed));
    if !failures.is_empty() {
        return Err(failures.join("\n"));
    }
    if !output.success || tally.passed == 0 {
        return Err(step.failure(command, &output));
    }
    Ok(verdicts)
}

struct Verdict {
    check: String,
    ok: bool,
    detail: String,
}

fn verdict(line: &str) -> Option<Verdict> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    Some(Verdict { check: text("check")?, ok: value["ok"].as_bool()?, detail: text("detail")? })
}

#[cfg(test)]
mod tests {
    use super::verdict;

    #[test]
    fn only_whole_verdicts_are_read() {
        let read = |line| verdict(line).map(|verdict| (verdict.check, verdict.ok, verdict.detail));
        let line = r#"{"check": "a rule", "ok": false, "detail": "why"}"#;
        assert_eq!(read(line), Some(("a rule".into(), false, "why".into())));
        assert_eq!(read(r#"{"check": "a rule", "detail": ""}"#), None);
        assert_eq!(read("a warning of a library"), None);
    }
}
