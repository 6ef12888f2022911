use super::*;
use crate::{
    AccessToken, IssuerConfig, JwksOptions, explain::Unwatched, issuer::trusted::Trusted, token::Payload,
};
use sealwright_jose::{Alg, SigningKey, jwt::Claims};
use serde_json::{Value, json};
use std::{thread, time::Duration};

const NOW: i64 = 1_800_000_000;

/// An issuer whose key nobody asks for: what is verified here are claims.
fn issuer(name: &str, max_token_age: Option<Duration>) -> Arc<Trusted> {
    let key = SigningKey::generate(Alg::Es256).unwrap().verifying_key();
    let terms =
        IssuerConfig::new(name, "https://api.example.com").fixed_keys([key]).max_token_age(max_token_age);
    Arc::new(Trusted::new(terms, &[], &JwksOptions::default().into()).unwrap())
}

fn claims(changes: &Value) -> String {
    let mut claims = json!({
        "iss": "https://id.example.com", "sub": "alice", "aud": "https://api.example.com", "client_id": "portal",
        "jti": "t-1", "iat": NOW - 10, "exp": NOW + 290,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.to_string()
}

fn validate(claims: &str, trusted: &Arc<Trusted>, now_s: i64) -> Option<AccessToken> {
    let payload = Payload::parse(claims.as_bytes()).unwrap();
    AccessToken::validate(payload, Some("at+jwt"), trusted, None, now_s, &mut Unwatched).ok()
}

fn access_token(changes: &Value) -> AccessToken {
    let claims = claims(changes);
    let named = Claims::parse(claims.as_bytes()).unwrap().iss().unwrap().to_owned();
    validate(&claims, &issuer(&named, Some(Duration::from_secs(600))), NOW).unwrap()
}

fn known(changes: Value) -> Known {
    Known::new(access_token(&changes))
}

fn name(n: u32) -> Fingerprint {
    Fingerprint::of(format!("token {n}"))
}

fn cache(entries: usize) -> VerifiedCache {
    VerifiedTokens::entries(entries).open().unwrap()
}

fn finds(cache: &VerifiedCache, n: u32, now_s: i64) -> bool {
    cache.find(&name(n), Revocations::default().revoked(), now_s).is_some()
}

#[test]
fn what_was_verified_is_found_again() {
    let cache = cache(100);
    assert!(!finds(&cache, 1, NOW));
    cache.insert(name(1), known(json!({})), NOW);
    let found = cache.find(&name(1), Revocations::default().revoked(), NOW).unwrap();
    assert_eq!(found.token().subject(), "alice");
    assert!(!finds(&cache, 2, NOW), "another token");
    let status = cache.status();
    assert_eq!((status.hits, status.entries), (1, 1));
}

#[test]
fn every_second_is_decided_as_the_token_was() {
    for changes in [
        json!({}),
        json!({"nbf": NOW - 5}),
        json!({"nbf": NOW - 500, "iat": NOW - 400}),
        json!({"exp": NOW + 100_000}),
        json!({"iat": NOW + 60, "exp": NOW + 61}),
        json!({"iat": NOW - 660, "exp": NOW + 10}),
    ] {
        let text = claims(&changes);
        for max_token_age in [None, Some(Duration::from_secs(600)), Some(Duration::MAX), Some(Duration::ZERO)]
        {
            let issuer = issuer("https://id.example.com", max_token_age);
            let decide = |now_s| validate(&text, &issuer, now_s);
            let Some(token) = (NOW - 700..NOW + 700).find_map(decide) else { continue };
            let known = Known::new(token);
            let edges = [
                -660, -560, -500, -400, -65, -60, -5, 0, 60, 61, 121, 290, 350, 650, 660, 661, 720, 721,
                100_060,
            ];
            for offset in
                edges.into_iter().flat_map(|edge| edge - 61..edge + 62).chain([i64::MIN / 2, i64::MAX / 2])
            {
                let now_s = NOW.saturating_add(offset);
                assert_eq!(known.holds_at(now_s), decide(now_s).is_some(), "{changes} at {offset}");
            }
        }
    }
}

#[test]
fn what_has_expired_is_dropped_when_it_is_asked_for() {
    let cache = cache(100);
    cache.insert(name(1), known(json!({})), NOW);
    assert!(finds(&cache, 1, NOW + 349));
    assert!(!finds(&cache, 1, NOW + 350));
    assert_eq!(cache.status().entries, 0);
    assert!(!finds(&cache, 1, NOW), "it does not come back when the clock goes back");
}

#[test]
fn a_flood_of_tokens_stays_within_both_bounds() {
    for (limits, large) in [
        (VerifiedTokens::entries(2_000), 0),
        (VerifiedTokens::entries(2_000).bytes(1_000_000), 0),
        (VerifiedTokens::entries(2_000).bytes(1_000_000), 8_000),
    ] {
        let cache = limits.open().unwrap();
        let known = known(json!({"padding": "x".repeat(large)}));
        for n in 0..10_000 {
            // One a day, so that each is let in.
            cache.insert(name(n), known.clone(), i64::from(n) * 86_400);
            if n % 50 == 0 {
                let status = cache.status();
                assert!(status.entries <= limits.entries, "{status:?}");
                assert!(status.bytes <= limits.bytes as u64, "{status:?}");
            }
        }
        let status = cache.status();
        assert_eq!(status.evictions, 10_000 - status.entries as u64);
        assert!(status.entries as u64 * known.bytes() <= limits.bytes as u64);
        // The bounds are used, too: each shard has its even share.
        let least = if large == 0 { 1_200 } else { 90 };
        assert!(status.entries >= least, "{status:?}");
    }
}

#[test]
fn tokens_in_use_outlive_a_flood_of_others() {
    let cache = cache(1_000);
    let known = known(json!({}));
    for n in 0..100 {
        cache.insert(name(n), known.clone(), NOW);
    }
    for n in 100..20_000 {
        cache.insert(name(n), known.clone(), NOW + i64::from(n) * 86_400);
        finds(&cache, n % 100, NOW);
    }
    let kept = (0..100).filter(|n| finds(&cache, *n, NOW)).count();
    assert!(kept >= 95, "{kept}");
}

#[test]
fn while_there_is_no_room_a_token_comes_in_the_second_time() {
    let (cache, known) = (cache(1_000), known(json!({})));
    for n in 0..20_000 {
        cache.insert(name(n), known.clone(), NOW);
    }
    let status = cache.status();
    assert!(status.entries > 500 && status.evictions <= 1, "{status:?}");
    assert!(!finds(&cache, 19_999, NOW), "it came once");
    for n in 30_000..30_010 {
        cache.insert(name(n), known.clone(), NOW + 1);
        assert!(!finds(&cache, n, NOW), "{n} came once");
        cache.insert(name(n), known.clone(), NOW + 1);
        assert!(finds(&cache, n, NOW), "{n} came twice");
    }
    // One that came long ago came for the first time.
    cache.insert(name(2_000), known.clone(), NOW + 1);
    assert!(!finds(&cache, 19_000, NOW));
    // After a while somebody tries whether there is room.
    cache.insert(name(40_000), known.clone(), NOW + 3);
    cache.insert(name(40_001), known, NOW + 3);
    assert!(finds(&cache, 40_000, NOW));
}

#[test]
fn one_that_is_larger_than_the_whole_cache_is_not_kept() {
    let cache = VerifiedTokens::entries(10).bytes(2_000).open().unwrap();
    cache.insert(name(1), known(json!({"padding": "x".repeat(4_000)})), NOW);
    assert_eq!(cache.status().entries, 0);
}

/// What was asked for by name once took many times the memory of the text, for as long as the token was remembered.
#[test]
fn what_is_asked_for_by_name_does_not_stay_with_the_token() {
    let known = known(json!({"padding": vec![0; 6_000]}));
    let (one, other) = (known.token().claims(), known.token().claims());
    assert_eq!(one.get("padding").unwrap().as_array().unwrap().len(), 6_000);
    assert!(!std::ptr::eq(one.as_map(), other.as_map()), "each has a tree of its own");
}

#[test]
fn lists_that_stay_with_the_token_are_counted() {
    let details = |count| json!({"authorization_details": [{"type": "a", "list": vec![0; count]}]});
    let strings = |claim: &str, count| json!({claim: vec![""; count]});
    let audiences = |count| [vec!["https://api.example.com", "\n"], vec![""; count]].concat();
    let escaped = |count| json!({"aud": audiences(count)});
    let grows = |few: Value, many: Value| (known(many).bytes() - known(few).bytes()) / 5_000;
    assert!(grows(details(0), details(5_000)) >= size_of::<Value>() as u64 + 2);
    for claim in ["amr", "scope"] {
        assert!(
            grows(strings(claim, 0), strings(claim, 5_000)) >= size_of::<Box<str>>() as u64 + 2,
            "{claim}"
        );
    }
    assert!(grows(escaped(0), escaped(5_000)) >= size_of::<String>() as u64 + 3);
    let token = access_token(&json!({"amr": ["pwd", "otp"], "scope": ["a", 7, "b"]}));
    assert_eq!((token.amr(), token.scopes()), (vec!["pwd", "otp"], vec!["a", "b"]));
}

#[test]
fn a_cache_of_nothing_is_none() {
    for limits in [VerifiedTokens::off(), VerifiedTokens::entries(0), VerifiedTokens::entries(9).bytes(0)] {
        assert!(limits.open().is_none(), "{limits:?}");
    }
}

#[test]
fn a_revoked_token_is_refused_by_its_claims_and_by_its_jti() {
    let by_claims = Revocation::of_token(&access_token(&json!({})));
    let by_jti = Revocation::of_jti("https://id.example.com", "t-1", NOW + 290);
    for revocation in [by_claims, by_jti] {
        let revocations = Revocations::with_capacity(10);
        let revoked = revocations.revoked();
        let known = known(json!({}));
        assert!(!known.is_revoked(revoked));
        revoked.add(revocation, NOW).unwrap();
        assert!(known.is_revoked(revoked));
        // Nor is another one meant, of the same issuer or not.
        for changes in [json!({"jti": "t-2"}), json!({"iss": "https://other.example.com"})] {
            assert!(!revoked.contains(&access_token(&changes)), "{changes}");
        }
    }
}

#[test]
fn a_revoked_token_is_neither_found_nor_kept() {
    let (cache, revocations) = (cache(10), Revocations::default());
    cache.insert(name(1), known(json!({})), NOW);
    revocations.revoked().add(Revocation::of_token(&access_token(&json!({}))), NOW).unwrap();
    assert!(cache.find(&name(1), revocations.revoked(), NOW).is_none());
    let status = cache.status();
    assert_eq!((status.hits, status.entries), (0, 0));
}

/// Every moment at which a token can be revoked while a request verifies it, remembers it and the next one finds it, one
/// after the other.
#[test]
fn a_token_that_is_revoked_while_it_is_remembered_passes_nobody_after_that() {
    for at in ["before the look", "during the look", "before it is remembered", "after that", "after a hit"] {
        let (cache, revocations) = (cache(100), Revocations::default());
        let revoked = revocations.revoked();
        let token = access_token(&json!({}));
        let revoke = |moment: &str| {
            if moment == at {
                revoked.add(Revocation::of_token(&token), NOW).unwrap();
            }
        };
        let known = Known::new(token.clone());
        revoke("before the look");
        let was_revoked = known.is_revoked_by(revoked, |token| {
            let found = revoked.contains(token);
            revoke("during the look");
            found
        });
        assert_eq!(was_revoked, at == "before the look", "{at}");
        revoke("before it is remembered");
        cache.insert(name(1), known, NOW);
        revoke("after that");
        assert_eq!(cache.find(&name(1), revoked, NOW).is_some(), at == "after a hit", "{at}");
        revoke("after a hit");
        assert!(cache.find(&name(1), revoked, NOW).is_none(), "{at}");
        assert_eq!(cache.status().entries, 0, "{at}: it is dropped");
    }
}

#[test]
fn issuer_and_jti_do_not_run_into_each_other() {
    let revocations = Revocations::default();
    revocations.revoked().add(Revocation::of_jti("https://id.example.co", "mt-1", NOW + 9), NOW).unwrap();
    assert!(!revocations.revoked().contains(&access_token(&json!({}))));
}

#[test]
fn revocations_are_bounded_and_say_so() {
    let revocations = Revocations::with_capacity(3);
    revocations.revoked().grant_skew(60);
    let revoke = |n: u32, expires_at, now_s| {
        let revocation = Revocation::of_jti("https://id.example.com", &format!("t-{n}"), expires_at);
        revocations.revoked().add(revocation, now_s)
    };
    for n in 0..3 {
        revoke(n, NOW + 10 + i64::from(n), NOW).unwrap();
    }
    assert_eq!(revoke(3, NOW + 500, NOW), Err(RevocationsFull { capacity: 3 }));
    revoke(0, NOW + 400, NOW).unwrap();
    assert_eq!(
        revoke(3, NOW + 500, NOW + 70),
        Err(RevocationsFull { capacity: 3 }),
        "the first lives longer now"
    );
    assert_eq!([NOW + 70, NOW + 71, NOW + 72].map(|now_s| revocations.revoked().living(now_s)), [3, 2, 1]);
    // The second has expired, so there is room.
    revoke(3, NOW + 500, NOW + 71).unwrap();
    assert_eq!(revocations.len(), 3);
    let is_revoked =
        |n: u32| revocations.revoked().contains(&access_token(&json!({"jti": format!("t-{n}")})));
    assert_eq!([0, 1, 2, 3, 4].map(is_revoked), [true, false, true, true, false]);
    // One that expires is forgotten with the next, full or not; one that has expired is not remembered at all.
    revoke(4, NOW + 500, NOW + 460).unwrap();
    assert_eq!(revocations.len(), 2);
    revoke(5, NOW + 400, NOW + 460).unwrap();
    assert_eq!(revocations.len(), 2);
}

#[test]
fn only_a_token_that_was_not_revoked_before_makes_others_be_looked_at_again() {
    let revocations = Revocations::default();
    let revoked = revocations.revoked();
    let of = |jti: &str, expires_at| Revocation::of_jti("https://id.example.com", jti, expires_at);
    revoked.add(of("t-2", NOW + 100), NOW).unwrap();
    let before = revoked.state();
    for (jti, expires_at) in [("t-2", NOW + 100), ("t-2", NOW + 50), ("t-2", NOW + 900), ("t-3", NOW)] {
        revoked.add(of(jti, expires_at), NOW).unwrap();
        assert_eq!(revoked.state(), before, "{jti} until {expires_at}");
    }
    revoked.add(of("t-4", NOW + 100), NOW).unwrap();
    assert_ne!(revoked.state(), before);
}

#[test]
fn a_revocation_is_seen_at_once_by_all_threads() {
    let revocations = Revocations::default();
    let tokens: Vec<_> = (0..8).map(|n| known(json!({"jti": format!("t-{n}")}))).collect();
    for (n, token) in tokens.iter().enumerate() {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        token.is_revoked(revocations.revoked());
                    }
                });
            }
            let revocation = Revocation::of_jti("https://id.example.com", &format!("t-{n}"), NOW + 100);
            revocations.revoked().add(revocation, NOW).unwrap();
            assert!(token.is_revoked(revocations.revoked()));
        });
        assert!(token.is_revoked(revocations.revoked()));
    }
}

#[test]
fn neither_shows_what_it_holds() {
    let cache = cache(10);
    cache.insert(name(1), known(json!({})), NOW);
    let shown = format!("{cache:?} {:?} {:?}", name(1), Revocation::of_jti("issuer", "secret-jti", 7));
    assert!(!shown.contains("alice") && !shown.contains("t-1") && !shown.contains("secret"), "{shown}");
}
