//! The resource server's layer beside what it cannot do without: the digest of a token it has seen, and the verification
//! of one that it has not.

mod hit;
mod issuer;
mod memory;
mod miss;
mod request;
mod serve;

use house::{Fixture, Operation};

pub use issuer::tokens;
pub use memory::{memory, memory_by};
pub use serve::http;

/// Every operation on this fixture.
pub fn operations(fixture: &Fixture) -> Vec<Operation> {
    let mut operations = Vec::new();
    for name in fixture.algs.keys().filter(|name| *name != "HS256") {
        operations.extend(hit::operations(name, fixture));
    }
    for name in ["RS256", "ES256", "EdDSA"] {
        operations.extend(miss::operations(name, fixture));
    }
    operations
}
