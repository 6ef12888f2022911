//! `sealwright key list` for people: a drawing of the keys over time, then the facts.

use std::time::Duration;

use sealwright_authorization_server::keys::{
    Condition, KeyFacts, KeyList, Phase, ReplicaFacts, Window, duration, moment, relative,
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

/// Prints the keys; `all` with those that left long ago.
pub(super) fn print(list: &KeyList, all: bool, output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        return Ok(());
    }
    let (strong, faint) = (style::STRONG, style::FAINT);
    output.line(format_args!("{strong}{}{strong:#}  {}", one_line(&list.server), one_line(&list.issuer)))?;
    output.line(format_args!("{faint}{}{faint:#}", plan(list)))?;
    let shown: Vec<&KeyFacts> = if all { list.keys.iter().collect() } else { list.lately() };
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

fn plan(list: &KeyList) -> String {
    let seconds = |s: u64| duration(Duration::from_secs(s));
    match (list.plan.rotate_every_s, list.plan.publish_lead_s) {
        (Some(every), Some(lead)) => {
            format!("a new key every {}, announced {} before it signs", seconds(every), seconds(lead))
        }
        _ => "keys as the resource files declare them".to_owned(),
    }
}

/// One row a key, with a column for each stretch of time.
fn draw(list: &KeyList, keys: &[&KeyFacts], output: &Output) -> Result<(), CliError> {
    let (strong, faint) = (style::STRONG, style::FAINT);
    let label = keys.iter().map(|key| key.kid.chars().count()).max().unwrap_or(0).min(32);
    let width = columns().saturating_sub(label + 3).clamp(MIN_COLUMNS, 160);
    let window = Window::around(list, keys);
    let column = |at| usize::try_from(window.place(at, width as u64)).unwrap_or(width);
    let now = column(list.now).min(width - 1);
    output.line(format_args!("{:<label$} {:now$}{strong}▼ now{strong:#}", "", ""))?;
    for key in keys {
        let name: String = one_line(&key.kid).chars().take(32).collect();
        output.line(format_args!("{name:<label$} {}", bar(list, key, &window, width)))?;
    }
    let (left, right) = (relative(window.from, list.now), relative(window.until, list.now));
    let pad = width.saturating_sub(left.chars().count() + right.chars().count());
    output.line(format_args!("{:<label$} {faint}{left}{:pad$}{right}{faint:#}", "", ""))?;
    let revoked = if keys.iter().any(|key| key.state == "revoked") { "  × revoked" } else { "" };
    output.line(format_args!(
        "{:<label$} {faint}· in reserve  ░ announced  █ signs  ▒ verifies{revoked}{faint:#}",
        ""
    ))
}

/// The life of one key, a character a column. A column in which it goes through several states shows the one of now if
/// now is in it, else the one that matters most.
fn bar(list: &KeyList, key: &KeyFacts, window: &Window, width: usize) -> String {
    let column = |at| usize::try_from(window.place(at, width as u64)).unwrap_or(width);
    let cell = |at| column(at).min(width - 1);
    let mut row = vec![' '; width];
    for state in ["staged", "verifying", "published", "active"] {
        let seen = |phase: &&Phase| {
            let is_over = phase.until.is_some_and(|until| until <= window.from);
            phase.state == state && phase.from < window.until && !is_over
        };
        for phase in key.phases.iter().filter(seen) {
            let from = cell(phase.from);
            // However short, a part that is in the window is seen, in each column that it reaches into.
            let last = phase.until.map_or(width, |until| column(until.minus(Duration::from_millis(1))));
            let until = (last + 1).max(from + 1).min(width);
            row[from..until].fill(ink(state));
        }
    }
    row[cell(list.now)] = ink(key.state);
    if key.state == "revoked" {
        row[cell(key.since)] = '×';
    }
    row.iter().collect::<String>().trim_end().to_owned()
}

fn ink(state: &str) -> char {
    match state {
        "staged" => '·',
        "published" => '░',
        "active" => '█',
        "verifying" => '▒',
        _ => ' ',
    }
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

#[cfg(test)]
mod tests {
    use sealwright_authorization_server::keys::PlanFacts;

    use super::*;

    const HOUR: i64 = 3600;
    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(NOW.as_secs() + seconds)
    }

    /// The parts of a life, each with the second from now at which it begins, and the end of the last one.
    fn key(state: &'static str, parts: &[(&'static str, i64)], end: Option<i64>) -> KeyFacts {
        let ends = parts.iter().skip(1).map(|(_, from)| Some(*from)).chain([end]);
        let phases = parts.iter().zip(ends);
        KeyFacts {
            kid: "k".to_owned(),
            alg: "ES256",
            state,
            declared: false,
            thumbprint: String::new(),
            since: parts.iter().rfind(|(_, from)| *from <= 0).map_or(NOW, |(_, from)| at(*from)),
            until: None,
            next: None,
            agreed: false,
            phases: phases
                .map(|((state, from), end)| Phase { state, from: at(*from), until: end.map(at) })
                .collect(),
            tokens_expire_by: None,
            served_by: Vec::new(),
            missing_at: Vec::new(),
            reason: None,
        }
    }

    /// What is drawn of `key`, in 32 columns of a day and a half each, the 16th of which begins now.
    fn drawn(key: &KeyFacts) -> String {
        let list = KeyList {
            server: String::new(),
            issuer: String::new(),
            now: NOW,
            epoch: 1,
            mode: "automatic",
            plan: PlanFacts {
                algorithms: vec!["ES256"],
                rotate_every_s: None,
                publish_lead_s: None,
                jwks_max_age_s: 300,
                evict_grace_s: 300,
                token_lifetime_s: 300,
            },
            keys: Vec::new(),
            replicas: Vec::new(),
            conditions: Vec::new(),
        };
        let window = Window { from: at(-16 * 36 * HOUR), until: at(16 * 36 * HOUR) };
        bar(&list, key, &window, 32)
    }

    #[test]
    fn the_column_of_now_shows_the_state_of_now() {
        let month = 30 * 24 * HOUR;
        for (what, key, expected) in [
            (
                "it took over just now, as after a revocation",
                key("active", &[("staged", 0), ("active", 1), ("verifying", month)], Some(month + HOUR)),
                "                ████████████████",
            ),
            (
                "it is announced, and signs in a quarter of a minute",
                key("published", &[("staged", -HOUR), ("published", 0), ("active", 15)], None),
                "               ·░███████████████",
            ),
            (
                "it signs no more since a second",
                key("verifying", &[("active", -90 * HOUR), ("verifying", -1)], Some(HOUR)),
                "             ███▒",
            ),
            (
                "it signed for a minute, and verifies for an hour",
                key(
                    "verifying",
                    &[("staged", 0), ("published", 1), ("active", 2), ("verifying", 3)],
                    Some(HOUR),
                ),
                "                ▒",
            ),
        ] {
            assert_eq!(drawn(&key), expected, "{what}");
        }
    }

    #[test]
    fn in_another_column_that_it_signed_wins() {
        let key = key(
            "verifying",
            &[
                ("staged", -100 * HOUR),
                ("published", -99 * HOUR),
                ("active", -98 * HOUR),
                ("verifying", -97 * HOUR),
            ],
            Some(HOUR),
        );
        assert_eq!(drawn(&key), "             █▒▒▒");
    }

    #[test]
    fn a_key_that_is_gone_is_not_drawn_under_now() {
        let evicted = key("evicted", &[("active", -90 * HOUR), ("verifying", -36 * HOUR)], Some(0));
        assert_eq!(drawn(&evicted), "             ██▒");
        let revoked = key("revoked", &[("active", -90 * HOUR)], Some(0));
        assert_eq!(drawn(&KeyFacts { since: NOW, ..revoked }), "             ███×");
    }
}
