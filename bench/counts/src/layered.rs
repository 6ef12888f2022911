//! Requests that go through the resource server's layer, and through the same service without it.

use std::{array, hint::black_box};

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use counts::input::KID;
use http::Request;
use layer::{Endpoint, request, send};
use sealwright_jose::{Alg, Digest, Hash, SigningKey, base64url, jws::Signer};
use sealwright_resource_server::{AuthLayer, AuthService, Authenticator, IssuerConfig};
use tower::Layer;

use crate::inputs::NOW;

/// More than are sent in one run, so that none comes twice.
const TOKENS: usize = 32;
const ISSUER: &str = "https://id.example.com";
const AUDIENCE: &str = "https://api.example.com";
/// Of no use to anybody. Fixed, as EdDSA's signatures then are, so that each run verifies the same.
const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","x":"6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw"}"#;

pub(crate) struct Layered {
    bare: Guarded<Endpoint>,
    seen: Guarded<AuthService<Endpoint>>,
    new: Guarded<AuthService<Endpoint>>,
    tokens: [Token; TOKENS],
    key: ParsedPublicKey,
}

struct Token {
    text: String,
    signature: Vec<u8>,
}

/// A service with the endpoint behind it, and the requests for it, which come back from there.
struct Guarded<S> {
    endpoint: Endpoint,
    service: S,
    requests: [Option<Request<()>>; TOKENS],
    next: usize,
}

impl Layered {
    pub(crate) fn new() -> Self {
        let key = SigningKey::from_jwk_as(Alg::Ed25519, KEY).expect("a key").with_kid(KID);
        let tokens: [Token; TOKENS] = array::from_fn(|n| Token::new(&key, n));
        let verifying = key.verifying_key().with_kid(KID);
        let guard = || {
            let issuer = IssuerConfig::new(ISSUER, AUDIENCE).fixed_keys([verifying.clone()]).typ(["JWT"]);
            let authenticator = Authenticator::builder().issuer(issuer).clock(|| NOW).build();
            AuthLayer::new(authenticator.expect("a configuration that makes sense"))
        };
        Self {
            bare: Guarded::new(&tokens, |endpoint| endpoint),
            seen: Guarded::new(&tokens, |endpoint| guard().layer(endpoint)),
            new: Guarded::new(&tokens, |endpoint| guard().layer(endpoint)),
            key: ParsedPublicKey::new(&ED25519, verifying.to_spki_der()).expect("a key"),
            tokens,
        }
    }

    /// What a hit cannot do without: the service, and the digest of the token.
    pub(crate) fn hit_floor(&mut self) {
        self.bare.send(0);
        digest(&self.tokens[0]);
    }

    pub(crate) fn hit(&mut self) {
        self.seen.send(0);
    }

    /// As for a hit, and the signature.
    pub(crate) fn miss_floor(&mut self) {
        let at = self.bare.send_next();
        let Token { text, signature } = &self.tokens[at];
        digest(&self.tokens[at]);
        let (signed, _) = text.rsplit_once('.').expect("a compact token");
        self.key.verify_sig(black_box(signed.as_bytes()), black_box(signature)).expect("it is good");
    }

    pub(crate) fn miss(&mut self) {
        self.new.send_next();
    }
}

impl<S> Guarded<S>
where
    S: tower::Service<Request<()>, Response = http::Response<bytes::Bytes>, Error = std::convert::Infallible>,
{
    fn new(tokens: &[Token; TOKENS], guard: impl FnOnce(Endpoint) -> S) -> Self {
        let endpoint = Endpoint::default();
        let requests = array::from_fn(|n| Some(request(&tokens[n].text)));
        Self { service: guard(endpoint.clone()), endpoint, requests, next: 0 }
    }

    fn send(&mut self, at: usize) {
        let request = self.requests[at].take().expect("it is given back");
        self.requests[at] = Some(send(&mut self.service, &self.endpoint, black_box(request)));
    }

    fn send_next(&mut self) -> usize {
        let at = self.next;
        self.next += 1;
        self.send(at);
        at
    }
}

impl Token {
    fn new(key: &SigningKey, n: usize) -> Self {
        let claims = format!(
            r#"{{"iss":"{ISSUER}","sub":"248289761001","aud":"{AUDIENCE}","exp":{},"nbf":{},"iat":{},"jti":"{n:036}","scope":"read write"}}"#,
            NOW + 3600,
            NOW - 60,
            NOW - 60,
        );
        let text = Signer::new(key).typ("JWT").sign_compact(claims.as_bytes()).expect("it signs");
        let (_, signature) = text.rsplit_once('.').expect("a compact token");
        let signature = base64url::decode(signature).expect("base64url");
        Self { text, signature }
    }
}

fn digest(token: &Token) {
    black_box(Digest::of(Hash::Sha256, black_box(token.text.as_bytes())));
}
