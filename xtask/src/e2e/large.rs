//! A document of 50 MB, and the story as a person reads it.

use std::fs::File;
use std::io::{self, Read};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::runner::Step;
use crate::scratch::Scratch;

pub(super) const SIZE: u64 = 50_000_000;

/// Runs the demo on random bytes; its plain output tells all steps, without colour, since nobody watches.
pub(super) fn run(step: &mut Step<'_>) -> Result<()> {
    let scratch = Scratch::new("large")?;
    let document = scratch.path().join("random.bin");
    random_file(&document, SIZE)?;
    // Its databases and documents go with it: three times 50 MB are no artefact.
    let out = scratch.path().join("demo");
    let started = Instant::now();
    let mut command = Command::new(step.places().sealwright());
    command.args(["demo", "--document"]).arg(&document).arg("--out").arg(&out);
    let printed = step.run_for(&mut command, Duration::from_secs(5 * 60))?;
    step.note(format!("{:.1} s", started.elapsed().as_secs_f64()));
    if printed.contains('\u{1b}') {
        return Err("there is colour in a pipe".into());
    }
    let told = (1..=11).all(|number| {
        let number = number.to_string();
        printed.lines().any(|line| {
            line.trim_start().strip_prefix(&number).is_some_and(|rest| rest.starts_with([' ', '.', ')']))
        })
    });
    if !told {
        return Err(format!("not all steps are told:\n{printed}"));
    }
    let story = step.places().artefacts()?.join("story-of-50-mb.txt");
    std::fs::write(&story, printed).map_err(|error| format!("cannot write {}: {error}", story.display()))
}

/// A file of `size` random bytes, so that nothing on the way can shorten it.
pub(crate) fn random_file(path: &std::path::Path, size: u64) -> Result<()> {
    let copy = || -> io::Result<u64> {
        io::copy(&mut File::open("/dev/urandom")?.take(size), &mut File::create(path)?)
    };
    copy().map(drop).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
