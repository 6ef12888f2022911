//! `sealwright key list` for people: a drawing of the keys over time, then the facts.

use std::time::Duration;

use sealwright_authorization_server::keys::{
    Condition, KeyFacts, KeyList, Phase, ReplicaFacts, duration, moment, relative,
};
use sealwright_service::clock::Timestamp;

use crate::{
    command::check::counted,
    error::CliError,
    output::{Output, one_line, style},
};

/// Where no terminal says how wide it is.
const DEFAULT_COLUMNS: usize = 100;
/// The narrowest drawing that says something.
const MIN_COLUMNS: usize = 20;
/// Keys that left the set are shown for as long as the time between two rotations, and for this long where there are none.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Prints the keys; `all` with those that left long ago.
pub(super) fn print(list: &KeyList, all: bool, output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        return Ok(());
    }
    let (strong, faint) = (style::STRONG, style::FAINT);
    output.line(format_args!("{strong}{}{strong:#}  {}", one_line(&list.server), one_line(&list.issuer)))?;
    output.line(format_args!("{faint}{}{faint:#}", plan(list)))?;
    let remembered = list.plan.rotate_every_s.map_or(REMEMBERED, Duration::from_secs);
    let shown: Vec<&KeyFacts> = list
        .keys
        .iter()
        .filter(|key| all || !is_gone(key) || list.now.since(key.since) < remembered)
        .collect();
    let hidden = list.keys.len() - shown.len();
    if shown.is_empty() {
        output.line("\nno keys")?;
    } else {
        output.line("")?;
        draw(list, &shown, output)?;
    }
    for key in &shown {
        output.line("")?;
        describe(list, key, output)?;
    }
    if hidden > 0 {
        output.line(format_args!(
            "\n{faint}{} gone long ago; --all shows them{faint:#}",
            counted(hidden, "key")
        ))?;
    }
    output.line("")?;
    replicas(list, output)?;
    for condition in &list.conditions {
        output.line(told(condition))?;
    }
    Ok(())
}

fn is_gone(key: &KeyFacts) -> bool {
    matches!(key.state, "evicted" | "revoked")
}

fn plan(list: &KeyList) -> String {
    let seconds = |s: u64| duration(Duration::from_secs(s));
    match (list.plan.rotate_every_s, list.plan.publish_lead_s) {
        (Some(every), Some(lead)) => {
            format!("a new key every {}, announced {} before it signs", seconds(every), seconds(lead))
        }
        _ => "keys as the resource files declare them".to_owned(),
    }
}

/// From when to when the drawing goes.
struct Window {
    from: Timestamp,
    until: Timestamp,
    columns: usize,
}

impl Window {
    fn around(list: &KeyList, keys: &[&KeyFacts], columns: usize) -> Self {
        let known = || keys.iter().flat_map(|key| &key.phases);
        let every = list.plan.rotate_every_s.map_or(REMEMBERED, Duration::from_secs);
        // What is planned for long after is the same again.
        let (earliest, latest) = (list.now.minus(every), list.now.plus(every + every / 8));
        let from = known().map(|phase| phase.from).min().unwrap_or(list.now).max(earliest);
        let until = known().filter_map(|phase| phase.until).max().unwrap_or(list.now).min(latest);
        let a_minute_on = list.now.max(from).plus(Duration::from_secs(60));
        Self { from, until: until.max(a_minute_on), columns }
    }

    /// The column of a moment; the last one for all that is later.
    fn column(&self, at: Timestamp) -> usize {
        let (past, whole) = (at.since(self.from).as_millis(), self.until.since(self.from).as_millis().max(1));
        let column = past * self.columns as u128 / whole;
        usize::try_from(column).unwrap_or(self.columns).min(self.columns)
    }
}

/// One row a key, with a column for each stretch of time.
fn draw(list: &KeyList, keys: &[&KeyFacts], output: &Output) -> Result<(), CliError> {
    let (strong, faint) = (style::STRONG, style::FAINT);
    let label = keys.iter().map(|key| key.kid.chars().count()).max().unwrap_or(0).min(32);
    let width = columns().saturating_sub(label + 3).clamp(MIN_COLUMNS, 160);
    let window = Window::around(list, keys, width);
    let now = window.column(list.now).min(width - 1);
    output.line(format_args!("{:<label$} {:now$}{strong}▼ now{strong:#}", "", ""))?;
    for key in keys {
        let mut row = vec![' '; width];
        // The last part of a life first, so that a short one is not painted over by the one that follows.
        for phase in key.phases.iter().rev() {
            paint(&mut row, &window, phase);
        }
        let bar: String = row.iter().collect();
        let name: String = one_line(&key.kid).chars().take(32).collect();
        output.line(format_args!("{name:<label$} {}", bar.trim_end()))?;
    }
    let (left, right) = (relative(window.from, list.now), relative(window.until, list.now));
    let pad = width.saturating_sub(left.chars().count() + right.chars().count());
    output.line(format_args!("{:<label$} {faint}{left}{:pad$}{right}{faint:#}", "", ""))?;
    output.line(format_args!("{:<label$} {faint}· in reserve  ░ announced  █ signs  ▒ verifies{faint:#}", ""))
}

fn paint(row: &mut [char], window: &Window, phase: &Phase) {
    if phase.from >= window.until {
        return;
    }
    let ink = match phase.state {
        "staged" => '·',
        "published" => '░',
        "active" => '█',
        _ => '▒',
    };
    let from = window.column(phase.from).min(row.len() - 1);
    // However short, a part that is in the window is seen.
    let until = phase.until.map_or(window.columns, |until| window.column(until)).max(from + 1).min(row.len());
    if phase.until.is_some_and(|until| until <= window.from) {
        return;
    }
    row[from..until].fill(ink);
}

/// How wide the terminal is.
fn columns() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
        .unwrap_or(DEFAULT_COLUMNS)
}

/// The facts about one key.
fn describe(list: &KeyList, key: &KeyFacts, output: &Output) -> Result<(), CliError> {
    let strong = style::STRONG;
    let look = match key.state {
        "active" => style::GOOD,
        "revoked" => style::BAD,
        "evicted" => style::FAINT,
        _ => style::STRONG,
    };
    let what = match key.state {
        "staged" => "lies in reserve",
        "published" => "is announced",
        "active" => "signs",
        "verifying" => "signs no more, and verifies",
        "evicted" => "has left the set",
        _ => "was revoked",
    };
    output.line(format_args!(
        "{strong}{}{strong:#}  {}  {look}{what}{look:#}",
        one_line(&key.kid),
        key.alg
    ))?;
    let when = |at: Timestamp| moment(at, list.now);
    output.line(format_args!("  since   {}", when(key.since)))?;
    if let (Some(until), Some(next)) = (key.until, key.next) {
        let next = match next {
            "published" => "then it is announced",
            "active" => "then it signs",
            "verifying" => "then it only verifies",
            _ => "then it leaves the set",
        };
        let how = if key.agreed { "agreed" } else { "planned" };
        let how = if key.state == "verifying" { "" } else { how };
        let gap = if how.is_empty() { "" } else { ", " };
        output.line(format_args!("  until   {}: {next}{gap}{how}", when(until)))?;
    }
    if let Some(last) = key.tokens_expire_by {
        let over = if last <= list.now { "its last token has expired" } else { "its last token expires" };
        output.line(format_args!("  tokens  {over} by {}", when(last)))?;
    }
    if !key.missing_at.is_empty() {
        let careful = style::CAREFUL;
        output.line(format_args!(
            "  {careful}missing{careful:#} at {}",
            one_line(&key.missing_at.join(", "))
        ))?;
    }
    if let Some(reason) = &key.reason {
        output.line(format_args!("  reason  {}", one_line(reason)))?;
    }
    Ok(())
}

fn replicas(list: &KeyList, output: &Output) -> Result<(), CliError> {
    let live: Vec<&ReplicaFacts> = list.replicas.iter().filter(|replica| replica.live).collect();
    if live.is_empty() {
        output.line("no server runs: what is due happens when one does")?;
    }
    for replica in live {
        let (good, careful) = (style::GOOD, style::CAREFUL);
        let state = if replica.behind {
            format!("{careful}serves an older set{careful:#}")
        } else {
            format!("{good}serves the newest set{good:#}")
        };
        output.line(format_args!(
            "replica {}  {state}, seen {}",
            one_line(&replica.name),
            relative(replica.seen_at, list.now)
        ))?;
    }
    Ok(())
}

fn told(condition: &Condition) -> String {
    let look = if condition.holds() { style::GOOD } else { style::BAD };
    let (kind, status, message) = (condition.kind, condition.status, one_line(&condition.message));
    let gap = if message.is_empty() { "" } else { ": " };
    format!("{kind}={look}{status}{look:#}{gap}{message}")
}
