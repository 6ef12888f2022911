//! Revocations and the removal of keys, while other threads verify and remember the same tokens.

use crate::support::*;
use sealwright_resource_server::{Authenticator, JwksOptions, Revocation, TokenError};
use serde_json::json;
use std::{
    hint::spin_loop,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

const THREADS: usize = 4;

/// Decides without waiting, as it is with keys at hand: nothing but the decision takes time.
fn decide_now(authenticator: &Authenticator, token: &str) -> Result<(), TokenError> {
    let decision = pin!(authenticator.authenticate_token(token, NOW));
    match decision.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(decided) => decided.map(drop),
        Poll::Pending => panic!("it had to wait"),
    }
}

/// Each round has a token of its own. A thread notes whether it was revoked before it asks; if so, it must be refused. The
/// revocation comes while the token is verified for the first time, or while it is remembered already; and it follows
/// others, so that those who know the token look at the revocations again just then.
#[test]
fn no_request_that_begins_after_a_revocation_passes() {
    const ROUNDS: usize = 1_000;
    const OTHERS: usize = 20;
    let name = |round: usize| format!("race-{round}");
    let tokens: Vec<String> =
        (0..ROUNDS).map(|round| token(json!({}), json!({"jti": name(round)}))).collect();
    let authenticator = trusting(terms());
    let [begun, passed, revoked, passed_late] = [const { AtomicUsize::new(0) }; 4];
    let wait_for = |counter: &AtomicUsize, least: usize| {
        while counter.load(Ordering::SeqCst) < least {
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for (round, token) in tokens.iter().enumerate() {
                    wait_for(&begun, round + 1);
                    let mut has_passed = false;
                    loop {
                        let is_revoked = revoked.load(Ordering::SeqCst) > round;
                        let decided = decide_now(&authenticator, token);
                        if is_revoked {
                            // A thread that panicked would leave the others waiting for it.
                            if decided != Err(TokenError::Revoked) {
                                passed_late.fetch_add(1, Ordering::SeqCst);
                            }
                            break;
                        }
                        if decided.is_ok() && !has_passed {
                            has_passed = true;
                            passed.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                }
            });
        }
        for round in 0..ROUNDS {
            let before = passed.load(Ordering::SeqCst);
            begun.store(round + 1, Ordering::SeqCst);
            if round % 2 == 0 {
                wait_for(&passed, before + 1);
            }
            // At a different moment each time.
            (0..round * 20).for_each(|_| spin_loop());
            let revoke =
                |jti: &str| authenticator.revoke(Revocation::of_jti(ISSUER, jti, NOW + 290)).unwrap();
            (0..OTHERS).for_each(|n| revoke(&format!("other-{round}-{n}")));
            revoke(&name(round));
            revoked.store(round + 1, Ordering::SeqCst);
        }
    });
    assert_eq!(passed_late.into_inner(), 0, "of {} requests", THREADS * ROUNDS);
    for token in &tokens {
        assert_eq!(decide_now(&authenticator, token), Err(TokenError::Revoked));
    }
}

/// Each round has new tokens of a key, which is removed while they are verified for the first time. Once the set without it
/// was applied, none of them passes any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_token_of_a_removed_key_passes_because_it_was_remembered() {
    const ROUNDS: usize = 40;
    const TOKENS: usize = 24;
    let source = Source::start(Answer::Ok(jwk_set(&[&K1, &K2]))).await;
    let jwks = JwksOptions { cooldown: Duration::ZERO, background: false, ..loopback() };
    let authenticator =
        Authenticator::builder().issuer(source.terms()).jwks(jwks).clock(|| NOW).build().unwrap();
    // A token of no key has the set fetched, and is refused when the set was applied.
    let unknown = token(json!({"kid": "k9"}), json!({}));
    for round in 0..ROUNDS {
        source.answer(Answer::Ok(jwk_set(&[&K1, &K2])));
        assert_eq!(
            authenticator.authenticate_token(&unknown, NOW).await.map(drop),
            Err(TokenError::KeyUnknown)
        );
        let tokens: Arc<Vec<String>> =
            Arc::new((0..TOKENS).map(|n| token(json!({}), json!({"jti": format!("{round}-{n}")}))).collect());
        let removed = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = (0..THREADS)
            .map(|own| {
                let (authenticator, tokens, removed) =
                    (authenticator.clone(), Arc::clone(&tokens), Arc::clone(&removed));
                tokio::spawn(async move {
                    for n in own..tokens.len() {
                        let is_removed = removed.load(Ordering::SeqCst);
                        let decided = authenticator.authenticate_token(&tokens[n], NOW).await.map(drop);
                        assert!(!is_removed || decided.is_err(), "round {round}, token {n}");
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        source.answer(Answer::Ok(jwk_set(&[&K2])));
        assert_eq!(
            authenticator.authenticate_token(&unknown, NOW).await.map(drop),
            Err(TokenError::KeyUnknown)
        );
        removed.store(true, Ordering::SeqCst);
        for token in tokens.iter() {
            assert_eq!(
                authenticator.authenticate_token(token, NOW).await.map(drop),
                Err(TokenError::KeyUnknown),
                "round {round}"
            );
        }
        for task in tasks {
            task.await.unwrap();
        }
    }
}
