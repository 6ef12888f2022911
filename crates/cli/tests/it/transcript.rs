//! Command, standard input, standard output, standard error, exit status: written down, and run.
//!
//! ```text
//! # A token that was changed is refused.
//! $ sealwright jws verify --key public.jwk
//! < eyJhbGciOiJFUzI1NiJ9.…          a line of standard input
//! | hello                           a line of standard output
//! ! error: [..] is not valid        a line of standard error; `[..]` stands for any text without `"`
//! = 1                               exit status; 0 if it is left out
//! ```
//!
//! `<~`, `|~` and `!~` are lines without a line end. `… > FILE` and `… < FILE` are files in the
//! transcript's own folder, which starts as a copy of `tests/cmd/files`; that of `audit.txt` holds an audit log, too,
//! and those of `keys.txt` and `import.txt` the resources and the database of a server that has run once.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use crate::audit_log;

/// How one file went.
pub(crate) struct Report {
    pub(crate) commands: usize,
    pub(crate) failures: Vec<String>,
}

/// One command of a transcript and what has to come of it.
#[derive(Clone, Default)]
struct Case {
    /// Comments and blank lines before it.
    before: Vec<String>,
    command: String,
    stdin: Vec<u8>,
    stdin_lines: Vec<String>,
    shown: Shown,
}

/// What comes of a command, as a transcript writes it.
#[derive(Clone, Default, PartialEq)]
struct Shown {
    lines: Vec<String>,
    status: i32,
}

/// Runs all commands of `file`, in order, in one new folder.
pub(crate) fn run(file: &Path, fixtures: &Path) -> Report {
    let text = fs::read_to_string(file).expect("a transcript is text");
    let sandbox = tempfile::tempdir().expect("a temporary folder");
    for entry in fs::read_dir(fixtures).expect("the fixtures are a folder") {
        let path = entry.expect("the fixtures can be listed").path();
        let name = path.file_name().expect("a file has a name");
        let content = fs::read(&path).expect("a fixture is a file");
        write_private(&sandbox.path().join(name), &content);
    }
    match file.file_stem().and_then(|name| name.to_str()) {
        Some("audit") => audit_log::write(sandbox.path()),
        Some("keys" | "import") => crate::signing_keys::write(sandbox.path()),
        _ => {}
    }
    let (cases, after) = parse(&text);
    let mut failures = Vec::new();
    let mut written = String::new();
    for case in &cases {
        let happened = execute(case, sandbox.path());
        let as_shown = matches(&case.shown, &happened);
        if !as_shown {
            failures.push(format!(
                "{}\n$ {}\n--- shown\n{}--- happened\n{}",
                file.display(),
                case.command,
                case.shown.text(),
                happened.text()
            ));
        }
        let shown = if as_shown { case.shown.clone() } else { happened.under_patterns_of(&case.shown) };
        for line in case.before.iter().chain([&format!("$ {}", case.command)]).chain(&case.stdin_lines) {
            written.push_str(line);
            written.push('\n');
        }
        written.push_str(&shown.text());
    }
    if std::env::var("TRANSCRIPTS").is_ok_and(|mode| mode == "write") {
        for line in after {
            written.push_str(&line);
            written.push('\n');
        }
        fs::write(file, written).expect("a transcript can be written");
        failures.clear();
    }
    Report { commands: cases.len(), failures }
}

/// A key that others can read would be warned about.
pub(crate) fn write_private(path: &Path, content: &[u8]) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).expect("the sandbox is new");
    file.write_all(content).expect("the sandbox can be written");
}

/// The cases of a transcript, and the comments after the last.
fn parse(text: &str) -> (Vec<Case>, Vec<String>) {
    let mut cases: Vec<Case> = Vec::new();
    let mut before = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            let before = std::mem::take(&mut before);
            cases.push(Case { before, command: command.to_owned(), ..Case::default() });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            before.push(line.to_owned());
            continue;
        };
        match line.get(..1) {
            Some("<") => {
                case.stdin.extend_from_slice(content(line).as_bytes());
                case.stdin_lines.push(line.to_owned());
            }
            Some("|" | "!") => case.shown.lines.push(line.to_owned()),
            Some("=") => case.shown.status = content(line).trim().parse().expect("`= STATUS`"),
            Some("#") | None => before.push(line.to_owned()),
            Some(_) => panic!("not a line of a transcript: {line}"),
        }
    }
    (cases, before)
}

/// `< text` is a line, `<~ text` has no line end.
fn content(line: &str) -> String {
    match line[1..].strip_prefix('~') {
        Some(rest) => rest.strip_prefix(' ').unwrap_or(rest).to_owned(),
        None => format!("{}\n", line[1..].strip_prefix(' ').unwrap_or(&line[1..])),
    }
}

fn execute(case: &Case, sandbox: &Path) -> Shown {
    let mut words = split(&case.command).into_iter();
    assert_eq!(words.next().as_deref(), Some("sealwright"), "only our own binary is run");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealwright"));
    let (mut stdin, mut stdout_file) = (case.stdin.clone(), None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "<" => {
                let file = words.next().expect("`<` is followed by a file");
                stdin = fs::read(sandbox.join(file)).expect("the file after `<` is there");
            }
            ">" => stdout_file = words.next(),
            _ => drop(command.arg(word)),
        }
    }
    let mut child = command
        .current_dir(sandbox)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that refuses its arguments does not read its input: then the pipe is closed.
    let _ = child.stdin.take().expect("stdin is a pipe").write_all(&stdin);
    let output = child.wait_with_output().expect("the binary ends");
    let mut lines = Vec::new();
    match stdout_file {
        Some(file) => fs::write(sandbox.join(file), &output.stdout).expect("the sandbox can be written"),
        None => show('|', &output.stdout, &mut lines),
    }
    show('!', &output.stderr, &mut lines);
    Shown { lines, status: output.status.code().expect("no signal ended it") }
}

fn show(mark: char, bytes: &[u8], lines: &mut Vec<String>) {
    for line in String::from_utf8_lossy(bytes).split_inclusive('\n') {
        let (text, tilde) = line.strip_suffix('\n').map_or((line, "~"), |text| (text, ""));
        // Carriage returns and escapes are spelt out, so that a transcript is a text that can be edited.
        let visible: String = text
            .chars()
            .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
            .collect();
        lines.push(format!("{mark}{tilde} {visible}").trim_end().to_owned());
    }
}

/// Splits at spaces; `'…'` and `"…"` keep theirs.
fn split(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (None::<String>, None);
    for character in command.chars() {
        match (character, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (' ', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

impl Shown {
    /// The same, with the patterns of `shown` for the lines that they match.
    fn under_patterns_of(mut self, shown: &Self) -> Self {
        for line in &mut self.lines {
            if let Some(pattern) = shown.lines.iter().find(|pattern| line_matches(pattern, line)) {
                line.clone_from(pattern);
            }
        }
        self
    }

    fn text(&self) -> String {
        let mut text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        if self.status != 0 {
            text.push_str(&format!("= {}\n", self.status));
        }
        text
    }
}

fn matches(shown: &Shown, happened: &Shown) -> bool {
    shown.status == happened.status
        && shown.lines.len() == happened.lines.len()
        && shown.lines.iter().zip(&happened.lines).all(|(pattern, line)| line_matches(pattern, line))
}

/// `[..]` in `pattern` stands for any text without a double quote, so that it cannot hide a member of JSON.
fn line_matches(pattern: &str, line: &str) -> bool {
    let Some((before, after)) = pattern.split_once("[..]") else { return pattern == line };
    let Some(rest) = line.strip_prefix(before) else { return false };
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.take_while(|end| !rest[..*end].contains('"')).any(|end| line_matches(after, &rest[end..]))
}

#[test]
fn a_wildcard_stands_for_any_text_in_one_string() {
    assert!(line_matches("a [..] c[..]", "a b c"));
    assert!(line_matches(r#"{"x":"[..]"}"#, r#"{"x":"1"}"#));
    assert!(!line_matches(r#"{"x":"[..]"}"#, r#"{"x":"1","d":"2"}"#));
    assert!(!line_matches("a", "ab"));
}
