//! Both audit logs: whole as they are, and found out after every kind of change.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::demo::{Demo, report_in};
use crate::Result;
use crate::command::LIMIT;
use crate::runner::Step;
use crate::tally::Tally;
use crate::tools::on_path;

const SERVERS: [&str; 2] = ["authorization", "signing"];

/// `sealwright audit verify` with all that an auditor would have: checkpoint, public key, and the signer's receipt.
pub(super) fn whole(step: &mut Step<'_>, demo: &Demo) -> Result<()> {
    for server in SERVERS {
        let log = demo.file(&format!("audit_{server}"))?;
        let mut command = verify(step, demo, server, &log)?;
        if server == "signing" {
            command.arg("--receipt").arg(demo.file("receipt")?);
        }
        let printed = step.run(&mut command)?;
        let report = report_in(&printed)?;
        let all = report["valid"] == true
            && report["checkpoints_checked"] == true
            && report["outside_found"] == true;
        if !all || report["entries"].as_u64().unwrap_or_default() == 0 {
            return Err(format!(
                "the {server} server's log should be whole, and its checkpoint signed:\n{printed}"
            ));
        }
        step.counts(Tally { passed: 1, ..Tally::default() });
    }
    Ok(())
}

/// A change of each kind to a copy of each log; `audit verify` must fail and name the entry.
pub(super) fn changed(step: &mut Step<'_>, demo: &Demo) -> Result<()> {
    let python = on_path("python3").ok_or("python3 is missing: install it with `apt-get install python3`")?;
    let script = step.places().interop().join("python/edited_log.py");
    for server in SERVERS {
        for change in ["edit", "remove", "reorder", "cut"] {
            let original = demo.file(&format!("audit_{server}"))?;
            let copy = original.with_file_name(format!("{server}-{change}.db"));
            fs::copy(&original, &copy)
                .map_err(|error| format!("cannot copy {}: {error}", original.display()))?;
            let printed = step.run(Command::new(&python).arg("-B").arg(&script).arg(change).arg(&copy))?;
            let printed: Value =
                serde_json::from_str(printed.trim()).map_err(|error| format!("{error}: {printed}"))?;
            let entry = printed["entry"].as_u64().ok_or("the script names no entry")?;

            let mut command = verify(step, demo, server, &copy)?;
            let output = step.watch(&mut command, LIMIT)?;
            let report = report_in(&output.text)?;
            if output.success
                || report["valid"] != false
                || report["fault"]["sequence"].as_u64() != Some(entry)
            {
                let what = format!("{server}: after `{change}`, entry {entry} should be named");
                return Err(format!("{what}\n{}", step.failure(&command, &output)));
            }
            step.counts(Tally { passed: 1, ..Tally::default() });
        }
    }
    Ok(())
}

fn verify(step: &Step<'_>, demo: &Demo, server: &str, log: &Path) -> Result<Command> {
    let mut command = Command::new(step.places().sealwright());
    command.args(["audit", "verify", "--json"]).arg(log);
    command.arg("--checkpoint").arg(demo.file(&format!("checkpoint_{server}"))?);
    command.arg("--key").arg(demo.file(&format!("audit_key_{server}"))?);
    Ok(command)
}
