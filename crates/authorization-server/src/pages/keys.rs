//! The console's page of signing keys: is everything all right, then each key's life as a band, then what can be done.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use sealwright_service::clock::Timestamp;

use super::texts::en as t;
use super::{format::machine_time, page, style};
use crate::endpoint::console::{self, Asked};
use crate::keys::{Condition, Consequences, KeyFacts, KeyList, Window, moment, relative};

/// How wide a band is drawn; the browser stretches it.
const UNITS: u64 = 1000;

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage<'a> {
    title: &'a str,
    style: String,
    list: &'a KeyList,
    /// In one line.
    verdict: String,
    problems: Vec<&'a Condition>,
    rows: Vec<Row<'a>>,
    hidden: usize,
    /// Where the line of now is.
    now: u64,
    from: String,
    until: String,
    replicas: Vec<ReplicaRow<'a>>,
    session_ends: String,
    csrf: &'a str,
    rotates: bool,
}

struct Row<'a> {
    key: &'a KeyFacts,
    bars: Vec<Bar>,
    state: &'static str,
    since: String,
    since_at: String,
    until: Option<(String, String)>,
    tokens: Option<String>,
    missing: String,
    may_be_revoked: bool,
}

/// One part of a life, in units of the drawing.
struct Bar {
    state: &'static str,
    at: u64,
    width: u64,
}

struct ReplicaRow<'a> {
    name: &'a str,
    state: &'static str,
    seen: String,
    seen_at: String,
}

/// The page; `all` with the keys that left long ago.
pub(crate) fn response(list: &KeyList, all: bool, session_ends: Timestamp, csrf: &str) -> Response {
    let shown: Vec<&KeyFacts> = if all { list.keys.iter().collect() } else { list.lately() };
    let hidden = list.keys.len() - shown.len();
    let window = Window::around(list, &shown);
    let problems: Vec<&Condition> = list.conditions.iter().filter(|condition| !condition.holds()).collect();
    let template = KeysPage {
        title: t::KEYS,
        style: style::path(),
        verdict: verdict(list, &problems),
        problems,
        rows: shown.into_iter().map(|key| row(list, key, &window)).collect(),
        hidden,
        now: window.place(list.now, UNITS),
        from: relative(window.from, list.now),
        until: relative(window.until, list.now),
        replicas: list
            .replicas
            .iter()
            .filter(|replica| replica.live)
            .map(|replica| ReplicaRow {
                name: &replica.name,
                state: if replica.behind { t::SERVES_OLDER } else { t::SERVES_NEWEST },
                seen: relative(replica.seen_at, list.now),
                seen_at: machine_time(replica.seen_at),
            })
            .collect(),
        session_ends: relative(session_ends, list.now),
        csrf,
        rotates: list.mode == "automatic",
        list,
    };
    page(StatusCode::OK, &template, None)
}

/// Is everything all right?
fn verdict(list: &KeyList, problems: &[&Condition]) -> String {
    if !problems.is_empty() {
        return t::NOT_ALL_RIGHT.to_owned();
    }
    let next = list.keys.iter().filter(|key| key.state == "active").filter_map(|key| key.until).min();
    match next {
        Some(at) => t::all_right_until(&relative(at, list.now)),
        None => t::ALL_RIGHT.to_owned(),
    }
}

fn row<'a>(list: &KeyList, key: &'a KeyFacts, window: &Window) -> Row<'a> {
    let bars = key.phases.iter().filter_map(|phase| {
        let until = phase.until.unwrap_or(window.until);
        let is_seen = phase.from < window.until && until > window.from;
        let (at, end) = (window.place(phase.from, UNITS), window.place(until, UNITS));
        // However short, it is seen.
        is_seen.then(|| Bar {
            state: phase.state,
            at: at.min(UNITS - 4),
            width: end.saturating_sub(at).max(4),
        })
    });
    let when = |at| moment(at, list.now);
    Row {
        bars: bars.collect(),
        state: t::state(key.state),
        since: when(key.since),
        since_at: machine_time(key.since),
        until: key.until.zip(key.next).map(|(until, next)| (when(until), t::then(next, key.agreed))),
        tokens: key.tokens_expire_by.filter(|last| *last > list.now).map(when),
        missing: key.missing_at.join(", "),
        may_be_revoked: !key.declared && !matches!(key.state, "evicted" | "revoked"),
        key,
    }
}

#[derive(Template)]
#[template(path = "keys_confirm.html")]
struct ConfirmPage<'a> {
    title: String,
    style: String,
    asked: &'a Asked,
    /// Sentences in pieces, of which every other one is a name.
    consequences: Vec<Vec<&'a str>>,
    disturbs: bool,
    csrf: &'a str,
    problem: Option<String>,
    button: &'static str,
}

/// Asks whether to do it; `signed_by` is the key of the session.
pub(crate) fn confirm(
    asked: &Asked,
    consequences: &Consequences,
    signed_by: &str,
    csrf: &str,
    problem: Option<String>,
) -> Response {
    let (title, button) = match asked.name {
        "rotate" => (t::ROTATE_TITLE.to_owned(), t::ROTATE),
        "rotate-now" => (t::ROTATE_NOW_TITLE.to_owned(), t::ROTATE_NOW),
        _ => (t::revoke_title(&asked.kid), t::REVOKE),
    };
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let ends_session = (asked.name == "revoke" && asked.kid == signed_by).then_some(t::ENDS_SESSION);
    let sentences = consequences.sentences.iter().map(String::as_str).chain(ends_session);
    let template = ConfirmPage {
        title,
        style: style::path(),
        asked,
        consequences: sentences.map(|sentence| sentence.split('`').collect()).collect(),
        disturbs: consequences.disturbs,
        csrf,
        problem,
        button,
    };
    page(status, &template, None)
}

/// The keys stay as they are, and why.
pub(crate) fn refused(why: &str) -> Response {
    super::error::show(StatusCode::CONFLICT, t::KEYS_UNCHANGED, why, None)
}

/// A link that asks for nothing.
pub(crate) fn nothing_to_do() -> Response {
    super::error::show(StatusCode::BAD_REQUEST, t::LINK_BROKEN, t::LINK_BROKEN_HELP, None)
}
