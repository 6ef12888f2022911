//! Which texts of a stranger's choice may be shown to people: in certificates, and as names of documents.
//!
//! They are read in lists, in terminals and in logs. What cannot be seen, or makes the rest
//! look like something else, is refused rather than cleaned: a cleaned name is the name of somebody else.

use std::fmt;

/// Why a text is refused. Never holds the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextFault {
    /// Nothing at all.
    Empty,
    /// More characters than there is room for.
    TooLong {
        /// How many there may be.
        max: usize,
    },
    /// Leading or trailing white space.
    Blank,
    /// A control character, line break or NUL.
    Control,
    /// A character that changes the direction of what follows, or that cannot be seen.
    Invisible,
    /// Not one of the characters that this attribute may have.
    NotAllowed,
}

impl fmt::Display for TextFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("must not be empty"),
            Self::TooLong { max } => write!(f, "must not have more than {max} characters"),
            Self::Blank => f.write_str("must not begin or end with a blank"),
            Self::Control => f.write_str("must not have control characters"),
            Self::Invisible => f.write_str("must not have invisible or direction-changing characters"),
            Self::NotAllowed => f.write_str("has a character that is not allowed here"),
        }
    }
}

/// Checks a text of at most `max` characters (not bytes: X.520 counts characters).
///
/// # Errors
///
/// The first [`TextFault`].
///
/// # Examples
///
/// ```
/// use sealwright_service::text::{TextFault, check_text};
///
/// assert_eq!(check_text("contract.md", 64), Ok(()));
/// assert_eq!(check_text("fdp.\u{202e}exe", 64), Err(TextFault::Invisible));
/// ```
pub fn check_text(text: &str, max: usize) -> Result<(), TextFault> {
    if text.is_empty() {
        return Err(TextFault::Empty);
    }
    if text.chars().count() > max {
        return Err(TextFault::TooLong { max });
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Err(TextFault::Blank);
    }
    check_characters(text)
}

/// The part of [`check_text`] that holds for a piece of a text, such as the blank between two names.
///
/// # Errors
///
/// [`TextFault::Control`] or [`TextFault::Invisible`].
pub fn check_characters(text: &str) -> Result<(), TextFault> {
    for c in text.chars() {
        if is_control(c) {
            return Err(TextFault::Control);
        }
        if is_invisible(c) {
            return Err(TextFault::Invisible);
        }
    }
    Ok(())
}

/// Whether a character commands the reader's terminal or page, cannot be seen, or makes the rest look like something else.
pub fn is_misleading(c: char) -> bool {
    is_control(c) || is_invisible(c)
}

fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Bidirectional controls (Unicode TR 9), zero-width and tag characters, what looks like a blank, noncharacters. The joiners
/// U+200C and U+200D stay allowed: Persian and Indic names are misspelt without them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
        | '\u{00AD}' | '\u{034F}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}'
        | '\u{115F}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}'
        | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}'
        | '\u{E0000}'..='\u{E0FFF}'
    ) || (c as u32) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_pass() {
        for name in [
            "Alice",
            "Željko Đukić",
            "李小龍",
            "O'Neill, Jr.",
            "#1 \\ \"quoted\" <a;b>",
            "Mallory,O=Bank",
            "می\u{200C}خواهم",
        ] {
            assert_eq!(check_text(name, 64), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        let cases = [
            ("", TextFault::Empty),
            (" Alice", TextFault::Blank),
            ("Alice\u{A0}", TextFault::Blank),
            ("Ali\0ce", TextFault::Control),
            ("Alice\nCN=Bob", TextFault::Control),
            ("Alice\u{2028}Bob", TextFault::Control),
            ("Alice\u{85}Bob", TextFault::Control),
            ("\u{202E}ecilA", TextFault::Invisible),
            ("Alice\u{2066}Bob\u{2069}", TextFault::Invisible),
            ("Al\u{200B}ice", TextFault::Invisible),
            ("Alice\u{E0041}", TextFault::Invisible),
            ("Al\u{AD}ice", TextFault::Invisible),
            ("\u{2800}", TextFault::Invisible),
            ("Alice\u{3164}", TextFault::Invisible),
        ];
        for (text, fault) in cases {
            assert_eq!(check_text(text, 64), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn length_counts_characters() {
        assert_eq!(check_text(&"ß".repeat(64), 64), Ok(()));
        assert_eq!(check_text(&"ß".repeat(65), 64), Err(TextFault::TooLong { max: 64 }));
    }
}
