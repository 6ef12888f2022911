//! The workshop: `cargo xtask test | tidy | soak | bench | counts | postgres | softhsm`.
//!
//! `test` is all that must hold on every change, so that a red run can be repeated at any desk. It finds or installs
//! what it needs, and where it cannot, it fails and names the command that does. Nothing is skipped in silence.

mod bench;
mod command;
mod counts;
mod e2e;
mod fuzz;
mod interop;
mod places;
mod runner;
mod scratch;
mod soak;
mod tally;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  test [GROUP...]   everything that must hold on every change, or only some groups of it:
                    format lint docs build tests doctests tidy deny demo interop fuzz counts
  tidy              the rules of the house that no compiler checks
  soak [PART...]    long runs, each bounded, that report figures, or only some parts of them: demo rotation fuzz
  bench [--quick] [PART]
                    how fast we are beside other libraries, or only one part of it: library layer issuer;
                    written into bench/RESULTS.md, unless it is quick
  counts [--write]  instructions of our own code, compared with bench/counts.toml, or recorded there
  postgres          start a throw-away PostgreSQL for tests by hand, until Ctrl-C
  softhsm           prepare PKCS#11 tokens of SoftHSM for tests by hand, until Ctrl-C
";

/// What a step or a tool says when it cannot go on: a sentence for a person.
type Result<T, E = String> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test", groups @ ..] => test::run(groups),
        ["tidy"] => tidy::run(),
        ["soak", parts @ ..] => soak::run(parts),
        ["bench"] => bench::run(false, None),
        ["bench", "--quick"] => bench::run(true, None),
        ["bench", part] if bench::PARTS.contains(part) => bench::run(false, Some(part)),
        ["bench", "--quick", part] if bench::PARTS.contains(part) => bench::run(true, Some(part)),
        ["counts"] => counts::run(false),
        ["counts", "--write"] => counts::run(true),
        ["postgres"] => tools::postgres::run_until_interrupted(),
        ["softhsm"] => tools::softhsm::run_until_interrupted(),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
