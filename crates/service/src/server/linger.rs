//! A request's body that nobody read is read to its end and thrown away, within limits.
//!
//! Who is refused early is often still sending. If the connection closed at once, the kernel would answer what arrives
//! with a reset, and the client would see a broken pipe in place of the refusal.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Bytes;
use http::{HeaderMap, header::EXPECT};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{runtime::Handle, time::timeout};

/// How long a client may go on sending after its answer.
const MAX_TIME: Duration = Duration::from_secs(5);
/// How long it may pause in that time; who pauses longer has nothing on the way that a reset could meet.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// How much it may send in that time.
const MAX_BYTES: u64 = 256 << 20;

/// The body as the handlers see it; what they leave is discarded when it is dropped.
pub(super) struct LingeringBody {
    /// `None` once there is nothing left to read, or nothing that could be.
    body: Option<Incoming>,
    /// The client waits for `100 Continue` (RFC 9110 §10.1.1) and has not been told to send; then it need not.
    waits_for_continue: bool,
}

impl LingeringBody {
    pub(super) fn new(headers: &HeaderMap, body: Incoming) -> Self {
        let expects = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
        Self { body: Some(body), waits_for_continue: headers.get(EXPECT).is_some_and(expects) }
    }
}

impl Body for LingeringBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.waits_for_continue = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for LingeringBody {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        if body.is_end_stream() || self.waits_for_continue {
            return;
        }
        // Outside of the runtime nothing can be read; the connection then closes as it would have.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(MAX_TIME, discard(body)));
        }
    }
}

async fn discard(mut body: Incoming) {
    let mut left = MAX_BYTES;
    while let Ok(Some(Ok(frame))) = timeout(MAX_PAUSE, body.frame()).await {
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
