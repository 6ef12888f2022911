//! The issuer of the fixture: whom the layer trusts, and as many tokens as are needed.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use house::Fixture;
use sealwright_jose::{Alg, JwkSet, SigningKey, VerifyingKey, jws::Signer};
use sealwright_resource_server::{Authenticator, IssuerConfig, VerifiedTokens};

use crate::afar::Afar;

/// As `ours` names its keys.
pub(crate) const KID: &str = "bench-2026";

/// The algorithm of that name, if this version has it.
pub(crate) fn alg(name: &str) -> Alg {
    Alg::from_name(if name == "EdDSA" { "Ed25519" } else { name }).expect("the fixture has what we have")
}

pub(crate) fn verifying_key(name: &str, fixture: &Fixture) -> VerifyingKey {
    let pem = fixture.algs[name].public_pem.as_deref().expect("a public key");
    VerifyingKey::from_pem(alg(name), pem).expect("a public key of that algorithm").with_kid(KID)
}

/// As an API would be told, for the fixture's tokens, which are plain JWTs.
pub(crate) fn authenticator(name: &str, fixture: &Fixture, remembered: VerifiedTokens) -> Authenticator {
    let issuer = IssuerConfig::new(&fixture.issuer, &fixture.audience)
        .fixed_keys([verifying_key(name, fixture)])
        .typ(["JWT"]);
    Authenticator::builder()
        .issuer(issuer)
        .verified_tokens(remembered)
        .build()
        .expect("a configuration that makes sense")
}

/// The same, with keys that were fetched: from the address that the issuer's metadata names, or from the one that the
/// configuration names.
pub(crate) fn with_keys_from_afar(name: &str, fixture: &Fixture, discovered: bool) -> Authenticator {
    let set = JwkSet::from_keys([verifying_key(name, fixture)]).expect("one key").to_json();
    let source = Afar::new(&fixture.issuer, set);
    let issuer = IssuerConfig::new(&fixture.issuer, &fixture.audience).typ(["JWT"]);
    let issuer = match discovered {
        true => issuer.discovery([alg(name)]),
        false => issuer.jwks_uri(source.jwks_uri(), [alg(name)]),
    };
    let authenticator = Authenticator::builder()
        .issuer(issuer)
        .jwks(source.key_sets())
        .verified_tokens(VerifiedTokens::default())
        .build()
        .expect("a configuration that makes sense");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let token = &fixture.algs[name].token;
    runtime
        .block_on(
            authenticator.authenticate_token(token, i64::try_from(now).expect("before the end of time")),
        )
        .expect("the keys are fetched");
    authenticator
}

/// Signs tokens that differ in their `jti`.
pub(crate) struct Issuer {
    key: SigningKey,
    claims: String,
}

impl Issuer {
    pub(crate) fn new(name: &str, fixture: &Fixture) -> Self {
        let pem = fixture.algs[name].private_pem.as_deref().expect("a private key");
        let key = SigningKey::from_pem(alg(name), pem).expect("a private key of that algorithm");
        // The names are replaced by others of the same length, so that all tokens are as long as the fixture's.
        Self { key: key.with_kid(KID), claims: fixture.claims.clone() }
    }

    /// The same with claims that are longer by this many bytes, or a few more.
    pub(crate) fn padded(mut self, bytes: usize) -> Self {
        if bytes > 0 {
            let (claims, _) = self.claims.rsplit_once('}').expect("the claims are an object");
            self.claims = format!(r#"{claims},"note":"{}"}}"#, "x".repeat(bytes));
        }
        self
    }

    /// One that is bound to the key of that thumbprint.
    pub(crate) fn bound_token(&self, jkt: &str) -> String {
        let (claims, _) = self.claims.rsplit_once('}').expect("the claims are an object");
        let claims = format!(r#"{claims},"cnf":{{"jkt":"{jkt}"}}}}"#);
        Signer::new(&self.key).typ("JWT").sign_compact(claims.as_bytes()).expect("it signs")
    }

    pub(crate) fn token(&self, n: usize) -> String {
        let claims = self.claims.replace("0f8fad5b-d9cb-469f-a165", &format!("{n:023}"));
        assert_ne!(claims, self.claims, "the fixture's jti is another one");
        Signer::new(&self.key).typ("JWT").sign_compact(claims.as_bytes()).expect("it signs")
    }
}

/// Writes `count` tokens of ES256 into `file`, one a line, each different.
pub fn tokens(fixture: &Fixture, file: &Path, count: usize) {
    let issuer = Issuer::new("ES256", fixture);
    let mut file = BufWriter::new(File::create(file).expect("the file can be written"));
    for n in 0..count {
        writeln!(file, "{}", issuer.token(n)).expect("the file can be written");
    }
    file.flush().expect("the file can be written");
}
