//! `sealwright jwk generate`

use sealwright_jose::{Alg, KeyError, MacKey, SigningKey};
use sealwright_service::random;
use zeroize::Zeroizing;

use super::{Outcome, one_or_set};
use crate::{args::GenerateArgs, error::CliError, output::Output};

pub(super) fn run(args: &GenerateArgs, output: &Output) -> Result<Outcome, CliError> {
    let size = match &args.size {
        Some(bits) if is_rsa(args.alg) => {
            Some(bits.parse::<usize>().map_err(|_| CliError::Usage("--size is a number of bits".into()))?)
        }
        Some(_) => {
            let message = format!("--size is for RSA keys: the size of a key for {} is fixed", args.alg);
            return Err(CliError::Usage(message));
        }
        None => None,
    };
    let count = args.count.unwrap_or(1);
    let keys = (0..count)
        .map(|_| new_key(args.alg, size, args.kid.as_deref()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| CliError::refused_by("no key was made", error))?;
    output.text(&one_or_set(&keys, args.count.is_some()))?;
    Ok(Outcome::Done)
}

fn is_rsa(alg: Alg) -> bool {
    matches!(alg, Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512)
}

/// A private JWK under `kid`, or under its thumbprint. A symmetric key gets a random name: its
/// thumbprint would be a hash of the secret, published with every token.
fn new_key(alg: Alg, rsa_bits: Option<usize>, kid: Option<&str>) -> Result<Zeroizing<String>, KeyError> {
    if alg.is_mac() {
        let kid = kid.map_or_else(|| random::id("k_"), str::to_owned);
        return Ok(MacKey::generate(alg)?.with_kid(kid).to_jwk());
    }
    let key = match rsa_bits {
        Some(bits) => SigningKey::generate_rsa(alg, bits)?,
        None => SigningKey::generate(alg)?,
    };
    let kid = kid.map_or_else(|| key.verifying_key().thumbprint_base64url(), str::to_owned);
    key.with_kid(kid).to_jwk()
}
