//! Everything that the commands write: facts on standard output, remarks on standard error.
//!
//! Colours go to terminals only, and `NO_COLOR` is respected (`anstream` sees to both).

use std::{
    error::Error,
    fmt,
    io::{self, IsTerminal, Write},
};

use anstyle::{AnsiColor, Style};
use sealwright_service::text::is_misleading;
use serde::Serialize;

use crate::error::CliError;

/// How things look; [`Style::new`] where nothing should stand out.
pub(crate) mod style {
    use super::{AnsiColor, Style};

    pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
    pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
    pub(crate) const CAREFUL: Style = AnsiColor::Yellow.on_default().bold();
    pub(crate) const STRONG: Style = Style::new().bold();
    pub(crate) const FAINT: Style = Style::new().dimmed();
}

/// Where a command writes, and whether a program or a person reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// With `json`, [`Output::line`] is silent and the one object of [`Output::json`] is all there is.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads along.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A line for people on standard output; nothing under `--json`.
    pub(crate) fn line(&self, text: impl fmt::Display) -> Result<(), CliError> {
        if self.json {
            return Ok(());
        }
        let mut stdout = anstream::stdout().lock();
        writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(CliError::Output)
    }

    /// The one object of `--json`; nothing without it.
    pub(crate) fn json(&self, object: &impl Serialize) -> Result<(), CliError> {
        if !self.json {
            return Ok(());
        }
        let mut text = serde_json::to_string(object).map_err(|e| CliError::Output(e.into()))?;
        text.push('\n');
        self.json_lines(&text)
    }

    /// JSON that was written before, each object a line. A terminal gets what would command it as escapes, which mean
    /// the same.
    pub(crate) fn json_lines(&self, lines: &str) -> Result<(), CliError> {
        if io::stdout().is_terminal() {
            self.bytes(escaped_json(lines).as_bytes())
        } else {
            self.bytes(lines.as_bytes())
        }
    }

    /// A result as it is, such as a key or a token, with a line end.
    pub(crate) fn text(&self, result: &str) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{result}").and_then(|()| stdout.flush()).map_err(CliError::Output)
    }

    /// A result that somebody else wrote: as [`Output::text`], except that it commands no terminal.
    pub(crate) fn text_of_a_stranger(&self, result: &str) -> Result<(), CliError> {
        if io::stdout().is_terminal() { self.text(&printable(result)) } else { self.text(result) }
    }

    /// Bytes that somebody else wrote: as [`Output::bytes`], except that they command no terminal.
    pub(crate) fn bytes_of_a_stranger(&self, result: &[u8]) -> Result<(), CliError> {
        if io::stdout().is_terminal() {
            self.text(&printable(&String::from_utf8_lossy(result)))
        } else {
            self.bytes(result)
        }
    }

    /// A result as it is: no line end, and no escape sequence taken out of it.
    pub(crate) fn bytes(&self, result: &[u8]) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(result).and_then(|()| stdout.flush()).map_err(CliError::Output)
    }

    /// A remark on standard error, under `--json` too.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        // Nobody can be told that standard error is closed.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// `warning: …` on standard error.
    pub(crate) fn warning(&self, text: impl fmt::Display) {
        let label = style::CAREFUL;
        self.note(format_args!("{label}warning:{label:#} {text}"));
    }

    /// `warning: …` with the error and its causes, in one line.
    pub(crate) fn warning_of(&self, error: &(dyn Error + 'static)) {
        self.warning(one_line(&chain(error)));
    }

    /// `error: …` with its causes, in one line on standard error.
    pub(crate) fn error(&self, error: &(dyn Error + 'static)) {
        let label = style::BAD;
        let text = one_line(&chain(error));
        self.note(format_args!("{label}error:{label:#} {text}"));
    }
}

/// An error and its causes, joined by colons. Some libraries repeat the cause in their own words.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

/// `text` with line ends and control characters spelt out, so that what a stranger wrote into a
/// token or a file name can neither forge a line nor command the terminal.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if is_misleading(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// JSON whose strings hold no character that commands a terminal or hides: each is written as JSON's escape for it. Lines
/// stay lines.
fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !is_misleading(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

/// Several lines, each as [`one_line`] makes it.
pub(crate) fn printable(text: &str) -> String {
    text.lines().map(one_line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{escaped_json, one_line};

    #[test]
    fn control_characters_are_spelt_out() {
        assert_eq!(one_line("a\nb\u{1b}[31mc\u{202e}d"), "a\\nb\\u{1b}[31mc\\u{202e}d");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let json = "{\"a\":\"\u{9b}2J\u{202e}\u{e0041}\u{7f}Zoë\"}\n[1]\n";
        let escaped = escaped_json(json);
        assert_eq!(escaped, "{\"a\":\"\\u009b2J\\u202e\\udb40\\udc41\\u007fZoë\"}\n[1]\n");
        let values = |text: &str| {
            text.lines()
                .map(|line| serde_json::from_str(line).expect("JSON"))
                .collect::<Vec<serde_json::Value>>()
        };
        assert_eq!(values(&escaped), values(json));
    }

    #[test]
    fn letters_of_any_script_stay() {
        assert_eq!(one_line("Zoë 署名"), "Zoë 署名");
    }
}
