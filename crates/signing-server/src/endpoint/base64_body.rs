//! A JSON answer with a large document in base64, encoded while it is sent.
//!
//! The document is in memory once; its base64, a third longer, never is as a whole.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Bytes of the document in a frame: a multiple of three, so that only the last one is padded.
const CHUNK: usize = 48 * 1024;

/// `head`, the document in base64, `tail`.
pub(super) struct Base64Body {
    head: Option<Bytes>,
    document: Bytes,
    tail: Option<Bytes>,
}

impl Base64Body {
    pub(super) fn new(head: String, document: impl Into<Bytes>, tail: &'static str) -> Self {
        Self { head: Some(head.into()), document: document.into(), tail: Some(tail.into()) }
    }

    fn remaining(&self) -> u64 {
        let len = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len) as u64;
        len(&self.head) + (self.document.len() as u64).div_ceil(3) * 4 + len(&self.tail)
    }
}

impl Body for Base64Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let next = if let Some(head) = this.head.take() {
            Some(head)
        } else if this.document.is_empty() {
            this.tail.take()
        } else {
            let chunk = this.document.split_to(CHUNK.min(this.document.len()));
            Some(base64_simd::STANDARD.encode_to_string(chunk).into())
        };
        Poll::Ready(next.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining() == 0 && self.head.is_none() && self.tail.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn frames_join_to_one_base64() {
        for len in [0, 1, 2, 3, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 2] {
            let document: Vec<u8> = (0..len).map(|index| (index % 251) as u8).collect();
            let body = Base64Body::new("{\"content\":\"".into(), document.clone(), "\"}");
            let stated = body.size_hint().exact();
            let sent = body.collect().await.unwrap().to_bytes();
            assert_eq!(stated, Some(sent.len() as u64));
            let expected =
                format!("{{\"content\":\"{}\"}}", base64_simd::STANDARD.encode_to_string(document));
            assert_eq!(sent, expected, "{len} bytes");
        }
    }
}
