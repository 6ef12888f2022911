//! Verifying allocates nothing once the buffer is warm: not for a header that was seen before, and
//! not for a new one of usual shape either. Only Rust's allocator is counted, not what the
//! cryptographic library takes from C.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use allocation_counter::measure;
use sealwright_jose::{
    Alg, MacKey, SigningKey,
    jws::{Require, Scratch, Signer, Verifier, sign_general},
};

const PAYLOAD: &[u8] = br#"{"iss":"https://id.example","sub":"248289761001","exp":1764550800}"#;

/// One of each family.
const ALGS: [Alg; 7] =
    [Alg::Hs256, Alg::Hs512, Alg::Rs256, Alg::Ps256, Alg::Es256, Alg::Ed25519, Alg::MlDsa44];

fn pair(alg: Alg) -> (Signer, Verifier) {
    let builder = Verifier::builder_from(&[alg]).typ("at+jwt");
    if alg.is_mac() {
        let key = MacKey::generate(alg).unwrap().with_kid("2026-11");
        (Signer::mac(&key).typ("at+jwt"), builder.mac_key(key).build().unwrap())
    } else {
        let key = SigningKey::generate(alg).unwrap().with_kid("2026-11");
        (Signer::new(&key).typ("at+jwt"), builder.key(key.verifying_key()).build().unwrap())
    }
}

fn allocations(work: impl FnOnce()) -> u64 {
    measure(work).count_total
}

#[test]
fn a_header_seen_before() {
    for alg in ALGS {
        let (signer, verifier) = pair(alg);
        let token = signer.sign_compact(PAYLOAD).unwrap();
        let flattened = signer.sign_flattened(PAYLOAD).unwrap();
        let mut scratch = Scratch::new();
        verifier.verify_flattened(&flattened, &mut scratch).unwrap();
        verifier.verify_compact(&token, &mut scratch).unwrap();
        assert_eq!(allocations(|| drop(verifier.verify_compact(&token, &mut scratch).unwrap())), 0, "{alg}");
        assert_eq!(
            allocations(|| drop(verifier.verify_flattened(&flattened, &mut scratch).unwrap())),
            0,
            "{alg}, flattened"
        );
    }
}

#[test]
fn a_new_header() {
    for alg in ALGS {
        let (signer, verifier) = pair(alg);
        let token = |n: u8| signer.clone().param("n", n.into()).sign_compact(PAYLOAD).unwrap();
        let mut scratch = Scratch::new();
        // Keeping a header allocates, so the memory for headers is filled first.
        for n in 10..18 {
            verifier.verify_compact(&token(n), &mut scratch).unwrap();
        }
        let new = token(20);
        assert_eq!(allocations(|| drop(verifier.verify_compact(&new, &mut scratch).unwrap())), 0, "{alg}");
    }
}

#[test]
fn a_refused_token() {
    let (signer, verifier) = pair(Alg::Hs256);
    let good = signer.sign_compact(PAYLOAD).unwrap();
    let (_, stranger) = pair(Alg::Hs256);
    let mut scratch = Scratch::new();
    verifier.verify_compact(&good, &mut scratch).unwrap();
    let long = "x".repeat(2 << 20);
    for bad in ["", "..", "not a token", &good[1..], &good[..good.len() - 4], &long] {
        assert_eq!(allocations(|| assert!(verifier.verify_compact(bad, &mut scratch).is_err())), 0);
    }
    assert!(stranger.verify_compact(&good, &mut scratch).is_err());
    assert_eq!(allocations(|| assert!(stranger.verify_compact(&good, &mut scratch).is_err())), 0);
}

#[test]
fn a_batch_allocates_its_list_alone() {
    let (signer, verifier) = pair(Alg::Hs256);
    let tokens: Vec<_> = (0..100).map(|_| signer.sign_compact(PAYLOAD).unwrap()).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let mut scratch = Scratch::new();
    assert!(verifier.verify_batch(&tokens, &mut scratch).iter().all(Result::is_ok));
    assert_eq!(allocations(|| drop(verifier.verify_batch(&tokens, &mut scratch))), 1);
}

#[test]
fn several_signatures_allocate_a_few_lists_whatever_the_payload() {
    let key = MacKey::generate(Alg::Hs256).unwrap();
    let (signer, verifier) =
        (Signer::mac(&key), Verifier::builder([Alg::Hs256]).mac_key(key.clone()).build().unwrap());
    for payload in [&[0; 10][..], &[0; 100_000]] {
        let json = sign_general(&[&signer, &signer, &signer], payload).unwrap();
        let mut scratch = Scratch::new();
        verifier.verify_general(&json, Require::All, &mut scratch).unwrap();
        let count = allocations(|| drop(verifier.verify_general(&json, Require::All, &mut scratch)));
        assert!(count <= 6, "{count}");
    }
}
