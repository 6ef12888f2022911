//! What a file may hold: one subject, and nothing of the place where it was written.

use std::fs;
use std::path::Path;

use crate::Result;

/// A file past this is usually two.
const MOST_LINES: usize = 600;

/// What is left lying about, and why it may not stay. This file is the only one that may say these words.
const WORDS: [(&str, &str); 12] = [
    ("/work/", "a path of one machine"),
    ("/home/", "a path of one machine"),
    ("/root/", "a path of one machine"),
    ("/Users/", "a path of one machine"),
    ("/tmp/", "a path of one machine: use a temporary folder that goes away"),
    ("\"resolved\":", "a lock file that names a registry's host: set omit-lockfile-registry-resolved"),
    ("--index-url", "which index to use is a matter of the machine"),
    ("--find-links", "which index to use is a matter of the machine"),
    ("#[ignore", "a test that cannot run must fail and say why"),
    ("TODO", "do it, or file an issue"),
    ("FIXME", "fix it, or file an issue"),
    ("<<<<<<< ", "a merge that was not finished"),
];

const THIS_FILE: &str = "xtask/src/tidy/sources.rs";
/// Texts that are not ours to word.
const NOT_OURS: [&str; 2] = ["LICENSE-APACHE", "Cargo.lock"];

/// Every Rust file that is too long. Blank lines, comments and tests do not count.
pub(super) fn check_lengths(root: &Path, files: &[String]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".rs") && !file.contains("/tests/")) {
        let lines = lines_of_code(&read(root, file)?);
        if lines > MOST_LINES {
            problems.push(format!("{file} has {lines} lines of code: make two of it"));
        }
    }
    Ok(problems)
}

fn lines_of_code(text: &str) -> usize {
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text);
    code.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// Every word in a text file of ours that may not stay, and every snapshot that waits for a review.
pub(super) fn check_words(root: &Path, files: &[String]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| *file != THIS_FILE && !NOT_OURS.contains(&file.as_str())) {
        if file.ends_with(".snap.new") || file.ends_with(".pending-snap") {
            problems.push(format!("{file}: a snapshot that waits for a review"));
        }
        let Ok(bytes) = fs::read(root.join(file)) else { continue };
        // What is not UTF-8 is a picture or a test vector.
        let Ok(text) = String::from_utf8(bytes) else { continue };
        for (index, line) in text.lines().enumerate() {
            for (word, reason) in WORDS.iter().filter(|(word, _)| stands_alone(line, word)) {
                problems.push(format!("{file}:{}: `{word}`: {reason}", index + 1));
            }
        }
    }
    Ok(problems)
}

/// Whether `word` is in `line` and is not the end of a longer one, such as of a path inside our tree.
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '}' | '/'))
    })
}

/// Every library that does not ask for the documentation of what it exports.
pub(super) fn check_missing_docs(root: &Path) -> Result<Vec<String>> {
    let crates = root.join("crates");
    let entries =
        fs::read_dir(&crates).map_err(|error| format!("cannot read {}: {error}", crates.display()))?;
    let mut problems = Vec::new();
    for library in
        entries.flatten().map(|entry| entry.path().join("src/lib.rs")).filter(|path| path.is_file())
    {
        let text = fs::read_to_string(&library)
            .map_err(|error| format!("cannot read {}: {error}", library.display()))?;
        if !text.contains("missing_docs") {
            let shown = library.strip_prefix(root).unwrap_or(&library);
            problems.push(format!("{}: `#![warn(missing_docs)]` is missing", shown.display()));
        }
    }
    problems.sort();
    Ok(problems)
}

fn read(root: &Path, file: &str) -> Result<String> {
    fs::read_to_string(root.join(file)).map_err(|error| format!("cannot read {file}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{lines_of_code, stands_alone};

    #[test]
    fn only_code_counts() {
        let text = "//! About.\n\nfn a() {\n    // why\n    b();\n}\n\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\n";
        assert_eq!(lines_of_code(text), 3);
    }

    #[test]
    fn a_path_inside_the_tree_is_no_path_of_a_machine() {
        assert!(stands_alone("see /tmp/x", "/tmp/"));
        assert!(stands_alone("\"/tmp/x\"", "/tmp/"));
        assert!(!stands_alone("target/tmp/x", "/tmp/"));
        assert!(!stands_alone("${TMPDIR}/tmp/x", "/tmp/"));
    }
}
