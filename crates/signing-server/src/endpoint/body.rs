//! Bytes and headers of a request, read within bounds.

use std::borrow::Cow;

use axum::{body::Body, extract::Request};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use sealwright_service::text::check_text;
use url::form_urlencoded;

/// A name of a document, in bytes, as file systems count.
const MAX_FILENAME: usize = 255;
/// A media type (RFC 6838 §4.2 has 127 for each half; no real one comes near).
const MAX_MEDIA_TYPE: usize = 127;

/// Why a body is no document.
pub(super) enum Unreadable {
    Malformed(Cow<'static, str>),
    TooLarge,
}

pub(super) fn malformed(reason: &'static str) -> Unreadable {
    Unreadable::Malformed(reason.into())
}

/// Reads a body into one buffer; `seen` gets each piece as it arrives.
pub(super) async fn read_body(
    request: Request,
    max_bytes: u64,
    mut seen: impl FnMut(&[u8]),
) -> Result<Vec<u8>, Unreadable> {
    let stated = content_length(request.headers());
    if stated.is_some_and(|length| length > max_bytes) {
        return Err(Unreadable::TooLarge);
    }
    // Content-Length is within the limit, so the buffer has the right size at once and never moves.
    let mut bytes = Vec::with_capacity(usize::try_from(stated.unwrap_or(0)).unwrap_or(0));
    let mut body: Body = request.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| malformed("the body ended early"))?;
        let Ok(chunk) = frame.into_data() else {
            continue; // trailers
        };
        if bytes.len() as u64 + chunk.len() as u64 > max_bytes {
            return Err(Unreadable::TooLarge);
        }
        seen(&chunk);
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}

pub(super) fn raw_media_type(headers: &HeaderMap) -> Result<Option<String>, Unreadable> {
    match headers.get(header::CONTENT_TYPE).map(http::HeaderValue::to_str) {
        None => Ok(None),
        Some(Ok(text)) if is_media_type(text) => Ok(Some(text.to_owned())),
        Some(_) => Err(malformed("Content-Type is not a media type")),
    }
}

pub(super) fn filename_of_query(request: &Request) -> Result<Option<String>, Unreadable> {
    let query = request.uri().query().unwrap_or("");
    let mut filename = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "filename" || filename.is_some() {
            return Err(malformed("the only parameter of the query is `filename`, once"));
        }
        check_filename(&value).map_err(Unreadable::Malformed)?;
        filename = Some(value.into_owned());
    }
    Ok(filename)
}

pub(super) fn check_filename(name: &str) -> Result<(), Cow<'static, str>> {
    if name.len() > MAX_FILENAME {
        return Err(format!("`filename` has more than {MAX_FILENAME} bytes").into());
    }
    check_text(name, MAX_FILENAME).map_err(|fault| format!("`filename` {fault}").into())
}

/// `type/subtype` with parameters, in ASCII; it ends in the signed header.
pub(super) fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or("").trim_end();
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.len() <= MAX_MEDIA_TYPE
        && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types() {
        for good in ["text/markdown", "application/vnd.api+json", "text/plain; charset=utf-8"] {
            assert!(is_media_type(good), "{good}");
        }
        for bad in ["", "text", "/", "text/", "text/\u{e4}", "te xt/plain", "text/plain\n", "a/b/c"] {
            assert!(!is_media_type(bad), "{bad:?}");
        }
    }
}
