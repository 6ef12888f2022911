//! Claims on their way into a signature: by an allow-list, each under a name of the signing process.

use std::{collections::BTreeMap, fmt};

use sealwright_jose::jwt::Claims;
use serde_json::Value;

/// A name that templates use, such as `subject` or `signer.given_name`: lower-case words joined by dots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContextName(String);

impl ContextName {
    /// Reads a name; `None` if the text cannot be one (so it is a literal text in a template).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        text.split('.').all(word).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for ContextName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which claim gets which name. A claim that is not listed is never seen by the signing process.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContextMap(Vec<(String, ContextName)>);

impl ContextMap {
    pub(crate) fn new(entries: Vec<(String, ContextName)>) -> Self {
        Self(entries)
    }

    /// Whether a claim is mapped to `name`.
    pub(crate) fn fills(&self, name: &ContextName) -> bool {
        self.0.iter().any(|(_, filled)| filled == name)
    }

    /// Takes what is listed from `claims`; what the token does not have is left out.
    pub(crate) fn map(&self, claims: &Claims<'_>) -> SigningContext {
        let values =
            self.0.iter().filter_map(|(claim, name)| Some((name.clone(), claims.get(claim)?.clone())));
        SigningContext(values.collect())
    }
}

/// What the signing process knows about the signer. `Debug` shows names and no values: they are personal.
#[derive(Clone, Default)]
pub(crate) struct SigningContext(BTreeMap<ContextName, Value>);

impl SigningContext {
    pub(crate) fn value(&self, name: &ContextName) -> Option<&Value> {
        self.0.get(name)
    }

    #[cfg(test)]
    pub(crate) fn of(values: impl IntoIterator<Item = (ContextName, Value)>) -> Self {
        Self(values.into_iter().collect())
    }
}

impl fmt::Debug for SigningContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words() {
        for name in ["subject", "signer.given_name", "a.b.c2"] {
            assert!(ContextName::parse(name).is_some(), "{name}");
        }
        for text in ["", " ", ".", "a.", "Signer", "a b", "2a", "-", "a..b", "ä"] {
            assert!(ContextName::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn only_listed_claims_cross() {
        let claims = Claims::parse(br#"{"sub":"alice","iban":"secret","email":"a@example.com"}"#).unwrap();
        let name = |text| ContextName::parse(text).unwrap();
        let map = ContextMap::new(vec![
            ("sub".into(), name("subject")),
            ("given_name".into(), name("signer.given_name")),
        ]);
        let context = map.map(&claims);
        assert_eq!(context.value(&name("subject")), Some(&Value::from("alice")));
        assert_eq!(format!("{context:?}"), r#"{ContextName("subject")}"#);
    }
}
