//! Signs a large document in constant memory, with a signature that lies beside it.
//!
//! `cargo run -p sealwright-jose-examples --bin sign_large_file`

use std::error::Error;
use std::io::{self, Read};

use sealwright_jose::{Alg, SigningKey, jws::Signer, jws::Verifier};

/// Stands for a file of 16 MiB.
fn document() -> impl Read {
    io::repeat(b'x').take(16 * 1024 * 1024)
}

/// Reads a document piece by piece.
fn each_piece(mut from: impl Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = [0; 64 * 1024];
    while let len @ 1.. = from.read(&mut piece)? {
        take(&piece[..len]);
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    // HMAC, RSA and ECDSA can sign what comes in pieces. EdDSA and ML-DSA need the whole message and say so.
    let key = SigningKey::generate(Alg::Es256)?;

    // Unencoded (RFC 7797): the bytes are signed as they are, so that nobody has to turn them into base64url first.
    let signer = Signer::new(&key).unencoded();
    let mut signing = signer.start_detached()?;
    each_piece(document(), |piece| signing.update(piece))?;
    let signature = signing.finish_compact()?; // `header..signature`, without the payload
    println!("{signature}");

    let verifier = Verifier::builder([Alg::Es256]).key(key.verifying_key()).unencoded().build()?;
    let mut verifying = verifier.start_detached(&signature)?;
    each_piece(document(), |piece| verifying.update(piece))?;
    println!("valid: {} bytes", verifying.finish()?.payload_bytes());
    Ok(())
}
