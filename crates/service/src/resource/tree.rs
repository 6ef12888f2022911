//! A YAML document as a tree that knows where each node stands.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};
use serde_json::{Number, Value as Json};

/// Deeper than any resource; it bounds the recursion of everything that walks a tree.
const MAX_DEPTH: usize = 32;

/// Line and column, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl From<Marker> for Position {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

/// Something wrong at a place, before it is known in which resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misplaced {
    pub(super) at: Position,
    pub(super) message: String,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: Position,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of `key`, if this is a map that has it.
    pub(super) fn member(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The same map with those of its members alone that `keep` names.
    pub(super) fn with_members(&self, keep: impl Fn(&str) -> bool) -> Self {
        let value = match &self.value {
            Value::Map(entries) => {
                Value::Map(entries.iter().filter(|entry| keep(&entry.key)).cloned().collect())
            }
            other => other.clone(),
        };
        Self { at: self.at, value }
    }

    /// Calls `with` for each entry of each map below.
    pub(super) fn each_entry(&self, with: &mut impl FnMut(&Entry)) {
        match &self.value {
            Value::Map(entries) => {
                for entry in entries {
                    with(entry);
                    entry.node.each_entry(with);
                }
            }
            Value::List(items) => items.iter().for_each(|item| item.each_entry(with)),
            _ => {}
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as JSON, without the fields whose names stand at `left_out`.
    pub(super) fn to_json(&self, left_out: &[Position]) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => items.iter().map(|item| item.to_json(left_out)).collect(),
            Value::Map(entries) => {
                let entries = entries.iter().filter(|entry| !left_out.contains(&entry.key_at));
                entries.map(|entry| (entry.key.clone(), entry.node.to_json(left_out))).collect()
            }
        }
    }

    /// What stands there, without its text, which may be a secret in the wrong place.
    pub(super) fn describe(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(true) => "`true`",
            Value::Bool(false) => "`false`",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// The documents of a file, and what is wrong with them as YAML.
///
/// After an error of syntax the rest of the file means nothing, so reading ends there; the documents before it count.
pub(super) fn read(text: &str) -> (Vec<Node>, Vec<Misplaced>) {
    let mut builder = Builder::default();
    // A byte order mark is no part of the first key.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                if builder.take(event, span).is_err() {
                    break;
                }
            }
            Err(error) => {
                builder.fault((*error.marker()).into(), format!("not valid YAML: {}", error.info()));
                break;
            }
        }
    }
    (builder.documents, builder.faults)
}

/// The documents, lists and maps that are open, and what was finished.
#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    faults: Vec<Misplaced>,
    open: Vec<Open>,
}

struct Open {
    at: Position,
    collection: Collection,
}

enum Collection {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Position)> },
}

/// The rest of the file is not to be read.
struct Stop;

impl Builder {
    fn fault(&mut self, at: Position, message: impl Into<String>) {
        self.faults.push(Misplaced { at, message: message.into() });
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let at = Position::from(span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(at, anchor, tag.is_some());
                // An empty value stands where the parser noticed it, which may be the next line: its key is the better place.
                let at = if span.is_empty() { self.key_position().unwrap_or(at) } else { at };
                self.scalar(&text, style, at)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(at, anchor, tag.is_some());
                self.begin(at, Collection::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(at, anchor, tag.is_some());
                self.begin(at, Collection::Map { entries: Vec::new(), key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(_) => {
                self.fault(at, "aliases are not accepted; write the value out");
                self.put(Node { at, value: Value::Null })?;
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn refuse(&mut self, at: Position, anchor: usize, tag: bool) {
        if anchor != 0 {
            self.fault(at, "anchors are not accepted; write the value out where it is needed");
        }
        if tag {
            self.fault(at, "tags such as `!!str` are not accepted; put text in quotes");
        }
    }

    fn key_position(&self) -> Option<Position> {
        match &self.open.last()?.collection {
            Collection::Map { key: Some((_, at)), .. } => Some(*at),
            _ => None,
        }
    }

    fn begin(&mut self, at: Position, collection: Collection) -> Result<(), Stop> {
        if self.open.len() == MAX_DEPTH {
            self.fault(at, format!("nested more than {MAX_DEPTH} levels deep"));
            return Err(Stop);
        }
        if matches!(self.open.last(), Some(Open { collection: Collection::Map { key: None, .. }, .. })) {
            self.fault(at, "a key must be text");
            return Err(Stop);
        }
        self.open.push(Open { at, collection });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Stop> {
        let Some(Open { at, collection }) = self.open.pop() else { return Err(Stop) };
        let value = match collection {
            Collection::List(items) => Value::List(items),
            Collection::Map { entries, .. } => Value::Map(entries),
        };
        self.put(Node { at, value })
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, at: Position) -> Result<(), Stop> {
        if let Some(Open { collection: Collection::Map { key: key @ None, .. }, .. }) = self.open.last_mut() {
            // A key is taken as it is written: `8080: x` has the key "8080".
            *key = Some((text.to_owned(), at));
            return Ok(());
        }
        let value = if style == ScalarStyle::Plain { plain(text) } else { Ok(Value::Text(text.to_owned())) };
        let value = value.unwrap_or_else(|message| {
            self.fault(at, message);
            Value::Null
        });
        self.put(Node { at, value })
    }

    fn put(&mut self, node: Node) -> Result<(), Stop> {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut open.collection {
            Collection::List(items) => items.push(node),
            Collection::Map { entries, key } => {
                let Some((key, key_at)) = key.take() else {
                    self.fault(node.at, "a key must be text");
                    return Err(Stop);
                };
                match entries.iter().find(|entry| entry.key == key) {
                    Some(first) => {
                        let line = first.key_at.line;
                        self.fault(key_at, format!("the key `{key}` stands here already, in line {line}"));
                    }
                    None => entries.push(Entry { key, key_at, node }),
                }
            }
        }
        Ok(())
    }
}

/// What a scalar without quotes means (YAML 1.2.2 §10.3.2, the core schema).
fn plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Err("`.nan` is not accepted as a number"),
        _ => {}
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Err("infinity is not accepted as a number");
    }
    if !looks_like_number(text, digits) {
        return Ok(Value::Text(text.to_owned()));
    }
    number(text, digits).map(Value::Number).ok_or("this number is too large")
}

fn number(text: &str, digits: &str) -> Option<Number> {
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(Number::from);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Number::from);
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // Not as a float: that would lose the last digits of what looks exact.
        return text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from)).ok();
    }
    text.parse().ok().and_then(Number::from_f64)
}

fn looks_like_number(text: &str, digits: &str) -> bool {
    let all = |text: &str, test: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(test);
    if let Some(hex) = text.strip_prefix("0x") {
        return all(hex, u8::is_ascii_hexdigit);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return all(octal, |byte| (b'0'..=b'7').contains(byte));
    }
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_mantissa = all(&format!("{whole}{fraction}"), u8::is_ascii_digit);
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    is_mantissa && exponent.is_none_or(|exponent| all(exponent, u8::is_ascii_digit))
}
