//! The user's browser: it keeps cookies, follows redirects until they leave for the client, and fills in forms.

use std::time::Duration;

use reqwest::{StatusCode, header};
use url::Url;

use super::Failure;

/// More redirects than this in a row are a loop.
const MAX_REDIRECTS: usize = 10;

pub(super) struct Browser {
    http: reqwest::Client,
    /// Where the client waits for the user to come back: a redirect there ends the journey.
    client: Url,
}

/// Where a click led.
pub(super) enum Landing {
    Page(Page),
    /// Back at the client, with these parameters in the URL.
    Client(Url),
}

/// A page with the one form that matters.
pub(super) struct Page {
    pub(super) status: StatusCode,
    /// `login`, `totp` or `approve`.
    pub(super) step: String,
    action: Url,
    hidden: Vec<(String, String)>,
}

impl Browser {
    /// A browser without cookies.
    pub(super) fn new(client: &str) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .no_proxy()
            .build()?;
        let client = Url::parse(client).map_err(|_| Failure::new("the redirect URI is no URL"))?;
        Ok(Self { http, client })
    }

    pub(super) async fn open(&self, url: &str) -> Result<Landing, Failure> {
        self.follow(self.http.get(url).send().await?).await
    }

    /// Fills in the page's form and sends it off.
    pub(super) async fn submit(&self, page: &Page, fields: &[(&str, &str)]) -> Result<Landing, Failure> {
        let hidden = page.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let form: Vec<_> = hidden.chain(fields.iter().copied()).collect();
        let request = self.http.post(page.action.clone()).header(header::ORIGIN, origin(&page.action));
        self.follow(request.form(&form).send().await?).await
    }

    async fn follow(&self, mut response: reqwest::Response) -> Result<Landing, Failure> {
        for _ in 0..MAX_REDIRECTS {
            if !response.status().is_redirection() {
                let (url, status) = (response.url().clone(), response.status());
                return page(&url, status, &response.text().await?).map(Landing::Page);
            }
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let target = location
                .and_then(|location| response.url().join(location).ok())
                .ok_or_else(|| Failure::new("a redirect without a readable Location"))?;
            if target.path() == self.client.path() && target.origin() == self.client.origin() {
                return Ok(Landing::Client(target));
            }
            response = self.http.get(target).send().await?;
        }
        Err(Failure::new("the login pages redirect in a loop"))
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Finds the form of our own pages: no general HTML parser, and none is needed.
fn page(url: &Url, status: StatusCode, html: &str) -> Result<Page, Failure> {
    let form = tags(html, "form")
        .find(|tag| {
            attribute(tag, "class").is_some_and(|class| class.split(' ').any(|c| c == "primary-form"))
        })
        .ok_or_else(|| Failure::new(format!("a page without a form ({status} at {})", url.path())))?;
    let action = attribute(form, "action").unwrap_or_default();
    let action = url.join(&action).map_err(|_| Failure::new("a form whose action is no URL"))?;
    let hidden = tags(html, "input")
        .filter(|tag| attribute(tag, "type").as_deref() == Some("hidden"))
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
        .collect();
    Ok(Page { status, step: attribute(form, "data-step").unwrap_or_default(), action, hidden })
}

/// The start tags `<name …>`, without the brackets.
fn tags<'h>(html: &'h str, name: &'static str) -> impl Iterator<Item = &'h str> {
    html.split('<').filter_map(move |part| {
        let attributes = part.strip_prefix(name)?;
        let tag = attributes.split_once('>')?.0;
        tag.starts_with([' ', '\n']).then_some(tag)
    })
}

/// The value of `name="…"`.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.match_indices(name).find_map(|(at, _)| {
        let opens = tag[..at].ends_with([' ', '\n']);
        tag[at + name.len()..].strip_prefix("=\"").filter(|_| opens)
    })?;
    Some(unescape(start.split_once('"')?.0))
}

fn unescape(text: &str) -> String {
    ["&#34;", "&quot;", "&#39;", "&#60;", "&lt;", "&#62;", "&gt;", "&#38;", "&amp;"]
        .iter()
        .zip(["\"", "\"", "'", "<", "<", ">", ">", "&", "&"])
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_page_is_found() {
        let url = Url::parse("http://127.0.0.1:1/login?x=1").unwrap();
        let html = r#"<form class="other" action="/no"></form>
            <form method="post"
              class="primary-form" data-step="totp" action="/login/totp?a=1&amp;b=2">
            <input type="hidden" name="csrf" value="a&#38;b"><input name="code"></form>"#;
        let page = page(&url, StatusCode::OK, html).map_err(|failure| failure.to_string()).unwrap();
        assert_eq!(page.step, "totp");
        assert_eq!(page.action.as_str(), "http://127.0.0.1:1/login/totp?a=1&b=2");
        assert_eq!(page.hidden, [("csrf".to_owned(), "a&b".to_owned())]);
    }

    #[test]
    fn a_page_without_a_form_is_said_so() {
        let url = Url::parse("http://127.0.0.1:1/oops").unwrap();
        let failure = page(&url, StatusCode::NOT_FOUND, "<p>nothing</p>").err().unwrap();
        assert_eq!(failure.to_string(), "a page without a form (404 Not Found at /oops)");
    }
}
