//! Request bodies that take their time, and whose length nobody knows beforehand.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;

/// A body in two pieces; `between` happens after the server got the first and before it gets the second.
pub(crate) fn in_two_pieces(
    first: &[u8],
    second: &[u8],
    between: impl FnOnce() + Send + 'static,
) -> reqwest::Body {
    let (first, second) = (first.to_vec(), second.to_vec());
    let (sender, receiver) = mpsc::channel::<Vec<u8>>(1);
    tokio::spawn(async move {
        // Who is refused stops listening, so sending may fail.
        let _ = sender.send(first).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        between();
        let _ = sender.send(second).await;
    });
    reqwest::Body::wrap(ChannelBody(receiver))
}

struct ChannelBody(mpsc::Receiver<Vec<u8>>);

impl Body for ChannelBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece.into()))))
    }
}
