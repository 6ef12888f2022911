//! Request bodies that take their time, and whose length nobody knows beforehand.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};

use super::World;

/// A request to sign whose body does not come, and is not needed for the answer.
pub(crate) struct Unfinished(TcpStream);

/// Sends the head of a request to sign a large document, and a bit of the document.
pub(crate) async fn unfinished(world: &World, token: &str) -> Unfinished {
    let address = world.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/workers/contracts/sign HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: text/plain\r\nContent-Length: 50000000\r\n\r\n# Contract"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    Unfinished(stream)
}

impl Unfinished {
    /// The server has everything, and there is no answer yet.
    pub(crate) async fn is_waited_for(&mut self) {
        let mut byte = [0];
        let early = timeout(Duration::from_millis(500), self.0.read(&mut byte)).await;
        assert!(early.is_err(), "it was answered at once");
    }

    /// The answer, which comes although the body does not.
    pub(crate) async fn answer(mut self) -> String {
        let mut answer = vec![0; 4096];
        let read = timeout(Duration::from_secs(20), self.0.read(&mut answer)).await;
        let len = read.expect("the answer does not wait for the body").unwrap();
        String::from_utf8_lossy(&answer[..len]).into_owned()
    }
}

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
        tokio::time::sleep(Duration::from_secs(3)).await;
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
