//! Key sets and their tasks, with a scripted source and tokio's paused clock.

mod ageing;
mod discovered;
mod shared;
mod storms;
mod waiting;

use super::{
    fetch::{Answer, Fetch, Hear, Listening, Pending},
    *,
};
use crate::IssuerConfig;
use http::{HeaderValue, StatusCode};
use sealwright_jose::{Alg, JwkSet, SigningKey, VerifyingKey};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::sleep;
use url::Url;

const SECOND: Duration = Duration::from_secs(1);
const ISSUER: &str = "https://id.example.com";
const KEYS: &str = "https://id.example.com/oauth2/jwks";

/// What the source does next; the last entry stays.
#[derive(Clone)]
enum Reply {
    Body(String),
    /// With an `ETag`, which a client that sends it back gets 304 for, and a `max-age`.
    Tagged(String, &'static str, Duration),
    /// Without an `ETag`, and with a `max-age`.
    Aged(String, Duration),
    After(Duration, String),
    Status(u16),
    /// To another address: whoever fetches does not go there, and says so.
    Redirect,
    Never,
    Panic,
}

/// A scripted network: what each address does, and how often it was asked.
#[derive(Default)]
struct Source {
    scripts: Mutex<HashMap<String, Script>>,
    /// Where somebody listens for news now.
    listened: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Script {
    replies: VecDeque<Reply>,
    calls: usize,
    unchanged: usize,
}

impl Source {
    fn script(&self, uri: &str, replies: impl IntoIterator<Item = Reply>) {
        let mut scripts = self.scripts.lock().unwrap();
        scripts.entry(uri.to_owned()).or_default().replies = replies.into_iter().collect();
    }

    fn now(&self, reply: Reply) {
        self.script(KEYS, [reply]);
    }

    fn calls_of(&self, uri: &str) -> usize {
        self.scripts.lock().unwrap().get(uri).map_or(0, |script| script.calls)
    }

    fn calls(&self) -> usize {
        self.calls_of(KEYS)
    }

    /// How often 304 was the answer.
    fn unchanged(&self) -> usize {
        self.scripts.lock().unwrap()[KEYS].unchanged
    }

    async fn reply(&self, uri: &Url, etag: Option<&HeaderValue>) -> Result<Answer, FetchError> {
        let reply = {
            let mut scripts = self.scripts.lock().unwrap();
            let script = scripts.entry(uri.to_string()).or_default();
            script.calls += 1;
            let reply = if script.replies.len() > 1 {
                script.replies.pop_front()
            } else {
                script.replies.front().cloned()
            };
            if let Some(Reply::Tagged(_, tag, _)) = reply {
                script.unchanged += usize::from(etag.is_some_and(|etag| etag == tag));
            }
            reply.unwrap_or(Reply::Status(404))
        };
        let answer =
            |body: String, fresh_for| Ok(Answer { body: Some(body.into_bytes()), etag: None, fresh_for });
        match reply {
            Reply::Body(body) => answer(body, None),
            Reply::Tagged(_, tag, fresh) if etag.is_some_and(|etag| etag == tag) => {
                Ok(Answer { body: None, etag: etag.cloned(), fresh_for: Some(fresh) })
            }
            Reply::Tagged(body, tag, fresh) => Ok(Answer {
                body: Some(body.into_bytes()),
                etag: Some(HeaderValue::from_static(tag)),
                fresh_for: Some(fresh),
            }),
            Reply::Aged(body, fresh) => answer(body, Some(fresh)),
            Reply::After(delay, body) => {
                sleep(delay).await;
                answer(body, None)
            }
            Reply::Status(status) => Err(FetchError::Status(StatusCode::from_u16(status).unwrap())),
            Reply::Redirect => Err(FetchError::Redirect),
            Reply::Never => std::future::pending().await,
            Reply::Panic => panic!("on purpose"),
        }
    }
}

struct Network(Arc<Source>);

impl Fetch for Network {
    fn fetch<'a>(&'a self, uri: &'a Url, _: &'static str, etag: Option<&'a HeaderValue>) -> Pending<'a> {
        Box::pin(self.0.reply(uri, etag))
    }

    fn listen<'a>(&'a self, uri: &'a Url, _: &'a mut Hear<'_>) -> Listening<'a> {
        let uri = uri.to_string();
        self.0.listened.lock().unwrap().push(uri.clone());
        let stream = Stream(Arc::clone(&self.0), uri);
        Box::pin(async move {
            let _open = stream;
            std::future::pending().await
        })
    }
}

/// An open stream of news; forgotten when it is closed.
struct Stream(Arc<Source>, String);

impl Drop for Stream {
    fn drop(&mut self) {
        let mut listened = self.0.listened.lock().unwrap();
        let at = listened.iter().position(|uri| *uri == self.1).unwrap();
        listened.remove(at);
    }
}

/// Sets that are only refreshed when a request asks, so that a test says when.
fn on_request() -> JwksOptions {
    JwksOptions { background: false, ..JwksOptions::default() }
}

fn network(options: JwksOptions) -> (KeySets, Arc<Source>) {
    let source = Arc::new(Source::default());
    (KeySets::with_fetch(options, Arc::new(Network(Arc::clone(&source)))), source)
}

fn published_at(uri: &str, sets: &KeySets) -> Arc<RemoteKeys> {
    let terms = IssuerConfig::new(ISSUER, "api").jwks_uri(uri.parse().unwrap(), [Alg::Es256]);
    RemoteKeys::new(&terms, sets).unwrap().unwrap()
}

/// One issuer, whose set has these answers.
fn remote(options: JwksOptions, replies: impl IntoIterator<Item = Reply>) -> (Arc<RemoteKeys>, Arc<Source>) {
    let (sets, source) = network(options);
    source.script(KEYS, replies);
    (published_at(KEYS, &sets), source)
}

fn key(kid: &str) -> VerifyingKey {
    SigningKey::generate(Alg::Es256).unwrap().with_kid(kid).verifying_key()
}

fn set(kids: &[&str]) -> String {
    JwkSet::from_keys(kids.iter().map(|kid| key(kid))).unwrap().to_json()
}

fn fresh(kids: &[&str]) -> Reply {
    Reply::Body(set(kids))
}

/// Lets the tasks that were spawned run.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}
