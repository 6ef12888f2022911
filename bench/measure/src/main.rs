//! The driver: `measure --programs FOLDER --fixture FILE [--quick] [--without CANDIDATE]... [--scripts FILE]...
//! [--head FILE] [--out FILE]`.
//!
//! Prints the targets, and writes all tables to `--out` below the text of `--head`.

mod candidate;
mod large;
mod results;
mod rounds;
mod statistics;
mod tables;
mod targets;

use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitCode, time::Duration};

use candidate::Candidate;
use results::{Results, Script};

/// What went wrong, as a sentence.
type Result<T, E = String> = std::result::Result<T, E>;

#[derive(Default)]
struct Arguments {
    programs: PathBuf,
    fixture: PathBuf,
    quick: bool,
    without: Vec<String>,
    scripts: Vec<PathBuf>,
    head: Option<PathBuf>,
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    match arguments().and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("measure: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<Arguments> {
    let mut arguments = Arguments::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--quick" {
            arguments.quick = true;
            continue;
        }
        let value = PathBuf::from(words.next().ok_or_else(|| format!("`{word}` needs a value"))?);
        match word.as_str() {
            "--programs" => arguments.programs = value,
            "--fixture" => arguments.fixture = value,
            "--without" => arguments.without.push(value.display().to_string()),
            "--scripts" => arguments.scripts.push(value),
            "--head" => arguments.head = Some(value),
            "--out" => arguments.out = Some(value),
            _ => return Err(format!("there is no option `{word}`")),
        }
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { programs, fixture, quick, .. } = arguments;
    let (rounds, seconds, large_rounds) = if *quick { (101, 2, 1) } else { (801, 20, 5) };
    let taking_part: Vec<&str> = candidate::NAMES
        .into_iter()
        .filter(|name| !arguments.without.iter().any(|not| not == name))
        .collect();
    let mut candidates = taking_part
        .iter()
        .map(|name| Candidate::start(name, programs, fixture))
        .collect::<Result<Vec<_>>>()?;
    let plan = rounds::Plan { rounds, budget: Duration::from_secs(seconds) };
    let times = rounds::run(&mut candidates, plan)?;
    drop(candidates);
    let mut allocations = BTreeMap::new();
    for name in taking_part {
        let counted = candidate::allocations(name, programs, fixture)?;
        allocations.extend(counted.into_iter().map(|(operation, n)| ((name.to_owned(), operation), n)));
    }
    let large = large::run(programs, 1024, large_rounds)?;
    let scripts = arguments.scripts.iter().map(script).collect::<Result<Vec<_>>>()?.concat();
    let results = Results { times, allocations, large, scripts };
    print!("{}", tables::targets_only(&results));
    if let Some(out) = &arguments.out {
        let head = match &arguments.head {
            Some(head) => fs::read_to_string(head)
                .map_err(|error| format!("cannot read {}: {error}", head.display()))?,
            None => String::new(),
        };
        fs::write(out, head + &tables::markdown(&results))
            .map_err(|error| format!("cannot write {}: {error}", out.display()))?;
    }
    Ok(())
}

/// What a script wrote: a list of libraries.
fn script(path: &PathBuf) -> Result<Vec<Script>> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
