//! What a signature costs by itself, and what it costs on its way into a token.

use std::{
    collections::BTreeMap,
    hint::black_box,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa,
    signature::{self, EcdsaKeyPair, RsaKeyPair},
};
use sealwright_jose::{
    Alg, SigningKey,
    jws::{self, Header},
};
use sealwright_keystore::KeyHandle;
use serde::{Deserialize, Serialize};
use tokio::runtime;

use crate::{Result, load::pinned, statistics::p10};

/// Nanoseconds of one signature, the p10 of many rounds.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Cost {
    /// The primitive, on a text that stands there already.
    pub(crate) bare: f64,
    /// From claims in JSON to a compact token, through the handle by which the server signs.
    pub(crate) path: f64,
}

/// By algorithm.
pub(crate) type Costs = BTreeMap<String, Cost>;

/// So short that most rounds of a noisy machine are undisturbed.
const ROUNDS: usize = 150;
const KID: &str = "rs256-20261122-0123456789ab";

/// As long as what the server signs for this measurement.
const CLAIMS: &str = r#"{"aud":"https://api.example.com","client_id":"default_rs256","exp":1795367488,"iat":1795367188,"iss":"http://127.0.0.1:43210","jti":"tok_6gemvY-BkRoXEKoWh-0FuQ","scope":"orders:read","sub":"default_rs256"}"#;

/// Asks this program to measure on the processor on which the servers run.
pub(crate) fn on_the_servers_core() -> Result<Costs> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = pinned(crate::load::SERVERS, &program);
    let output =
        command.arg("keys").output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("`issuer keys` said something else: {error}"))
}

/// Asks this program how many bare signatures that processor makes a second, the mean of so many seconds: what the
/// requests of as many seconds are compared with.
pub(crate) fn a_second_on_the_servers_core(alg: &str, seconds: u32) -> Result<f64> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = pinned(crate::load::SERVERS, &program);
    let output = command
        .args(["signatures", alg, &seconds.to_string()])
        .output()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().map_err(|_| format!("`issuer signatures` said something else: {said}"))
}

/// The primitive with a new key, on a text that stands there already; false if it fails.
fn primitive(alg: Alg) -> Result<Box<dyn FnMut() -> bool>> {
    let failed = || format!("cannot make a key for {}", alg.name());
    let random = SystemRandom::new();
    let text = [b"eyJ".as_slice(), &[b'a'; 380]].concat();
    if alg == Alg::Rs256 {
        let key = RsaKeyPair::generate(rsa::KeySize::Rsa2048).map_err(|_| failed())?;
        let mut signed = vec![0; key.public_modulus_len()];
        let padding = &signature::RSA_PKCS1_SHA256;
        return Ok(Box::new(move || key.sign(padding, &random, black_box(&text), &mut signed).is_ok()));
    }
    let key = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| failed())?;
    Ok(Box::new(move || key.sign(&random, black_box(&text)).is_ok()))
}

/// Makes bare signatures here for so many seconds, and says how many a second.
pub(crate) fn a_second(alg: &str, seconds: u64) -> Result<f64> {
    let alg = [Alg::Rs256, Alg::Es256].into_iter().find(|known| known.name() == alg);
    let mut sign = primitive(alg.ok_or("RS256 and ES256 are measured here")?)?;
    let (started, mut count) = (Instant::now(), 0_u32);
    while started.elapsed() < Duration::from_secs(seconds) {
        if !sign() {
            return Err("the primitive does not sign".into());
        }
        count += 1;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}

/// Measures both algorithms here and now.
pub(crate) fn measure() -> Result<Costs> {
    let rs256 = cost(Alg::Rs256, 3, primitive(Alg::Rs256)?)?;
    let es256 = cost(Alg::Es256, 50, primitive(Alg::Es256)?)?;
    Ok(BTreeMap::from([("RS256".to_owned(), rs256), ("ES256".to_owned(), es256)]))
}

/// Both in turn, `times` each a round.
fn cost(alg: Alg, times: u32, mut bare: impl FnMut() -> bool) -> Result<Cost> {
    let key = SigningKey::generate(alg).map_err(|error| error.to_string())?;
    let handle = sealwright_keystore::in_memory(KID, key);
    // As the server's runtime is on one processor.
    let runtime =
        runtime::Builder::new_multi_thread().worker_threads(1).build().map_err(|error| error.to_string())?;
    let (mut bare_ns, mut path_ns) = (Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=ROUNDS {
        let started = Instant::now();
        if !(0..times).all(|_| bare()) {
            return Err("the primitive does not sign".into());
        }
        let bare_took = started.elapsed();
        let handle = handle.clone();
        let tokens = runtime.spawn(async move {
            let started = Instant::now();
            for _ in 0..times {
                black_box(token(&handle).await?);
            }
            Ok::<_, String>(started.elapsed())
        });
        let path_took = runtime.block_on(tokens).map_err(|error| error.to_string())??;
        if round > 0 {
            bare_ns.push(bare_took.as_nanos() as f64 / f64::from(times));
            path_ns.push(path_took.as_nanos() as f64 / f64::from(times));
        }
    }
    Ok(Cost { bare: p10(bare_ns), path: p10(path_ns) })
}

async fn token(handle: &KeyHandle) -> Result<String> {
    let header = Header::new(handle.alg()).kid(handle.kid()).typ("at+jwt");
    let prepared = jws::prepare(header, black_box(CLAIMS).as_bytes()).map_err(|error| error.to_string())?;
    let signature = handle.sign_prepared(&prepared).await.map_err(|error| error.to_string())?;
    prepared.signed(signature).and_then(jws::Signed::compact).map_err(|error| error.to_string())
}
