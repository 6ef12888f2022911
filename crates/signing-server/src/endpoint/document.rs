//! The document of somebody who was admitted: whole, in one buffer, with its digest.

use axum::extract::Request;
use http::HeaderMap;

use super::{
    body::{Unreadable, content_length, filename_of_query, is_json, malformed, raw_media_type, read_body},
    digest::{self, Sha256},
    wire::{Input, WorkRequest, decode_content},
};
use crate::authorizer::{Denial, DenialCode};

/// What a JSON body may have beside the document.
const JSON_EXTRA_BYTES: u64 = 64 * 1024;

/// A document with its SHA-256.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: [u8; 32],
    pub(crate) media_type: Option<String>,
}

/// The bytes of its document that a request brings along: what it says, or as much as it may.
pub(super) fn expected_bytes(headers: &HeaderMap, max_bytes: u64) -> u64 {
    content_length(headers).map_or(max_bytes, |length| length.min(max_bytes))
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
