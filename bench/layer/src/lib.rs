//! The resource server's layer beside what it cannot do without: the digest of a token it has seen, and the verification
//! of one that it has not.

mod afar;
mod dpop;
mod hit;
mod issuer;
mod memory;
mod miss;
mod request;
mod serve;

use std::hint::black_box;

use aws_lc_rs::hmac;
use house::{Fixture, Operation};
use sealwright_jose::base64url;

pub use issuer::tokens;
pub use memory::{memory, memory_by};
pub use request::{Endpoint, request, send};
pub use serve::http;

/// Every operation on this fixture.
pub fn operations(fixture: &Fixture) -> Vec<Operation> {
    let mut operations = vec![bare_hmac(fixture)];
    for name in fixture.algs.keys().filter(|name| *name != "HS256") {
        operations.extend(hit::operations(name, fixture));
    }
    operations.extend(hit::from_afar("ES256", fixture));
    for name in ["RS256", "ES256", "EdDSA"] {
        operations.extend(miss::operations(name, fixture));
    }
    operations.extend(dpop::operations(fixture));
    operations
}

/// The measure of the machine: what verifying HS256 takes with the bare primitive, by the name that it has in `ours`.
fn bare_hmac(fixture: &Fixture) -> Operation {
    let keys = &fixture.algs["HS256"];
    let key = hmac::Key::new(hmac::HMAC_SHA256, &keys.secret().expect("a secret"));
    let (message, signature) = keys.token.rsplit_once('.').expect("a compact token");
    let message = message.as_bytes().to_vec();
    let signature = base64url::decode(signature).expect("base64url");
    Operation::new("verify/HS256/primitive".to_owned(), move || {
        hmac::verify(&key, black_box(&message), black_box(&signature)).expect("it is good");
    })
}
