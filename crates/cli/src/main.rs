//! `sealwright`: the one binary. It reads its arguments, calls a library, and prints; it decides nothing.
//!
//! Exit status: 0 done or valid, 1 refused or invalid, 2 wrong usage or unreadable input.

mod args;
mod command;
mod error;
mod input;
mod key_file;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

use crate::{args::Args, output::Output};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output::new(args.command.wants_json());
    match command::run(&args.command, &output) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            if !error.is_broken_pipe() {
                output.error(&error);
            }
            error.exit_code()
        }
    }
}
