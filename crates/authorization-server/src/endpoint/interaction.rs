//! A person's run through the pages, found again by the id in the page and the cookie of the browser.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use axum_extra::extract::CookieJar;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::params::Params;
use crate::domain::handle::Handle;
use crate::flow::audit::refusal;
use crate::pages;
use crate::state::App;
use crate::store::interaction::{self, Interaction};

/// The two halves of a run: the id, which stands in pages and addresses, and the secret, which only the cookie has.
pub(crate) struct Run {
    pub(crate) id: Handle,
    pub(crate) secret: Handle,
}

impl Run {
    /// The address of a page of this run.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{path}?interaction={}", self.id.expose())
    }

    /// The token that this run's forms carry against cross-site requests. Without the cookie nobody can make it.
    pub(crate) fn csrf(&self) -> String {
        self.secret.derive(&purpose(&self.id))
    }

    /// The cookie that binds the run to this browser. `Lax`, since the client's site leads here.
    pub(crate) fn cookie(&self, app: &App) -> HeaderValue {
        self.set_cookie(app, self.secret.expose(), app.snapshot.session_expiry.as_secs())
    }

    pub(crate) fn end_cookie(&self, app: &App) -> HeaderValue {
        self.set_cookie(app, "", 0)
    }

    fn set_cookie(&self, app: &App, value: &str, max_age_s: u64) -> HeaderValue {
        let secure = if app.snapshot.issuer.is_https() { "; Secure" } else { "" };
        let name = cookie_name(app, &self.id);
        let text = format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}");
        let mut value = HeaderValue::try_from(text).expect("names and handles are base64url");
        value.set_sensitive(true);
        value
    }
}

fn purpose(id: &Handle) -> String {
    format!("csrf {}", id.expose())
}

/// One cookie a run, so that two tabs do not disturb each other. With https the prefix makes browsers refuse it from
/// anybody but this very host.
fn cookie_name(app: &App, id: &Handle) -> String {
    let prefix = if app.snapshot.issuer.is_https() { "__Host-" } else { "" };
    format!("{prefix}sealwright-{}", &id.expose()[..16])
}

/// A page that is looked at.
pub(crate) struct PageView {
    pub(crate) run: Run,
    pub(crate) interaction: Interaction,
}

impl FromRequestParts<App> for PageView {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let params = Params::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let params = params.map_err(|error| refuse(app, pages::error::response(&error)))?;
        let (run, interaction) = find(app, &parts.headers, params.get("interaction")).await?;
        Ok(Self { run, interaction })
    }
}

/// A form that was sent from one of our pages, in the browser that began the run.
pub(crate) struct PageForm {
    pub(crate) run: Run,
    pub(crate) interaction: Interaction,
    pub(crate) params: Params,
}

impl FromRequest<App> for PageForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let headers = request.headers().clone();
        if is_foreign(app, &headers) {
            return Err(refuse(app, pages::error::foreign()));
        }
        let params = Params::from_request(request, app).await;
        let params = params.map_err(|error| refuse(app, pages::error::response(&error)))?;
        let (run, interaction) = find(app, &headers, params.get("interaction")).await?;
        let token = params.get("csrf").unwrap_or_default();
        if !run.secret.derived(&purpose(&run.id), token) {
            return Err(refuse(app, pages::error::foreign()));
        }
        Ok(Self { run, interaction, params })
    }
}

/// Whether a browser says that another site made this request.
///
/// Browsers send `Origin: null` from pages without a referrer, as ours are, so only a named origin tells anything.
pub(super) fn is_foreign(app: &App, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let site = text("sec-fetch-site").is_some_and(|site| site != "same-origin");
    let origin =
        text("origin").is_some_and(|origin| origin != "null" && origin != app.snapshot.issuer.origin());
    site || origin
}

async fn find(app: &App, headers: &HeaderMap, id: Option<&str>) -> Result<(Run, Interaction), Response> {
    let Some(id) = id.and_then(Handle::parse) else {
        return Err(refuse(app, pages::error::over()));
    };
    let jar = CookieJar::from_headers(headers);
    let Some(secret) = jar.get(&cookie_name(app, &id)).and_then(|cookie| Handle::parse(cookie.value()))
    else {
        return Err(refuse(app, pages::error::other_browser()));
    };
    let found = match app.database.reader().acquire().await {
        Ok(mut conn) => interaction::find(&mut conn, &id.hash(), app.now()).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(Some(interaction)) if interaction.secret.is(&secret.hash()) => {
            Ok((Run { id, secret }, interaction))
        }
        Ok(Some(_)) => Err(refuse(app, pages::error::other_browser())),
        Ok(None) => Err(refuse(app, pages::error::over())),
        Err(error) => Err(pages::error::response(&error.into())),
    }
}

fn refuse(app: &App, response: Response) -> Response {
    app.audit.count_refusal(refusal::PAGE);
    response
}
