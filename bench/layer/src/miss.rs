//! Tokens that were not seen before: every one is different, and the memory too small for any of them to come back.

use std::hint::black_box;

use house::{Fixture, Operation};
use sealwright_jose::{
    jws::{Scratch, Verifier},
    jwt::Validator,
};
use sealwright_resource_server::{AuthLayer, VerifiedTokens};
use tower::Layer;

use crate::{
    issuer::{Issuer, alg, authenticator, verifying_key},
    request::{Endpoint, request, send},
};

/// Against so many, the smallest memory has hardly ever the one that comes next. And they are so few that the processor has
/// them at hand, as it has a request that a server has just read.
const TOKENS: usize = 128;
const REMEMBERED: usize = 4;

pub(crate) fn operations(name: &str, fixture: &Fixture) -> Vec<Operation> {
    let issuer = Issuer::new(name, fixture);
    let tokens: Vec<String> = (0..TOKENS).map(|n| issuer.token(n)).collect();
    let jwt = {
        let mut verify = verify_jwt(name, fixture, tokens.clone());
        Operation::new(format!("miss/{name}/jwt"), move || verify())
    };
    let bare = {
        let mut send = without_layer(&tokens);
        Operation::new(format!("miss/{name}/bare"), move || send())
    };
    let floor = {
        let (mut verify, mut send) = (verify_jwt(name, fixture, tokens.clone()), without_layer(&tokens));
        Operation::new(format!("miss/{name}/floor"), move || {
            verify();
            send();
        })
    };
    vec![
        jwt,
        bare,
        layer(name, fixture, &tokens, "layer", VerifiedTokens::entries(REMEMBERED)),
        // Beside the one that remembers nothing: each is compared with one other only, to be at the same tokens.
        layer(name, fixture, &tokens, "remembering", VerifiedTokens::entries(REMEMBERED)),
        layer(name, fixture, &tokens, "layer-off", VerifiedTokens::off()),
        floor,
    ]
}

/// What the library needs: signature, header, and all claims that the layer looks at.
fn verify_jwt(name: &str, fixture: &Fixture, tokens: Vec<String>) -> impl FnMut() + use<> {
    let now = i64::try_from(fixture.issued_at).expect("a time of this age") + 60;
    let verifier = Verifier::builder([alg(name)]).key(verifying_key(name, fixture)).typ("JWT").build();
    let verifier = verifier.expect("a policy that makes sense");
    let validator = Validator::builder()
        .expect_typ("JWT")
        .expect_issuer(&fixture.issuer)
        .expect_audience(&fixture.audience)
        .expect_expiry()
        .expect_not_before()
        .waive_max_age()
        .build()
        .expect("each check is expected or waived");
    let (mut next, mut scratch) = (0, Scratch::new());
    move || {
        next = (next + 1) % tokens.len();
        let token = verifier.verify_jwt(black_box(&tokens[next]), &validator, now, &mut scratch);
        black_box(token.expect("it is good").claims().sub());
    }
}

/// The same requests to the service alone.
fn without_layer(tokens: &[String]) -> impl FnMut() + use<> {
    let (endpoint, mut requests, mut next) = (Endpoint::default(), requests(tokens), 0);
    let mut service = endpoint.clone();
    move || {
        next = (next + 1) % requests.len();
        let request = requests[next].take().expect("it is given back");
        requests[next] = Some(send(&mut service, &endpoint, black_box(request)));
    }
}

fn layer(
    name: &str,
    fixture: &Fixture,
    tokens: &[String],
    what: &str,
    remembered: VerifiedTokens,
) -> Operation {
    let (endpoint, mut requests, mut next) = (Endpoint::default(), requests(tokens), 0);
    let layer = AuthLayer::new(authenticator(name, fixture, remembered));
    let mut service = layer.layer(endpoint.clone());
    Operation::new(format!("miss/{name}/{what}"), move || {
        next = (next + 1) % requests.len();
        let request = requests[next].take().expect("it is given back");
        requests[next] = Some(send(&mut service, &endpoint, black_box(request)));
    })
}

fn requests(tokens: &[String]) -> Vec<Option<http::Request<()>>> {
    tokens.iter().map(|token| Some(request(token))).collect()
}
