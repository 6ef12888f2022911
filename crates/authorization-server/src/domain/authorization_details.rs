//! Rich authorization requests (RFC 9396): which documents a token is for.

use sealwright_service::text::check_text;
use serde_json::{Map, Value};

use super::strict_json::StrictJson;

/// Signing with a credential, as the Cloud Signature Consortium names it.
pub(crate) const TYPE_SIGN: &str = "https://cloudsignatureconsortium.org/2025/credential";
/// Having signatures checked.
pub(crate) const TYPE_VALIDATE: &str = "https://sealwright.dev/2026/validate";
/// The types that this server knows (RFC 9396 §10).
pub(crate) const TYPES: [&str; 2] = [TYPE_SIGN, TYPE_VALIDATE];

const MAX_JSON_BYTES: usize = 24 * 1024;
const MAX_ITEMS: usize = 8;
const MAX_DOCUMENTS: usize = 64;
const MAX_TEXT: usize = 256;
/// Hash algorithms by object identifier, with the length of their output.
const HASHES: [(&str, usize); 3] =
    [("2.16.840.1.101.3.4.2.1", 32), ("2.16.840.1.101.3.4.2.2", 48), ("2.16.840.1.101.3.4.2.3", 64)];
const MEMBERS: [&str; 7] = [
    "type",
    "credentialID",
    "numSignatures",
    "documentDigests",
    "hashAlgorithmOID",
    "locations",
    "signatureQualifier",
];
const DIGEST_MEMBERS: [&str; 4] = ["hash", "label", "hashType", "size"];

/// Checked `authorization_details`: what a person is shown is exactly what the token will carry.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AuthorizationDetails {
    json: Vec<Value>,
    items: Vec<Detail>,
}

/// One thing that a token may be used for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Detail {
    pub(crate) purpose: Purpose,
    /// The worker that will do it.
    pub(crate) credential: Option<String>,
    pub(crate) documents: Vec<Document>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Sign,
    Validate,
}

/// One document, known by its digest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) label: Option<String>,
    pub(crate) digest: Vec<u8>,
    pub(crate) size: Option<u64>,
}

/// What is wrong, in words for the client's developer.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DetailsError(pub(crate) String);

fn wrong<T>(message: impl Into<String>) -> Result<T, DetailsError> {
    Err(DetailsError(message.into()))
}

impl AuthorizationDetails {
    /// Reads the form parameter, which is a JSON array as text.
    pub(crate) fn parse(text: &str, audiences: &[String]) -> Result<Self, DetailsError> {
        if text.len() > MAX_JSON_BYTES {
            return wrong(format!("authorization_details are longer than {MAX_JSON_BYTES} bytes"));
        }
        match serde_json::from_str(text) {
            Ok(StrictJson(json)) => Self::check(json, audiences),
            Err(_) => wrong("authorization_details are not JSON, or a member stands there twice"),
        }
    }

    /// Checks a parsed array; `audiences` are the resource servers that the client may name in `locations`.
    pub(crate) fn check(json: Value, audiences: &[String]) -> Result<Self, DetailsError> {
        if json.to_string().len() > MAX_JSON_BYTES {
            return wrong(format!("authorization_details are longer than {MAX_JSON_BYTES} bytes"));
        }
        let Value::Array(json) = json else { return wrong("authorization_details are not an array") };
        if json.is_empty() || json.len() > MAX_ITEMS {
            return wrong(format!("authorization_details have 1 to {MAX_ITEMS} entries"));
        }
        let items = json.iter().map(|item| detail(item, audiences)).collect::<Result<_, _>>()?;
        Ok(Self { json, items })
    }

    /// For what the database gives back: it was checked against the client's audiences before it was stored.
    pub(crate) fn stored(json: Value) -> Result<Self, DetailsError> {
        let locations =
            json.as_array().into_iter().flatten().filter_map(|item| item.get("locations")?.as_array());
        let audiences: Vec<String> =
            locations.flatten().filter_map(|p| p.as_str().map(str::to_owned)).collect();
        Self::check(json, &audiences)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn items(&self) -> &[Detail] {
        &self.items
    }

    pub(crate) fn to_json(&self) -> Value {
        Value::Array(self.json.clone())
    }
}

fn detail(item: &Value, audiences: &[String]) -> Result<Detail, DetailsError> {
    let Value::Object(item) = item else {
        return wrong("an entry of authorization_details is not an object");
    };
    let purpose = match item.get("type").and_then(Value::as_str) {
        Some(TYPE_SIGN) => Purpose::Sign,
        Some(TYPE_VALIDATE) => Purpose::Validate,
        Some(_) => return wrong("the type of an entry of authorization_details is not known here"),
        None => return wrong("an entry of authorization_details has no type"),
    };
    // RFC 9396 §5: what we do not understand, the person could not have agreed to.
    refuse_unknown(item, &MEMBERS)?;
    let hash_bytes = match text(item, "hashAlgorithmOID")? {
        Some(oid) => match HASHES.iter().find(|(known, _)| *known == oid) {
            Some((_, bytes)) => *bytes,
            None => return wrong("hashAlgorithmOID names a hash that is not known here"),
        },
        None => return wrong("hashAlgorithmOID is missing"),
    };
    let documents = match item.get("documentDigests") {
        Some(Value::Array(digests)) if (1..=MAX_DOCUMENTS).contains(&digests.len()) => {
            digests.iter().map(|d| document(d, hash_bytes)).collect::<Result<Vec<_>, _>>()?
        }
        _ => return wrong(format!("documentDigests is an array of 1 to {MAX_DOCUMENTS} objects")),
    };
    match item.get("numSignatures") {
        None => {}
        Some(count) if count.as_u64() == u64::try_from(documents.len()).ok() => {}
        Some(_) => return wrong("numSignatures is not the number of documentDigests"),
    }
    text(item, "signatureQualifier")?;
    match item.get("locations") {
        None => {}
        Some(Value::Array(places))
            if places.iter().all(|p| p.as_str().is_some_and(|p| audiences.iter().any(|a| a == p))) => {}
        Some(_) => return wrong("locations name a place that is not an audience of this client"),
    }
    Ok(Detail { purpose, credential: text(item, "credentialID")?.map(str::to_owned), documents })
}

fn document(json: &Value, hash_bytes: usize) -> Result<Document, DetailsError> {
    let Value::Object(json) = json else { return wrong("an entry of documentDigests is not an object") };
    refuse_unknown(json, &DIGEST_MEMBERS)?;
    let digest = match text(json, "hash")?.map(|hash| base64_simd::STANDARD.decode_to_vec(hash)) {
        Some(Ok(digest)) if digest.len() == hash_bytes => digest,
        _ => return wrong("a hash of documentDigests is not base64 of the named algorithm's length"),
    };
    match text(json, "hashType")? {
        None | Some("SDR") => {}
        Some(_) => return wrong("hashType is not SDR"),
    }
    let size = match json.get("size") {
        None => None,
        Some(size) => match size.as_u64() {
            Some(size) => Some(size),
            None => return wrong("size is not a number of bytes"),
        },
    };
    Ok(Document { label: text(json, "label")?.map(str::to_owned), digest, size })
}

fn refuse_unknown(object: &Map<String, Value>, known: &[&str]) -> Result<(), DetailsError> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        // The name is a stranger's, so it is not repeated.
        Some(_) => wrong("authorization_details have a member that is not known here"),
        None => Ok(()),
    }
}

/// A member that is text, short, and shows on a page as what it is.
fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, DetailsError> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if check_text(text, MAX_TEXT).is_ok() => Ok(Some(text)),
        Some(_) => wrong(format!("{name} is not a text of 1 to {MAX_TEXT} plain characters")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn audiences() -> Vec<String> {
        vec!["https://sign.example.com".to_owned()]
    }

    fn good() -> Value {
        json!([{
            "type": TYPE_SIGN, "credentialID": "contracts", "numSignatures": 1,
            "documentDigests": [{"hash": base64_simd::STANDARD.encode_to_string([7u8; 32]),
                                 "label": "contract.md", "hashType": "SDR", "size": 1234}],
            "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1", "locations": ["https://sign.example.com"]
        }])
    }

    #[test]
    fn what_is_shown_is_what_is_carried() {
        let details = AuthorizationDetails::check(good(), &audiences()).unwrap();
        assert_eq!(details.to_json(), good());
        let document = Document { label: Some("contract.md".into()), digest: vec![7; 32], size: Some(1234) };
        assert_eq!(
            details.items(),
            [Detail {
                purpose: Purpose::Sign,
                credential: Some("contracts".into()),
                documents: vec![document]
            }]
        );
    }

    #[test]
    fn anything_else_is_refused() {
        let with = |pointer: &str, value: Value| {
            let mut json = good();
            *json.pointer_mut(pointer).unwrap() = value;
            json
        };
        let plus = |pointer: &str, name: &str| {
            let mut json = good();
            json.pointer_mut(pointer).unwrap().as_object_mut().unwrap().insert(name.into(), json!(1));
            json
        };
        let cases = [
            json!({}),
            json!([]),
            json!([1]),
            Value::Array(vec![good()[0].clone(); 9]),
            json!([{"type": 1}]),
            with("/0/type", json!("https://example.com/other")),
            with("/0/hashAlgorithmOID", json!("1.3.14.3.2.26")),
            with("/0/documentDigests", json!([])),
            with("/0/documentDigests", json!(vec![good()[0]["documentDigests"][0].clone(); 65])),
            with("/0/documentDigests/0/hash", json!("AAAA")),
            with("/0/documentDigests/0/hash", json!("not base64")),
            with("/0/documentDigests/0/hashType", json!("DTBSR")),
            with("/0/documentDigests/0/label", json!("")),
            with("/0/documentDigests/0/label", json!("a".repeat(257))),
            with("/0/documentDigests/0/label", json!("invoice\u{202e}fdp.exe")),
            with("/0/documentDigests/0/label", json!("two\nlines")),
            with("/0/documentDigests/0/size", json!(-1)),
            with("/0/documentDigests/0/size", json!("1")),
            with("/0/numSignatures", json!(2)),
            with("/0/locations", json!(["https://elsewhere.example.com"])),
            with("/0/locations", json!("https://sign.example.com")),
            with("/0/credentialID", json!(7)),
            plus("/0", "extra"),
            plus("/0/documentDigests/0", "extra"),
        ];
        for case in cases {
            assert!(AuthorizationDetails::check(case.clone(), &audiences()).is_err(), "{case}");
        }
        assert!(AuthorizationDetails::parse("[", &audiences()).is_err());
        let text = good().to_string();
        assert!(AuthorizationDetails::parse(&text, &audiences()).is_ok());
        for (once, twice) in
            [("\"label\":", "\"label\":\"other.md\",\"label\":"), ("\"type\":", "\"type\":\"x\",\"type\":")]
        {
            assert!(
                AuthorizationDetails::parse(&text.replace(once, twice), &audiences()).is_err(),
                "{twice}"
            );
        }
        assert!(AuthorizationDetails::parse(&" ".repeat(MAX_JSON_BYTES + 1), &audiences()).is_err());
    }
}
