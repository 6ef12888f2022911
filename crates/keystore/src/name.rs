//! Names that are safe as file names.

use crate::KeystoreError;

/// Whether `name` is 1 to 128 characters of a small alphabet, without a dot in front.
///
/// So it can climb out of no folder, hide in none, and means the same on every file system and in a URL.
pub(crate) fn is_safe(name: &str) -> bool {
    let safe = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    (1..=128).contains(&name.len()) && name.bytes().all(safe) && !name.starts_with('.')
}

/// Refuses what [`is_safe`] says no to.
pub(crate) fn check(kid: &str) -> Result<(), KeystoreError> {
    if is_safe(kid) { Ok(()) } else { Err(KeystoreError::Name(kid.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn names_that_could_leave_the_folder_or_hide_in_it_are_refused() {
        for name in ["", ".", "..", "../k", "a/b", "a\\b", ".k", "a b", "a\0", "ä", "k\n", &"k".repeat(129)]
        {
            assert!(!is_safe(name), "{name:?}");
        }
    }

    #[test]
    fn thumbprints_and_plain_words_are_names() {
        for name in
            ["ca", "ES256-2026.11", "_x", "-NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", &"k".repeat(128)]
        {
            assert!(is_safe(name), "{name:?}");
        }
    }
}
