//! What somebody without a token says: a digest, a name, who they are. Their bodies are not read whole.

use std::{net::IpAddr, time::Duration};

use axum::extract::Request;
use sealwright_service::json_object::Object;

use super::{
    body::{Unreadable, content_length, filename_of_query, is_json, malformed, read_body},
    digest,
    wire::{Input, WorkRequest, decode_content},
};
use crate::{authentication_context::Authentication, problem::Failure};

/// What is read of a stranger.
const MAX_QUESTION_BYTES: u64 = 64 * 1024;
/// How long a stranger may take to say it; nobody has vouched for them, and they hold a connection.
const MAX_TIME: Duration = Duration::from_secs(10);

/// What somebody without a token says about what they want.
#[derive(Debug, Default)]
pub(super) struct Question {
    pub(super) digest: Option<[u8; 32]>,
    pub(super) filename: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) authentication: Option<Authentication>,
    pub(super) peer: Option<IpAddr>,
}

impl Question {
    /// Reads as much of a stranger's request as it takes to answer it: the headers, and a small JSON body.
    pub(super) async fn read(request: Request, peer: Option<IpAddr>) -> Result<Self, Failure> {
        Self::read_within(request, peer, MAX_TIME).await
    }

    async fn read_within(request: Request, peer: Option<IpAddr>, time: Duration) -> Result<Self, Failure> {
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
        let reading = read_body(request, MAX_QUESTION_BYTES, |_| ());
        match tokio::time::timeout(time, reading).await.map_err(|_| Failure::RequestTimeout)? {
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
        Ok(Self {
            digest,
            filename: request.filename,
            size,
            authentication: request.authentication.map(|object| object.0),
            peer,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, pin::Pin, task};

    use axum::body::{Body, Bytes};
    use http::header::CONTENT_TYPE;
    use hyper::body::Frame;

    use super::*;

    /// A client that goes on and on, a byte at a time.
    struct Dripping(Pin<Box<tokio::time::Sleep>>);

    impl hyper::body::Body for Dripping {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut task::Context<'_>,
        ) -> task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            task::ready!(self.0.as_mut().poll(cx));
            self.0 = Box::pin(tokio::time::sleep(Duration::from_millis(1)));
            task::Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b" ")))))
        }
    }

    #[tokio::test]
    async fn a_stranger_has_only_so_much_time() {
        let body = Dripping(Box::pin(tokio::time::sleep(Duration::ZERO)));
        let request = http::Request::builder().header(CONTENT_TYPE, "application/json");
        let request = request.body(Body::new(body)).unwrap();
        let asked = Question::read_within(request, None, Duration::from_millis(50)).await;
        assert!(matches!(asked, Err(Failure::RequestTimeout)), "{asked:?}");
    }
}
