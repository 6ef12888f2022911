//! The client application: it asks the signing server, sends the user to log in, redeems the code, and asks again.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    StatusCode,
    header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use sealwright_jose::base64url;
use sealwright_service::{clock::Clock, random};
use serde_json::{Value, json};
use url::Url;

use super::{
    Failure,
    browser::{Browser, Landing},
    document::Document,
    people::Person,
    resources::{Addresses, DOMAIN, REDIRECT_URI},
};

/// One registered client, as the two servers know it.
pub(super) struct Portal<'a> {
    http: reqwest::Client,
    clock: Clock,
    addresses: &'a Addresses,
    client_id: &'static str,
}

/// What is asked of a worker.
#[derive(Clone, Copy)]
pub(super) struct Job {
    pub(super) worker: &'static str,
    /// `sign` or `validate`.
    pub(super) operation: &'static str,
}

/// The signing server's answer to a request without a token, and what the client must keep to go on.
pub(super) struct Challenge {
    pub(super) status: StatusCode,
    pub(super) www_authenticate: String,
    pub(super) problem: Value,
    verifier: String,
    state: String,
}

/// An answer with a JSON body.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl<'a> Portal<'a> {
    pub(super) fn new(
        addresses: &'a Addresses,
        client_id: &'static str,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .no_proxy()
            .build()?;
        Ok(Self { http, clock, addresses, client_id })
    }

    fn endpoint(&self, job: Job) -> String {
        format!("{}/v1/workers/{}/{}", self.addresses.signing, job.worker, job.operation)
    }

    /// Fetches a JSON document of either server.
    pub(super) async fn fetch(&self, url: &str) -> Result<Value, Failure> {
        Ok(self.http.get(url).send().await?.error_for_status()?.json().await?)
    }

    /// Steps 2 to 5: asks without a token, with the document's digest in place of the document.
    pub(super) async fn ask(
        &self,
        job: Job,
        document: &Document,
        login_hint: &str,
    ) -> Result<Challenge, Failure> {
        let verifier = base64url::encode(random::bytes::<32>());
        let state = random::id("");
        let challenge = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
        let request = json!({
            "input": {"digest": {"alg": "SHA-256", "value": document.digest_base64(), "size": document.bytes.len()}},
            "filename": document.name,
            "media_type": document.media_type,
            "authentication": {
                "client_id": self.client_id,
                "redirect_uri": REDIRECT_URI,
                "state": state,
                "code_challenge": base64url::encode(challenge),
                "code_challenge_method": "S256",
                "domain": DOMAIN,
                "login_hint": login_hint,
            },
        });
        let response = self.http.post(self.endpoint(job)).json(&request).send().await?;
        let status = response.status();
        let header = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let www_authenticate = header.unwrap_or_default().to_owned();
        Ok(Challenge { status, www_authenticate, problem: response.json().await?, verifier, state })
    }

    /// Step 6: the user opens the page, gives password and code, and approves. Returns the authorization code and
    /// the pages that were seen.
    pub(super) async fn log_in(
        &self,
        challenge: &Challenge,
        person: &Person,
    ) -> Result<(String, Vec<String>), Failure> {
        let context = &challenge.problem["context"]["authorize_url"];
        let url = context.as_str().ok_or_else(|| Failure::answer("no authentication context", challenge))?;
        let browser = Browser::new(REDIRECT_URI)?;
        let mut landing = browser.open(url).await?;
        let mut seen: Vec<String> = Vec::new();
        let back = loop {
            let page = match landing {
                Landing::Client(url) => break url,
                Landing::Page(page) => page,
            };
            // Our credentials are right, so a page that comes a second time has refused them.
            if !page.status.is_success() || seen.contains(&page.step) {
                return Err(Failure::new(format!("the page `{}` answered {}", page.step, page.status)));
            }
            landing = match page.step.as_str() {
                "login" => {
                    let password = person.password.expose();
                    browser.submit(&page, &[("username", person.username), ("password", password)]).await?
                }
                "totp" => {
                    let now = u64::try_from(self.clock.now().as_secs()).unwrap_or_default();
                    let code = person.totp.generate(now).to_string();
                    browser.submit(&page, &[("code", &code)]).await?
                }
                "approve" => browser.submit(&page, &[("decision", "approve")]).await?,
                other => return Err(Failure::new(format!("an unexpected page `{other}`"))),
            };
            seen.push(page.step);
        };
        let code = self.returned_code(&back, &challenge.state)?;
        Ok((code, seen))
    }

    /// Reads the redirect as a careful client does: its own state, the right issuer (RFC 9207), then the code.
    fn returned_code(&self, back: &Url, state: &str) -> Result<String, Failure> {
        let parameter = |name| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
        if parameter("state").as_deref() != Some(state)
            || parameter("iss").as_deref() != Some(&self.addresses.authorization)
        {
            return Err(Failure::new("the redirect carries another state or issuer"));
        }
        match (parameter("code"), parameter("error")) {
            (Some(code), None) => Ok(code.into_owned()),
            (_, error) => Err(Failure::new(format!("the redirect carries no code: {error:?}"))),
        }
    }

    /// Step 7: redeems the code with the PKCE verifier. Returns the access token.
    pub(super) async fn redeem(&self, code: &str, challenge: &Challenge) -> Result<String, Failure> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("client_id", self.client_id),
            ("code_verifier", &challenge.verifier),
        ];
        let url = format!("{}/oauth2/token", self.addresses.authorization);
        let response = self.http.post(url).form(&form).send().await?;
        let (status, body) = (response.status(), response.json::<Value>().await?);
        match body["access_token"].as_str() {
            Some(token) if status == StatusCode::OK => Ok(token.to_owned()),
            _ => Err(Failure::new(format!("the token endpoint answered {status}: {body}"))),
        }
    }

    /// Steps 2 to 7 in one go.
    pub(super) async fn obtain_token(
        &self,
        job: Job,
        document: &Document,
        person: &Person,
    ) -> Result<String, Failure> {
        let challenge = self.ask(job, document, person.username).await?;
        let (code, _) = self.log_in(&challenge, person).await?;
        self.redeem(&code, &challenge).await
    }

    /// Steps 8 to 11: the document itself, with the token.
    pub(super) async fn send(&self, job: Job, document: &Document, token: &str) -> Result<Answer, Failure> {
        let request =
            self.http.post(self.endpoint(job)).header(ACCEPT, "application/json").bearer_auth(token);
        // The document is the body, unless it is JSON itself: a JSON body is a request with the document in it.
        let request = if document.media_type == "application/json" {
            request.json(&json!({
                "input": {"content": base64_simd::STANDARD.encode_to_string(&document.bytes)},
                "filename": document.name,
                "media_type": document.media_type,
            }))
        } else {
            request
                .query(&[("filename", &document.name)])
                .header(CONTENT_TYPE, document.media_type)
                .body(Bytes::clone(&document.bytes))
        };
        let response = request.send().await?;
        Ok(Answer { status: response.status(), body: response.json().await? })
    }
}
