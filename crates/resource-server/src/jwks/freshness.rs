//! How long an answer is fresh, as its source says (RFC 9111 §4.2). The operator's bounds come later.

use http::{HeaderMap, HeaderName, header};
use std::time::Duration;

/// For how long from now on the answer with these headers is fresh; `None` if it does not say.
///
/// `no-store` and `no-cache` are read as "not at all": what they really ask for, a fetch for every token, would make
/// the source's outage ours. Of several `max-age` the shortest counts, and one that cannot be read is zero
/// (RFC 9111 §4.2.1). `Expires` and `s-maxage` (which is for caches that strangers share) are not looked at.
pub(crate) fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    let mut seconds: Option<u64> = None;
    for directive in directives(headers) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let said = if name.eq_ignore_ascii_case("max-age") {
            // The quoted form is not to be sent and to be understood (RFC 9111 §5.2).
            delta_seconds(value.trim_matches('"')).unwrap_or(0)
        } else if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            0
        } else {
            continue;
        };
        seconds = Some(seconds.map_or(said, |known| known.min(said)));
    }
    let age = headers.get(header::AGE).and_then(|age| delta_seconds(age.to_str().ok()?)).unwrap_or(0);
    seconds.map(|seconds| Duration::from_secs(seconds.saturating_sub(age)))
}

/// The directives of all `Cache-Control` lines. A comma inside quotes splits, too: what that leaves of a `max-age`
/// cannot be read, and shortens the time.
fn directives(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    const NAME: HeaderName = header::CACHE_CONTROL;
    let lines = headers.get_all(NAME).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// RFC 9111 §1.2.2: digits alone; more than fit are as many as fit.
fn delta_seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_headers_say() {
        let s = |seconds| Some(Duration::from_secs(seconds));
        for (cache_control, age, fresh) in [
            (&[][..], None, None),
            (&["public"], None, None),
            (&["max-age=300"], None, s(300)),
            (&["public, max-age=300, must-revalidate"], None, s(300)),
            (&["MAX-AGE = 300", "x"], None, None),
            (&["Max-Age=300"], None, s(300)),
            (&["max-age=\"300\""], None, s(300)),
            (&["max-age=300"], Some("100"), s(200)),
            (&["max-age=300"], Some("300"), s(0)),
            (&["max-age=300"], Some("301"), s(0)),
            (&["max-age=300"], Some("-5"), s(300)),
            (&["max-age=300"], Some("soon"), s(300)),
            (&["max-age=300"], Some("99999999999999999999999"), s(0)),
            (&["public"], Some("100"), None),
            (&["max-age=300, max-age=60"], None, s(60)),
            (&["max-age=300", "max-age=60"], None, s(60)),
            (&["max-age=0"], None, s(0)),
            (&["max-age=-1"], None, s(0)),
            (&["max-age=+1"], None, s(0)),
            (&["max-age=1.5"], None, s(0)),
            (&["max-age="], None, s(0)),
            (&["max-age"], None, s(0)),
            (&["max-age=99999999999999999999999"], None, s(u64::MAX)),
            (&["no-store"], None, s(0)),
            (&["no-cache"], None, s(0)),
            (&["No-Cache=\"set-cookie\""], None, s(0)),
            (&["max-age=300, no-store"], None, s(0)),
            (&["s-maxage=300"], None, None),
            (&["private, s-maxage=1, max-age=9"], None, s(9)),
            (&["no-storefront"], None, None),
            (&["ext=\"a, max-age=5\", max-age=300"], None, s(5)),
            (&[",,,;=\"="], None, None),
        ] {
            let mut headers = HeaderMap::new();
            for line in cache_control {
                headers.append(header::CACHE_CONTROL, line.parse().unwrap());
            }
            if let Some(age) = age {
                headers.insert(header::AGE, age.parse().unwrap());
            }
            assert_eq!(lifetime(&headers), fresh, "{cache_control:?} {age:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_say_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, http::HeaderValue::from_bytes(b"max-age=1\xff").unwrap());
        assert_eq!(lifetime(&headers), None);
    }
}
