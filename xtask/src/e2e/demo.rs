//! Runs `sealwright demo --json` and reads what it says of itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::Result;
use crate::runner::Step;

/// What the README promises, on a build without optimisation.
const MOST_SECONDS: f64 = 10.0;

/// One demo that ended well.
#[derive(Debug)]
pub(super) struct Demo {
    folder: PathBuf,
    report: Value,
}

impl Demo {
    /// Reads the object that the demo printed, and checks that all of the story is in it.
    pub(super) fn read(folder: &Path, report: Value) -> Result<Self> {
        let demo = Self { folder: folder.to_path_buf(), report };
        let list = |name: &str| demo.report[name].as_array().cloned().unwrap_or_default();
        let numbers: Vec<u64> = list("steps").iter().filter_map(|step| step["number"].as_u64()).collect();
        if demo.report["ok"] != true || numbers != (1..=11).collect::<Vec<_>>() {
            return Err(format!("the demo tells of the steps {numbers:?}, and ok is {}", demo.report["ok"]));
        }
        let refusals: Vec<_> = list("refusals")
            .iter()
            .map(|refusal| (refusal["status"].as_u64(), text(&refusal["code"])))
            .collect();
        let expected = [
            (Some(403), "hash_not_authorized"),
            (Some(409), "token_replayed"),
            (Some(403), "claim_mismatch"),
            (Some(401), "token_invalid"),
            (Some(401), "token_invalid"),
        ];
        if refusals.iter().map(|(status, code)| (*status, code.as_str())).ne(expected) {
            return Err(format!("the refusals are {refusals:?}, and should be {expected:?}"));
        }
        Ok(demo)
    }

    /// The path of a file that the demo wrote, by its name in the report.
    pub(super) fn file(&self, name: &str) -> Result<PathBuf> {
        let path =
            self.report["files"][name].as_str().ok_or_else(|| format!("the demo names no file `{name}`"))?;
        let path = PathBuf::from(path);
        if path.is_file() { Ok(path) } else { Err(format!("{} was not written", path.display())) }
    }

    /// A claim of the access token.
    pub(super) fn claim(&self, name: &str) -> Result<&str> {
        self.report["claims"][name].as_str().ok_or_else(|| format!("the token has no claim `{name}`"))
    }

    pub(super) fn report(&self) -> &Value {
        &self.report
    }

    /// Looks for what must not be there in everything that the servers wrote: databases, checkpoints, journals.
    pub(super) fn keeps_secrets(&self, more: &[(&str, &str)]) -> Result<()> {
        let token = read(&self.file("token")?)?;
        let document = read(&self.file("document")?)?;
        let line = document.lines().map(str::trim).max_by_key(|line| line.len()).unwrap_or_default();
        let signature = token.trim().rsplit('.').next().unwrap_or_default();
        let mut secrets =
            vec![("the token", token.trim()), ("the token's signature", signature), ("the document", line)];
        secrets.extend(more);
        let files = self.written_by_servers()?;
        for (file, bytes) in &files {
            for (what, secret) in &secrets {
                let needle = secret.as_bytes();
                if needle.is_empty() {
                    return Err(format!("{what} is empty, so that there is nothing to look for"));
                }
                if bytes.windows(needle.len()).any(|window| window == needle) {
                    return Err(format!("{file} holds {what}"));
                }
            }
        }
        if files.len() < 2 { Err(format!("only {} files were looked at", files.len())) } else { Ok(()) }
    }

    fn written_by_servers(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        let entries = fs::read_dir(&self.folder)
            .map_err(|error| format!("cannot read {}: {error}", self.folder.display()))?;
        let mut files = BTreeMap::new();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if [".db", ".db-wal", ".jws", ".log"].iter().any(|ending| name.ends_with(ending)) {
                files.insert(name, fs::read(entry.path()).map_err(|error| error.to_string())?);
            }
        }
        Ok(files)
    }
}

/// Runs the demo to its end.
pub(super) fn tell(step: &mut Step<'_>, out: &Path) -> Result<Demo> {
    let mut command = Command::new(step.places().sealwright());
    command.current_dir(step.places().root()).args(["demo", "--json", "--out"]).arg(out);
    let printed = step.run_for(&mut command, Duration::from_secs(60))?;
    let report = report_in(&printed)?;
    let seconds = report["seconds"].as_f64().ok_or("the demo does not say how long it took")?;
    if seconds > MOST_SECONDS {
        return Err(format!("the demo took {seconds:.1} s"));
    }
    step.note(format!("{seconds:.1} s by its own clock"));
    let kept = out.join("demo.json");
    fs::write(&kept, report.to_string())
        .map_err(|error| format!("cannot write {}: {error}", kept.display()))?;
    Demo::read(out, report)
}

/// The one JSON object among lines that may also be log lines of standard error.
pub(super) fn report_in(printed: &str) -> Result<Value> {
    let at = if printed.starts_with('{') { Some(0) } else { printed.find("\n{") };
    let from = &printed[at.unwrap_or(printed.len())..];
    match serde_json::Deserializer::from_str(from).into_iter::<Value>().next() {
        Some(Ok(report)) => Ok(report),
        _ => Err(format!("no report was printed:\n{}", crate::command::tail(printed, 40))),
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::{Demo, report_in};

    fn report() -> Value {
        let steps: Vec<Value> = (1..=11).map(|number| json!({"number": number})).collect();
        let refusal = |status: u16, code: &str| json!({"status": status, "code": code});
        json!({"ok": true, "steps": steps, "refusals": [
            refusal(403, "hash_not_authorized"), refusal(409, "token_replayed"), refusal(403, "claim_mismatch"),
            refusal(401, "token_invalid"), refusal(401, "token_invalid"),
        ]})
    }

    fn accepts(report: Value) -> bool {
        Demo::read(Path::new("out"), report).is_ok()
    }

    #[test]
    fn a_whole_story_is_accepted() {
        assert!(accepts(report()));
    }

    #[test]
    fn a_missing_step_or_another_refusal_is_not() {
        let mut missing = report();
        missing["steps"].as_array_mut().expect("a list").remove(4);
        assert!(!accepts(missing));
        let mut passed = report();
        passed["refusals"][1] = json!({"status": 200, "code": ""});
        assert!(!accepts(passed));
        let mut fewer = report();
        fewer["refusals"].as_array_mut().expect("a list").pop();
        assert!(!accepts(fewer));
        let mut not_ok = report();
        not_ok["ok"] = json!(false);
        assert!(!accepts(not_ok));
    }

    #[test]
    fn the_report_is_found_among_lines_of_a_log() {
        let printed = "WARN something\n{\"ok\": true, \"seconds\": 1.5}\nINFO the end\n";
        assert_eq!(report_in(printed).map(|report| report["seconds"].clone()), Ok(json!(1.5)));
        assert!(report_in("WARN nothing else\n").is_err());
    }
}
