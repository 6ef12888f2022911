//! What could never pass a token, or would pass too many, is refused at the start.

use crate::support::*;
use sealwright_jose::Alg;
use sealwright_resource_server::{Authenticator, ConfigError, IssuerConfig, JwksOptions, KeySource};
use std::time::Duration;

fn build(issuers: Vec<IssuerConfig>, jwks: JwksOptions) -> Result<Authenticator, ConfigError> {
    Authenticator::builder().issuers(issuers).jwks(jwks).build()
}

fn refused(issuers: Vec<IssuerConfig>, jwks: JwksOptions) -> String {
    build(issuers, jwks).map(|made| format!("{made:?}")).unwrap_err().to_string()
}

fn fixed() -> KeySource {
    KeySource::Fixed(vec![K1.verifying_key()])
}

fn at(uri: &str) -> IssuerConfig {
    IssuerConfig::new(ISSUER, AUDIENCE).jwks_uri(uri.parse().unwrap(), [Alg::Es256])
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    for (issuers, reason) in [
        (vec![], "no issuer is configured"),
        (vec![IssuerConfig::new("", AUDIENCE).fixed_keys([K1.verifying_key()])], "an issuer is empty"),
        (vec![terms(), terms()], "issuer `https://id.example.com` is configured twice"),
        (vec![terms().fixed_keys([])], "issuer `https://id.example.com` has no algorithm"),
        (
            vec![terms().keys(fixed(), [Alg::Es256, Alg::Hs256])],
            "issuer `https://id.example.com` must not use HS256: whoever can verify it can also sign",
        ),
        (vec![terms().typ([""; 0])], "issuer `https://id.example.com` has no `typ`, or an empty one"),
        (vec![terms().typ(["JWT", ""])], "issuer `https://id.example.com` has no `typ`, or an empty one"),
        (
            vec![IssuerConfig::new(ISSUER, "").fixed_keys([K1.verifying_key()])],
            "issuer `https://id.example.com` has an empty audience",
        ),
        (vec![terms().audience("")], "issuer `https://id.example.com` has an empty audience"),
        (
            vec![terms().keys(KeySource::Fixed(vec![]), [Alg::Es256])],
            "issuer `https://id.example.com` has no key",
        ),
        (
            vec![terms().keys(fixed(), [Alg::Rs256])],
            "issuer `https://id.example.com` has a key for ES256, which its list of algorithms does not hold",
        ),
        (
            vec![terms().clock_skew(Duration::from_millis(600_001))],
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
    let limit = terms().clock_skew(Duration::from_secs(600));
    for good in [limit, terms().fixed_keys([K2.verifying_key()]), at_uri().jwks_uri(uri(), [Alg::Rs256])] {
        build(vec![good], loopback()).unwrap();
    }
}

#[test]
fn two_keys_of_one_name_are_refused() {
    let twice = terms().fixed_keys([K1.verifying_key(), STRANGER.verifying_key()]);
    let error = build(vec![twice], loopback()).map(drop).unwrap_err();
    assert!(matches!(error, ConfigError::Verifier { .. }), "{error:?}");
}

#[test]
fn keys_come_from_https_or_by_acknowledgement_from_this_machine() {
    let acknowledged = loopback();
    let strict = JwksOptions::default();
    for uri in
        ["http://127.0.0.1:1/jwks", "http://127.9.9.9/jwks", "http://[::1]:1/jwks", "http://localhost:1/jwks"]
    {
        build(vec![at(uri)], acknowledged.clone()).unwrap();
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
