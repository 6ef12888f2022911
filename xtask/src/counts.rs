//! `cargo xtask counts`: how many instructions our own code takes to verify a token, beside those that `bench/counts.toml`
//! has on record. A clock is no judge on a shared machine; callgrind counts the same on each.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::bench::release;
use crate::places::Places;
use crate::runner::{Runner, Step};
use crate::tally::Tally;
use crate::tools::{debian, on_path};

/// A change of the compiler or of a dependency moves counts a little; a slow-down that matters is more.
const TOLERANCE: f64 = 0.04;
/// The programs of the package `counts`.
const PROGRAMS: [&str; 2] = ["counts", "counts-json"];
/// Their function from which each path is called.
const CALLER: &str = "counts::measured";
/// A path's own cryptography, by the first word of its name, which is subtracted.
const PRIMITIVE: &str = "primitive";
/// Building aws-lc takes minutes on a slow machine.
const LIMIT: Duration = Duration::from_secs(40 * 60);

/// `cargo xtask counts [--write]`.
pub(crate) fn run(write: bool) -> Result<bool> {
    let places = Places::find()?;
    let mut runner = Runner::new(&places);
    steps(&mut runner, write);
    Ok(runner.finish())
}

/// Counts, and compares or records.
pub(crate) fn steps(runner: &mut Runner, write: bool) {
    let built = runner.step("counts: build", |step| {
        let places = step.places().clone();
        step.run(places.cargo().args(["fmt", "--all", "--check", "--manifest-path", "bench/Cargo.toml"]))?;
        step.run_for(&mut release(&places, "counts"), LIMIT)
    });
    if built.is_none() {
        runner.impossible("counts", "the build failed");
        return;
    }
    runner.step("counts: instructions of our own code, a call each", |step| {
        let (machine, found) = count(step)?;
        let path = step.places().root().join("bench").join("counts.toml");
        if write { record(&path, &machine, &found) } else { compare(step, &path, &machine, &found) }
    });
}

type Counts = BTreeMap<String, u64>;

/// The machine's kind, and instructions by path.
fn count(step: &mut Step<'_>) -> Result<(String, Counts)> {
    if on_path("valgrind").is_none() {
        debian::install(step, &["valgrind"])?;
    }
    let (mut machine, mut found) = (String::new(), Counts::new());
    for program in PROGRAMS {
        let of_program;
        (machine, of_program) = count_of(step, program)?;
        found.extend(of_program);
    }
    Ok((machine, found))
}

/// What one program says.
fn count_of(step: &mut Step<'_>, program: &str) -> Result<(String, Counts)> {
    let places = step.places().clone();
    let profile = places.bench().join("callgrind.out");
    let output = step.run(
        Command::new("valgrind")
            .args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .arg(places.bench().join("release").join(program)),
    )?;
    let said = |what: &'static str| output.lines().filter_map(move |line| line.strip_prefix(what));
    let machine = said("machine ").next().ok_or("the program did not say what machine it ran on")?;
    let text = fs::read(&profile).map_err(|error| format!("cannot read {}: {error}", profile.display()))?;
    let calls = calls_from(CALLER, &String::from_utf8_lossy(&text));
    let mut found = Counts::new();
    for path in said("path ") {
        let ending = format!("::{path}");
        let cost = calls.iter().find(|(name, _)| name.ends_with(&ending)).map(|(_, cost)| *cost);
        let cost = cost.ok_or_else(|| format!("callgrind saw no call of `{path}`"))?;
        found.insert(path.to_owned(), cost);
    }
    Ok((machine.to_owned(), our_own(&found)))
}

/// Instructions of one call of each function that `caller` calls, everything below it included.
///
/// The format is one line for where a function begins (`fn=`), and for each call three: whom (`cfn=`), how often (`calls=`),
/// and position and cost (Callgrind's manual, "Callgrind Format Specification").
fn calls_from(caller: &str, profile: &str) -> BTreeMap<String, u64> {
    let mut totals: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let (mut inside, mut callee, mut calls) = (false, "", None);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            inside = name == caller;
        } else if let Some(name) = line.strip_prefix("cfn=") {
            callee = name;
        } else if let Some(rest) = line.strip_prefix("calls=") {
            calls = rest.split(' ').next().and_then(|count| count.parse::<u64>().ok());
        } else if let Some(count) = calls.take() {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok());
            if let (true, Some(cost)) = (inside, cost) {
                let total = totals.entry(callee).or_default();
                *total = (total.0 + count, total.1 + cost);
            }
        }
    }
    let of_one = |(name, (count, cost)): (&str, (u64, u64))| (name.to_owned(), cost / count.max(1));
    totals.into_iter().map(of_one).collect()
}

/// What is left of each path without its cryptography, which is the same assembly for everybody.
fn our_own(found: &Counts) -> Counts {
    let own = |(path, count): (&String, &u64)| {
        let (family, what) = path.split_once('_')?;
        let primitive = found.get(&format!("{family}_{PRIMITIVE}")).copied().unwrap_or_default();
        (what != PRIMITIVE).then(|| (path.clone(), count.saturating_sub(primitive)))
    };
    found.iter().filter_map(own).collect()
}

fn compare(step: &mut Step<'_>, path: &Path, machine: &str, found: &Counts) -> Result<()> {
    let recorded = read(path)?;
    let Some(recorded) = recorded.get(machine) else {
        return Err(format!(
            "{} has no counts for a machine of the kind `{machine}`: record them with `cargo xtask counts --write`",
            path.display()
        ));
    };
    let mut problems = Vec::new();
    let mut lines = String::new();
    for (name, count) in found {
        let Some(before) = recorded.get(name) else {
            problems.push(format!("`{name}` is not on record: `cargo xtask counts --write` records it"));
            continue;
        };
        let change = (*count as f64 - *before as f64) / (*before as f64).max(1.0);
        let _ = write!(lines, "\n        {name:16} {count:>9}  {:+.1} %", change * 100.0);
        if change > TOLERANCE {
            problems.push(format!(
                "`{name}` takes {count} instructions, {:.1} % more than the {before} on record: find out why, \
                 or accept it with `cargo xtask counts --write`",
                change * 100.0
            ));
        } else if change < -TOLERANCE {
            lines.push_str("  faster: `cargo xtask counts --write` keeps it so");
        }
    }
    for name in recorded.keys().filter(|name| !found.contains_key(*name)) {
        problems.push(format!("`{name}` is on record and was not counted"));
    }
    let failed = problems.len() as u64;
    step.counts(Tally { passed: (found.len() as u64).saturating_sub(failed), failed, skipped: 0 });
    step.note(format!("{lines}\n       "));
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

const HEAD: &str = "\
# Instructions of Sealwright's own code, a call each, without the cryptography's: what `cargo xtask counts` compares with.
# By kind of machine, since SIMD code differs. Written by `cargo xtask counts --write`.
";

/// Replaces what is on record for this kind of machine.
fn record(path: &Path, machine: &str, found: &Counts) -> Result<()> {
    let mut all = if path.is_file() { read(path)? } else { BTreeMap::new() };
    all.insert(machine.to_owned(), found.clone());
    let mut text = HEAD.to_owned();
    for (machine, counts) in &all {
        let _ = writeln!(text, "\n[{machine}]");
        for (name, count) in counts {
            let _ = writeln!(text, "{name} = {count}");
        }
    }
    fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Tables of numbers by name: the part of TOML that [`record`] writes.
fn read(path: &Path) -> Result<BTreeMap<String, Counts>> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut tables: BTreeMap<String, Counts> = BTreeMap::new();
    let mut table = String::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut table);
        } else if let Some((name, count)) = line.split_once(" = ")
            && let Ok(count) = count.parse()
        {
            tables.entry(table.clone()).or_default().insert(name.to_owned(), count);
        } else {
            return Err(format!("{}: `{line}` is not a count", path.display()));
        }
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::{Counts, calls_from, our_own};

    #[test]
    fn calls_are_read_from_a_profile() {
        let profile = "version: 1\nevents: Ir\n\nfl=???\nfn=counts::warm_up\n0 5\ncfn=counts::paths::a\ncalls=3 0\n0 3000\n\
                       fn=counts::measured\n0 4\ncfi=x.rs\ncfn=counts::paths::a\ncalls=2 0\n0 1000\n0 7\ncfn=counts::paths::b\n\
                       calls=4 12\n0 44\n\nfn=counts::measured\ncfn=counts::paths::a\ncalls=2 0\n0 1004\n";
        let calls = calls_from("counts::measured", profile);
        assert_eq!(calls["counts::paths::a"], 501);
        assert_eq!(calls["counts::paths::b"], 11);
        assert_eq!(calls.len(), 2);
    }

    #[test]
    fn cryptography_is_subtracted_where_it_was_counted() {
        let found: Counts = [("a_primitive", 100), ("a_seen", 107), ("b_import", 9)]
            .map(|(name, count)| (name.to_owned(), count))
            .into();
        let own = our_own(&found);
        assert_eq!(
            own,
            [("a_seen", 7), ("b_import", 9)].map(|(name, count)| (name.to_owned(), count)).into()
        );
    }
}
