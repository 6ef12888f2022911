//! Tells what happens: numbered lines for people, one object for programs.

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::output::{
    Output,
    style::{CAREFUL, FAINT, GOOD, STRONG},
};

const NUMBER: Style = AnsiColor::Cyan.on_default().bold();

/// The narrator. Keeps what it told, for `--json`.
pub(super) struct Story<'o> {
    output: &'o Output,
    steps: Vec<Value>,
    refusals: Vec<Value>,
}

/// What a refused request was answered with.
pub(super) struct Refusal {
    pub(super) name: &'static str,
    pub(super) tried: &'static str,
    pub(super) status: u16,
    pub(super) code: String,
    /// The answer's own words.
    pub(super) title: String,
}

impl<'o> Story<'o> {
    /// Told on standard output as it goes, unless `--json` asks for the one object at the end.
    pub(super) fn new(output: &'o Output) -> Self {
        Self { output, steps: Vec::new(), refusals: Vec::new() }
    }

    pub(super) fn heading(&self, text: &str) {
        self.line(format_args!("\n{STRONG}{text}{STRONG:#}"));
    }

    pub(super) fn note(&self, text: &str) {
        self.line(format_args!("{FAINT}{text}{FAINT:#}"));
    }

    pub(super) fn plain(&self, text: &str) {
        self.line(format_args!("{text}"));
    }

    /// One of the eleven steps: what was sent, and what came back.
    pub(super) fn step(&mut self, number: u8, title: &str, sent: &str, received: &str) {
        self.line(format_args!("{NUMBER}{number:>2}{NUMBER:#}  {STRONG}{title}{STRONG:#}"));
        for (arrow, text) in [("→", sent), ("←", received)] {
            for (n, part) in text.lines().enumerate() {
                let arrow = if n == 0 { arrow } else { " " };
                self.line(format_args!("    {FAINT}{arrow}{FAINT:#} {part}"));
            }
        }
        self.steps.push(json!({"number": number, "title": title, "sent": sent, "received": received}));
    }

    /// Something extra that worked, after the eleven steps.
    pub(super) fn extra(&self, title: &str, text: &str) {
        self.line(format_args!(" {GOOD}✓{GOOD:#}  {STRONG}{title}{STRONG:#}\n    {text}"));
    }

    pub(super) fn refusal(&mut self, refusal: &Refusal) {
        let Refusal { name, tried, status, code, title } = refusal;
        self.line(format_args!(
            " {CAREFUL}✗{CAREFUL:#}  {STRONG}{name}{STRONG:#}\n    {FAINT}→{FAINT:#} {tried}\n    {FAINT}←{FAINT:#} {status} {code}: {title}"
        ));
        self.refusals
            .push(json!({"name": name, "tried": tried, "status": status, "code": code, "title": title}));
    }

    /// The steps and refusals told so far.
    pub(super) fn into_json(self) -> (Vec<Value>, Vec<Value>) {
        (self.steps, self.refusals)
    }

    fn line(&self, text: std::fmt::Arguments<'_>) {
        // A reader that has gone away (a closed pipe) is no reason to stop half-way.
        let _ = self.output.line(text);
    }
}

/// Shortens what is only there to be recognised, such as a token or a digest.
pub(super) fn short(text: &str) -> String {
    const SHOWN: usize = 28;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A size as people write it.
pub(super) fn size(bytes: usize) -> String {
    const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        #[expect(clippy::cast_precision_loss, reason = "a size for people has three digits")]
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} bytes"),
    }
}
