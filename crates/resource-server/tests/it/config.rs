//! What could never pass a token, or would pass too many, is refused at the start.

use crate::support::*;
use sealwright_jose::Alg;
use sealwright_resource_server::{Authenticator, ConfigError, IssuerConfig, JwksOptions, KeySource};
use std::time::Duration;

fn refused(issuers: Vec<IssuerConfig>, jwks: JwksOptions) -> String {
    Authenticator::new(issuers, jwks).map(|made| format!("{made:?}")).unwrap_err().to_string()
}

fn at(uri: &str) -> IssuerConfig {
    IssuerConfig::new(ISSUER, AUDIENCE).jwks_uri(uri.parse().unwrap(), [Alg::Es256])
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    for (issuers, reason) in [
        (vec![], "no issuer is configured"),
        (vec![IssuerConfig { issuer: String::new(), ..terms() }], "an issuer is empty"),
        (vec![terms(), terms()], "issuer `https://id.example.com` is configured twice"),
        (vec![IssuerConfig { algs: vec![], ..terms() }], "issuer `https://id.example.com` has no algorithm"),
        (
            vec![IssuerConfig { algs: vec![Alg::Es256, Alg::Hs256], ..terms() }],
            "issuer `https://id.example.com` must not use HS256: whoever can verify it can also sign",
        ),
        (
            vec![IssuerConfig { typ: vec![], ..terms() }],
            "issuer `https://id.example.com` has no `typ`, or an empty one",
        ),
        (
            vec![IssuerConfig { audiences: vec![], ..terms() }],
            "issuer `https://id.example.com` has no audience, or an empty one",
        ),
        (
            vec![IssuerConfig { audiences: vec![String::new()], ..terms() }],
            "issuer `https://id.example.com` has no audience, or an empty one",
        ),
        (
            vec![IssuerConfig { keys: KeySource::Fixed(vec![]), ..terms() }],
            "issuer `https://id.example.com` has no key",
        ),
        (
            vec![IssuerConfig { algs: vec![Alg::Rs256], ..terms() }],
            "issuer `https://id.example.com` has a key for ES256, which its list of algorithms does not hold",
        ),
        (
            vec![IssuerConfig { clock_skew: Duration::from_millis(600_001), ..terms() }],
            "issuer `https://id.example.com` is granted a clock skew of more than 600 s",
        ),
    ] {
        assert_eq!(refused(issuers, loopback()), reason);
    }
}

#[test]
fn keys_that_are_in_two_places_are_refused() {
    let uri = || "https://id.example.com/jwks".parse().unwrap();
    let pem = K1.verifying_key().to_pem().unwrap();
    let at_uri = || at("https://id.example.com/jwks");
    for contradictory in [
        at_uri().fixed_keys([K1.verifying_key()]),
        at_uri().fixed_keys([]),
        at_uri().keys_from(&pem, [Alg::Es256]).unwrap(),
        at_uri().discovery([Alg::Es256]),
        at_uri().discovery([Alg::Es256]).jwks_uri(uri(), [Alg::Es256]),
        terms().jwks_uri(uri(), [Alg::Es256]),
        terms().discovery([Alg::Es256]),
        terms().discovery([Alg::Es256]).keys_from(&pem, [Alg::Es256]).unwrap(),
    ] {
        let reason = "the keys of issuer `https://id.example.com` are in two places: name one";
        assert_eq!(refused(vec![contradictory], loopback()), reason);
    }
    // What is said again is what is meant.
    let limit = IssuerConfig { clock_skew: Duration::from_secs(600), ..terms() };
    for good in [limit, terms().fixed_keys([K2.verifying_key()]), at_uri().jwks_uri(uri(), [Alg::Rs256])] {
        Authenticator::new(vec![good], loopback()).unwrap();
    }
}

#[test]
fn two_keys_of_one_name_are_refused() {
    let twice = terms().fixed_keys([K1.verifying_key(), STRANGER.verifying_key()]);
    let error = Authenticator::new(vec![twice], loopback()).map(drop).unwrap_err();
    assert!(matches!(error, ConfigError::Verifier { .. }), "{error:?}");
}

#[test]
fn keys_come_from_https_or_by_acknowledgement_from_this_machine() {
    let acknowledged = loopback();
    let strict = JwksOptions::default();
    for uri in
        ["http://127.0.0.1:1/jwks", "http://127.9.9.9/jwks", "http://[::1]:1/jwks", "http://localhost:1/jwks"]
    {
        Authenticator::new(vec![at(uri)], acknowledged.clone()).unwrap();
        assert_eq!(
            refused(vec![at(uri)], strict.clone()),
            "the JWK set's address of issuer `https://id.example.com` plain http to this machine must be acknowledged"
        );
    }
    for uri in [
        "http://id.example.com/jwks",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/jwks",
        "http://[::ffff:127.0.0.1]/jwks",
        "http://localhost.evil.example.com/jwks",
        "http://127.0.0.1.evil.example.com/jwks",
        "ftp://id.example.com/jwks",
        "file:///etc/passwd",
        "data:application/json,{}",
    ] {
        assert_eq!(
            refused(vec![at(uri)], acknowledged.clone()),
            "the JWK set's address of issuer `https://id.example.com` must be https",
            "{uri}"
        );
    }
    let secret = refused(vec![at("https://alice:hunter2@id.example.com/jwks")], strict);
    assert!(
        secret.ends_with("must not hold a user name or password") && !secret.contains("hunter2"),
        "{secret}"
    );
}

#[test]
fn options_of_zero_are_refused() {
    let zero = Duration::ZERO;
    for (option, options) in [
        ("refresh", JwksOptions { refresh: zero, ..loopback() }),
        ("max_stale", JwksOptions { max_stale: zero, ..loopback() }),
        ("timeout", JwksOptions { timeout: zero, ..loopback() }),
        ("max_bytes", JwksOptions { max_bytes: 0, ..loopback() }),
        ("max_keys", JwksOptions { max_keys: 0, ..loopback() }),
    ] {
        assert_eq!(
            refused(vec![terms()], options),
            format!("`{option}` of the JWK set options must not be zero")
        );
    }
}
