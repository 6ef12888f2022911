//! Keys: each format says all of a key, and nothing but it.

use proptest::prelude::*;
use sealwright_jose::{JwkSet, Key, MacKey, SigningKey, VerifyingKey};

use super::{SECRETS, Secret, any_secret, any_text, config};

/// Whether both are one key under one `kid`.
fn same(one: &SigningKey, other: &SigningKey) -> bool {
    one.to_jwk() == other.to_jwk() && one.verifying_key() == other.verifying_key()
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn a_key_is_the_same_in_every_format(secret in any_secret(), kid in proptest::option::of(any_text())) {
        let secret = kid.as_ref().map_or(secret.clone(), |kid| secret.with_kid(kid));
        let alg = secret.alg();
        match &secret {
            Secret::Mac(key) => {
                let again = MacKey::from_jwk(&key.to_jwk()).unwrap();
                prop_assert_eq!(again.to_jwk(), key.to_jwk());
                prop_assert_eq!(again.kid(), kid.as_deref());
            }
            Secret::Signing(key) => {
                let named = |key: SigningKey| kid.iter().fold(key, SigningKey::with_kid);
                let again = SigningKey::from_jwk(&key.to_jwk().unwrap()).unwrap();
                prop_assert!(same(&again, key));
                prop_assert_eq!(again.kid(), kid.as_deref());
                let again = SigningKey::from_pem(alg, &key.to_pem().unwrap()).unwrap();
                prop_assert!(same(&named(again), key));
                let der = key.to_pkcs8_der().unwrap();
                prop_assert!(same(&named(SigningKey::from_pkcs8_der(alg, &der).unwrap()), key));
                prop_assert!(matches!(Key::parse_der(&der, alg), Ok(Key::Signing(_))));

                let public = key.verifying_key();
                let named = |key: VerifyingKey| kid.iter().fold(key, VerifyingKey::with_kid);
                prop_assert_eq!(&VerifyingKey::from_jwk(&public.to_jwk()).unwrap(), &public);
                let pem = public.to_pem().unwrap();
                prop_assert_eq!(&named(VerifyingKey::from_pem(alg, &pem).unwrap()), &public);
                let der = public.to_spki_der();
                prop_assert_eq!(&named(VerifyingKey::from_spki_der(alg, &der).unwrap()), &public);
                prop_assert!(matches!(Key::parse_der(&der, alg), Ok(Key::Verifying(_))));
                prop_assert!(MacKey::from_bytes(sealwright_jose::Alg::Hs256, &der).is_err());
            }
        }
    }

    #[test]
    fn a_published_set_has_all_keys_and_no_secret(kids in prop::collection::btree_set(any_text(), 1..6)) {
        let mut private = Vec::new();
        let named = SECRETS.iter().zip(kids.iter().cycle()).enumerate();
        let keys: Vec<VerifyingKey> = named.filter_map(|(at, (secret, kid))| {
            let Secret::Signing(key) = secret.with_kid(&format!("{at}-{kid}")) else { return None };
            private.push(key.to_jwk().unwrap());
            Some(key.verifying_key())
        }).collect();
        let json = JwkSet::from_keys(keys.clone()).unwrap().to_json();
        let set = JwkSet::parse(&json, sealwright_jose::Alg::ALL).unwrap();
        prop_assert_eq!(set.keys(), keys);
        prop_assert_eq!(set.skipped(), []);
        for jwk in private {
            let jwk: serde_json::Value = serde_json::from_str(&jwk).unwrap();
            for member in ["d", "p", "q", "dp", "dq", "qi", "priv"] {
                prop_assert!(jwk[member].as_str().is_none_or(|secret| !json.contains(secret)));
            }
        }
    }
}

proptest! {
    // Deriving a key from a password is meant to take long.
    #![proptest_config(config(4))]

    #[test]
    fn a_key_under_a_password_is_the_same_and_another_password_opens_nothing(
        at in any::<prop::sample::Index>(),
        password in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let keys: Vec<_> = SECRETS.iter().filter_map(|secret| match secret {
            Secret::Signing(key) => Some(key),
            Secret::Mac(_) => None,
        }).collect();
        let key = keys[at.index(keys.len())];
        let pem = key.to_encrypted_pem(&password).unwrap();
        prop_assert!(same(&SigningKey::from_pem_with_password(key.alg(), &pem, &password).unwrap(), key));
        let other = [&password[..], b"x"].concat();
        prop_assert!(SigningKey::from_pem_with_password(key.alg(), &pem, &other).is_err());
        prop_assert!(SigningKey::from_pem(key.alg(), &pem).is_err());
    }
}
