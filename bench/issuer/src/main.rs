//! Tokens by client credentials: the bare signature, our key path, our server and npm oidc-provider, in turn.
//!
//! | asked | what it does |
//! |---|---|
//! | `issuer --sealwright FILE --wrk FILE --script FILE --node-server FILE --folder FOLDER [--head FILE] [--out FILE] [--quick]` | measures everything and writes the tables to `--out` below the text of `--head` |
//! | `issuer keys` | measures signatures where it is run, and prints what they cost as JSON |
//! | `issuer signatures ALG SECONDS` | makes bare signatures where it is run, and prints how many a second |
//!
//! Servers run on the first processor, wrk on the second.

mod keys;
mod load;
mod report;
mod rounds;
mod server;
mod statistics;

use std::{fs, path::PathBuf, process::ExitCode};

/// What went wrong, as a sentence.
type Result<T, E = String> = std::result::Result<T, E>;

#[derive(Default)]
struct Arguments {
    sealwright: PathBuf,
    wrk: PathBuf,
    script: PathBuf,
    node_server: PathBuf,
    folder: PathBuf,
    head: Option<PathBuf>,
    out: Option<PathBuf>,
    quick: bool,
}

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("keys") => print_keys(),
        Some("signatures") => print_signatures(),
        _ => arguments().and_then(|arguments| run(&arguments)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("issuer: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn print_keys() -> Result<()> {
    let costs = serde_json::to_string(&keys::measure()?).map_err(|error| error.to_string())?;
    println!("{costs}");
    Ok(())
}

fn print_signatures() -> Result<()> {
    let words: Vec<_> = std::env::args().skip(2).collect();
    let [alg, seconds] = &words[..] else { return Err("an algorithm and seconds are missing".into()) };
    println!("{}", keys::a_second(alg, seconds.parse().map_err(|_| "that is no number of seconds")?)?);
    Ok(())
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
            "--sealwright" => arguments.sealwright = value,
            "--wrk" => arguments.wrk = value,
            "--script" => arguments.script = value,
            "--node-server" => arguments.node_server = value,
            "--folder" => arguments.folder = value,
            "--head" => arguments.head = Some(value),
            "--out" => arguments.out = Some(value),
            _ => return Err(format!("there is no option `{word}`")),
        }
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> Result<()> {
    let measured = rounds::run(arguments)?;
    let text = report::markdown(&measured);
    print!("{text}");
    if let Some(out) = &arguments.out {
        let head = match &arguments.head {
            Some(head) => fs::read_to_string(head)
                .map_err(|error| format!("cannot read {}: {error}", head.display()))?,
            None => String::new(),
        };
        fs::write(out, head + &text).map_err(|error| format!("cannot write {}: {error}", out.display()))?;
    }
    Ok(())
}
