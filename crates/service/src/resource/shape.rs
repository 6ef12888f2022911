//! A tree against the JSON Schema of its type: every fault with its place, where serde would stop at the first.
//!
//! Only what schemars writes is understood, and what it cannot say is left to serde, which has the last word. So a keyword that
//! is not known here can make a message worse, but never lets a wrong value through.

mod variants;

use serde_json::{Map, Value as Schema};

use super::{
    duration, suggest,
    tree::{Misplaced, Node, Position, Value},
};

/// A reference to a reference to …: more than this is a circle.
const MAX_REFS: usize = 16;

/// A fault below the node that was checked.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) path: String,
    pub(super) misplaced: Misplaced,
    /// It is a field that should not be there; without it the value could be read.
    pub(super) superfluous: bool,
}

/// Compares `node`, which stands at `path` of its document, with the schema of `T`.
pub(super) fn check<T: schemars::JsonSchema>(node: &Node, path: &str) -> Vec<Found> {
    let schema =
        schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let mut checker = Checker { root: schema.as_value(), found: Vec::new() };
    checker.node(schema.as_value(), node, path);
    checker.found
}

struct Checker<'s> {
    root: &'s Schema,
    found: Vec<Found>,
}

impl<'s> Checker<'s> {
    fn fault(&mut self, at: Position, path: &str, message: impl Into<String>) {
        let misplaced = Misplaced { at, message: message.into() };
        self.found.push(Found { path: path.to_owned(), misplaced, superfluous: false });
    }

    fn superfluous(&mut self, at: Position, path: &str, message: String) {
        let misplaced = Misplaced { at, message };
        self.found.push(Found { path: path.to_owned(), misplaced, superfluous: true });
    }

    fn node(&mut self, schema: &'s Schema, node: &Node, path: &str) {
        let Some(object) = schema.as_object() else {
            if schema == &Schema::Bool(false) {
                self.fault(node.at, path, "nothing may stand here");
            }
            return;
        };
        if object.contains_key("$ref") {
            self.node(self.resolve(schema), node, path);
        }
        let before = self.found.len();
        self.value(object, node, path);
        if self.found.len() > before {
            // Of the wrong type or not one of the allowed: what else the schema says of it would only confuse.
            return;
        }
        for all in list(object, "allOf") {
            self.node(all, node, path);
        }
        for alternatives in ["oneOf", "anyOf"] {
            if let Some(Schema::Array(branches)) = object.get(alternatives) {
                variants::check(self, branches, node, path);
            }
        }
        match &node.value {
            Value::Map(_) => self.map(object, node, path),
            Value::List(items) => self.items(object, items, node, path),
            _ => {}
        }
    }

    /// The schema that `schema` refers to, or itself.
    fn resolve(&self, schema: &'s Schema) -> &'s Schema {
        let mut current = schema;
        for _ in 0..MAX_REFS {
            let Some(reference) = current.get("$ref").and_then(Schema::as_str) else { break };
            let Some(target) = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer))
            else {
                break;
            };
            current = target;
        }
        current
    }

    /// `type`, `const`, `enum`, `format` and the bounds of numbers and text.
    fn value(&mut self, schema: &Map<String, Schema>, node: &Node, path: &str) {
        let types = types(schema);
        let format = schema.get("format").and_then(Schema::as_str);
        if !types.is_empty() && !types.iter().any(|name| has_type(name, node)) {
            let expected = expected(schema, &types);
            let found = node.describe();
            let tip = match (&node.value, format) {
                (Value::Number(_), Some(duration::FORMAT)) => "; add its unit: ms, s, m, h or d",
                (Value::Number(_) | Value::Bool(_), _) if types.contains(&"string") => "; put it in quotes",
                _ => "",
            };
            return self.fault(node.at, path, format!("expected {expected}, found {found}{tip}"));
        }
        if let Some(allowed) = allowed(schema) {
            if !allowed.iter().any(|value| **value == node.to_json(&[])) {
                self.not_among(&allowed, node, path);
            }
            return;
        }
        match &node.value {
            Value::Text(text) => self.text(schema, format, text, node, path),
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                let bound = |name| schema.get(name).and_then(Schema::as_f64);
                if bound("minimum").is_some_and(|least| number < least) {
                    self.fault(node.at, path, format!("must be at least {}", schema["minimum"]));
                }
                if bound("maximum").is_some_and(|most| number > most) {
                    self.fault(node.at, path, format!("must be at most {}", schema["maximum"]));
                }
            }
            _ => {}
        }
    }

    fn text(
        &mut self,
        schema: &Map<String, Schema>,
        format: Option<&str>,
        text: &str,
        node: &Node,
        path: &str,
    ) {
        let length = text.chars().count() as u64;
        match format {
            Some(duration::FORMAT) => {
                if let Err(error) = text.parse::<duration::DurationField>() {
                    return self.fault(node.at, path, error.to_string());
                }
            }
            Some("uri") => {
                if let Err(error) = url::Url::parse(text) {
                    let message = format!("expected a URL such as `https://example.com/path` ({error})");
                    return self.fault(node.at, path, message);
                }
            }
            _ => {}
        }
        if bound(schema, "minLength").is_some_and(|least| length < least) {
            let message =
                if length == 0 { "must not be empty".to_owned() } else { "is too short".to_owned() };
            self.fault(node.at, path, message);
        }
        if let Some(most) = bound(schema, "maxLength").filter(|most| length > *most) {
            self.fault(node.at, path, format!("is longer than {most} characters"));
        }
    }

    fn not_among(&mut self, allowed: &[&Schema], node: &Node, path: &str) {
        let words: Vec<&str> = allowed.iter().filter_map(|value| value.as_str()).collect();
        let message = match (&node.value, words.as_slice()) {
            (Value::Text(text), [_, ..]) => {
                let nearest = suggest::nearest(text, words.iter().copied());
                let tip = nearest.map_or_else(String::new, |word| format!(", did you mean `{word}`?"));
                match words.as_slice() {
                    [only] => format!("must be `{only}`"),
                    _ => format!("must be one of {}{tip}", suggest::list(&words)),
                }
            }
            (_, [_, ..]) => format!("must be one of {}, found {}", suggest::list(&words), node.describe()),
            _ => "is not an accepted value".to_owned(),
        };
        self.fault(node.at, path, message);
    }

    fn map(&mut self, schema: &'s Map<String, Schema>, node: &Node, path: &str) {
        let entries = node.entries().unwrap_or_default();
        for name in list(schema, "required").iter().filter_map(Schema::as_str) {
            if node.member(name).is_none() {
                self.fault(node.at, path, format!("missing field `{name}`"));
            }
        }
        let properties = schema.get("properties").and_then(Schema::as_object);
        for entry in entries {
            if let Some(property) = properties.and_then(|properties| properties.get(&entry.key)) {
                self.node(property, &entry.node, &join(path, &entry.key));
            }
        }
        self.other_fields(schema, node, path);
        self.count(schema, node, entries.len(), path, ("minProperties", "maxProperties"));
    }

    /// Fields that no `properties` names: refused, or each checked by the schema for the rest.
    fn other_fields(&mut self, schema: &'s Map<String, Schema>, node: &Node, path: &str) {
        let (rule, mut known) =
            match (schema.get("additionalProperties"), schema.get("unevaluatedProperties")) {
                (Some(rule), _) => (rule, Vec::new()),
                (None, Some(rule)) => {
                    let mut named = Vec::new();
                    self.named_below(schema, &mut named, 0);
                    (rule, named)
                }
                (None, None) => return,
            };
        known.extend(own_names(schema));
        for entry in node.entries().unwrap_or_default() {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            let path = join(path, &entry.key);
            if rule == &Schema::Bool(false) {
                let hint = suggest::hint(&entry.key, &known);
                self.superfluous(entry.key_at, &path, format!("unknown field{hint}"));
            } else {
                self.node(rule, &entry.node, &path);
            }
        }
    }

    /// The fields that the parts of a schema name, which `unevaluatedProperties` counts as known.
    fn named_below(&self, schema: &'s Map<String, Schema>, names: &mut Vec<&'s str>, depth: usize) {
        if depth == MAX_REFS {
            return;
        }
        let mut parts: Vec<&Schema> =
            ["allOf", "anyOf", "oneOf"].iter().flat_map(|name| list(schema, name)).collect();
        if let Some(reference) = schema.get("$ref").and_then(Schema::as_str) {
            parts.extend(reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)));
        }
        for part in parts.into_iter().filter_map(Schema::as_object) {
            names.extend(own_names(part));
            self.named_below(part, names, depth + 1);
        }
    }

    fn items(&mut self, schema: &'s Map<String, Schema>, items: &[Node], node: &Node, path: &str) {
        let firsts = list(schema, "prefixItems");
        for (index, item) in items.iter().enumerate() {
            if let Some(rule) = firsts.get(index).or_else(|| schema.get("items")) {
                self.node(rule, item, &format!("{path}[{index}]"));
            }
        }
        self.count(schema, node, items.len(), path, ("minItems", "maxItems"));
        if schema.get("uniqueItems") == Some(&Schema::Bool(true)) {
            for (index, item) in items.iter().enumerate() {
                let same = items[..index].iter().find(|earlier| earlier.to_json(&[]) == item.to_json(&[]));
                if let Some(earlier) = same {
                    let message = format!("stands in the list already, in line {}", earlier.at.line);
                    self.fault(item.at, &format!("{path}[{index}]"), message);
                }
            }
        }
    }

    fn count(
        &mut self,
        schema: &Map<String, Schema>,
        node: &Node,
        count: usize,
        path: &str,
        (min, max): (&str, &str),
    ) {
        let (least, most) = (bound(schema, min), bound(schema, max));
        let count = count as u64;
        if least.is_none_or(|least| count >= least) && most.is_none_or(|most| count <= most) {
            return;
        }
        let names: Vec<&str> = own_names(schema).collect();
        let message = match (least, most, names.as_slice()) {
            (Some(1), Some(1), [_, ..]) => format!("name exactly one of {}", suggest::list(&names)),
            (Some(1), _, _) if count == 0 => "must not be empty".to_owned(),
            (Some(least), _, _) if count < least => format!("needs at least {least} entries"),
            (_, most, _) => format!("has more than {} entries", most.unwrap_or_default()),
        };
        self.fault(node.at, path, message);
    }
}

fn list<'s>(schema: &'s Map<String, Schema>, name: &str) -> &'s [Schema] {
    schema.get(name).and_then(Schema::as_array).map_or(&[], Vec::as_slice)
}

fn bound(schema: &Map<String, Schema>, name: &str) -> Option<u64> {
    schema.get(name).and_then(Schema::as_u64)
}

fn own_names(schema: &Map<String, Schema>) -> impl Iterator<Item = &str> {
    schema
        .get("properties")
        .and_then(Schema::as_object)
        .into_iter()
        .flat_map(|all| all.keys().map(String::as_str))
}

fn types(schema: &Map<String, Schema>) -> Vec<&str> {
    match schema.get("type") {
        Some(Schema::String(name)) => vec![name],
        Some(Schema::Array(names)) => names.iter().filter_map(Schema::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The values of `const` or `enum`.
fn allowed(schema: &Map<String, Schema>) -> Option<Vec<&Schema>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(only), _) => Some(vec![only]),
        (None, Some(Schema::Array(values))) => Some(values.iter().collect()),
        _ => None,
    }
}

fn has_type(name: &str, node: &Node) -> bool {
    match (name, &node.value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::Text(_))
        | ("array", Value::List(_))
        | ("object", Value::Map(_)) => true,
        ("integer", Value::Number(number)) => number.is_i64() || number.is_u64(),
        _ => false,
    }
}

/// What the schema wants, in words.
fn expected(schema: &Map<String, Schema>, types: &[&str]) -> String {
    if let Some(words) = allowed(schema) {
        let words: Vec<&str> = words.iter().filter_map(|value| value.as_str()).collect();
        if !words.is_empty() {
            return suggest::list(&words).replace(", ", " or ");
        }
    }
    let names =
        types.iter().filter_map(|name| match (*name, schema.get("format").and_then(Schema::as_str)) {
            ("string", Some(duration::FORMAT)) => Some("a duration such as `5m`"),
            ("string", Some("uri")) => Some("a URL"),
            ("string", _) => Some("text"),
            ("integer", _) => Some("a whole number"),
            ("number", _) => Some("a number"),
            ("boolean", _) => Some("`true` or `false`"),
            ("array", _) => Some("a list"),
            ("object", _) => Some("a map"),
            _ => None,
        });
    names.collect::<Vec<_>>().join(" or ")
}

/// `a.b` under `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
