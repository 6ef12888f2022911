//! URLs in the normal form in which `htu` is compared (RFC 9449 §4.3; RFC 3986 §6.2.2 and §6.2.3).
//!
//! The rules are those of RFC 3986 and not those of browsers, which also mend what is no URL at all (a backslash,
//! a tab, a name in another script): two URLs must not be the same here and different for whoever routes them.

use std::fmt::Write;

/// Whether both name the same resource; query and fragment are not looked at.
pub(super) fn same(one: &str, other: &str) -> bool {
    match (normal(one), normal(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// The normal form, without query and fragment; `None` if it is no absolute http or https URL.
pub(super) fn normal(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (scheme, default_port) = match scheme {
        s if s.eq_ignore_ascii_case("https") => ("https", "443"),
        s if s.eq_ignore_ascii_case("http") => ("http", "80"),
        _ => return None,
    };
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = host_and_port(authority)?;
    let mut normal = String::with_capacity(url.len() + 1);
    normal.extend([scheme, "://"]);
    normal.push_str(&host.to_ascii_lowercase());
    if !port.is_empty() && port != default_port {
        normal.extend([":", port]);
    }
    remove_dot_segments(&normal_octets(path)?, &mut normal);
    Some(normal)
}

/// A user name before the host is refused: none belongs there, and it makes URLs look like others.
fn host_and_port(authority: &str) -> Option<(&str, &str)> {
    let end_of_host = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end_of_host);
    let port = match port {
        "" => "",
        port => port.strip_prefix(':')?,
    };
    let is_address = host.starts_with('[');
    let of_host = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b'.' => true,
        b':' | b'[' | b']' => is_address,
        b'g'..=b'z' | b'G'..=b'Z' | b'-' | b'_' => !is_address,
        _ => false,
    };
    let sound =
        !host.is_empty() && host.bytes().all(of_host) && port.bytes().all(|byte| byte.is_ascii_digit());
    sound.then_some((host, port))
}

/// The path with each octet in its one spelling: an unreserved one as itself, any other escape in capitals, and
/// what may not stand in a URL escaped. `None` for a broken escape, and for a space or control character.
fn normal_octets(path: &str) -> Option<String> {
    let mut normal = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let (octet, escaped) = match byte {
            b'%' => (hex(bytes.next()?)? << 4 | hex(bytes.next()?)?, true),
            0..=b' ' | 0x7F => return None,
            byte => (byte, false),
        };
        let as_itself = is_unreserved(octet) || (!escaped && is_reserved_in_path(octet));
        if as_itself {
            normal.push(char::from(octet));
        } else {
            write!(normal, "%{octet:02X}").ok()?;
        }
    }
    Some(normal)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// RFC 3986 §2.3.
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

/// What else of a path stands for itself (RFC 3986 §3.3), and means something else when it is escaped.
fn is_reserved_in_path(octet: u8) -> bool {
    b"/:@!$&'()*+,;=".contains(&octet)
}

/// RFC 3986 §5.2.4, for a path that is empty or starts with a slash; an empty one becomes `/` (§6.2.3).
fn remove_dot_segments(path: &str, out: &mut String) {
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_open = path.is_empty();
    for segment in path.split('/').skip(1) {
        ends_open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    for segment in segments {
        out.extend(["/", segment]);
    }
    if ends_open {
        out.push('/');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_resource_has_one_normal_form() {
        for (url, expected) in [
            ("https://api.example.com/orders", "https://api.example.com/orders"),
            // RFC 3986 §6.2.2.1: case.
            ("HTTPS://API.Example.COM/Orders", "https://api.example.com/Orders"),
            ("https://api.example.com/%c3%a9", "https://api.example.com/%C3%A9"),
            // §6.2.2.2: percent-encoding.
            ("https://api.example.com/%7Ebob/%41%2d", "https://api.example.com/~bob/A-"),
            ("https://api.example.com/a%2Fb%3f", "https://api.example.com/a%2Fb%3F"),
            ("https://api.example.com/é|", "https://api.example.com/%C3%A9%7C"),
            // §6.2.2.3: dot segments.
            ("https://api.example.com/a/./b/../c", "https://api.example.com/a/c"),
            ("https://api.example.com/a/b/..", "https://api.example.com/a/"),
            ("https://api.example.com/a/%2E%2e/c", "https://api.example.com/c"),
            ("https://api.example.com/../../a", "https://api.example.com/a"),
            ("https://api.example.com/.", "https://api.example.com/"),
            ("https://api.example.com/a/.../b", "https://api.example.com/a/.../b"),
            // §6.2.3: what the scheme says.
            ("https://api.example.com", "https://api.example.com/"),
            ("https://api.example.com:443/", "https://api.example.com/"),
            ("https://api.example.com:/", "https://api.example.com/"),
            ("http://api.example.com:80/", "http://api.example.com/"),
            ("https://api.example.com:80/", "https://api.example.com:80/"),
            ("https://api.example.com:8443/", "https://api.example.com:8443/"),
            ("https://[2001:DB8::1]:443/a", "https://[2001:db8::1]/a"),
            // RFC 9449 §4.3, check 9: query and fragment do not count.
            ("https://api.example.com/a?b=/../c#d", "https://api.example.com/a"),
            ("https://api.example.com?b", "https://api.example.com/"),
            ("https://api.example.com#b/c", "https://api.example.com/"),
            // An empty segment is one, and a slash at the end is one more.
            ("https://api.example.com//a", "https://api.example.com//a"),
            ("https://api.example.com/a//../b/", "https://api.example.com/a/b/"),
        ] {
            assert_eq!(normal(url).as_deref(), Some(expected), "{url}");
            assert_eq!(normal(expected).as_deref(), Some(expected), "normalising twice: {url}");
        }
    }

    #[test]
    fn what_is_no_url_is_like_nothing_not_even_itself() {
        for url in [
            "",
            "/orders",
            "//api.example.com/orders",
            "api.example.com/orders",
            "ftp://api.example.com/",
            "https:/api.example.com/",
            "https:api.example.com",
            "https:///orders",
            "https://:443/",
            "https://alice@api.example.com/",
            "https://api.example.com@evil.example/",
            "https://api.example.com:44a/",
            "https://api.example.com:443:443/",
            "https://api.example.com\\orders",
            "https://api.example.com%2Forders",
            "https://api.éxample.com/",
            "https://[2001:db8::1/",
            "https://[2001:db8::1]x/",
            "https://[v1.x]/",
            "https://2001:db8::1/",
            "https://api.example.com/a b",
            "https://api.example.com/a\n",
            " https://api.example.com/",
            "https://api.example.com/%",
            "https://api.example.com/%4",
            "https://api.example.com/%zz",
            "https://api.example.com/%+1",
        ] {
            assert_eq!(normal(url), None, "{url}");
            assert!(!same(url, url), "{url}");
        }
    }

    #[test]
    fn a_normal_form_is_its_own_whatever_was_sent() {
        let pieces = ["", "%", "2", "E", "e", "/", ".", "..", "?", "#", ":", "@", "é", "\\", "%2f", "%2E"];
        let mut urls = 0;
        for number in 0..pieces.len().pow(4) {
            let tail: String =
                (0..4).map(|place| pieces[number / pieces.len().pow(place) % pieces.len()]).collect();
            for url in [format!("https://h{tail}"), format!("https://h/{tail}")] {
                if let Some(once) = normal(&url) {
                    assert_eq!(normal(&once).as_deref(), Some(&*once), "{url}");
                    assert!(
                        !once.contains("/../") && !once.contains("/./") && !once.ends_with("/.."),
                        "{url}"
                    );
                    urls += 1;
                }
            }
        }
        assert!(urls > 50_000, "{urls}");
    }
}
