//! The floor, aws-lc-rs on parsed keys over the same bytes, and Sealwright.

mod attached;
mod batch;
mod general;
mod import;
mod jwt;
mod large;
mod make;
mod primitive;
mod sign;
mod token;
mod verify;

use house::{Fixture, Operation};
use sealwright_jose::Alg;

pub use large::large;
pub use make::make_fixture;

/// The algorithms in the order of the tables, by the names that tokens carry.
pub(crate) const NAMES: [&str; 8] =
    ["HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA", "ES256K", "ML-DSA-44"];

/// Every operation on this fixture.
pub fn operations(fixture: &Fixture) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (name, keys) in &fixture.algs {
        operations.extend(verify::operations(name, keys));
        operations.extend(jwt::operations(name, keys, fixture));
        operations.extend(sign::operations(name, keys, fixture));
        operations.extend(batch::operations(name, keys));
    }
    operations.extend(general::operations(fixture));
    operations.extend(attached::operations(fixture));
    operations.extend(import::operations(fixture));
    operations
}

/// The algorithm of that name, if this version has it.
pub(crate) fn alg(name: &str) -> Option<Alg> {
    Alg::from_name(if name == "EdDSA" { "Ed25519" } else { name })
}
