//! A request's body must keep a pace: whoever sends a byte now and then would otherwise hold a connection, and what
//! the handler took for it, for as long as they like.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::BoxError;
use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// The pace of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long it may pause, and how far it may be behind its rate.
    pub(super) patience: Duration,
    pub(super) bytes_per_s: u32,
}

impl Pace {
    /// When the next piece must be there, of a body that began at `began` and brought `received` bytes until `now`.
    fn deadline(self, began: Instant, now: Instant, received: u64) -> Instant {
        let rate_us = u128::from(received) * 1_000_000 / u128::from(self.bytes_per_s.max(1));
        let earned = Duration::from_micros(u64::try_from(rate_us).unwrap_or(u64::MAX));
        let paused = now + self.patience;
        // Later than any clock will show is as good as no limit on the whole.
        began.checked_add(self.patience.saturating_add(earned)).map_or(paused, |whole| whole.min(paused))
    }
}

/// A body that fails when it falls behind. The time counts from the first look at it, since until then it is the
/// handler that waits.
pub(super) struct PacedBody<B> {
    body: B,
    pace: Pace,
    received: u64,
    running: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> PacedBody<B> {
    pub(super) fn new(body: B, pace: Pace) -> Self {
        Self { body, pace, received: 0, running: None }
    }
}

impl<B> Body for PacedBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { body, pace, received, running } = self.get_mut();
        let (began, timer) = running.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(sleep_until(pace.deadline(now, now, 0))))
        });
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(frame) => {
                if let Some(Ok(frame)) = &frame {
                    *received += frame.data_ref().map_or(0, |data| data.len() as u64);
                    timer.as_mut().reset(pace.deadline(*began, Instant::now(), *received));
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                ready!(timer.as_mut().poll(cx));
                let late = io::Error::new(io::ErrorKind::TimedOut, "the body was sent too slowly");
                Poll::Ready(Some(Err(late.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_earn_time_and_a_pause_is_a_pause() {
        let pace = Pace { patience: Duration::from_secs(30), bytes_per_s: 64 * 1024 };
        let began = Instant::now();
        let at = |secs| began + Duration::from_secs(secs);
        let left = |now, received| pace.deadline(began, at(now), received) - began;
        assert_eq!(left(0, 0), Duration::from_secs(30));
        assert_eq!(left(29, 100).as_secs(), 30, "a byte now and then earns nothing");
        assert_eq!(left(20, 10 << 20), Duration::from_secs(50), "no pause is longer than the patience");
        assert_eq!(left(180, 10 << 20), Duration::from_secs(190), "10 MiB have 30 s and 160 s");
        assert_eq!(left(180, u64::MAX), Duration::from_secs(210));
    }
}
