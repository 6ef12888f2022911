//! Reads tokens of older systems for as long as they are about, and writes new ones.
//!
//! `cargo run -p sealwright-jose-examples --bin migrate_tokens`

use std::error::Error;

use sealwright_jose::jws::{Header, Policy, Scratch, Signer, Verifier};
use sealwright_jose::{Alg, MacKey, SigningKey};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let mut scratch = Scratch::new();

    // A token that joserfc wrote with the key `secret`. Such a short one is refused everywhere but under that policy,
    // which also takes joserfc's limits and its rules for headers.
    let token = "eyJhbGciOiJIUzI1NiJ9.aGVsbG8.UYmO_lPAY5V0Wf4KZsfhiYs1SxqXPhxvjuYqellDV5A";
    let short = MacKey::insecure_from_short_bytes(Alg::Hs256, b"secret")?;
    let old = Verifier::joserfc().mac_key(short.clone()).build()?;
    let payload = old.verify_compact(token, &mut scratch)?.payload().to_vec();

    // The same bytes, while its readers are still the old ones; then with a key that is long enough.
    assert_eq!(Signer::mac(&short).policy(Policy::Joserfc).sign_compact(&payload)?, token);
    let new = MacKey::generate(Alg::Hs256)?.with_kid("2026-11");
    println!("{}", Signer::mac(&new).sign_compact(&payload)?);

    // `EdDSA` is the older name of Ed25519 (RFC 9864). It is read wherever Ed25519 is allowed …
    let key = SigningKey::generate(Alg::Ed25519)?;
    let header = Header::new(Alg::Ed25519).param("alg", json!("EdDSA")).typ("JWT");
    let token = Signer::new(&key).header(header).sign_compact(b"{}")?;
    let verifier = Verifier::builder([Alg::Ed25519]).key(key.verifying_key()).build()?;
    println!("read as {}", verifier.verify_compact(&token, &mut scratch)?.alg());

    // … and written only by whoever asks for it, as above.
    let token = Signer::new(&key).sign_compact(b"{}")?;
    println!("{}", verifier.verify_compact(&token, &mut scratch)?.protected_header());
    Ok(())
}
