//! Who may change the server itself, and what is left of it when they do.

use sealwright_audit::{AuditError, Entry};
use sealwright_jose::jws::{Scratch, Verifier};
use sealwright_jose::jwt::Validator;
use sealwright_jose::{Alg, JwkSet};
use sealwright_service::clock::Timestamp;
use serde_json::{Value, json};

use super::audit::refusal;
use crate::keys::{Action, Done, KeyAdminError, Refusal};
use crate::state::App;

/// Longer than any token of ours.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// What a program's scope must have in it.
const SCOPE: &str = "admin";

/// Somebody who may.
#[derive(Clone, Debug)]
pub(crate) struct Administrator {
    pub(crate) subject: String,
    pub(crate) expires_at: Timestamp,
    /// The key of their token, which goes with it.
    pub(crate) signed_by: String,
}

/// Why somebody is not taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAdministrator {
    /// There is no good token for this.
    Token,
    /// The token is good, and its owner is nobody special.
    Role,
    /// Too many ask.
    Rate,
    /// It could not be written down.
    Audit,
}

/// Who tokens for the administration are for.
pub(crate) fn audience(app: &App) -> String {
    app.snapshot.issuer.at("/admin")
}

/// Holds `token` to our own published keys: an access token (RFC 9068) of this server, for its administration, of a person
/// with the server's role of administrators or of a program with the scope `admin`.
pub(crate) async fn verify(app: &App, token: &str) -> Result<Administrator, NotAdministrator> {
    if app.strangers.take("\nadmin", app.now()).is_err() {
        app.audit.count_refusal(refusal::RATE);
        return Err(NotAdministrator::Rate);
    }
    let Some(claims) = verified(app, token) else {
        app.audit.count_refusal(refusal::ADMIN);
        return Err(NotAdministrator::Token);
    };
    let admin = Administrator {
        subject: claims.subject,
        expires_at: Timestamp::from_secs(claims.expires_at_s),
        signed_by: claims.signed_by,
    };
    if claims.may {
        return Ok(admin);
    }
    // One of our own people, so this is news, but not more often than others' refusals are.
    if app.refusal_entries.take(&format!("\nadmin {}", admin.subject), app.now()).is_err() {
        app.audit.count_refusal(refusal::ADMIN);
    } else if append(app, "admin.refused", &admin, json!({"reason": "role"})).await.is_err() {
        return Err(NotAdministrator::Audit);
    }
    Err(NotAdministrator::Role)
}

struct Verified {
    subject: String,
    expires_at_s: i64,
    signed_by: String,
    may: bool,
}

fn verified(app: &App, token: &str) -> Option<Verified> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let set = {
        let snapshot = app.keys.snapshot();
        JwkSet::parse_any(std::str::from_utf8(&snapshot.set.body).ok()?, Alg::ALL).ok()?
    };
    let algs: Vec<Alg> =
        Alg::ALL.iter().copied().filter(|alg| set.keys().iter().any(|key| key.alg() == *alg)).collect();
    let verifier = Verifier::builder_from(&algs).keys(&set).build().ok()?;
    let validator = Validator::builder()
        .expect_typ("at+jwt")
        .expect_issuer(app.snapshot.issuer.as_str())
        .expect_audience(audience(app))
        .expect_expiry()
        .waive_not_before()
        .waive_max_age()
        .build()
        .ok()?;
    let mut scratch = Scratch::default();
    let token = verifier.verify_jwt(token, &validator, app.now().as_secs(), &mut scratch).ok()?;
    let signed_by = token.verified().kid()?.to_owned();
    let claims = token.claims();
    let subject = claims.sub()?.to_owned();
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let roles = claims.get("roles").and_then(Value::as_array);
    let has_role = app.snapshot.admin_role.as_deref().is_some_and(|wanted| {
        roles.is_some_and(|roles| roles.iter().any(|role| role.as_str() == Some(wanted)))
    });
    // A person may ask for any scope of a client; only of a program does it say what it may (RFC 9068 §2.2).
    let is_program = text("client_id") == Some(subject.as_str());
    let has_scope = text("scope").is_some_and(|scope| scope.split(' ').any(|name| name == SCOPE));
    Some(Verified {
        subject,
        expires_at_s: claims.exp()?,
        signed_by,
        may: if is_program { has_scope } else { has_role },
    })
}

/// Why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActError {
    #[error(transparent)]
    Keys(#[from] KeyAdminError),
    #[error("the audit log could not be written")]
    Audit(#[from] AuditError),
}

/// Carries `action` out, and has this replica follow; that it was asked for is durable in the audit log before anything
/// happens.
pub(crate) async fn act(
    app: &App,
    admin: &Administrator,
    action: &Action,
    reason: Option<&str>,
) -> Result<Done, ActError> {
    let keys = app.key_admin();
    let mut details = match action {
        Action::Rotate { alg, now } => json!({"action": "rotate", "alg": alg.map(Alg::name), "now": now}),
        Action::Publish { kid } => json!({"action": "publish", "kid": known(&keys.list().await?, kid)?}),
        Action::Activate { kid } => json!({"action": "activate", "kid": known(&keys.list().await?, kid)?}),
        Action::Revoke { kid } => json!({"action": "revoke", "kid": known(&keys.list().await?, kid)?}),
    };
    // Checked before it is written anywhere.
    let reason = crate::keys::checked(action, reason)?;
    details["reason"] = reason.into();
    append(app, "admin.keys.asked", admin, details).await?;
    let done = keys.act(action, reason).await?;
    app.keys.catch_up(done.epoch).await;
    Ok(done)
}

/// A `kid` of ours, so that nobody writes what they like into the log.
fn known<'k>(list: &crate::keys::KeyList, kid: &'k str) -> Result<&'k str, KeyAdminError> {
    let is_known = list.keys.iter().any(|key| key.kid == kid);
    if is_known { Ok(kid) } else { Err(Refusal::Unknown.into()) }
}

async fn append(
    app: &App,
    event: &'static str,
    admin: &Administrator,
    details: Value,
) -> Result<(), AuditError> {
    let subject = Some(admin.subject.clone());
    app.audit.append(Entry { event, operation: None, subject, details }).await.map(drop)
}
