//! Many tokens on one thread and on two: how well it scales beside the primitive in the same run.

use std::{hint::black_box, thread};

use house::{Keys, Operation};
use sealwright_jose::jws::Scratch;

use crate::{primitive::Verifies, token::Token, verify::verifier};

/// Which algorithms are run: cheap and dear.
const NAMES: [&str; 4] = ["HS256", "RS256", "ES256", "EdDSA"];
/// How many bytes of work a thread gets at least, as tokens: enough that starting it does not count.
const HS256_TOKENS: usize = 16_384;
const OTHER_TOKENS: usize = 256;
/// How many tokens stand in one batch.
const PER_CALL: usize = 64;

pub(crate) fn operations(name: &str, keys: &Keys) -> Vec<Operation> {
    if !NAMES.contains(&name) {
        return Vec::new();
    }
    let per_thread = if name == "HS256" { HS256_TOKENS } else { OTHER_TOKENS };
    [1, 2].into_iter().flat_map(|threads| both(name, keys, threads, per_thread)).collect()
}

/// `per_thread` tokens on each of `threads` threads.
fn both(name: &str, keys: &Keys, threads: usize, per_thread: usize) -> [Operation; 2] {
    let (key, token) = (Verifies::new(name, keys), Token::new(&keys.token));
    let floor = Operation::new(format!("batch/{name}/primitive-{threads}"), move || {
        on_each(threads, &|| {
            for _ in 0..per_thread {
                key.verify(black_box(&token.message), black_box(&token.signature));
            }
        });
    });
    let (verifier, token) = (verifier(name, keys, true), keys.token.clone());
    let ours = Operation::new(format!("batch/{name}/jws-{threads}"), move || {
        on_each(threads, &|| {
            let tokens = vec![black_box(&*token); PER_CALL];
            let mut scratch = Scratch::new();
            for _ in 0..per_thread / PER_CALL {
                let outcomes = verifier.verify_batch(&tokens, &mut scratch);
                assert!(outcomes.iter().all(Result::is_ok));
                black_box(outcomes.last());
            }
        });
    });
    [floor, ours]
}

fn on_each(threads: usize, work: &(dyn Fn() + Sync)) {
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
}
