//! One contract, signed by two people, and three ways to ask who signed.
//!
//! `cargo run -p sealwright-jose-examples --bin several_signatures`

use std::error::Error;

use sealwright_jose::jws::{Require, Scratch, Signer, Verifier, sign_general};
use sealwright_jose::{Alg, JwkSet, SigningKey};

fn main() -> Result<(), Box<dyn Error>> {
    let alice = SigningKey::generate(Alg::Es256)?.with_kid("alice");
    let bob = SigningKey::generate(Alg::Ed25519)?.with_kid("bob");
    let mallory = SigningKey::generate(Alg::Es256)?.with_kid("mallory");
    let known = JwkSet::from_keys([alice.verifying_key(), bob.verifying_key()])?;

    // The general JSON form has a list of signatures over one payload.
    let [by_alice, by_bob, by_mallory] = [alice, bob, mallory].each_ref().map(Signer::new);
    let contract = sign_general(&[&by_alice, &by_bob], b"a contract")?;

    let verifier = Verifier::builder([Alg::Es256, Alg::Ed25519]).keys(&known).build()?;
    let mut scratch = Scratch::new();
    // Whoever passes a token on can take signatures away, and then *all* of the rest are valid. So say how many
    // different keys the contract needs.
    let verified = verifier.verify_general(&contract, Require::AtLeast(2), &mut scratch)?;
    println!("signed by {}", verified.signatures().len());
    let stripped = sign_general(&[&by_alice], b"a contract")?;
    assert!(verifier.verify_general(&stripped, Require::AtLeast(2), &mut scratch).is_err());

    // A report says what became of each signature; the payload comes only with enough valid ones.
    let contract = sign_general(&[&by_alice, &by_mallory], b"a contract")?;
    let report = verifier.examine_json(&contract, &mut scratch)?;
    for outcome in report.signatures() {
        match outcome {
            Ok(signature) => println!("valid: {}", signature.kid().unwrap_or("?")),
            Err(error) => println!("refused: {}", error.kind()),
        }
    }
    assert!(report.require(Require::All).is_err());
    Ok(())
}
