//! One payload of any size, given in pieces, in a process of its own whose peak memory is looked at.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use aws_lc_rs::hmac;
use base64_simd::URL_SAFE_NO_PAD;
use sealwright_jose::{
    Alg, MacKey,
    jws::{Signer, Verifier, VerifierBuilder},
};

/// As a file is read; a multiple of three, so that each piece is encoded by itself.
const PIECE: usize = 63 * 1024;
/// The pieces come from one block that stays in memory: what a disk costs is not asked here.
const BLOCK: usize = 16 * PIECE;

/// Does `what` to `mib` MiB and prints nanoseconds and the peak memory in KiB.
pub fn large(what: &str, mib: usize) {
    let mut block = vec![0; BLOCK];
    aws_lc_rs::rand::fill(&mut block).expect("the system has random bytes");
    let payload = Payload { block, len: mib * 1024 * 1024 };
    let took = match what {
        "hash" => timed(|| hash(&payload)),
        "hash-base64" => timed(|| hash_base64(&payload)),
        "sign-unencoded" => timed(|| sign(signer().unencoded(), &payload)),
        "sign-base64" => timed(|| sign(signer(), &payload)),
        "verify-unencoded" => {
            let token = sign(signer().unencoded(), &payload);
            timed(|| verify(verifier().unencoded(), &token, &payload))
        }
        "verify-base64" => {
            let token = sign(signer(), &payload);
            timed(|| verify(verifier(), &token, &payload))
        }
        _ => panic!("there is no way `{what}`"),
    };
    println!("{} {}", took.as_nanos(), house::peak_memory_kib().unwrap_or_default());
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let started = Instant::now();
    black_box(work());
    started.elapsed()
}

struct Payload {
    block: Vec<u8>,
    len: usize,
}

impl Payload {
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let whole = self.len / PIECE;
        let rest = &self.block[..self.len % PIECE];
        let pieces = (0..whole).map(|n| &self.block[n % 16 * PIECE..][..PIECE]);
        pieces.chain((!rest.is_empty()).then_some(rest))
    }
}

const SECRET: [u8; 32] = [7; 32];

fn context() -> hmac::Context {
    hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &SECRET))
}

fn hash(payload: &Payload) {
    let mut context = context();
    for piece in payload.pieces() {
        context.update(piece);
    }
    black_box(context.sign());
}

fn hash_base64(payload: &Payload) {
    let mut context = context();
    let mut text = String::with_capacity(PIECE * 2);
    for piece in payload.pieces() {
        text.clear();
        URL_SAFE_NO_PAD.encode_append(piece, &mut text);
        context.update(text.as_bytes());
    }
    black_box(context.sign());
}

fn key() -> MacKey {
    MacKey::from_bytes(Alg::Hs256, &SECRET).expect("long enough")
}

fn signer() -> Signer {
    Signer::mac(&key())
}

fn verifier() -> VerifierBuilder {
    Verifier::builder([Alg::Hs256]).mac_key(key())
}

fn verify(builder: VerifierBuilder, token: &str, payload: &Payload) {
    let verifier = builder.build().expect("a policy that makes sense");
    let mut verifying = verifier.start_detached(token).expect("HS256 can be streamed");
    for piece in payload.pieces() {
        verifying.update(piece);
    }
    assert_eq!(verifying.finish().expect("it is good").payload_bytes(), payload.len as u64);
}

fn sign(signer: Signer, payload: &Payload) -> String {
    let mut signing = signer.start_detached().expect("HS256 can be streamed");
    for piece in payload.pieces() {
        signing.update(piece);
    }
    signing.finish_compact().expect("it signs")
}
