//! What is left of a private key in this process's memory when nobody holds it any more.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
};

use sealwright_jose::{Alg, SigningKey, base64url};
use sealwright_keystore::KeyProvider;
use serde_json::{Value, json};
use tempfile::tempdir;
use zeroize::Zeroizing;

use crate::{
    in_a_child, ring,
    softhsm::{PIN, Token, util},
};

/// A secret by which it can be recognised without being in memory itself: every byte is inverted.
struct Needle {
    what: String,
    inverted: Vec<u8>,
}

impl Needle {
    fn is_at(&self, bytes: &[u8]) -> bool {
        bytes.len() >= self.inverted.len() && bytes.iter().zip(&self.inverted).all(|(a, b)| *a == !*b)
    }
}

/// The private numbers of a JWK as bytes in both orders, hexadecimal and base64url. Leaves no copy of its own.
fn needles(jwk: &str) -> Vec<Needle> {
    let mut needles = Vec::new();
    for name in ["d", "p", "q", "dp", "dq", "qi", "priv"] {
        let Some((_, rest)) = jwk.split_once(&format!("\"{name}\":\"")) else { continue };
        let text = rest.split('"').next().unwrap();
        let mut bytes = Zeroizing::new(base64url::decode(text).unwrap());
        let mut add = |form: &str, bytes: &[u8]| {
            // A part is enough, and finds copies of which another part was overwritten already.
            let len = bytes.len().min(24);
            let from = (bytes.len() - len) / 2;
            let inverted = bytes[from..from + len].iter().map(|byte| !byte).collect();
            needles.push(Needle { what: format!("{name} {form}"), inverted });
        };
        add("in base64url", text.as_bytes());
        add("big-endian", &bytes);
        let mut hex = Zeroizing::new(Vec::with_capacity(2 * bytes.len()));
        for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
            hex.push(b"0123456789abcdef"[usize::from(digit)]);
        }
        add("in hexadecimal", &hex);
        bytes.reverse();
        add("little-endian", &bytes);
    }
    assert!(!needles.is_empty());
    needles
}

/// Where in this process's memory the needles are.
fn found(needles: &[Needle]) -> Vec<String> {
    const CHUNK: usize = 1 << 20;
    /// No needle is longer.
    const OVERLAP: usize = 32;
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut chunk = vec![0; CHUNK];
    let mut starts = [false; 256];
    for needle in needles {
        starts[usize::from(!needle.inverted[0])] = true;
    }
    let mut found = Vec::new();
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (from, to) = map.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|at| u64::from_str_radix(at, 16).unwrap());
        for start in (from..to).step_by(CHUNK - OVERLAP) {
            let len = usize::try_from(to - start).unwrap().min(CHUNK);
            // Some of the kernel's own pages cannot be read.
            if memory.read_exact_at(&mut chunk[..len], start).is_err() {
                continue;
            }
            for at in (0..len).filter(|at| starts[usize::from(chunk[*at])]) {
                for needle in needles {
                    if needle.is_at(&chunk[at..len]) {
                        found.push(format!("{} at {:x} in {map}", needle.what, start + at as u64));
                    }
                }
            }
            // The copy may lie in what is read next.
            chunk.fill(0);
        }
    }
    found
}

/// In a process of its own, whose memory is small.
#[tokio::test]
async fn of_a_key_that_was_dropped_nothing_is_left() {
    const CHILD: &str = "SEALWRIGHT_TEST_MEMORY";
    if std::env::var_os(CHILD).is_none() {
        let test = concat!(module_path!(), "::of_a_key_that_was_dropped_nothing_is_left");
        in_a_child(test, CHILD, "1", "SEARCHED");
        return;
    }
    let dir = tempdir().unwrap();
    let provider = KeyProvider::sealed(ring(dir.path(), &["k2", "k1"]).unwrap());
    for alg in [Alg::Es256, Alg::Es512, Alg::Ed25519, Alg::Rs256, Alg::MlDsa44] {
        let key = SigningKey::generate(alg).unwrap();
        let needles = needles(&key.to_jwk().unwrap());
        let kept = provider.import("a", key.clone()).await.unwrap();
        let opened = provider.open("a", &kept.text).await.unwrap();
        opened.sign_message(b"message").await.unwrap();
        assert_ne!(found(&needles), Vec::<String>::new(), "{alg}: what is held must be found");
        drop((key, opened));
        assert_eq!(found(&needles), Vec::<String>::new(), "{alg}");
    }
    println!("SEARCHED");
}

/// SoftHSM is software in this process, and so has the key in our memory while it signs; what is tested is that nothing
/// of it stays there. Hardware never gives it. The key was imported, since one that the token makes cannot be known.
#[tokio::test]
async fn of_a_key_in_a_token_nothing_is_left_after_signing() {
    const CHILD: &str = "SEALWRIGHT_TEST_TOKEN_MEMORY";
    if let Some(path) = std::env::var_os(CHILD) {
        let known: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let text = |name: &str| known[name].as_str().unwrap().to_owned();
        let token = Token { label: text("label") };
        let needles: Vec<Needle> = known["needles"]
            .as_array()
            .unwrap()
            .iter()
            .map(|needle| Needle {
                what: needle[0].as_str().unwrap().to_owned(),
                inverted: base64url::decode(needle[1].as_str().unwrap()).unwrap(),
            })
            .collect();
        let provider = token.provider().await;
        let key = provider.open("k", &text("text")).await.unwrap();
        for _ in 0..20 {
            key.sign_message(b"message").await.unwrap();
        }
        assert_eq!(found(&needles), Vec::<String>::new());
        println!("SEARCHED");
        return;
    }
    for alg in [Alg::Es256, Alg::Rs256] {
        let dir = tempdir().unwrap();
        let token = Token::new();
        let key = SigningKey::generate(alg).unwrap().with_kid("k");
        let pem = dir.path().join("key.pem");
        fs::write(&pem, key.to_pem().unwrap().as_bytes()).unwrap();
        let (pem, object) = (pem.to_str().unwrap(), format!("k {}", alg.name()));
        let import =
            ["--import", pem, "--token", &token.label, "--pin", PIN, "--id", "6b", "--label", &object];
        util(&import, || ());
        let public: Value = serde_json::from_str(&key.verifying_key().to_jwk()).unwrap();
        let text = json!({
            "version": 1, "kid": "k", "alg": alg.name(), "token": token.label, "public_jwk": public,
        });
        let needles: Vec<Value> = needles(&key.to_jwk().unwrap())
            .iter()
            .map(|needle| json!([needle.what, base64url::encode(&needle.inverted)]))
            .collect();
        let known = json!({"label": token.label, "text": text.to_string(), "needles": needles});
        let path = dir.path().join("known.json");
        fs::write(&path, known.to_string()).unwrap();
        let test = concat!(module_path!(), "::of_a_key_in_a_token_nothing_is_left_after_signing");
        in_a_child(test, CHILD, path.to_str().unwrap(), "SEARCHED");
    }
}
