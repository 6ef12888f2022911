//! `oneOf` and `anyOf`, which schemars writes for options and enums: find the branch that was meant, and check that one.

use serde_json::{Map, Value as Schema};

use super::{Checker, allowed, expected, has_type, list, types};
use crate::resource::{
    suggest,
    tree::{Node, Value},
};

pub(super) fn check<'s>(checker: &mut Checker<'s>, branches: &'s [Schema], node: &Node, path: &str) {
    let branches: Vec<&'s Schema> = branches.iter().map(|branch| checker.resolve(branch)).collect();
    if matches!(node.value, Value::Null) && branches.iter().any(|branch| is_null(branch)) {
        return;
    }
    let branches: Vec<&'s Schema> = branches.into_iter().filter(|branch| !is_null(branch)).collect();
    if let [only] = branches.as_slice() {
        return checker.node(only, node, path);
    }
    if let Some(tag) = common_tag(&branches) {
        return by_tag(checker, &branches, tag, node, path);
    }
    if branches.iter().all(|branch| variant_names(branch).is_some()) {
        return by_name(checker, &branches, node, path);
    }
    by_trial(checker, &branches, node, path);
}

fn is_null(schema: &Schema) -> bool {
    schema.get("type").and_then(Schema::as_str) == Some("null")
}

/// Internally and adjacently tagged enums: the field that has one fixed text in each branch.
fn common_tag<'s>(branches: &[&'s Schema]) -> Option<&'s str> {
    let tags = |branch: &'s Schema| -> Vec<&'s str> {
        let Some(object) = branch.as_object() else { return Vec::new() };
        let required = list(object, "required").iter().filter_map(Schema::as_str);
        required.filter(|name| tag_value(branch, name).is_some()).collect()
    };
    let (first, rest) = branches.split_first()?;
    tags(first).into_iter().find(|tag| rest.iter().all(|branch| tags(branch).contains(tag)))
}

fn tag_value<'s>(branch: &'s Schema, tag: &str) -> Option<&'s str> {
    branch.get("properties")?.get(tag)?.get("const")?.as_str()
}

fn by_tag<'s>(checker: &mut Checker<'s>, branches: &[&'s Schema], tag: &str, node: &Node, path: &str) {
    if node.entries().is_none() {
        return checker.fault(node.at, path, format!("expected a map, found {}", node.describe()));
    }
    let Some(written) = node.member(tag) else {
        return checker.fault(node.at, path, format!("missing field `{tag}`"));
    };
    let text = written.text();
    if let Some(branch) = branches.iter().find(|branch| text.is_some() && tag_value(branch, tag) == text) {
        return checker.node(branch, node, path);
    }
    let known: Vec<&Schema> = branches.iter().map(|branch| &branch["properties"][tag]["const"]).collect();
    checker.not_among(&known, written, &super::join(path, tag));
}

/// Externally tagged enums: a text for a variant without content, a map with one field for one with it.
fn variant_names(branch: &Schema) -> Option<Vec<&str>> {
    let object = branch.as_object()?;
    match types(object).as_slice() {
        ["string"] => Some(allowed(object)?.into_iter().filter_map(Schema::as_str).collect()),
        ["object"] if object.get("additionalProperties") == Some(&Schema::Bool(false)) => {
            let properties = object.get("properties")?.as_object()?;
            let required = list(object, "required");
            let mut names = properties.keys();
            let (name, None) = (names.next()?, names.next()) else { return None };
            (required.len() == 1).then(|| vec![name.as_str()])
        }
        _ => None,
    }
}

fn by_name<'s>(checker: &mut Checker<'s>, branches: &[&'s Schema], node: &Node, path: &str) {
    let names = |wanted: &str| -> Vec<&'s str> {
        let matching =
            branches.iter().filter(|branch| branch.get("type").and_then(Schema::as_str) == Some(wanted));
        matching.filter_map(|branch| variant_names(branch)).flatten().collect()
    };
    let (words, fields) = (names("string"), names("object"));
    match &node.value {
        Value::Text(text) if words.contains(&text.as_str()) => {}
        Value::Map(entries) if !fields.is_empty() => match entries.as_slice() {
            [entry] => match branches.iter().find(|branch| branch["properties"].get(&entry.key).is_some()) {
                Some(branch) => checker.node(branch, node, path),
                None => {
                    let hint = suggest::hint(&entry.key, &fields);
                    checker.fault(
                        entry.key_at,
                        &super::join(path, &entry.key),
                        format!("unknown field{hint}"),
                    );
                }
            },
            _ => checker.fault(node.at, path, format!("name exactly one of {}", suggest::list(&fields))),
        },
        _ => {
            let mut all = words;
            all.extend(fields);
            let known: Vec<Schema> = all.into_iter().map(Schema::from).collect();
            checker.not_among(&known.iter().collect::<Vec<_>>(), node, path);
        }
    }
}

/// Untagged enums: the branch without faults; or of those with the right type the one with the fewest.
fn by_trial<'s>(checker: &mut Checker<'s>, branches: &[&'s Schema], node: &Node, path: &str) {
    let mut best = None;
    for branch in branches {
        let mut trial = Checker { root: checker.root, found: Vec::new() };
        trial.node(branch, node, path);
        if trial.found.is_empty() {
            return;
        }
        let fits = branch.as_object().is_none_or(|object| {
            let types = types(object);
            types.is_empty() || types.iter().any(|name| has_type(name, node))
        });
        let better = best.as_ref().is_none_or(|found: &Vec<_>| trial.found.len() < found.len());
        if fits && better {
            best = Some(trial.found);
        }
    }
    match best {
        Some(found) => checker.found.extend(found),
        None => {
            let wanted: Vec<String> =
                branches.iter().filter_map(|branch| branch.as_object()).map(in_words).collect();
            let found = node.describe();
            checker.fault(node.at, path, format!("expected {}, found {found}", wanted.join(" or ")));
        }
    }
}

fn in_words(schema: &Map<String, Schema>) -> String {
    expected(schema, &types(schema))
}
