//! Signs an access token for Alice that is valid for five minutes.
//!
//! `cargo run -p sealwright-jose-examples --bin sign_token`

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use sealwright_jose::{Alg, SigningKey, jws::Signer};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    // A key has exactly one algorithm. One that must outlive the program is read from a file: see import_keys.rs.
    let key = SigningKey::generate(Alg::Es256)?.with_kid("2026-11");

    // Built once, shared by all requests. `alg` and `kid` come from the key; `typ` says what kind of token it is, so
    // that it cannot pass for another kind (here RFC 9068).
    let signer = Signer::new(&key).typ("at+jwt");

    // The library never asks what time it is. Times in tokens are seconds since 1970.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = json!({
        "iss": "https://id.example",
        "aud": "https://api.example",
        "sub": "alice",
        "iat": now,
        "exp": now + 300,
    });

    // The payload is bytes; which bytes, is the caller's business.
    let token = signer.sign_compact(claims.to_string().as_bytes())?;
    println!("{token}");
    Ok(())
}
