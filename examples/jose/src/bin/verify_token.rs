//! Verifies a token with the JWK set of its issuer, and checks what it claims.
//!
//! `cargo run -p sealwright-jose-examples --bin verify_token`

use std::error::Error;

use sealwright_jose::jws::{Scratch, Signer, Verifier};
use sealwright_jose::{Alg, JwkSet, SigningKey, jwt::Validator};

fn main() -> Result<(), Box<dyn Error>> {
    // The issuer's: a key, a token, and a JWK set that it publishes.
    let key = SigningKey::generate(Alg::Es256)?.with_kid("2026-11");
    let claims =
        br#"{"iss":"https://id.example","aud":"https://api.example","sub":"alice","exp":1764550800}"#;
    let token = Signer::new(&key).typ("at+jwt").sign_compact(claims)?;
    let published = JwkSet::from_keys([key.verifying_key()])?.to_json();

    // What we have: the set, and the list of algorithms that we accept. The token can choose among them, not add one.
    let keys = JwkSet::parse(&published, &[Alg::Es256])?;
    let verifier = Verifier::builder([Alg::Es256]).keys(&keys).build()?;
    // Each check is expected or waived by name; what is forgotten does not build.
    let validator = Validator::builder()
        .expect_typ("at+jwt")
        .expect_issuer("https://id.example")
        .expect_audience("https://api.example")
        .expect_expiry()
        .waive_not_before()
        .waive_max_age()
        .build()?;

    // All three are kept from token to token.
    let mut scratch = Scratch::new();
    let accepted = verifier.verify_jwt(&token, &validator, 1764547200, &mut scratch)?;
    println!("accepted: {}", accepted.claims().sub().unwrap_or("nobody"));
    // An hour later it has expired. The error's text says nothing; its kind is for the log.
    let refused =
        verifier.verify_jwt(&token, &validator, 1764550800, &mut scratch).err().ok_or("it must expire")?;
    println!("refused: {refused} ({})", refused.kind());
    Ok(())
}
