//! Signs with a key that this program does not have: it lives in a device or in another service.
//!
//! `cargo run -p sealwright-jose-examples --bin remote_key`

use std::error::Error;

use sealwright_jose::jws::{Header, prepare};
use sealwright_jose::{Alg, Digest, Hash, SigningKey, ecdsa};

fn main() -> Result<(), Box<dyn Error>> {
    // Stands for the device. Like most, it gets a digest, and returns an ECDSA signature in DER.
    let inside = SigningKey::generate(Alg::Es256)?;
    let public = inside.verifying_key().with_kid("hsm-1");
    let device = |hash: Hash, digest: &[u8]| -> Result<Vec<u8>, Box<dyn Error>> {
        let digest = Digest::from_bytes(hash, digest).ok_or("a digest of another length")?;
        Ok(ecdsa::fixed_to_der(&inside.sign_digest(&digest)?)?)
    };

    // First phase: header and payload are fixed. There is no `Signer` to take `kid` from a key, so we write it.
    let header = Header::new(public.alg()).kid("hsm-1").typ("JWT");
    let prepared = prepare(header, br#"{"sub":"alice"}"#)?;

    // Between the phases anything can happen: a network call, a queue, a person who presses a button.
    let der = match prepared.digest() {
        Some(digest) => device(digest.hash(), digest.as_bytes())?,
        // EdDSA and ML-DSA sign the message itself: `prepared.message()`.
        None => return Err("this device wants a digest".into()),
    };

    // Second phase. JWS wants r and s side by side; and a faulty device is found out here, not by the reader.
    let signature = ecdsa::der_to_fixed(prepared.alg(), &der)?;
    let token = prepared.signed_by(&public, signature)?.compact()?;
    println!("{token}");
    Ok(())
}
