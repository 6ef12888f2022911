//! Scopes (RFC 6749 §3.3).

/// The scope that asks who the person is (OpenID Connect Core 1.0 §3.1.2.1).
pub(crate) const OPENID: &str = "openid";

/// Names of scopes, each once, in the order in which they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(Vec<String>);

impl Scopes {
    /// Reads the `scope` parameter: tokens of printable ASCII without `"` and `\`, separated by single spaces.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        for name in text.split(' ') {
            if !is_scope(name) {
                return None;
            }
            if !names.iter().any(|n| n == name) {
                names.push(name.to_owned());
            }
        }
        Some(Self(names))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.iter().any(|n| n == name)
    }

    pub(crate) fn to_text(&self) -> String {
        self.0.join(" ")
    }
}

/// Whether `name` is one scope token.
pub(crate) fn is_scope(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once_in_order() {
        assert_eq!(Scopes::parse("openid roles openid").unwrap().to_text(), "openid roles");
    }

    #[test]
    fn malformed_scopes_are_refused() {
        for wrong in ["", " ", "a  b", "a ", "a\"b", "a\\b", "ä", "a\tb"] {
            assert!(Scopes::parse(wrong).is_none(), "{wrong:?}");
        }
    }
}
