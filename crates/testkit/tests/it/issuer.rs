//! The throw-away issuer.

use std::time::{Duration, Instant};

use sealwright_jose::{
    Alg, JwkSet,
    jws::{Scratch, Unverified, Verifier},
};
use sealwright_testkit::issuer::Issuer;
use serde_json::json;

async fn fetch(issuer: &Issuer) -> (u16, String) {
    let response = reqwest::get(issuer.jwks_uri()).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn verifies(set: &str, token: &str) -> bool {
    let set = JwkSet::parse(set, &[Alg::Es256]).unwrap();
    let verifier = Verifier::builder([Alg::Es256]).typ("at+jwt").keys(&set).build().unwrap();
    verifier.verify_compact(token, &mut Scratch::new()).is_ok()
}

#[tokio::test]
async fn tokens_verify_under_the_published_set() {
    let issuer = Issuer::start(Alg::Es256).await;
    let first = issuer.token(json!({"iss": issuer.url(), "sub": "alice"}));
    let (status, before) = fetch(&issuer).await;
    assert_eq!(status, 200);
    assert_eq!(before, issuer.jwks());
    assert!(verifies(&before, &first));
    let header = Unverified::peek_compact(&first).unwrap();
    assert_eq!((header.header("kid"), header.header("typ")), (Some(json!("key-1")), Some(json!("at+jwt"))));

    issuer.rotate();
    let second = issuer.token(json!({}));
    assert!(!verifies(&before, &second));
    assert!(verifies(&fetch(&issuer).await.1, &first));
    assert!(verifies(&fetch(&issuer).await.1, &second));
    issuer.withdraw_old();
    assert!(!verifies(&fetch(&issuer).await.1, &first));
    assert_eq!(issuer.fetches(), 4);
}

#[tokio::test]
async fn it_can_be_slow_and_down() {
    let issuer = Issuer::start(Alg::Es256).await;
    issuer.be_slow(Duration::from_millis(200));
    let began = Instant::now();
    assert_eq!(fetch(&issuer).await.0, 200);
    assert!(began.elapsed() >= Duration::from_millis(200));
    issuer.be_slow(Duration::ZERO);
    issuer.be_down(true);
    assert_eq!(fetch(&issuer).await, (500, String::new()));
    issuer.be_down(false);
    assert_eq!(fetch(&issuer).await.0, 200);
    let uri = issuer.jwks_uri();
    drop(issuer);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(reqwest::get(uri).await.is_err());
}
