//! The JSON form of a request, read strictly.

use std::borrow::Cow;

use sealwright_service::json_object::Object;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::body::{Unreadable, check_filename, is_media_type, malformed};
use crate::authentication_context::Authentication;

/// The JSON form of a request. The document is borrowed from the body: it can be large.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkRequest<'a> {
    #[serde(borrow, default)]
    pub(super) input: Option<Object<Input<'a>>>,
    #[serde(default)]
    pub(super) filename: Option<String>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "read so that an unknown option is refused")]
    options: Option<Object<NoOptions>>,
    #[serde(default)]
    pub(super) authentication: Option<Object<Authentication>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input<'a> {
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) digest: Option<Object<StatedDigest>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatedDigest {
    pub(super) alg: String,
    pub(super) value: String,
    /// Bytes of the document, for the person who approves.
    #[serde(default)]
    pub(super) size: Option<u64>,
}

/// No option can be chosen by a request so far.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoOptions {}

impl<'a> WorkRequest<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Cow<'static, str>> {
        // serde's words name fields and places; they repeat no more of the body than that.
        let Object(request): Object<Self> = serde_json::from_slice(body).map_err(|error| {
            Cow::from(format!(
                "the body is not the JSON that is expected (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        if let Some(filename) = &request.filename {
            check_filename(filename)?;
        }
        Ok(request)
    }

    pub(super) fn media_type(&self) -> Result<Option<String>, Unreadable> {
        match &self.media_type {
            Some(text) if is_media_type(text) => Ok(Some(text.clone())),
            Some(_) => Err(malformed("`media_type` is not a media type")),
            None => Ok(None),
        }
    }
}

pub(super) fn decode_content(content: &RawValue) -> Result<Vec<u8>, Unreadable> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
