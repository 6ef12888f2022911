//! Redeeming codes, and making access tokens (RFC 9068), with ID tokens beside them.

use sealwright_jose::jws::{self, Header};
use sealwright_keystore::KeyHandle;
use sealwright_service::clock::Timestamp;
use sealwright_service::random;
use sealwright_service::secret::Secret;
use serde_json::{Map, Value};

use super::audit::{self, TokenIssued, refusal};
use super::id_token::{self, IdTokenKey};
use crate::domain::acr::Factors;
use crate::domain::authorization_details::AuthorizationDetails;
use crate::domain::client::Client;
use crate::domain::handle::Handle;
use crate::domain::pkce::CodeVerifier;
use crate::domain::scope::Scopes;
use crate::domain::user::User;
use crate::error::OAuthError;
use crate::signing_keys::snapshot::NoSigner;
use crate::state::App;
use crate::store::code::{self, News};

/// A code, and what proves that it belongs to who shows it.
pub(crate) struct CodeGrant {
    /// `None` when no code of ours looks like that.
    pub(crate) code: Option<Handle>,
    pub(crate) redirect_uri: String,
    pub(crate) code_verifier: CodeVerifier,
    pub(crate) resource: Option<String>,
}

/// A token for the client.
pub(crate) struct Issued {
    pub(crate) access_token: Secret,
    /// Where the client asked who logged in.
    pub(crate) id_token: Option<Secret>,
    pub(crate) expires_in_s: u64,
    pub(crate) scope: Scopes,
    pub(crate) authorization_details: AuthorizationDetails,
}

/// What a token says.
pub(super) struct TokenContent<'a> {
    pub(super) jti: &'a str,
    pub(super) subject: Subject<'a>,
    pub(super) audience: &'a str,
    pub(super) scope: Scopes,
    pub(super) details: AuthorizationDetails,
    /// What an ID token repeats.
    pub(super) nonce: Option<&'a str>,
    pub(super) grant: &'static str,
}

/// Whom a token is about.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Person {
        user: &'a User,
        factors: Factors,
        auth_time: Timestamp,
    },
    /// The client itself. Nobody has logged in, so nothing is said of when and how.
    Client,
}

/// Gives a token for a code (RFC 6749 §4.1.3, RFC 7636 §4.6), once.
pub(crate) async fn redeem(app: &App, client: &Client, grant: CodeGrant) -> Result<Issued, OAuthError> {
    let now = app.now();
    let news = match &grant.code {
        Some(code) => news(app, code, client, now).await?.map(|news| (code, news)),
        None => None,
    };
    let Some((code, news)) = news else {
        app.audit.count_refusal(refusal::GRANT);
        return Err(OAuthError::InvalidGrant);
    };
    // Before the code is used up: who is told to come again must find it whole.
    let keys = match &news {
        News::Redemption(scope) => Some(TokenKeys::find(app, client, scope, now)?),
        News::Replay => None,
    };
    let jti = random::id("tok_");
    let mut conn = app.database.writer().acquire().await?;
    let redeemed = match keys {
        None => None,
        Some(keys) => {
            let redeemed = code::redeem(&mut conn, &code.hash(), &client.id, &jti, now).await?;
            redeemed.map(|redeemed| (redeemed, keys))
        }
    };
    let replay = match redeemed {
        None => code::first_replay(&mut conn, &code.hash(), now).await?,
        Some(_) => None,
    };
    // The audit log writes through the same pool, which on SQLite has one connection.
    drop(conn);

    let Some((redeemed, keys)) = redeemed else {
        match replay {
            Some(replay) => audit::code_replayed(app, &client.id, &replay).await?,
            None => app.audit.count_refusal(refusal::GRANT),
        }
        return Err(OAuthError::InvalidGrant);
    };
    let request = &redeemed.request;
    // A code that somebody shows without what belongs to it has been seen by others, so it stays used up.
    let wrong = if request.redirect_uri.as_str() != grant.redirect_uri {
        Some("redirect_uri")
    } else if !request.code_challenge.matches(&grant.code_verifier) {
        Some("code_verifier")
    } else {
        None
    };
    if let Some(reason) = wrong {
        audit::code_refused(app, request, &redeemed.subject, reason).await?;
        return Err(OAuthError::InvalidGrant);
    }
    if grant.resource.is_some_and(|resource| resource != request.resource) {
        audit::code_refused(app, request, &redeemed.subject, "resource").await?;
        return Err(OAuthError::InvalidTarget);
    }
    // Somebody may have been taken out of the configuration since.
    let Some(user) = app.snapshot.users.subject(&redeemed.subject) else {
        audit::code_refused(app, request, &redeemed.subject, "account").await?;
        return Err(OAuthError::InvalidGrant);
    };
    let content = TokenContent {
        jti: &jti,
        subject: Subject::Person { user, factors: redeemed.factors, auth_time: redeemed.auth_time },
        audience: &request.resource,
        scope: request.scope.clone(),
        details: request.authorization_details.clone(),
        nonce: request.nonce.as_deref(),
        grant: "authorization_code",
    };
    issue(app, client, keys, content).await
}

impl<'a> Subject<'a> {
    /// The `sub` of tokens. No person's can be a client's: it is hexadecimal, and a client's id has an underscore.
    pub(super) fn id(self, client: &'a Client) -> &'a str {
        match self {
            Self::Person { user, .. } => &user.subject,
            Self::Client => &client.id,
        }
    }
}

async fn news(app: &App, code: &Handle, client: &Client, now: Timestamp) -> sqlx::Result<Option<News>> {
    let mut conn = app.database.reader().acquire().await?;
    code::news(&mut conn, &code.hash(), &client.id, now).await
}

/// The keys of what one answer gives, all of one look at them.
pub(super) struct TokenKeys {
    /// When the tokens are issued.
    now: Timestamp,
    access_token: KeyHandle,
    expires_at_s: i64,
    id_token: Option<IdTokenKey>,
}

impl TokenKeys {
    /// For tokens that are issued `now`. An ID token is among them where a person logged in and the client asked who that is
    /// by `scope`, which is empty where nobody logged in.
    pub(super) fn find(app: &App, client: &Client, scope: &Scopes, now: Timestamp) -> Result<Self, NoSigner> {
        let look = app.keys.look();
        let expires_at_s = now.plus(app.token_lifetime(client)).as_secs();
        let access_token = look.signer(client.access_token_signing_alg, expires_at_s)?;
        let id_token = id_token::key(app, client, scope, &look, now)?;
        Ok(Self { now, access_token, expires_at_s, id_token })
    }
}

/// Signs a token, and an ID token beside it where `keys` has one for it. Their entry in the audit log is durable before they are
/// returned.
pub(super) async fn issue(
    app: &App,
    client: &Client,
    keys: TokenKeys,
    content: TokenContent<'_>,
) -> Result<Issued, OAuthError> {
    let TokenKeys { now, access_token: key, expires_at_s, id_token } = keys;
    let claims = claims(app, client, &content, now, expires_at_s);
    let access_token = sign(&key, "at+jwt", claims).await?;
    let id_token = match &id_token {
        Some(key) => Some(id_token::issue(app, client, &content, key, access_token.expose(), now).await?),
        None => None,
    };

    let entry = TokenIssued {
        jti: content.jti,
        kid: key.kid(),
        client_id: &client.id,
        audience: content.audience,
        expires_at_s,
        details: &content.details,
        grant: content.grant,
        id_token: id_token.as_ref(),
    };
    audit::token_issued(app, content.subject.id(client), entry).await?;
    Ok(Issued {
        access_token,
        id_token: id_token.map(|id_token| id_token.token),
        expires_in_s: app.token_lifetime(client).as_secs(),
        scope: content.scope,
        authorization_details: content.details,
    })
}

/// The compact JWS of `claims`.
pub(super) async fn sign(
    key: &KeyHandle,
    typ: &str,
    claims: Map<String, Value>,
) -> Result<Secret, OAuthError> {
    let header = Header::new(key.alg()).kid(key.kid()).typ(typ);
    let prepared = jws::prepare(header, Value::Object(claims).to_string().as_bytes())?;
    let signature = key.sign_prepared(&prepared).await?;
    Ok(Secret::new(prepared.signed(signature)?.compact()?))
}

/// What both kinds of token say of a login: of the user's claims those that the client's registration lists, then when and how.
/// Claims of the user come first, so that none of them could take the place of ours; what a token says beside these is set later.
pub(super) fn login_claims(app: &App, client: &Client, subject: Subject<'_>) -> Map<String, Value> {
    let mut claims = Map::new();
    let Subject::Person { user, factors, auth_time } = subject else { return claims };
    for name in &client.claims {
        if let Some(value) = user.declared.claims.get(name) {
            claims.insert(name.clone(), value.clone());
        }
    }
    claims.insert("auth_time".to_owned(), auth_time.as_secs().into());
    claims.insert("amr".to_owned(), factors.amr().into());
    if let Some(acr) = app.snapshot.acr.reached(factors) {
        claims.insert("acr".to_owned(), acr.into());
    }
    claims
}

/// The claims of RFC 9068 §2.2.
fn claims(
    app: &App,
    client: &Client,
    content: &TokenContent<'_>,
    now: Timestamp,
    expires_at_s: i64,
) -> Map<String, Value> {
    let mut claims = login_claims(app, client, content.subject);
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", app.snapshot.issuer.as_str().into());
    set("sub", content.subject.id(client).into());
    set("aud", content.audience.into());
    set("client_id", client.id.as_str().into());
    set("iat", now.as_secs().into());
    set("exp", expires_at_s.into());
    set("jti", content.jti.into());
    if let Subject::Person { user, .. } = content.subject
        && !user.declared.roles.is_empty()
    {
        set("roles", user.declared.roles.clone().into());
    }
    if !content.scope.is_empty() {
        set("scope", content.scope.to_text().into());
    }
    if !content.details.is_empty() {
        set("authorization_details", content.details.to_json());
    }
    claims
}
