//! A person's browser: keeps cookies, reads forms.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Request, StatusCode, header};
use url::Url;

use crate::world::{Answer, CHALLENGE, ISSUER, PASSWORD, REDIRECT, World, encode, form, with};

/// What the portal asks of the authorization endpoint.
pub(crate) const ASKED: [(&str, &str); 6] = [
    ("response_type", "code"),
    ("client_id", "default_portal"),
    ("redirect_uri", REDIRECT),
    ("state", "st-1"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

#[derive(Clone)]
pub(crate) struct Browser<'w> {
    pub(crate) world: &'w World,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) address: String,
}

/// The form of a page.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) step: String,
    pub(crate) action: String,
    pub(crate) interaction: String,
    pub(crate) csrf: String,
}

impl<'w> Browser<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self { world, cookies: BTreeMap::new(), address: "192.0.2.1:4711".into() }
    }

    pub(crate) fn from(world: &'w World, address: &str) -> Self {
        Self { address: address.into(), ..Self::new(world) }
    }

    pub(crate) async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let answer = self.world.send_from(&self.address, request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(crate) async fn get(&mut self, address: &str) -> Answer {
        let path = address.strip_prefix(ISSUER).unwrap_or(address);
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Opens the authorization endpoint as the portal asks, with some parameters other than usual.
    pub(crate) async fn authorize(&mut self, others: &[(&str, &str)]) -> Answer {
        self.get(&format!("/oauth2/authorize?{}", encode(&with(&ASKED, others)))).await
    }

    /// Follows a 303 to the next page and reads its form.
    pub(crate) async fn follow(&mut self, answer: &Answer) -> Form {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let page = self.get(answer.header(header::LOCATION)).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        Form::read(&page)
    }

    /// Opens the login page.
    pub(crate) async fn begin(&mut self, others: &[(&str, &str)]) -> Form {
        let answer = self.authorize(others).await;
        self.follow(&answer).await
    }

    pub(crate) async fn submit(&mut self, page: &Form, fields: &[(&str, &str)]) -> Answer {
        let hidden = [("interaction", page.interaction.as_str()), ("csrf", page.csrf.as_str())];
        self.send(form(&page.action, &with(&hidden, fields))).await
    }

    pub(crate) async fn password(&mut self, page: &Form, username: &str) -> Answer {
        self.submit(page, &[("username", username), ("password", PASSWORD)]).await
    }

    /// From the first page to the code, for Bob, who has no second factor.
    pub(crate) async fn code_for_bob(&mut self, others: &[(&str, &str)]) -> String {
        let page = self.begin(others).await;
        let answer = self.password(&page, "bob").await;
        code(&answer)
    }
}

impl Form {
    pub(crate) fn read(page: &Answer) -> Self {
        assert_eq!(page.body.matches("<form").count(), 1);
        assert!(page.body.contains(r#"<form class="primary-form""#), "{}", page.body);
        Self {
            step: between(&page.body, "data-step=\"", "\""),
            action: between(&page.body, "action=\"", "\""),
            interaction: between(&page.body, "name=\"interaction\" value=\"", "\""),
            csrf: between(&page.body, "name=\"csrf\" value=\"", "\""),
        }
    }
}

pub(crate) fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}")).1;
    rest.split_once(after).unwrap().0.to_owned()
}

/// The parameters that a redirect takes to the client.
pub(crate) fn returned(answer: &Answer) -> BTreeMap<String, String> {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let location = answer.header(header::LOCATION);
    assert!(location.starts_with(REDIRECT), "{location}");
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

pub(crate) fn code(answer: &Answer) -> String {
    let mut returned = returned(answer);
    returned.remove("code").unwrap_or_else(|| panic!("no code in {returned:?}"))
}

/// What an error takes to the client: code, state and issuer.
pub(crate) fn error(answer: &Answer) -> String {
    let returned = returned(answer);
    assert!(!returned.contains_key("code"));
    assert_eq!(returned["iss"], ISSUER);
    format!("{} state={}", returned["error"], returned.get("state").map_or("-", String::as_str))
}
