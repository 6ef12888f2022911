//! Makes the fixture: fresh keys, and tokens put together here byte by byte, so that every candidate gets the same.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use house::{Attached, Fixture, Keys};
use sealwright_jose::{Alg, MacKey, SigningKey, base64url};

/// The `kid` of every key, in the header that is seen again and again.
pub(crate) const KID: &str = "bench-2026";
/// More headers than a verifier can be expected to remember, twice.
const OTHER_HEADERS: usize = 128;
const SET_KEYS: usize = 100;
const ATTACHED_MIB: [usize; 3] = [1, 16, 64];

/// Writes the fixture and its large tokens into `folder`.
pub fn make_fixture(folder: &Path) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let issued_at = now - 60;
    let (issuer, audience) = ("https://id.example.com", "https://api.example.com");
    let claims = format!(
        r#"{{"iss":"{issuer}","sub":"248289761001","aud":"{audience}","exp":{},"nbf":{issued_at},"iat":{issued_at},"jti":"0f8fad5b-d9cb-469f-a165-70867728950e","scope":"read write"}}"#,
        now + 86_400
    );
    let mut algs = BTreeMap::new();
    let mut keys = BTreeMap::new();
    for name in crate::NAMES {
        // What this version of the library does not know is left out, of the tables too.
        let Some(alg) = crate::alg(name) else { continue };
        let key = Key::generate(alg);
        algs.insert(name.to_owned(), key.keys(name, &claims));
        keys.insert(name, key);
    }
    let general = general(&keys, &claims);
    let hs256 = keys.get("HS256").expect("HS256 is always there");
    let attached = ATTACHED_MIB.map(|mib| attached(folder, hs256, mib)).to_vec();
    let fixture = Fixture {
        claims,
        issuer: issuer.into(),
        audience: audience.into(),
        issued_at,
        algs,
        general,
        jwk_set: jwk_set(),
        attached,
    };
    let text = serde_json::to_string_pretty(&fixture).expect("a fixture can be written as JSON");
    fs::write(house::fixture_path(folder), text).expect("the folder can be written to");
}

enum Key {
    Mac(MacKey, Vec<u8>),
    Signing(SigningKey),
}

impl Key {
    fn generate(alg: Alg) -> Self {
        if !alg.is_mac() {
            return Self::Signing(SigningKey::generate(alg).expect("a key can be generated"));
        }
        let mut secret = vec![0; 32];
        aws_lc_rs::rand::fill(&mut secret).expect("the system has random bytes");
        Self::Mac(MacKey::from_bytes(alg, &secret).expect("long enough"), secret)
    }

    fn keys(&self, name: &str, claims: &str) -> Keys {
        let with_other_headers =
            (0..OTHER_HEADERS).map(|n| self.token(&header(name, &format!("bench-{n:04}")), claims)).collect();
        let token = self.token(&header(name, KID), claims);
        match self {
            Self::Mac(key, secret) => Keys {
                token,
                with_other_headers,
                secret: Some(secret.iter().map(|byte| format!("{byte:02x}")).collect()),
                private_pem: None,
                private_jwk: None,
                public_pem: None,
                jwk: key.to_jwk().to_string(),
            },
            Self::Signing(key) => Keys {
                token,
                with_other_headers,
                secret: None,
                private_pem: Some(key.to_pem().expect("it can be written").to_string()),
                private_jwk: Some(key.to_jwk().expect("it can be written").to_string()),
                public_pem: Some(key.verifying_key().to_pem().expect("it can be written")),
                jwk: key.verifying_key().to_jwk(),
            },
        }
    }

    fn token(&self, header: &str, payload: &str) -> String {
        let mut token = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
        let signature = self.sign(&token);
        token.push('.');
        token.push_str(&signature);
        token
    }

    fn sign(&self, input: &str) -> String {
        loop {
            let signature = match self {
                Self::Mac(key, _) => key.sign(input.as_bytes()),
                Self::Signing(key) => key.sign(input.as_bytes()),
            };
            let signature = signature.expect("it signs");
            // Libraries that come from Bitcoin refuse an s above half the order; JWS does not ask for that.
            let is_es256k = matches!(self, Self::Signing(key) if key.alg() == Alg::Es256k);
            if !is_es256k || signature[32] < 0x7F {
                return base64url::encode(signature);
            }
        }
    }
}

fn header(name: &str, kid: &str) -> String {
    format!(r#"{{"alg":"{name}","typ":"JWT","kid":"{kid}"}}"#)
}

fn general(keys: &BTreeMap<&str, Key>, claims: &str) -> String {
    let payload = base64url::encode(claims);
    let signatures: Vec<_> = ["RS256", "ES256", "EdDSA"]
        .iter()
        .map(|name| {
            let protected = base64url::encode(header(name, KID));
            let signature = keys[name].sign(&format!("{protected}.{payload}"));
            format!(r#"{{"protected":"{protected}","signature":"{signature}"}}"#)
        })
        .collect();
    format!(r#"{{"payload":"{payload}","signatures":[{}]}}"#, signatures.join(","))
}

/// Generating RSA keys takes long, so a few of them stand under many names.
fn jwk_set() -> String {
    let algs = [Alg::Rs256, Alg::Es256, Alg::Ed25519];
    let generated: Vec<Vec<SigningKey>> = algs
        .iter()
        .map(|alg| (0..4).map(|_| SigningKey::generate(*alg).expect("a key can be generated")).collect())
        .collect();
    let keys: Vec<_> = (0..SET_KEYS)
        .map(|n| {
            let key = &generated[n % algs.len()][n / algs.len() % 4];
            // Not everybody knows Ed25519 by the name that says so.
            key.verifying_key()
                .with_kid(format!("key-{n:03}"))
                .to_jwk()
                .replace(r#""alg":"Ed25519""#, r#""alg":"EdDSA""#)
        })
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn attached(folder: &Path, key: &Key, mib: usize) -> Attached {
    let mut random = vec![0; mib * 1024 * 1024 * 3 / 4];
    aws_lc_rs::rand::fill(&mut random).expect("the system has random bytes");
    let payload = format!(r#"{{"data":"{}"}}"#, base64url::encode(&random));
    let path = folder.join(format!("attached-{mib}.jws"));
    fs::write(&path, key.token(&header("HS256", KID), &payload)).expect("the folder can be written to");
    Attached { mib, path }
}
