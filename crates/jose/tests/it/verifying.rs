//! Verifying beyond the compact form: what is accepted, and above all what is not.

mod detached;
mod general;
mod limits;
mod policies;
mod possession;
mod remembered;
mod unencoded;

use sealwright_jose::{
    VerifyErrorKind as Kind, base64url,
    jws::{Require, Scratch, VerifiedSignature, Verifier},
};

use crate::support::{ED25519, ES256, HS256, RS256};

/// Who signs.
#[derive(Clone, Copy, Debug)]
enum By {
    Es256,
    Rs256,
    Ed25519,
    Hs256,
    /// Nobody: sixty-four zeros.
    Forger,
}

impl By {
    fn sign(self, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256 => ES256.sign(input).unwrap(),
            Self::Rs256 => RS256.sign(input).unwrap(),
            Self::Ed25519 => ED25519.sign(input).unwrap(),
            Self::Hs256 => HS256.sign(input).unwrap(),
            Self::Forger => vec![0; 64],
        }
    }

    /// The members of one signature over a payload as it stands in the signing input. `header` is
    /// the protected header, left out if empty; `more` ends in a comma or is empty.
    fn members(self, header: &str, payload: &[u8], more: &str) -> String {
        let protected = base64url::encode(header);
        let input = [protected.as_bytes(), b".", payload].concat();
        let signature = base64url::encode(self.sign(&input));
        let protected =
            if header.is_empty() { String::new() } else { format!(r#""protected":"{protected}","#) };
        format!(r#"{more}{protected}"signature":"{signature}""#)
    }

    fn compact(self, header: &str, payload: &str) -> String {
        let input = format!("{}.{payload}", base64url::encode(header));
        format!("{input}.{}", base64url::encode(self.sign(input.as_bytes())))
    }

    fn compact_detached(self, header: &str, payload: &[u8]) -> String {
        let protected = base64url::encode(header);
        let input = [protected.as_bytes(), b".", payload].concat();
        format!("{protected}..{}", base64url::encode(self.sign(&input)))
    }
}

/// A general JWS of these signatures over the base64url of `payload`.
fn general(payload: &[u8], signatures: &[(By, &str)]) -> String {
    let text = base64url::encode(payload);
    let signatures: Vec<_> = signatures
        .iter()
        .map(|(by, header)| format!("{{{}}}", by.members(header, text.as_bytes(), "")))
        .collect();
    format!(r#"{{"payload":"{text}","signatures":[{}]}}"#, signatures.join(","))
}

/// The payload and the places of the signatures that were verified.
fn verify_json(verifier: &Verifier, json: &str, require: Require) -> Result<(Vec<u8>, Vec<usize>), Kind> {
    let mut scratch = Scratch::new();
    match verifier.verify_json(json, require, &mut scratch) {
        Ok(verified) => {
            let places = verified.signatures().iter().map(VerifiedSignature::index).collect();
            Ok((verified.payload().to_vec(), places))
        }
        Err(error) => Err(error.kind()),
    }
}
