//! Keys and tokens, made anew for each run and read by every candidate.

use std::{collections::BTreeMap, fs, path::Path, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Everything that is verified and signed in one run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Fixture {
    /// The claims that all tokens carry, as JSON.
    pub claims: String,
    /// The issuer in them.
    pub issuer: String,
    /// The audience in them.
    pub audience: String,
    /// When they were issued, in seconds since the epoch.
    pub issued_at: u64,
    /// Keys and tokens by algorithm name.
    pub algs: BTreeMap<String, Keys>,
    /// A general JSON JWS over the claims with the signatures of RS256, ES256 and EdDSA, in this order.
    pub general: String,
    /// A JWK set of 100 public keys: RSA, P-256 and Ed25519 in turn.
    pub jwk_set: String,
    /// Large tokens.
    pub attached: Vec<Attached>,
}

/// The key of one algorithm and the tokens made with it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Keys {
    /// A compact JWS over the claims.
    pub token: String,
    /// Compact JWSs over the claims, each with a header of its own: more than anybody remembers.
    pub with_other_headers: Vec<String>,
    /// The secret of a MAC, in hexadecimal.
    pub secret: Option<String>,
    /// PKCS#8.
    pub private_pem: Option<String>,
    /// The private key as JWK.
    pub private_jwk: Option<String>,
    /// SubjectPublicKeyInfo.
    pub public_pem: Option<String>,
    /// The key as JWK: the public one, or the secret of a MAC.
    pub jwk: String,
}

/// A token with a large payload, in a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attached {
    /// How large the payload is.
    pub mib: usize,
    /// Where the compact JWS is, signed by the key of HS256. Its payload is a JSON object with the one member `data`.
    pub path: PathBuf,
}

impl Fixture {
    /// Reads the fixture that this process was given as its first argument.
    pub fn from_arguments() -> Self {
        let path = std::env::args_os().nth(1).expect("the first argument is the fixture's path");
        Self::read(Path::new(&path))
    }

    /// Reads a fixture.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("the fixture can be read");
        serde_json::from_str(&text).expect("the fixture is what `ours fixture` wrote")
    }
}

impl Keys {
    /// The bytes of a MAC's secret.
    pub fn secret(&self) -> Option<Vec<u8>> {
        let digits = self.secret.as_deref()?;
        let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        (0..digits.len()).step_by(2).map(byte).collect()
    }
}

/// Where the fixture is in its folder.
pub fn fixture_path(folder: &Path) -> PathBuf {
    folder.join("fixture.json")
}

/// The most memory that this process has held so far, in KiB, where the kernel tells (Linux).
pub fn peak_memory_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
