//! Form parameters, read strictly.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};
use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use crate::error::OAuthError;
use crate::flow::request::{Details, Parameters};

/// More parameters than any request has.
const MAX_PARAMETERS: usize = 64;

/// The parameters of a query or a form, each at most once (RFC 6749 §3.1 and §3.2). They may be passwords and codes,
/// so they are wiped when dropped.
#[derive(Default)]
pub(crate) struct Params(Vec<(String, Zeroizing<String>)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded`. A parameter without a value counts as absent.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, OAuthError> {
        let mut params: Vec<(String, Zeroizing<String>)> = Vec::new();
        for pair in encoded.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if params.iter().any(|(seen, _)| *seen == *name) {
                return Err(OAuthError::InvalidRequest("a parameter stands there twice"));
            }
            if params.len() == MAX_PARAMETERS {
                return Err(OAuthError::InvalidRequest("there are too many parameters"));
            }
            params.push((name.to_string(), value));
        }
        params.retain(|(_, value)| !value.is_empty());
        Ok(Self(params))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that cannot be left out.
    pub(crate) fn required(&self, name: &str, missing: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or(OAuthError::InvalidRequest(missing))
    }

    /// The parameters of an authorization request.
    pub(crate) fn authorization(&self) -> Parameters {
        let text = |name: &str| self.get(name).map(str::to_owned);
        Parameters {
            response_type: text("response_type"),
            response_mode: text("response_mode"),
            redirect_uri: text("redirect_uri"),
            state: text("state"),
            code_challenge: text("code_challenge"),
            code_challenge_method: text("code_challenge_method"),
            scope: text("scope"),
            resource: text("resource"),
            authorization_details: text("authorization_details").map(Details::Text),
            domain: text("domain"),
            login_hint: text("login_hint"),
            acr_values: self.get("acr_values").map(words).unwrap_or_default(),
            max_age: text("max_age"),
            nonce: text("nonce"),
            prompt: text("prompt"),
            id_token_hint: text("id_token_hint"),
            request: text("request"),
        }
    }
}

/// Values separated by spaces.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Decodes one name or value; a stray `%` and bytes that are no UTF-8 are refused rather than repaired.
pub(crate) fn decode(encoded: &[u8]) -> Result<Zeroizing<String>, OAuthError> {
    let malformed = || OAuthError::InvalidRequest("the parameters are not form-urlencoded UTF-8");
    let spaced: Zeroizing<Vec<u8>> =
        Zeroizing::new(encoded.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect());
    let mut rest = spaced.as_slice();
    while let Some(at) = rest.iter().position(|b| *b == b'%') {
        let is_hex = rest.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        if !is_hex {
            return Err(malformed());
        }
        rest = &rest[at + 3..];
    }
    let text = percent_decode(&spaced).decode_utf8().map_err(|_| malformed())?;
    Ok(Zeroizing::new(text.into_owned()))
}

/// Whether a body is said to be `media_type`, with or without parameters.
pub(crate) fn is_media_type(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

/// The whole body, of which the router bounds the length.
pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, OAuthError> {
    Bytes::from_request(request, state).await.map_err(|_| OAuthError::TooLarge)
}

/// The body of a form.
impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &S) -> Result<Self, OAuthError> {
        if !is_media_type(request.headers(), "application/x-www-form-urlencoded") {
            return Err(OAuthError::MediaType);
        }
        Self::parse(&body(request, state).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(encoded: &str) -> Result<Vec<(String, String)>, String> {
        let params = Params::parse(encoded.as_bytes()).map_err(|error| error.to_string())?;
        Ok(params.0.iter().map(|(n, v)| (n.clone(), v.to_string())).collect())
    }

    #[test]
    fn values_are_decoded_once() {
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(
            read("a=1&b=x+y&c=%2525&d=%C3%A4").unwrap(),
            [pair("a", "1"), pair("b", "x y"), pair("c", "%25"), pair("d", "ä")]
        );
        assert_eq!(read("a=b=c").unwrap(), [pair("a", "b=c")]);
    }

    #[test]
    fn an_empty_value_is_an_absent_one() {
        assert_eq!(read("a=&b&&c=1").unwrap(), [("c".to_owned(), "1".to_owned())]);
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let twice = "a parameter stands there twice";
        assert_eq!(read("a=1&a=2").unwrap_err(), twice);
        assert_eq!(read("a=&%61=2").unwrap_err(), twice);
        for wrong in ["a=%", "a=%2", "a=%zz", "%=a", "a=%FF"] {
            assert_eq!(read(wrong).unwrap_err(), "the parameters are not form-urlencoded UTF-8", "{wrong}");
        }
        let many: Vec<String> = (0..65).map(|i| format!("p{i}=1")).collect();
        assert_eq!(read(&many.join("&")).unwrap_err(), "there are too many parameters");
    }
}
