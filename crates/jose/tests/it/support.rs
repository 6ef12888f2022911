//! Keys, and tokens that are wrong in one way only: whatever the header says, the signature over it
//! is genuine.

use std::sync::LazyLock;

use sealwright_jose::{
    Alg, MacKey, SigningKey, VerifyErrorKind, base64url,
    jws::{Scratch, Verifier, VerifierBuilder},
};

use crate::tally::refused;

pub(crate) const PAYLOAD: &[u8] = br#"{"sub":"alice"}"#;

pub(crate) static ES256: LazyLock<SigningKey> = LazyLock::new(|| generate(Alg::Es256));
pub(crate) static RS256: LazyLock<SigningKey> = LazyLock::new(|| generate(Alg::Rs256));
pub(crate) static ED25519: LazyLock<SigningKey> = LazyLock::new(|| generate(Alg::Ed25519));
pub(crate) static HS256: LazyLock<MacKey> =
    LazyLock::new(|| MacKey::generate(Alg::Hs256).unwrap().with_kid("k"));

/// A key with the `kid` `k`.
pub(crate) fn generate(alg: Alg) -> SigningKey {
    SigningKey::generate(alg).unwrap().with_kid("k")
}

pub(crate) fn es256_verifier() -> VerifierBuilder {
    Verifier::builder([Alg::Es256]).key(ES256.verifying_key())
}

/// `header` and `payload`, signed by `ES256` as they are.
pub(crate) fn signed(header: impl AsRef<[u8]>, payload: &[u8]) -> String {
    let input = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let signature = base64url::encode(ES256.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

/// The flattened form of the same, with more members: `more` ends in a comma or is empty.
pub(crate) fn signed_flattened(header: impl AsRef<[u8]>, more: &str) -> String {
    let token = signed(header, PAYLOAD);
    let parts: Vec<_> = token.split('.').collect();
    format!(r#"{{{more}"payload":"{}","protected":"{}","signature":"{}"}}"#, parts[1], parts[0], parts[2])
}

/// What a verifier says to a compact token.
pub(crate) fn outcome(verifier: &Verifier, token: &str) -> Result<Vec<u8>, VerifyErrorKind> {
    let mut scratch = Scratch::new();
    let verified = verifier.verify_compact(token, &mut scratch);
    verified.map(|verified| verified.payload().to_vec()).map_err(|error| error.kind())
}

/// What a verifier says to a flattened JSON token.
pub(crate) fn outcome_flattened(verifier: &Verifier, json: &str) -> Result<Vec<u8>, VerifyErrorKind> {
    let mut scratch = Scratch::new();
    let verified = verifier.verify_flattened(json, &mut scratch);
    verified.map(|verified| verified.payload().to_vec()).map_err(|error| error.kind())
}

/// Walks a table of headers that are signed by the right key and must be refused all the same.
#[track_caller]
pub(crate) fn refuse_headers(verifier: &Verifier, table: &[(&str, VerifyErrorKind)]) {
    for (header, kind) in table {
        refused(header, outcome(verifier, &signed(header, PAYLOAD)), *kind);
        // The same case in another form is not counted again.
        assert_eq!(outcome_flattened(verifier, &signed_flattened(header, "")), Err(*kind), "{header}");
    }
}
