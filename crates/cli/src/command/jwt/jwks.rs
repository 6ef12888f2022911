//! Fetching an issuer's JWK set, once, from where the user says.

use std::{io, time::Duration};

use reqwest::{StatusCode, header::ACCEPT, redirect};
use sealwright_jose::{Alg, JwkSet};
use url::{Host, Url};

use crate::{error::CliError, input::MAX_KEY_BYTES, output::Output};

/// For the connection and the whole answer.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn fetch(url: &Url, algs: &[Alg], output: &Output) -> Result<JwkSet, CliError> {
    check(url)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| unreadable(url, error))?;
    let text = runtime.block_on(get(url))?;
    let set = JwkSet::parse(&text, algs)
        .map_err(|error| CliError::refused_by(format!("what {url} answers cannot be used"), error))?;
    for (n, error) in set.skipped() {
        let what = format!("key {} of {url} is passed over", n + 1);
        output.warning_of(&CliError::refused_by(what, error.clone()));
    }
    Ok(set)
}

fn unreadable(url: &Url, source: io::Error) -> CliError {
    CliError::Unreadable { what: url.to_string(), source }
}

/// Plain http shows the keys to be replaced on the way.
fn check(url: &Url) -> Result<(), CliError> {
    if !url.username().is_empty() || url.password().is_some() {
        // It is not repeated: the password would stand in the log of whoever runs this.
        return Err(CliError::Usage(
            "the URL of --jwks has a name or password in it: a JWK set is public".to_owned(),
        ));
    }
    let is_this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_this_machine => Ok(()),
        _ => Err(CliError::Usage(format!("--jwks {url} is not https; plain http is only for this machine"))),
    }
}

/// The body, as far as a JWK set may be large. No redirect is followed: it would lead to a host that the
/// user did not name.
async fn get(url: &Url) -> Result<String, CliError> {
    let failed = |error: reqwest::Error| unreadable(url, io::Error::other(error.without_url()));
    let client = reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(TIMEOUT).build();
    let request = client.map_err(failed)?.get(url.clone());
    let request = request.header(ACCEPT, "application/jwk-set+json, application/json");
    let mut answer = request.send().await.map_err(failed)?;
    if answer.status() != StatusCode::OK {
        let problem = format!("it answers with status {}", answer.status().as_u16());
        return Err(unreadable(url, io::Error::other(problem)));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() as u64 > MAX_KEY_BYTES {
            let problem = format!("its answer is longer than {MAX_KEY_BYTES} bytes");
            return Err(unreadable(url, io::Error::other(problem)));
        }
    }
    String::from_utf8(body).map_err(|_| CliError::refused(format!("what {url} answers is not text")))
}
