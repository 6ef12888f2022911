//! Request bodies: whole documents for those who were admitted, a few kilobytes for everybody else.

use std::{borrow::Cow, net::IpAddr};

use axum::{body::Body, extract::Request};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::form_urlencoded;

use super::{
    digest::{self, Sha256},
    object::Object,
};
use crate::{
    authentication_context::Authentication,
    authorizer::{Denial, DenialCode},
    problem::Failure,
    text::check_text,
};

/// What is read of a stranger.
const MAX_QUESTION_BYTES: usize = 64 * 1024;
/// What a JSON body may have beside the document.
const JSON_EXTRA_BYTES: u64 = 64 * 1024;
/// A name of a document, in bytes, as file systems count.
const MAX_FILENAME: usize = 255;
/// A media type (RFC 6838 §4.2 has 127 for each half; no real one comes near).
const MAX_MEDIA_TYPE: usize = 127;

/// A document with its SHA-256.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: [u8; 32],
    pub(crate) media_type: Option<String>,
}

/// What somebody without a token says about what they want.
#[derive(Debug, Default)]
pub(super) struct Question {
    pub(super) digest: Option<[u8; 32]>,
    pub(super) filename: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) authentication: Option<Authentication>,
    pub(super) peer: Option<IpAddr>,
}

/// The JSON form of a request. The document is borrowed from the body: it can be large.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkRequest<'a> {
    #[serde(borrow, default)]
    input: Option<Object<Input<'a>>>,
    #[serde(default)]
    filename: Option<String>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "read so that an unknown option is refused")]
    options: Option<Object<NoOptions>>,
    #[serde(default)]
    authentication: Option<Object<Authentication>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(default)]
    digest: Option<Object<StatedDigest>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatedDigest {
    alg: String,
    value: String,
    /// Bytes of the document, for the person who approves.
    #[serde(default)]
    size: Option<u64>,
}

/// No option can be chosen by a request so far.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoOptions {}

/// Why a body is no document.
enum Unreadable {
    Malformed(Cow<'static, str>),
    TooLarge,
}

impl Document {
    /// Reads the document of an admitted request, hashing it as it arrives; at most `max_bytes` of it.
    pub(crate) async fn read(request: Request, max_bytes: u64) -> Result<Self, Denial> {
        let read = if is_json(request.headers()) {
            Self::read_json(request, max_bytes).await
        } else {
            Self::read_raw(request, max_bytes).await
        };
        read.map_err(|unreadable| match unreadable {
            Unreadable::Malformed(reason) => Denial::new(DenialCode::RequestMalformed, reason),
            Unreadable::TooLarge => {
                Denial::new(DenialCode::DocumentTooLarge, format!("the limit is {max_bytes} bytes"))
            }
        })
    }

    async fn read_raw(request: Request, max_bytes: u64) -> Result<Self, Unreadable> {
        let stated = digest::content_digest(request.headers()).map_err(malformed)?;
        let media_type = raw_media_type(request.headers())?;
        filename_of_query(&request)?;
        let mut hash = Sha256::new();
        let bytes = read_body(request, max_bytes, |chunk| hash.update(chunk)).await?;
        let digest = hash.finish();
        if stated.is_some_and(|stated| stated != digest) {
            return Err(malformed("the body does not match its Content-Digest"));
        }
        Ok(Self { bytes, digest, media_type })
    }

    async fn read_json(request: Request, max_bytes: u64) -> Result<Self, Unreadable> {
        let max_json_bytes = max_bytes.div_ceil(3).saturating_mul(4).saturating_add(JSON_EXTRA_BYTES);
        let body = read_body(request, max_json_bytes, |_| ()).await?;
        // Decoding and hashing take a while where documents are large: not on a thread that serves.
        let decoded = tokio::task::spawn_blocking(move || Self::decode_json(&body, max_bytes)).await;
        decoded.unwrap_or_else(|_| Err(malformed("the body could not be decoded")))
    }

    fn decode_json(body: &[u8], max_bytes: u64) -> Result<Self, Unreadable> {
        let request = WorkRequest::parse(body).map_err(Unreadable::Malformed)?;
        let media_type = request.media_type()?;
        let content = match request.input.map(|input| input.0) {
            Some(Input { content: Some(content), digest: None }) => content,
            Some(Input { digest: Some(_), .. }) => {
                return Err(malformed("this worker needs the document itself: `input.content` alone"));
            }
            _ => return Err(malformed("`input.content` is missing")),
        };
        let bytes = decode_content(content)?;
        if bytes.len() as u64 > max_bytes {
            return Err(Unreadable::TooLarge);
        }
        let digest = digest::sha256(&bytes);
        Ok(Self { bytes, digest, media_type })
    }
}

impl Question {
    /// Reads as much of a stranger's request as it takes to answer it: the headers, and a small JSON body.
    pub(super) async fn read(request: Request, peer: Option<IpAddr>) -> Result<Self, Failure> {
        let reason = |unreadable| match unreadable {
            Unreadable::Malformed(reason) => Failure::RequestMalformed(reason),
            Unreadable::TooLarge => Failure::RequestMalformed("the body is too large".into()),
        };
        if !is_json(request.headers()) {
            return Ok(Self {
                digest: digest::content_digest(request.headers())
                    .map_err(|reason| Failure::RequestMalformed(reason.into()))?,
                filename: filename_of_query(&request).map_err(reason)?,
                size: content_length(request.headers()).filter(|size| *size > 0),
                authentication: None,
                peer,
            });
        }
        match read_body(request, MAX_QUESTION_BYTES as u64, |_| ()).await {
            Ok(body) => Self::parse(&body, peer).map_err(reason),
            // Too large to be hashed for nobody in particular: the answer will say that the digest can be sent.
            Err(Unreadable::TooLarge) => Ok(Self { peer, ..Self::default() }),
            Err(unreadable) => Err(reason(unreadable)),
        }
    }

    fn parse(body: &[u8], peer: Option<IpAddr>) -> Result<Self, Unreadable> {
        if body.trim_ascii().is_empty() {
            return Ok(Self { peer, ..Self::default() });
        }
        let request = WorkRequest::parse(body).map_err(Unreadable::Malformed)?;
        request.media_type()?;
        let (digest, size) = match request.input.map(|input| input.0) {
            None | Some(Input { content: None, digest: None }) => (None, None),
            Some(Input { content: Some(content), digest: None }) => {
                let content = decode_content(content)?;
                (Some(digest::sha256(&content)), Some(content.len() as u64))
            }
            Some(Input { content: None, digest: Some(Object(stated)) }) => {
                if stated.alg != digest::SHA_256 {
                    return Err(malformed("`input.digest.alg` must be `SHA-256`"));
                }
                let digest = digest::decode(&stated.value)
                    .ok_or_else(|| malformed("`input.digest.value` is not base64 of 32 bytes"))?;
                (Some(digest), stated.size)
            }
            Some(Input { content: Some(_), digest: Some(_) }) => {
                return Err(malformed("`input` needs either `content` or `digest`"));
            }
        };
        Ok(Self { digest, filename: request.filename, size, authentication: request.authentication.map(|object| object.0), peer })
    }
}

impl<'a> WorkRequest<'a> {
    fn parse(body: &'a [u8]) -> Result<Self, Cow<'static, str>> {
        // serde's words name fields and places; they repeat no more of the body than that.
        let Object(request): Object<Self> = serde_json::from_slice(body).map_err(|error| {
            Cow::from(format!("the body is not the JSON that is expected (line {}, column {})", error.line(), error.column()))
        })?;
        if let Some(filename) = &request.filename {
            check_filename(filename)?;
        }
        Ok(request)
    }

    fn media_type(&self) -> Result<Option<String>, Unreadable> {
        match &self.media_type {
            Some(text) if is_media_type(text) => Ok(Some(text.clone())),
            Some(_) => Err(malformed("`media_type` is not a media type")),
            None => Ok(None),
        }
    }
}

fn malformed(reason: &'static str) -> Unreadable {
    Unreadable::Malformed(reason.into())
}

/// Reads a body into one buffer; `seen` gets each piece as it arrives.
async fn read_body(
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

fn decode_content(content: &RawValue) -> Result<Vec<u8>, Unreadable> {
    let json = content.get();
    let not_base64 = || malformed("`input.content` is not base64");
    // Base64 needs no escapes, except that some encoders write `\/`; only then is the text copied.
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.as_bytes().contains(&b'\\') => {
            base64_simd::STANDARD.decode_to_vec(plain).map_err(|_| not_base64())
        }
        _ => {
            let text: String = serde_json::from_str(json).map_err(|_| not_base64())?;
            base64_simd::STANDARD.decode_to_vec(text).map_err(|_| not_base64())
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn raw_media_type(headers: &HeaderMap) -> Result<Option<String>, Unreadable> {
    match headers.get(header::CONTENT_TYPE).map(http::HeaderValue::to_str) {
        None => Ok(None),
        Some(Ok(text)) if is_media_type(text) => Ok(Some(text.to_owned())),
        Some(_) => Err(malformed("Content-Type is not a media type")),
    }
}

fn filename_of_query(request: &Request) -> Result<Option<String>, Unreadable> {
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

fn check_filename(name: &str) -> Result<(), Cow<'static, str>> {
    if name.len() > MAX_FILENAME {
        return Err(format!("`filename` has more than {MAX_FILENAME} bytes").into());
    }
    check_text(name, MAX_FILENAME).map_err(|fault| format!("`filename` {fault}").into())
}

/// `type/subtype` with parameters, in ASCII; it ends in the signed header.
fn is_media_type(text: &str) -> bool {
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

    #[test]
    fn escaped_base64_is_understood_and_other_things_are_not() {
        let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        assert_eq!(decode_content(&raw(r#""\/\/\/\/""#)).ok(), Some(vec![0xff; 3]));
        assert_eq!(decode_content(&raw(r#""////""#)).ok(), Some(vec![0xff; 3]));
        for json in [r#""YQ""#, r#""YR==""#, r#""Y Q==""#, r#""YQ==\n""#, "42", "null", r#"["YQ=="]"#] {
            assert!(decode_content(&raw(json)).is_err(), "{json}");
        }
    }

    #[test]
    fn requests_are_read_strictly() {
        for body in [
            r#"{"input":{"content":"YQ=="},"unknown":1}"#,
            r#"{"input":{"content":"YQ=="},"input":{"content":"Yg=="}}"#,
            r#"{"input":{"content":"YQ=="},"options":{"level":"B-T"}}"#,
            r#"{"input":{"content":"YQ=="},"filename":"a\u202eb"}"#,
            r#"[]"#,
            r#"[{"content":"YQ=="}]"#,
            r#"{"input":["YQ=="]}"#,
            r#"{"input":{"content":"YQ=="},"options":[]}"#,
            "",
        ] {
            assert!(WorkRequest::parse(body.as_bytes()).is_err(), "{body}");
        }
        assert!(WorkRequest::parse(br#"{"input":{"content":"YQ=="},"options":{}}"#).is_ok());
    }
}
