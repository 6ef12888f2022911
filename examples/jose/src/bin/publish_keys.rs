//! Makes signing keys, names them by their thumbprints, and publishes their public halves as a JWK set.
//!
//! `cargo run -p sealwright-jose-examples --bin publish_keys`

use std::error::Error;

use sealwright_jose::{Alg, Hash, JwkSet, Selection, SigningKey};

fn main() -> Result<(), Box<dyn Error>> {
    // Today's key and its successor, which is published before it signs anything, so that caches know it in time.
    let mut keys = Vec::new();
    for alg in [Alg::Es256, Alg::Ed25519] {
        let key = SigningKey::generate(alg)?;
        // The thumbprint (RFC 7638) is a digest of the public numbers: a name that nobody has to hand out.
        let kid = key.verifying_key().thumbprint_base64url();
        keys.push(key.with_kid(kid));
    }
    let today = keys[0].verifying_key();

    // What is kept. `to_jwk` gives a text that is wiped from memory when it goes out of use.
    let secret = keys[0].to_jwk()?;
    assert_eq!(SigningKey::from_jwk(&secret)?.verifying_key(), today);

    // What is published. A set has public keys only: it cannot hold a secret.
    let set = JwkSet::from_keys(keys.iter().map(SigningKey::verifying_key))?;
    println!("{}", set.to_json());

    // What readers do with it. A key that they don't know is passed over and listed; it does not spoil the set.
    let read = JwkSet::parse(&set.to_json(), &[Alg::Es256])?;
    assert_eq!(read.skipped().len(), 1, "the Ed25519 key is not among the algorithms that they allow");
    let found = read.select(&Selection::new().kid(today.kid().unwrap_or_default()))?;
    println!("{}", found.thumbprint_uri(Hash::Sha256));
    Ok(())
}
