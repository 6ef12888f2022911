//! The scanner against serde_json, on random texts: it accepts nothing that serde_json refuses,
//! refuses nothing else than its own rules say, and reads the same.

use proptest::{collection::vec, prelude::*};

use super::*;

const DEPTH: usize = 8;

/// JSON as anybody may write it: any whitespace, any escapes, names of which some are the same.
fn json() -> impl Strategy<Value = String> {
    let space = || prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\n\t\r ")];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<f32>().prop_filter("JSON has no other", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
        string(),
    ];
    let value = leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            vec((space(), inner.clone(), space()), 0..4).prop_map(|elements| {
                let elements: Vec<_> =
                    elements.iter().map(|(a, value, b)| format!("{a}{value}{b}")).collect();
                format!("[{}]", elements.join(","))
            }),
            vec((space(), string(), space(), inner, space()), 0..5).prop_map(object_of),
        ]
    });
    vec((space(), string(), space(), value, space()), 0..24).prop_map(object_of)
}

fn object_of(members: Vec<(&str, String, &str, String, &str)>) -> String {
    let members: Vec<_> =
        members.iter().map(|(a, name, b, value, c)| format!("{a}{name}{b}:{c}{value}{b}")).collect();
    format!("{{{}}}", members.join(","))
}

fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-c]{0,3}",
        1 => "[ -~&&[^\"\\\\]]{0,80}",
        1 => any::<char>().prop_filter("quoted otherwise", |c| *c >= ' ' && !"\"\\".contains(*c)).prop_map(String::from),
        1 => any::<char>().prop_map(|c| {
            c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        }),
        1 => prop::sample::select(&["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"][..]).prop_map(String::from),
    ];
    vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

/// What serde_json says, and whether it saw a name twice in one object.
fn by_serde(text: &str) -> Option<(serde_json::Value, bool)> {
    let value = serde_json::from_str(text).ok()?;
    // Only the names are counted, by a reader of its own, since a map keeps the last one.
    struct Repeats(bool);
    impl<'de> serde::Deserialize<'de> for Repeats {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Counter)
        }
    }
    struct Counter;
    impl<'de> serde::de::Visitor<'de> for Counter {
        type Value = Repeats;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("JSON")
        }

        fn visit_unit<E>(self) -> Result<Repeats, E> {
            Ok(Repeats(false))
        }

        fn visit_bool<E>(self, _: bool) -> Result<Repeats, E> {
            Ok(Repeats(false))
        }

        fn visit_i64<E>(self, _: i64) -> Result<Repeats, E> {
            Ok(Repeats(false))
        }

        fn visit_u64<E>(self, _: u64) -> Result<Repeats, E> {
            Ok(Repeats(false))
        }

        fn visit_f64<E>(self, _: f64) -> Result<Repeats, E> {
            Ok(Repeats(false))
        }

        fn visit_str<E>(self, _: &str) -> Result<Repeats, E> {
            Ok(Repeats(false))
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut elements: A) -> Result<Repeats, A::Error> {
            let mut repeats = false;
            while let Some(Repeats(inside)) = elements.next_element()? {
                repeats |= inside;
            }
            Ok(Repeats(repeats))
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Repeats, A::Error> {
            let mut names = std::collections::BTreeSet::new();
            let mut repeats = false;
            while let Some((name, Repeats(inside))) = members.next_entry::<String, _>()? {
                repeats |= inside || !names.insert(name);
            }
            Ok(Repeats(repeats))
        }
    }
    let Repeats(repeats) = serde_json::from_str(text).ok()?;
    Some((value, repeats))
}

fn scan(text: &str) -> Result<(), JsonError> {
    let mut members = Vec::new();
    let scanned = object(text, DEPTH, |name, value| members.push((name.raw(), value.raw())));
    // The other way to read it says the same.
    let mut shown = Shown::default();
    let by_parts = object_of_objects(text, DEPTH, "a", &mut shown);
    assert_eq!((by_parts, shown.members), (scanned, members));
    scanned
}

/// What is shown part by part.
#[derive(Default)]
struct Shown<'a> {
    members: Vec<(&'a str, &'a str)>,
    elements: Vec<&'a str>,
}

impl<'a> Parts<'a> for Shown<'a> {
    fn member(&mut self, name: Name<'a>, value: Value<'a>) {
        if name.is("a") && value.is_array() {
            let scanned: Vec<_> = value.elements().into_iter().flatten().map(Value::raw).collect();
            assert_eq!(self.elements, scanned);
        }
        self.members.push((name.raw(), value.raw()));
    }

    fn element(&mut self, element: Value<'a>) {
        self.elements.push(element.raw());
    }

    fn element_member(&mut self, _: Name<'a>, _: Value<'a>) {}
}

/// Equal but for the last bits of a double, which serde_json does not always get right.
fn same(one: &serde_json::Value, other: &serde_json::Value) -> bool {
    use serde_json::Value;
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_f64() && other.is_f64() => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            (one - other).abs() <= one.abs() * 1e-14
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_json_is_read_as_serde_json_reads_it(text in json()) {
        let (value, repeats) = by_serde(&text).expect("it is JSON");
        if repeats {
            prop_assert_eq!(scan(&text), Err(JsonError::DuplicateName));
            prop_assert_eq!(object_with(&text, DEPTH, Names::LastWins, |_, _| {}), Ok(()));
        } else {
            prop_assert_eq!(scan(&text), Ok(()));
        }
        let ours = serde_json::Value::Object(to_map(&text));
        prop_assert!(same(&ours, &value), "{} {}", ours, value);
        // What is written is read again as the same.
        let written = ours.to_string();
        prop_assert_eq!(scan(&written), Ok(()));
        prop_assert!(same(&serde_json::Value::Object(to_map(&written)), &ours));
    }

    #[test]
    fn what_is_changed_is_accepted_only_if_serde_json_does(
        text in json(),
        changes in vec((any::<prop::sample::Index>(), prop::sample::select(&b"{}[]\",:\\u0019-+.eEtrf \n\x01\xC3a"[..])), 1..4),
    ) {
        let mut bytes = text.into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(text) = str::from_utf8(&bytes) {
            match (scan(text), by_serde(text)) {
                (Ok(()), seen) => prop_assert!(matches!(seen, Some((_, false))), "{}", text),
                (Err(JsonError::DuplicateName), _) => {}
                // Two changes make `10` of `{}`, which is JSON as well, but no object.
                (Err(error), Some((value, _))) => prop_assert!(!value.is_object(), "{:?} {}", error, text),
                (Err(_), None) => {}
            }
        }
    }

    #[test]
    fn a_name_is_found_twice_among_any_number(
        names in prop::collection::hash_set("[a-b]{0,12}|[a-z]{5,20}", 1..40),
        twice in any::<prop::sample::Index>(),
        escaped in any::<bool>(),
    ) {
        let names: Vec<_> = names.into_iter().collect();
        let quoted = |name: &String| {
            if escaped { name.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect() } else { name.clone() }
        };
        let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":0")).collect();
        let good = format!("{{{}}}", members.join(","));
        prop_assert_eq!(scan(&good), Ok(()));
        let bad = format!("{{{},\"{}\":0}}", members.join(","), quoted(&names[twice.index(names.len())]));
        prop_assert_eq!(scan(&bad), Err(JsonError::DuplicateName));
    }
}
