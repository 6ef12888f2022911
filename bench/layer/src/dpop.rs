//! A token that is bound to a key of its sender, whose proof is another with each request (RFC 9449).

use std::hint::black_box;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use house::{Fixture, Operation};
use http::{HeaderValue, Request, header};
use sealwright_jose::{Alg, Digest, Hash, SigningKey, base64url};
use sealwright_resource_server::{
    AuthLayer, AuthService, Authenticator, IssuerConfig,
    sender::dpop::{DPOP, DpopOptions},
};
use tower::Layer;

use crate::{
    issuer::{Issuer, verifying_key},
    request::{Endpoint, request, send},
};

const NAME: &str = "ES256";
/// Each proof passes once only, so that after so many requests another authenticator goes on, which has seen none. To build
/// it and to verify the token once is a part of what is measured, and a small one.
const PROOFS: usize = 1_024;
const URL: &str = "https://api.example.com";

pub(crate) fn operations(fixture: &Fixture) -> Vec<Operation> {
    let client = SigningKey::generate(Alg::Es256).expect("a key");
    let jkt = client.verifying_key().thumbprint_base64url();
    let token = Issuer::new(NAME, fixture).bound_token(&jkt);
    let now_s = i64::try_from(fixture.issued_at).expect("a time of this age") + 60;
    let proofs: Vec<String> = (0..PROOFS).map(|n| proof(&client, &token, now_s, n)).collect();
    vec![signature(&client, &proofs), bare(&token, &proofs), layer(fixture, &token, &proofs, now_s)]
}

fn proof(client: &SigningKey, token: &str, now_s: i64, n: usize) -> String {
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{}}}"#, client.verifying_key().to_jwk());
    let ath = base64url::encode(Digest::of(Hash::Sha256, token.as_bytes()).as_bytes());
    let claims =
        format!(r#"{{"jti":"{n:036}","htm":"GET","htu":"{URL}/orders","iat":{now_s},"ath":"{ath}"}}"#);
    let signed = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
    let signature = client.sign(signed.as_bytes()).expect("it signs");
    format!("{signed}.{}", base64url::encode(signature))
}

fn requests(token: &str, proofs: &[String]) -> Vec<Option<Request<()>>> {
    let authorization = HeaderValue::try_from(format!("DPoP {token}")).expect("a header's value");
    let with = |proof: &String| {
        let mut request = request(token);
        request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        request.headers_mut().insert(DPOP, HeaderValue::try_from(proof).expect("a header's value"));
        Some(request)
    };
    proofs.iter().map(with).collect()
}

/// What cannot be done without: the proof's signature, by a key that comes with it and is read anew.
fn signature(client: &SigningKey, proofs: &[String]) -> Operation {
    let spki = client.verifying_key().to_spki_der().to_vec();
    let split = |proof: &String| {
        let (signed, signature) = proof.rsplit_once('.').expect("a compact token");
        (signed.to_owned(), base64url::decode(signature).expect("base64url"))
    };
    let proofs: Vec<_> = proofs.iter().map(split).collect();
    let mut next = 0;
    Operation::new(format!("dpop/{NAME}/primitive"), move || {
        next = (next + 1) % proofs.len();
        let (signed, signature) = &proofs[next];
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, black_box(&spki)).expect("a key");
        key.verify_sig(black_box(signed.as_bytes()), signature).expect("it is good");
    })
}

fn bare(token: &str, proofs: &[String]) -> Operation {
    let (endpoint, mut requests, mut next) = (Endpoint::default(), requests(token, proofs), 0);
    let mut service = endpoint.clone();
    Operation::new(format!("dpop/{NAME}/bare"), move || {
        next = (next + 1) % requests.len();
        let request = requests[next].take().expect("it is given back");
        requests[next] = Some(send(&mut service, &endpoint, black_box(request)));
    })
}

fn layer(fixture: &Fixture, token: &str, proofs: &[String], now_s: i64) -> Operation {
    let issuer = IssuerConfig::new(&fixture.issuer, &fixture.audience)
        .fixed_keys([verifying_key(NAME, fixture)])
        .typ(["JWT"]);
    let guarded = move |endpoint: &Endpoint| -> AuthService<Endpoint> {
        let options = DpopOptions { external_url: URL.parse().ok(), ..DpopOptions::default() };
        let authenticator =
            Authenticator::builder().issuer(issuer.clone()).dpop(options).clock(move || now_s).build();
        AuthLayer::new(authenticator.expect("a configuration that makes sense")).layer(endpoint.clone())
    };
    let (endpoint, mut requests, mut next) = (Endpoint::default(), requests(token, proofs), 0);
    let mut service = guarded(&endpoint);
    Operation::new(format!("dpop/{NAME}/layer"), move || {
        if next == requests.len() {
            (next, service) = (0, guarded(&endpoint));
        }
        let request = requests[next].take().expect("it is given back");
        requests[next] = Some(send(&mut service, &endpoint, black_box(request)));
        next += 1;
    })
}
