//! What remembered tokens take in memory.

use std::{fs, ops::Range, thread};

use house::Fixture;
use sealwright_resource_server::{Authenticator, VerifiedTokens};

use crate::issuer::{Issuer, authenticator};

/// EdDSA, because it signs and verifies fast; what is remembered of a token does not depend on it.
const NAME: &str = "EdDSA";
const THREADS: usize = 2;

/// Verifies `tokens` tokens, each different and with as many bytes more in its claims as `padding` says, before an
/// authenticator with the default memory, and prints how many of them it remembers, how many bytes it counts for them, and
/// by how many bytes the process has grown.
pub fn memory(fixture: &Fixture, tokens: usize, padding: usize) {
    memory_by(fixture, tokens, padding, &resident_bytes);
}

/// As [`memory`], where `used` says how much the process uses.
pub fn memory_by(fixture: &Fixture, tokens: usize, padding: usize, used: &dyn Fn() -> usize) {
    let issuer = Issuer::new(NAME, fixture).padded(padding);
    let verify = |authenticator: &Authenticator, numbers| verify(fixture, &issuer, authenticator, numbers);
    // What a thread or a verifier keeps for itself is there before it counts.
    verify(&authenticator(NAME, fixture, VerifiedTokens::entries(100)), 0..1_000);
    let before = used();
    let authenticator = authenticator(NAME, fixture, VerifiedTokens::default());
    let mut most = 0;
    // In steps, so that a moment of more is seen.
    let step = 50_000;
    for start in (0..tokens).step_by(step) {
        verify(&authenticator, start..tokens.min(start + step));
        most = most.max(used().saturating_sub(before));
    }
    let status = authenticator.verified_tokens();
    println!("{} {} {most}", status.entries, status.bytes);
}

fn verify(fixture: &Fixture, issuer: &Issuer, authenticator: &Authenticator, numbers: Range<usize>) {
    let now = i64::try_from(fixture.issued_at).expect("a time of this age") + 60;
    thread::scope(|scope| {
        for own in 0..THREADS {
            let numbers = numbers.clone().skip(own).step_by(THREADS);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
                for n in numbers {
                    let token = issuer.token(n);
                    let passed = runtime.block_on(authenticator.authenticate_token(&token, now));
                    passed.expect("it is good");
                }
            });
        }
    });
}

/// What the process has in memory now (Linux).
fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel tells");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}
