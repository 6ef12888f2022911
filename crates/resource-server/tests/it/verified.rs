//! Tokens that were verified before: the same decision, for as long as everything that it was made of stays the same.

use crate::support::*;
use http::{HeaderMap, header::AUTHORIZATION};
use sealwright_jose::{SigningKey, base64url};
use sealwright_resource_server::{
    AccessToken, Authenticator, IssuerConfig, JwksOptions, Requirements, Revocation, Revocations, TokenError,
    VerifiedTokens,
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// A clock that tests turn.
fn clocked(terms: IssuerConfig) -> (Authenticator, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(NOW));
    let clock = Arc::clone(&now);
    let authenticator = builder(terms).clock(move || clock.load(Ordering::SeqCst)).build().unwrap();
    (authenticator, now)
}

/// What happens to the token at all doors, and how often it was found among those that were verified before.
async fn asked(authenticator: &Authenticator, token: &str) -> (Vec<String>, u64) {
    let before = authenticator.verified_tokens().hits;
    let mut shown = Vec::new();
    for (_, router) in doors(authenticator) {
        shown.push(ask(router, "/hello", bearer(token)).await.lines().next().unwrap().to_owned());
    }
    (shown, authenticator.verified_tokens().hits - before)
}

async fn decided(authenticator: &Authenticator, token: &str, now_s: i64) -> Result<String, TokenError> {
    authenticator.authenticate_token(token, now_s).await.map(|token| token.subject().to_owned())
}

#[tokio::test]
async fn a_token_is_verified_once_and_passes_all_doors() {
    let authenticator = trusting(terms());
    let (shown, hits) = asked(&authenticator, &good()).await;
    let again = asked(&authenticator, &good()).await;
    assert!(shown.iter().chain(&again.0).all(|status| status == "200"), "{shown:?} {again:?}");
    let status = authenticator.verified_tokens();
    // `good` signs anew each time, so these are two tokens.
    assert_eq!((status.misses, status.entries), (2, 2));
    assert_eq!((hits, again.1), (shown.len() as u64 - 1, shown.len() as u64 - 1));
}

#[tokio::test]
async fn without_a_memory_nothing_is_remembered() {
    let authenticator = builder(terms()).verified_tokens(VerifiedTokens::off()).build().unwrap();
    let token = good();
    for _ in 0..3 {
        assert_eq!(decided(&authenticator, &token, NOW).await, Ok("alice".to_owned()));
    }
    assert_eq!(authenticator.verified_tokens(), Default::default());
}

#[tokio::test]
async fn what_is_refused_is_not_remembered() {
    let authenticator = trusting(terms());
    let stranger = forge(&header().to_string(), &claims().to_string(), &STRANGER);
    for token in [&*stranger, "a.b.c", "", &token(json!({}), json!({"exp": NOW - 60}))] {
        for _ in 0..2 {
            assert!(decided(&authenticator, token, NOW).await.is_err());
        }
    }
    assert_eq!(authenticator.verified_tokens().entries, 0);
}

#[tokio::test]
async fn every_byte_of_the_token_counts() {
    let authenticator = trusting(terms());
    let token = good();
    decided(&authenticator, &token, NOW).await.unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let bytes = base64url::decode(signature).unwrap();
    for at in [0, 31, 32, 63] {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        let forged = format!("{input}.{}", base64url::encode(&forged));
        assert_eq!(decided(&authenticator, &forged, NOW).await, Err(TokenError::SignatureInvalid), "{at}");
    }
    assert!(decided(&authenticator, &token[..token.len() - 1], NOW).await.is_err());
    assert!(decided(&authenticator, &format!("{token} "), NOW).await.is_err());
}

#[tokio::test]
async fn a_remembered_token_ends_as_it_would_have() {
    let (authenticator, now) = clocked(terms());
    let (short, long) = (good(), token(json!({}), json!({"exp": NOW + 100_000})));
    for (after_s, short_lived, long_lived) in [
        (0, "200", "200"),
        // `exp` and the skew; and the age of ten minutes, the ten seconds that it had already, and the skew.
        (349, "200", "200"),
        (350, "401", "200"),
        (650, "401", "200"),
        (651, "401", "401"),
        // A clock that goes back far enough makes both tokens of the future.
        (0, "200", "200"),
        (-70, "200", "200"),
        (-71, "401", "401"),
    ] {
        now.store(NOW + after_s, Ordering::SeqCst);
        for (token, expected) in [(&short, short_lived), (&long, long_lived)] {
            let (shown, _) = asked(&authenticator, token).await;
            assert!(shown.iter().all(|status| status == expected), "{after_s}: {shown:?}");
        }
    }
    assert_eq!(decided(&authenticator, &short, NOW + 350).await, Err(TokenError::Expired));
    assert_eq!(decided(&authenticator, &long, NOW + 651).await, Err(TokenError::TooOld));
    assert_eq!(decided(&authenticator, &long, NOW - 71).await, Err(TokenError::NotYetValid));
}

#[tokio::test]
async fn a_key_that_left_the_set_takes_its_tokens_with_it() {
    let source = Source::start(Answer::Ok(jwk_set(&[&K1]))).await;
    let jwks = JwksOptions { cooldown: Duration::ZERO, ..loopback() };
    let authenticator =
        Authenticator::builder().issuer(source.terms()).jwks(jwks).clock(|| NOW).build().unwrap();
    let (old, new) =
        (good(), forge(&with(header(), json!({"kid": "k2"})).to_string(), &claims().to_string(), &K2));
    let hits = async |token: &str| {
        let before = authenticator.verified_tokens().hits;
        (decided(&authenticator, token, NOW).await.is_ok(), authenticator.verified_tokens().hits - before)
    };
    assert_eq!((hits(&old).await, hits(&old).await), ((true, 0), (true, 1)));
    // The new key is added: the old one is still there, and so are its tokens, after one more look.
    source.answer(Answer::Ok(jwk_set(&[&K1, &K2])));
    assert_eq!(hits(&new).await, (true, 0));
    assert_eq!((hits(&old).await, hits(&old).await), ((true, 0), (true, 1)));
    // A set that is fetched again and says the same is the same one.
    let unknown = token(json!({"kid": "k9"}), json!({}));
    let before = source.requests();
    assert_eq!(decided(&authenticator, &unknown, NOW).await, Err(TokenError::KeyUnknown));
    assert_eq!((hits(&old).await, source.requests() - before), ((true, 1), 1));
    // The old key is removed, which is seen when the set is fetched for an unknown one.
    source.answer(Answer::Ok(jwk_set(&[&K2])));
    assert_eq!(decided(&authenticator, &unknown, NOW).await, Err(TokenError::KeyUnknown));
    assert_eq!(decided(&authenticator, &old, NOW).await, Err(TokenError::KeyUnknown));
    assert!(hits(&new).await.0);
}

/// Some issuers write each answer anew. What counts are the keys: their algorithms, names and material.
#[tokio::test]
async fn a_set_that_is_written_in_another_way_drops_no_tokens() {
    let set = |keys: &[&SigningKey], changed: i64| {
        let mut set: Value = serde_json::from_str(&jwk_set(keys)).unwrap();
        set["changed"] = changed.into();
        set["keys"][0]["x5t"] = changed.to_string().into();
        Answer::Ok(set.to_string())
    };
    let source = Source::start(set(&[&K1, &K2], 1)).await;
    let jwks = JwksOptions { cooldown: Duration::ZERO, ..loopback() };
    let authenticator =
        Authenticator::builder().issuer(source.terms()).jwks(jwks).clock(|| NOW).build().unwrap();
    let (token, unknown) = (good(), token(json!({"kid": "k9"}), json!({})));
    decided(&authenticator, &token, NOW).await.unwrap();
    let cases: [(&str, Vec<&SigningKey>, Result<u64, TokenError>); 5] = [
        ("a time stamp", vec![&*K1, &*K2], Ok(1)),
        ("another order", vec![&*K2, &*K1], Ok(1)),
        ("one key fewer", vec![&*K1], Ok(0)),
        ("one key more", vec![&*K1, &*K2], Ok(0)),
        ("the same name for another key", vec![&*STRANGER], Err(TokenError::SignatureInvalid)),
    ];
    for (name, keys, outcome) in cases {
        source.answer(set(&keys, i64::try_from(source.requests()).unwrap()));
        assert_eq!(decided(&authenticator, &unknown, NOW).await, Err(TokenError::KeyUnknown), "{name}");
        let before = authenticator.verified_tokens().hits;
        let passed = decided(&authenticator, &token, NOW).await;
        assert_eq!(passed.map(|_| authenticator.verified_tokens().hits - before), outcome, "{name}");
    }
}

#[tokio::test]
async fn another_policy_remembers_nothing_of_this_one() {
    let token = good();
    let revocations = Revocations::default();
    let before = builder(terms()).revocations(revocations.clone()).build().unwrap();
    decided(&before, &token, NOW).await.unwrap();
    let stricter = terms().max_token_age(Duration::ZERO).clock_skew(Duration::ZERO);
    let after = builder(stricter).revocations(revocations).build().unwrap();
    assert_eq!(decided(&after, &token, NOW).await, Err(TokenError::TooOld));
}

async fn passed(authenticator: &Authenticator, token: &str) -> AccessToken {
    authenticator.authenticate_token(token, NOW).await.unwrap()
}

#[tokio::test]
async fn a_revoked_token_is_refused_whether_it_is_remembered_or_not() {
    for remembered in [VerifiedTokens::default(), VerifiedTokens::off()] {
        for by_jti in [true, false] {
            // The second says the same as the first under another signature, as anybody can make one of ECDSA's.
            let (token, again, other) = (good(), good(), token(json!({}), json!({"jti": "t-2"})));
            assert_ne!(token, again);
            let authenticator = builder(terms()).clock(|| NOW).verified_tokens(remembered).build().unwrap();
            let (shown, _) = asked(&authenticator, &token).await;
            assert!(shown.iter().all(|status| status == "200"), "{shown:?}");
            let revocation = if by_jti {
                Revocation::of_jti(ISSUER, "t-1", NOW + 290)
            } else {
                Revocation::of_token(&passed(&authenticator, &token).await)
            };
            authenticator.revoke(revocation).unwrap();
            for token in [&token, &again, &token] {
                let (shown, hits) = asked(&authenticator, token).await;
                assert!(shown.iter().all(|status| status == "401"), "{shown:?}");
                assert_eq!(hits, 0);
            }
            assert_eq!(decided(&authenticator, &token, NOW).await, Err(TokenError::Revoked));
            assert_eq!(decided(&authenticator, &token, NOW + 349).await, Err(TokenError::Revoked));
            assert_eq!(decided(&authenticator, &token, NOW + 350).await, Err(TokenError::Expired));
            assert_eq!(decided(&authenticator, &other, NOW).await, Ok("alice".to_owned()));
            assert_eq!(authenticator.revocations().len(), 1);
        }
    }
}

#[tokio::test]
async fn what_one_authenticator_revokes_is_revoked_for_those_that_share() {
    let revocations = Revocations::with_capacity(10);
    let [one, other] = [0, 1].map(|_| builder(terms()).revocations(revocations.clone()).build().unwrap());
    let alone = trusting(terms());
    let token = good();
    for authenticator in [&one, &other, &alone] {
        decided(authenticator, &token, NOW).await.unwrap();
    }
    one.revoke(Revocation::of_token(&passed(&one, &token).await)).unwrap();
    assert_eq!(decided(&one, &token, NOW).await, Err(TokenError::Revoked));
    assert_eq!(decided(&other, &token, NOW).await, Err(TokenError::Revoked));
    assert_eq!(decided(&alone, &token, NOW).await, Ok("alice".to_owned()));
}

#[tokio::test]
async fn a_revoked_token_passes_nobody_who_shares_and_grants_more_skew() {
    let granting = |seconds| terms().clock_skew(Duration::from_secs(seconds));
    let revocations = Revocations::with_capacity(2);
    let now = Arc::new(AtomicI64::new(NOW));
    let [strict, lax] = [10, 60].map(|skew_s| {
        let clock = Arc::clone(&now);
        let builder = builder(granting(skew_s)).clock(move || clock.load(Ordering::SeqCst));
        builder.revocations(revocations.clone()).build().unwrap()
    });
    let token = good();
    strict.revoke(Revocation::of_token(&passed(&strict, &token).await)).unwrap();
    for (after_s, shown) in [
        (0, TokenError::Revoked),
        (299, TokenError::Revoked),
        // From here on it is over for the one who revoked it.
        (300, TokenError::Revoked),
        (349, TokenError::Revoked),
        (350, TokenError::Expired),
    ] {
        now.store(NOW + after_s, Ordering::SeqCst);
        // A revocation makes room where it can, but not by this one.
        strict.revoke(Revocation::of_jti(ISSUER, "t-9", NOW + 900)).unwrap();
        assert_eq!(decided(&lax, &token, NOW + after_s).await, Err(shown), "{after_s}");
    }
}

#[tokio::test]
async fn what_depends_on_the_request_is_looked_at_each_time() {
    let authenticator = trusting(terms());
    let bound = token(json!({}), json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}));
    let narrow = token(json!({}), json!({"scope": "read"}));
    let write = Requirements::none().scopes(["write"]);
    let parts = |headers: HeaderMap| {
        let mut request = http::Request::get("/hello").body(()).unwrap();
        *request.headers_mut() = headers;
        request.into_parts().0
    };
    for round in 0..3 {
        let refusal = authenticator.authorize(&parts(bearer(&bound))).await.unwrap_err();
        assert_eq!((refusal.status().as_u16(), refusal.code()), (401, "token_invalid"), "{round}");
        let refusal = authenticator.authorize_for(&parts(bearer(&narrow)), &write).await.unwrap_err();
        assert_eq!(refusal.status(), 403, "{round}");
        authenticator.authorize(&parts(bearer(&narrow))).await.unwrap();
        let mut twice = bearer(&narrow);
        twice.append(AUTHORIZATION, twice[AUTHORIZATION].clone());
        assert_eq!(authenticator.authorize(&parts(twice)).await.unwrap_err().status(), 400, "{round}");
    }
    assert!(authenticator.verified_tokens().hits >= 5);
}
