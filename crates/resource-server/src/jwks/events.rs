//! Hears from a source that its document has changed, so that a revoked key goes within a moment and not when the set is due.
//!
//! What the source sends is a hint and nothing more: it makes us fetch the document that we trust anyway, at most once a
//! second. Without it everything works as if there were none.

use super::{fetch::Fetch, remote::Remote};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::time::sleep;
use url::Url;

/// The pause after a connection that ended, and the longest after several that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// No line of ours is nearly as long.
const MAX_LINE: usize = 4096;

/// Listens until nobody uses the document any more. It holds no `Arc` of it while it waits.
pub(super) async fn listen<T: PartialEq + Send + Sync + 'static>(
    remote: Weak<Remote<T>>,
    fetch: Arc<dyn Fetch>,
    uri: Url,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let mut heard = false;
        let mut lines = Lines::default();
        let mut hear = |bytes: &[u8]| {
            let sound = lines.feed(bytes, |etag| {
                heard = true;
                if let Some(remote) = remote.upgrade() {
                    remote.heard_of(etag);
                }
            });
            sound && remote.strong_count() > 0
        };
        if let Err(error) = fetch.listen(&uri, &mut hear).await {
            tracing::debug!(%uri, %error, "cannot listen for news of the keys");
        }
        if remote.strong_count() == 0 {
            return;
        }
        pause = if heard { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        sleep(pause).await;
    }
}

/// The lines of an event stream (HTML, "Server-sent events"), of which only the data matters.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    /// Takes the next bytes and gives the entity tag of each piece of news; `false` if this is no stream of ours.
    fn feed(&mut self, bytes: &[u8], mut news: impl FnMut(&str)) -> bool {
        for byte in bytes {
            if *byte != b'\n' {
                self.0.push(*byte);
                if self.0.len() > MAX_LINE {
                    return false;
                }
                continue;
            }
            if let Some(etag) = etag(&self.0) {
                news(&etag);
            }
            self.0.clear();
        }
        true
    }
}

fn etag(line: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Data {
        etag: String,
    }
    let data = line.strip_prefix(b"data:")?;
    serde_json::from_slice::<Data>(data).ok().map(|data| data.etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(pieces: &[&str]) -> (bool, Vec<String>) {
        let (mut lines, mut etags) = (Lines::default(), Vec::new());
        let sound =
            pieces.iter().all(|piece| lines.feed(piece.as_bytes(), |etag| etags.push(etag.to_owned())));
        (sound, etags)
    }

    #[test]
    fn news_are_heard_however_they_are_cut() {
        let event = "event: keys\nid: 7\ndata: {\"epoch\":7,\"etag\":\"\\\"abc\\\"\"}\n\n";
        assert_eq!(heard(&[event]), (true, vec!["\"abc\"".to_owned()]));
        let (first, second) = event.split_at(30);
        assert_eq!(heard(&[first, second, ":\n\n", event]).1.len(), 2);
        assert_eq!(heard(&["data:{\"etag\":\"x\"}\r\n"]).1, ["x"]);
    }

    #[test]
    fn what_is_no_news_is_passed_over_and_what_never_ends_is_left() {
        for text in [
            "",
            "data: \n",
            "data: {}\n",
            "data: {\"etag\":7}\n",
            "etag: x\n",
            "<html>\n",
            ": keep-alive\n\n",
        ] {
            assert_eq!(heard(&[text]), (true, vec![]), "{text}");
        }
        assert!(!heard(&[&"x".repeat(MAX_LINE + 1)]).0);
    }
}
