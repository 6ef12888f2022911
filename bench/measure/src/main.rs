//! The driver: `measure --programs FOLDER --fixture FILE [--part library|layer] [--quick] [--without CANDIDATE]...
//! [--scripts FILE]... [--wrk FILE --load FILE [--node-server FILE]] [--node-cache FILE] [--head FILE] [--out FILE]`.
//!
//! Prints the targets, and writes all tables to `--out` below the text of `--head`.

mod candidate;
mod http;
mod large;
mod layer;
mod memory;
mod pairs;
mod results;
mod rounds;
mod statistics;
mod tables;
mod targets;

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use candidate::Candidate;
use results::{Results, Script};

/// What went wrong, as a sentence.
type Result<T, E = String> = std::result::Result<T, E>;

/// A token of them has 7 KiB: about the longest that servers take in a header.
const LONG_CLAIMS: usize = 5 * 1024;

#[derive(Default)]
struct Arguments {
    programs: PathBuf,
    fixture: PathBuf,
    part: Option<String>,
    quick: bool,
    without: Vec<String>,
    scripts: Vec<PathBuf>,
    wrk: Option<PathBuf>,
    load: Option<PathBuf>,
    node_server: Option<PathBuf>,
    node_cache: Option<PathBuf>,
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
            "--part" => arguments.part = Some(value.display().to_string()),
            "--without" => arguments.without.push(value.display().to_string()),
            "--scripts" => arguments.scripts.push(value),
            "--wrk" => arguments.wrk = Some(value),
            "--load" => arguments.load = Some(value),
            "--node-server" => arguments.node_server = Some(value),
            "--node-cache" => arguments.node_cache = Some(value),
            "--head" => arguments.head = Some(value),
            "--out" => arguments.out = Some(value),
            _ => return Err(format!("there is no option `{word}`")),
        }
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { programs, fixture, quick, .. } = arguments;
    let in_part = |part: &str| arguments.part.as_deref().is_none_or(|only| only == part);
    let (library, layer) = (in_part("library"), in_part("layer"));
    let (rounds, seconds, large_rounds) = match (*quick, library) {
        (true, true) => (101, 2, 1),
        (true, false) => (101, 1, 0),
        (false, true) => (801, 18, 5),
        // It has fewer to compare, and none of them takes long.
        (false, false) => (801, 10, 0),
    };
    let taking_part: Vec<&'static str> = library
        .then_some(candidate::NAMES)
        .into_iter()
        .flatten()
        .chain(layer.then_some(candidate::LAYER))
        .filter(|name| !arguments.without.iter().any(|not| not == name))
        .collect();
    let plan = rounds::Plan { rounds, budget: Duration::from_secs(seconds) };
    let mut results = Results {
        times: times(&taking_part, arguments, plan)?,
        scripts: arguments.scripts.iter().map(script).collect::<Result<Vec<_>>>()?.concat(),
        ..Results::default()
    };
    for name in taking_part {
        let counted = candidate::allocations(name, programs, fixture)?;
        results
            .allocations
            .extend(counted.into_iter().map(|(operation, n)| ((name.to_owned(), operation), n)));
    }
    let ours = [(library, candidate::NAMES[0]), (layer, candidate::LAYER)];
    for (_, name) in ours.into_iter().filter(|(is_measured, _)| *is_measured) {
        let mut ours = Candidate::start(name, programs, fixture)?;
        results.over.extend(pairs::run(&mut ours, if *quick { 3 } else { 15 })?);
    }
    if library {
        results.large = large::run(programs, 1024, large_rounds)?;
    }
    if layer {
        let flood = if *quick { 200_000 } else { 1_000_000 };
        for (tokens, padding) in [(100_000, 0), (flood, 0), (flood / 10, LONG_CLAIMS)] {
            results.memory.push(memory::run(programs, fixture, tokens, padding)?);
        }
    }
    if let (true, Some(wrk), Some(load)) = (layer, &arguments.wrk, &arguments.load) {
        let tools = http::Tools { wrk: wrk.clone(), load: load.clone(), node: arguments.node_server.clone() };
        results.http = http::run(programs, fixture, &tools, if *quick { 3 } else { 21 })?;
    }
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

fn times(names: &[&'static str], arguments: &Arguments, plan: rounds::Plan) -> Result<rounds::Times> {
    let mut candidates = names
        .iter()
        .map(|name| Candidate::start(name, &arguments.programs, &arguments.fixture))
        .collect::<Result<Vec<_>>>()?;
    if let (true, Some(script)) = (names.contains(&candidate::LAYER), &arguments.node_cache) {
        candidates.push(Candidate::start_node(script, &arguments.fixture)?);
    }
    rounds::run(&mut candidates, plan)
}

/// What a script wrote: a list of libraries.
fn script(path: &PathBuf) -> Result<Vec<Script>> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
