//! What holds for every payload, header, key and change: random ones, shrunk to the smallest that
//! fails.

mod formats;
mod general;
mod tokens;

use std::sync::LazyLock;

use proptest::{prelude::*, test_runner::Config};
use sealwright_jose::{
    Alg, MacKey, SigningKey,
    jws::{Signer, Verifier, VerifierBuilder},
};

/// Enough to find a rule that is wrong, few enough for every run: a signature of RSA or ML-DSA takes
/// its time in a debug build. `PROPTEST_CASES` asks for more.
fn config(cases: u32) -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// A key of either kind.
#[derive(Clone, Debug)]
enum Secret {
    Signing(SigningKey),
    Mac(MacKey),
}

impl Secret {
    fn alg(&self) -> Alg {
        match self {
            Self::Signing(key) => key.alg(),
            Self::Mac(key) => key.alg(),
        }
    }

    fn with_kid(&self, kid: &str) -> Self {
        match self {
            Self::Signing(key) => Self::Signing(key.clone().with_kid(kid)),
            Self::Mac(key) => Self::Mac(key.clone().with_kid(kid)),
        }
    }

    fn signer(&self) -> Signer {
        match self {
            Self::Signing(key) => Signer::new(key),
            Self::Mac(key) => Signer::mac(key),
        }
    }

    fn add_to(&self, builder: VerifierBuilder) -> VerifierBuilder {
        match self {
            Self::Signing(key) => builder.key(key.verifying_key()),
            Self::Mac(key) => builder.mac_key(key.clone()),
        }
    }

    fn verifier(&self) -> VerifierBuilder {
        self.add_to(Verifier::builder([self.alg()]))
    }
}

/// Of each algorithm one key, all of RSA the same: to make one takes long.
static SECRETS: LazyLock<Vec<Secret>> = LazyLock::new(|| {
    let rsa = SigningKey::generate(Alg::Rs256).unwrap().to_pkcs8_der().unwrap();
    let one = |alg: Alg| match alg.name().get(..2) {
        Some("HS") => Secret::Mac(MacKey::generate(alg).unwrap()),
        Some("RS" | "PS") => Secret::Signing(SigningKey::from_pkcs8_der(alg, &rsa).unwrap()),
        _ => Secret::Signing(SigningKey::generate(alg).unwrap()),
    };
    Alg::ALL.iter().copied().map(one).collect()
});

fn any_secret() -> impl Strategy<Value = Secret> {
    (0..SECRETS.len()).prop_map(|at| SECRETS[at].clone())
}

fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// Names and identifiers: any Unicode, quotes and escapes among it.
fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![any::<char>(), prop::char::range('"', '\\')], 0..12)
        .prop_map(|chars| chars.into_iter().collect())
}
