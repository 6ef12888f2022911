//! Comparing the types that tokens name themselves by.

/// Whether two `typ` values mean one media type: letter case does not matter, and `application/`
/// may be left out where no other slash is (RFC 7515 §4.1.9, RFC 8725bis §3.11).
pub(crate) fn same(one: &str, other: &str) -> bool {
    fn short(name: &str) -> &str {
        match name.split_at_checked("application/".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') => {
                rest
            }
            _ => name,
        }
    }
    short(one).eq_ignore_ascii_case(short(other))
}
