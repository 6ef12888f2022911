//! Reads keys from PEM, from PEM behind a password and from OpenSSH, and says what a file is.
//!
//! `cargo run -p sealwright-jose-examples --bin import_keys`

use std::error::Error;

use sealwright_jose::{Alg, Inspected, Key, KeyError, SigningKey, VerifyingKey};

fn main() -> Result<(), Box<dyn Error>> {
    // What `openssl genpkey` and `openssl req` write. PEM names no algorithm, so the caller does.
    let made = SigningKey::generate(Alg::Es256)?;
    let (private, public) = (made.to_pem()?, made.verifying_key().to_pem()?);
    let signing = SigningKey::from_pem(Alg::Es256, &private)?;
    let verifying = VerifyingKey::from_pem(Alg::Es256, &public)?; // a certificate will do, too
    assert_eq!(signing.verifying_key(), verifying);

    // Encrypted PKCS#8. A wrong password is told from a missing one.
    let encrypted = made.to_encrypted_pem(b"correct horse")?;
    SigningKey::from_pem_with_password(Alg::Es256, &encrypted, b"correct horse")?;
    assert_eq!(SigningKey::from_pem(Alg::Es256, &encrypted).err(), Some(KeyError::PasswordNeeded));

    // A line of `id_ed25519.pub`.
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea alice";
    let ssh = VerifyingKey::from_openssh(Alg::Ed25519, line)?;
    println!("{}", ssh.to_jwk());

    // A file of which nobody knows what it is: any format, any kind of key.
    match Key::parse_with_password(encrypted.as_bytes(), Some(Alg::Es256), Some(b"correct horse"))? {
        Key::Signing(key) => println!("a private key for {}", key.alg()),
        Key::Verifying(key) => println!("a public key for {}", key.alg()),
        Key::Mac(key) => println!("a secret for {}", key.alg()),
        _ => return Err("a kind of key that this program does not know".into()),
    }

    // Facts for people, without choosing an algorithm; faults are listed.
    let facts = Inspected::read(private.as_bytes(), None)?;
    println!("{}, {}, for {:?}", facts.format(), facts.curve().unwrap_or("no curve"), facts.fitting_algs());
    Ok(())
}
