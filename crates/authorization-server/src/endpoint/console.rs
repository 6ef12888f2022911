//! `/admin/keys`: the signing keys, for people who operate the server.
//!
//! The console is a client of this very server: people sign in as everywhere, and their access token stays in a cookie that
//! no script reads, no other site sends, and no other path gets.

use std::collections::BTreeSet;

use aws_lc_rs::{constant_time, digest};
use axum::extract::{FromRequest as _, Request, State};
use axum::response::Response;
use axum_extra::extract::CookieJar;
use http::{HeaderMap, HeaderValue, Uri, header};
use sealwright_jose::base64url;
use url::form_urlencoded;

use super::interaction::is_foreign;
use super::next::see_other;
use super::params::Params;
use crate::domain::client::{Client, ClientAuthentication};
use crate::domain::handle::Handle;
use crate::domain::issuer::Issuer;
use crate::domain::pkce::CodeVerifier;
use crate::domain::redirect_uri::RegisteredRedirect;
use crate::flow::administrator::{self, ActError, Administrator, NotAdministrator};
use crate::flow::audit::refusal;
use crate::flow::token::{self, CodeGrant};
use crate::keys::{Action, KeyAdminError};
use crate::pages;
use crate::state::App;

pub(crate) const KEYS: &str = "/admin/keys";
/// The same with the keys that left long ago.
pub(crate) const ALL: &str = "/admin/keys?all=true";
pub(crate) const CONFIRM: &str = "/admin/keys/confirm";
pub(crate) const SIGN_IN: &str = "/admin/sign-in";
pub(crate) const SIGN_OUT: &str = "/admin/sign-out";
pub(crate) const CALLBACK: &str = "/admin/callback";

/// No registration has this id, since theirs contain an underscore.
const CLIENT_ID: &str = "sealwright-console";
/// How long somebody may take to sign in.
const SIGN_IN_MAX_AGE_S: u64 = 600;
const SESSION: &str = "sealwright-admin";
const SIGNING_IN: &str = "sealwright-admin-sign-in";

/// The console as a client of a server that has administrators; `None` where browsers could not come back to it.
pub(crate) fn client(issuer: &Issuer) -> Option<Client> {
    Some(Client {
        id: CLIENT_ID.to_owned(),
        display_name: "Sealwright console".to_owned(),
        authentication: ClientAuthentication::None,
        redirect_uris: vec![RegisteredRedirect::parse(&issuer.at(CALLBACK)).ok()?],
        audiences: vec![issuer.at("/admin")],
        claims: Vec::new(),
        contexts_from: BTreeSet::new(),
        access_token_expiry: None,
        access_token_signing_alg: None,
        id_token_signed_response_alg: None,
        client_credentials: false,
        scopes: Vec::new(),
        requires_consent: false,
    })
}

/// The keys, with what can be done.
pub(crate) async fn keys(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let Session { admin, csrf } = match session(&app, &headers).await {
        Ok(session) => session,
        Err(response) => return response,
    };
    match app.key_admin().list().await {
        Ok(list) => pages::keys::response(&list, uri.query() == Some("all=true"), admin.expires_at, &csrf),
        Err(error) => failed(&error),
    }
}

/// What an action would break, and the button that does it.
pub(crate) async fn confirm(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let Session { admin, csrf } = match session(&app, &headers).await {
        Ok(session) => session,
        Err(response) => return response,
    };
    let params = match Params::parse(uri.query().unwrap_or_default().as_bytes()) {
        Ok(params) => params,
        Err(error) => return pages::error::response(&error),
    };
    let Some(asked) = Asked::read(&params) else { return pages::keys::nothing_to_do() };
    match app.key_admin().consequences(&asked.action).await {
        Ok(consequences) => pages::keys::confirm(&asked, &consequences, &admin.signed_by, &csrf, None),
        Err(KeyAdminError::Refused(refusal)) => pages::keys::refused(&refusal.to_string()),
        Err(error) => failed(&error),
    }
}

/// Does it.
pub(crate) async fn act(State(app): State<App>, request: Request) -> Response {
    let (Session { admin, .. }, params) = match posted(&app, request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let Some(asked) = Asked::read(&params) else { return pages::keys::nothing_to_do() };
    match administrator::act(&app, &admin, &asked.action, params.get("reason")).await {
        Ok(_) => see_other(KEYS),
        Err(ActError::Keys(KeyAdminError::Refused(refusal))) => pages::keys::refused(&refusal.to_string()),
        Err(ActError::Keys(KeyAdminError::Reason)) => {
            let csrf = params.get("csrf").unwrap_or_default();
            match app.key_admin().consequences(&asked.action).await {
                Ok(consequences) => {
                    let problem = Some(KeyAdminError::Reason.to_string());
                    pages::keys::confirm(&asked, &consequences, &admin.signed_by, csrf, problem)
                }
                Err(error) => failed(&error),
            }
        }
        Err(error) => failed(&error),
    }
}

/// What a page or a form asks for.
pub(crate) struct Asked {
    /// `rotate`, `rotate-now` or `revoke`.
    pub(crate) name: &'static str,
    pub(crate) kid: String,
    pub(crate) action: Action,
}

impl Asked {
    fn read(params: &Params) -> Option<Self> {
        let kid = params.get("kid").unwrap_or_default().to_owned();
        let (name, action) = match params.get("action")? {
            "rotate" => ("rotate", Action::Rotate { alg: None, now: false }),
            "rotate-now" => ("rotate-now", Action::Rotate { alg: None, now: true }),
            "revoke" => ("revoke", Action::Revoke { kid: kid.clone() }),
            _ => return None,
        };
        Some(Self { name, kid, action })
    }
}

/// Begins to sign in: to our own authorization endpoint, with a verifier and a state that only this browser has.
pub(crate) async fn sign_in(State(app): State<App>) -> Response {
    if app.client(CLIENT_ID).is_none() {
        return pages::error::no_console();
    }
    let (verifier, state) = (Handle::generate(), Handle::generate());
    let challenge = base64url::encode(digest::digest(&digest::SHA256, verifier.expose().as_bytes()));
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", CLIENT_ID)
        .append_pair("redirect_uri", &app.snapshot.issuer.at(CALLBACK))
        .append_pair("resource", &administrator::audience(&app))
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", state.expose())
        .finish();
    let value = format!("{}.{}", verifier.expose(), state.expose());
    let response = see_other(&format!("/oauth2/authorize?{query}"));
    with_cookie(response, &app, SIGNING_IN, &value, SIGN_IN_MAX_AGE_S)
}

/// Comes back with a code, and ends with a session.
pub(crate) async fn callback(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let params = match Params::parse(uri.query().unwrap_or_default().as_bytes()) {
        Ok(params) => params,
        Err(error) => return pages::error::response(&error),
    };
    let jar = CookieJar::from_headers(&headers);
    let begun = jar.get(&cookie_name(&app, SIGNING_IN)).and_then(|cookie| cookie.value().split_once('.'));
    let Some((verifier, state)) = begun else { return refuse(&app, pages::error::other_browser()) };
    let same = constant_time::verify_slices_are_equal(
        params.get("state").unwrap_or_default().as_bytes(),
        state.as_bytes(),
    );
    let (Ok(()), Some(code_verifier)) = (same, CodeVerifier::parse(verifier)) else {
        return refuse(&app, pages::error::other_browser());
    };
    let (Some(code), Some(client)) = (params.get("code"), app.client(CLIENT_ID)) else {
        // They would rather not, which is no fault.
        return with_cookie(pages::error::over(), &app, SIGNING_IN, "", 0);
    };
    let grant = CodeGrant {
        code: Handle::parse(code),
        redirect_uri: app.snapshot.issuer.at(CALLBACK),
        code_verifier,
        resource: Some(administrator::audience(&app)),
    };
    let issued = match token::redeem(&app, client, grant).await {
        Ok(issued) => issued,
        Err(error) => return pages::error::response(&error),
    };
    let token = issued.access_token.expose();
    let response = match administrator::verify(&app, token).await {
        Ok(_) => with_cookie(see_other(KEYS), &app, SESSION, token, issued.expires_in_s),
        Err(_) => pages::error::not_permitted(),
    };
    with_cookie(response, &app, SIGNING_IN, "", 0)
}

/// Forgets the session in this browser.
pub(crate) async fn sign_out(State(app): State<App>, request: Request) -> Response {
    match posted(&app, request).await {
        Ok(_) => with_cookie(pages::error::signed_out(), &app, SESSION, "", 0),
        Err(response) => response,
    }
}

/// Somebody who has signed in.
struct Session {
    admin: Administrator,
    /// What forms of this session carry. Without the cookie nobody can make it.
    csrf: String,
}

async fn session(app: &App, headers: &HeaderMap) -> Result<Session, Response> {
    let jar = CookieJar::from_headers(headers);
    let name = cookie_name(app, SESSION);
    let Some(token) = jar.get(&name).map(axum_extra::extract::cookie::Cookie::value) else {
        return Err(see_other(SIGN_IN));
    };
    match administrator::verify(app, token).await {
        Ok(admin) => Ok(Session { admin, csrf: csrf(token) }),
        // It has expired, or its key is gone.
        Err(NotAdministrator::Token) => Err(see_other(SIGN_IN)),
        Err(_) => Err(pages::error::not_permitted()),
    }
}

/// A form from one of our pages, of this session.
async fn posted(app: &App, request: Request) -> Result<(Session, Params), Response> {
    let headers = request.headers().clone();
    if is_foreign(app, &headers) {
        return Err(refuse(app, pages::error::foreign()));
    }
    let session = session(app, &headers).await?;
    let params = Params::from_request(request, app).await;
    let params = params.map_err(|error| refuse(app, pages::error::response(&error)))?;
    let shown = params.get("csrf").unwrap_or_default();
    if constant_time::verify_slices_are_equal(session.csrf.as_bytes(), shown.as_bytes()).is_err() {
        return Err(refuse(app, pages::error::foreign()));
    }
    Ok((session, params))
}

fn csrf(token: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, format!("console csrf\n{token}").as_bytes()))
}

/// With https browsers take it from nobody but this host by https.
fn cookie_name(app: &App, name: &str) -> String {
    let prefix = if app.snapshot.issuer.is_https() { "__Secure-" } else { "" };
    format!("{prefix}{name}")
}

fn with_cookie(mut response: Response, app: &App, name: &str, value: &str, max_age_s: u64) -> Response {
    let secure = if app.snapshot.issuer.is_https() { "; Secure" } else { "" };
    let name = cookie_name(app, name);
    let text = format!("{name}={value}; Path=/admin; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::try_from(text).expect("tokens and handles are base64url and dots");
    value.set_sensitive(true);
    response.headers_mut().append(header::SET_COOKIE, value);
    response
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Response {
    let cause = error.source().map(ToString::to_string);
    tracing::error!(%error, cause, "request failed");
    pages::error::failed()
}

fn refuse(app: &App, response: Response) -> Response {
    app.audit.count_refusal(refusal::PAGE);
    response
}
