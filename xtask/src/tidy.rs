//! `cargo xtask tidy`: the rules of the house that no compiler checks. Each rule is one check of `cargo xtask test` too.

mod edges;
mod examples;
mod links;
mod manifests;
mod sources;

use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::places::Places;
use crate::runner::Runner;

/// Runs the rules alone.
pub(crate) fn run() -> Result<bool> {
    let places = Places::find()?;
    let mut runner = Runner::new(&places);
    steps(&mut runner, &places);
    Ok(runner.finish())
}

/// Runs each rule as a step.
pub(crate) fn steps(runner: &mut Runner, places: &Places) {
    rule(runner, "tidy: crates depend downwards only", || edges::check(&edges::metadata(places)?));
    rule(runner, "tidy: dependencies are named in the workspace, and used", || {
        manifests::check(places.root())
    });
    let files = match tracked(places.root()) {
        Ok(files) => files,
        Err(reason) => return runner.impossible("tidy: files", &reason),
    };
    rule(runner, "tidy: paths and links lead somewhere", || links::check(places.root(), &files));
    rule(runner, "tidy: each page is in the book's summary", || links::check_summary(places.root(), &files));
    rule(runner, "tidy: a file is about one thing", || sources::check_lengths(places.root(), &files));
    rule(runner, "tidy: nothing is left lying about", || sources::check_words(places.root(), &files));
    rule(runner, "tidy: libraries document what they export", || sources::check_missing_docs(places.root()));
    rule(runner, "tidy: each public function and type of jose has an example", || {
        examples::check(places.root(), &files)
    });
}

/// One rule: no problem, or all of them.
fn rule(runner: &mut Runner, name: &str, check: impl FnOnce() -> Result<Vec<String>>) {
    runner.step(name, |_| match check()? {
        problems if problems.is_empty() => Ok(()),
        problems => Err(problems.join("\n")),
    });
}

/// The files that git knows or would add, relative to the root, in order.
fn tracked(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        .output()
        .map_err(|error| format!("cannot start git: {error}"))?;
    if !output.status.success() {
        return Err(format!("git cannot list our files: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let mut files: Vec<String> = output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| String::from_utf8_lossy(name).into_owned())
        // A deleted file is listed until its removal is committed.
        .filter(|name| root.join(name).is_file())
        .collect();
    files.sort();
    Ok(files)
}
