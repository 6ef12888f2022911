use sealwright_resource_server::{AccessToken, Authenticator, Revocation};
use std::error::Error;

#[derive(serde::Deserialize)]
struct Introspection {
    active: bool,
}

/// Takes in what the introspection endpoint said of a token that passed: one that is not active is refused from now on.
fn introspected(
    authenticator: &Authenticator,
    token: &AccessToken,
    said: &[u8],
) -> Result<(), Box<dyn Error>> {
    let Introspection { active } = serde_json::from_slice(said)?;
    if !active {
        authenticator.revoke(Revocation::of_token(token))?;
    }
    Ok(())
}
