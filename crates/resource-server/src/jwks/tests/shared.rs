//! One fetch for each address, however many issuers and authenticators use it.

use super::*;
use crate::Authenticator;
use sealwright_jose::Alg;

fn issuer(name: &str, algs: &[Alg]) -> IssuerConfig {
    IssuerConfig::new(name, "api").jwks_uri(KEYS.parse().unwrap(), algs.iter().copied())
}

#[tokio::test(start_paused = true)]
async fn issuers_that_share_an_address_share_its_fetches() {
    let (sets, source) = network(JwksOptions::default());
    let rsa = SigningKey::generate(Alg::Rs256).unwrap().with_kid("r").verifying_key();
    source.now(Reply::Body(JwkSet::from_keys([key("e"), rsa]).unwrap().to_json()));
    let keys: Vec<_> = [&[Alg::Es256][..], &[Alg::Rs256], &[Alg::Es256, Alg::Rs256], &[Alg::Ps256]]
        .into_iter()
        .map(|algs| RemoteKeys::new(&issuer(ISSUER, algs), &sets).unwrap().unwrap())
        .collect();
    let mut usable = Vec::new();
    for keys in &keys {
        usable.push(keys.obtain().await.unwrap().usable_keys());
    }
    // Each by its own list of algorithms; a key without `alg` is not taken for one that is not listed.
    assert_eq!(usable, [1, 1, 2, 0]);
    assert_eq!(source.calls(), 1);
    sleep(250 * SECOND).await;
    assert_eq!(source.calls(), 2, "one refresher for all");
}

#[tokio::test(start_paused = true)]
async fn authenticators_that_share_key_sets_share_their_state() {
    let (sets, source) = network(JwksOptions::default());
    source.now(fresh(&["a"]));
    let one =
        Authenticator::builder().issuer(issuer(ISSUER, &[Alg::Es256])).jwks(sets.clone()).build().unwrap();
    let two = Authenticator::builder()
        .issuers([issuer("other", &[Alg::Es256]), issuer("third", &[Alg::Es256])])
        .jwks(sets.clone())
        .build();
    let keys = published_at(KEYS, &sets);
    keys.obtain().await.unwrap();
    let seen: Vec<_> = [one, two.unwrap()].iter().flat_map(Authenticator::key_sets).collect();
    let issuers: Vec<_> = seen.iter().map(|set| set.issuer.as_str()).collect();
    assert_eq!(issuers, [ISSUER, "other", "third"]);
    assert!(seen.iter().all(|set| set.usable_keys == 1 && set.age == Some(Duration::ZERO)));
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_any_more_is_forgotten() {
    let (sets, source) = network(JwksOptions::default());
    source.now(fresh(&["a"]));
    for round in 1..=3 {
        let keys = published_at(KEYS, &sets);
        keys.obtain().await.unwrap();
        assert_eq!(source.calls(), round);
        drop(keys);
        settle().await;
    }
}
