//! A token that was seen before.

use std::hint::black_box;

use house::{Fixture, Operation};
use sealwright_jose::{Digest, Hash};
use sealwright_resource_server::{AuthLayer, Authenticator, VerifiedTokens};
use tower::Layer;

use crate::{
    issuer::{authenticator, with_keys_from_afar},
    request::{Endpoint, request, send},
};

pub(crate) fn operations(name: &str, fixture: &Fixture) -> Vec<Operation> {
    let token = fixture.algs[name].token.clone();
    let digest = {
        let token = token.clone();
        Operation::new(format!("hit/{name}/digest"), move || {
            black_box(Digest::of(Hash::Sha256, black_box(token.as_bytes())));
        })
    };
    let bare = {
        let mut send = without_layer(&token);
        Operation::new(format!("hit/{name}/bare"), move || send())
    };
    let layer = behind("layer", name, &token, authenticator(name, fixture, VerifiedTokens::default()));
    let floor = {
        let mut send = without_layer(&token);
        Operation::new(format!("hit/{name}/floor"), move || {
            black_box(Digest::of(Hash::Sha256, black_box(token.as_bytes())));
            send();
        })
    };
    vec![digest, bare, layer, floor]
}

/// The same request to the service alone.
fn without_layer(token: &str) -> impl FnMut() + use<> {
    let (endpoint, mut kept) = (Endpoint::default(), Some(request(token)));
    let mut service = endpoint.clone();
    move || {
        let request = kept.take().expect("it is given back");
        kept = Some(send(&mut service, &endpoint, black_box(request)));
    }
}

/// The same with keys that were fetched, by their address and by that of their issuer.
pub(crate) fn from_afar(name: &str, fixture: &Fixture) -> Vec<Operation> {
    let token = &fixture.algs[name].token;
    [("layer-jwks", false), ("layer-discovered", true)]
        .map(|(what, discovered)| behind(what, name, token, with_keys_from_afar(name, fixture, discovered)))
        .into()
}

fn behind(what: &str, name: &str, token: &str, authenticator: Authenticator) -> Operation {
    let (endpoint, mut kept) = (Endpoint::default(), Some(request(token)));
    let mut service = AuthLayer::new(authenticator.clone()).layer(endpoint.clone());
    Operation::new(format!("hit/{name}/{what}"), move || {
        let request = kept.take().expect("it is given back");
        kept = Some(send(&mut service, &endpoint, black_box(request)));
        debug_assert!(authenticator.verified_tokens().misses <= 1);
    })
}
