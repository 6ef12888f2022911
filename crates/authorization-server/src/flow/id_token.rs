//! ID tokens (OpenID Connect Core 1.0 §2): who logged in, when and how, for the client itself.

use sealwright_jose::{Alg, Digest, Hash, base64url};
use sealwright_keystore::KeyHandle;
use sealwright_service::clock::Timestamp;
use sealwright_service::secret::Secret;
use serde_json::Value;

use super::token::{self, TokenContent};
use crate::domain::client::Client;
use crate::domain::scope::{OPENID, Scopes};
use crate::error::OAuthError;
use crate::signing_keys::snapshot::{Look, NoSigner};
use crate::state::App;

/// An ID token, and what the audit log says of it.
pub(crate) struct IdToken {
    pub(super) token: Secret,
    pub(super) kid: String,
    pub(super) expires_at_s: i64,
}

/// The key of an ID token, and when that expires.
pub(super) struct IdTokenKey {
    key: KeyHandle,
    expires_at_s: i64,
}

/// The key of the ID token for who logs in with `scope`; `None` where the client did not ask for one, or may not any more.
pub(super) fn key(
    app: &App,
    client: &Client,
    scope: &Scopes,
    look: &Look<'_>,
    now: Timestamp,
) -> Result<Option<IdTokenKey>, NoSigner> {
    if !scope.contains(OPENID) || !client.may_get_id_tokens() {
        return Ok(None);
    }
    let expires_at_s = now.plus(app.snapshot.id_token_expiry).as_secs();
    let key = look.signer(client.id_token_alg(|alg| look.signs(alg)), expires_at_s)?;
    Ok(Some(IdTokenKey { key, expires_at_s }))
}

/// Signs the ID token that goes with `access_token`.
pub(super) async fn issue(
    app: &App,
    client: &Client,
    content: &TokenContent<'_>,
    IdTokenKey { key, expires_at_s }: &IdTokenKey,
    access_token: &str,
    now: Timestamp,
) -> Result<IdToken, OAuthError> {
    let mut claims = token::login_claims(app, client, content.subject);
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", app.snapshot.issuer.as_str().into());
    set("sub", content.subject.id(client).into());
    // One audience, so no `azp` beside it.
    set("aud", client.id.as_str().into());
    set("iat", now.as_secs().into());
    set("exp", (*expires_at_s).into());
    if let Some(nonce) = content.nonce {
        set("nonce", nonce.into());
    }
    if let Some(at_hash) = at_hash(key.alg(), access_token) {
        set("at_hash", at_hash.into());
    }
    let token = token::sign(key, "JWT", claims).await?;
    Ok(IdToken { token, kid: key.kid().to_owned(), expires_at_s: *expires_at_s })
}

/// Half of the access token's hash (§3.1.3.6), by the hash of the algorithm that signs the ID token; with Ed25519 that is SHA-512
/// (RFC 8032 §5.1). `None` where the algorithm has no hash that everybody agrees on: ML-DSA. The claim may be left out.
fn at_hash(alg: Alg, access_token: &str) -> Option<String> {
    let hash = match alg {
        Alg::Ed25519 => Hash::Sha512,
        alg => alg.digest()?,
    };
    let digest = Digest::of(hash, access_token.as_bytes());
    Some(base64url::encode(&digest.as_bytes()[..hash.digest_len() / 2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first value is that of OpenID Connect Core 1.0, appendix A.3; the others were made of the same token by Python's hashlib.
    #[test]
    fn the_access_token_is_hashed_as_the_id_token_is() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        let (sha256, sha384) = ("77QmUPtjPfzWtF2AnpK9RQ", "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs");
        let sha512 = "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM";
        for (alg, expected) in [
            (Alg::Rs256, Some(sha256)),
            (Alg::Ps256, Some(sha256)),
            (Alg::Es256, Some(sha256)),
            (Alg::Es256k, Some(sha256)),
            (Alg::Rs384, Some(sha384)),
            (Alg::Ps384, Some(sha384)),
            (Alg::Es384, Some(sha384)),
            (Alg::Rs512, Some(sha512)),
            (Alg::Ps512, Some(sha512)),
            (Alg::Es512, Some(sha512)),
            (Alg::Ed25519, Some(sha512)),
            (Alg::MlDsa44, None),
            (Alg::MlDsa65, None),
            (Alg::MlDsa87, None),
        ] {
            assert_eq!(at_hash(alg, token).as_deref(), expected, "{alg}");
        }
    }
}
