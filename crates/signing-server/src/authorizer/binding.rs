//! What a token is bound to: worker, operation and documents, as rich authorization details (RFC 9396).

use aws_lc_rs::constant_time;
use sealwright_resource_server::AccessToken;
use serde_json::{Value, json};

use super::{Denial, DenialCode};

/// SHA-256, the only digest that documents are named by.
const DETAIL_HASH_ALG: &str = "2.16.840.1.101.3.4.2.1";

/// What a worker is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Sign,
    Validate,
}

impl Action {
    /// The word in paths.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Validate => "validate",
        }
    }

    /// The `type` of the authorization details that allow it.
    pub(crate) fn detail_type(self) -> &'static str {
        match self {
            Self::Sign => "https://cloudsignatureconsortium.org/2025/credential",
            Self::Validate => "https://sealwright.dev/2026/validate",
        }
    }
}

/// What a token must be bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) worker: &'a str,
    pub(crate) action: Action,
    /// This server's public URL.
    pub(crate) location: &'a str,
}

impl Target<'_> {
    /// The authorization details to ask for. `size` is for the person who approves.
    pub(crate) fn authorization_details(
        &self,
        digest: &str,
        label: Option<&str>,
        size: Option<u64>,
    ) -> Value {
        let mut document = json!({"hash": digest, "label": label.unwrap_or("document"), "hashType": "SDR"});
        if let (Some(size), Value::Object(members)) = (size, &mut document) {
            members.insert("size".to_owned(), size.into());
        }
        json!([{
            "type": self.action.detail_type(),
            "credentialID": self.worker,
            "numSignatures": 1,
            "documentDigests": [document],
            "hashAlgorithmOID": DETAIL_HASH_ALG,
            "locations": [self.location],
        }])
    }

    /// Whether one detail is for this worker, operation and place, and for at least one signature.
    fn is_meant_by(&self, detail: &Value) -> bool {
        let text = |member: &str| detail.get(member).and_then(Value::as_str);
        let located = match detail.get("locations") {
            None => true,
            Some(Value::Array(locations)) => {
                locations.iter().any(|location| location.as_str() == Some(self.location))
            }
            Some(_) => false,
        };
        located
            && text("credentialID") == Some(self.worker)
            && text("hashAlgorithmOID") == Some(DETAIL_HASH_ALG)
            && detail.get("numSignatures").and_then(Value::as_u64).is_some_and(|count| count >= 1)
    }
}

/// The documents that a token names for a target.
#[derive(Debug)]
pub(crate) enum Coverage {
    /// The token names none, and need not.
    Unbound,
    /// These, as SHA-256.
    Documents(Vec<[u8; 32]>),
}

impl Coverage {
    /// Reads the token's details of the target's type. If it has some, one must be meant for the target.
    pub(super) fn read(token: &AccessToken, target: &Target<'_>) -> Result<Self, Denial> {
        let of_type = token
            .authorization_details()
            .iter()
            .filter(|detail| detail.get("type").and_then(Value::as_str) == Some(target.action.detail_type()));
        let mut any = false;
        let mut meant = false;
        let mut documents = Vec::new();
        for detail in of_type {
            any = true;
            if target.is_meant_by(detail) {
                meant = true;
                documents.extend(digests(detail));
            }
        }
        match (any, meant) {
            (false, _) => Ok(Self::Unbound),
            (true, false) => Err(Denial::new(
                DenialCode::HashNotAuthorized,
                "no authorization detail is for this worker, place and number of signatures",
            )),
            (true, true) => Ok(Self::Documents(documents)),
        }
    }

    /// Refuses a token that names no documents.
    pub(super) fn or_denied(self) -> Result<Self, Denial> {
        match self {
            Self::Unbound => Err(Denial::new(
                DenialCode::HashNotAuthorized,
                "the token has no authorization detail for this operation",
            )),
            Self::Documents(_) => Ok(self),
        }
    }

    /// Whether the document may be worked on; `Ok(true)` if the token names it.
    pub(super) fn covers(&self, digest: &[u8; 32]) -> Result<bool, Denial> {
        match self {
            Self::Unbound => Ok(false),
            Self::Documents(documents) => {
                let named = documents
                    .iter()
                    .any(|document| constant_time::verify_slices_are_equal(document, digest).is_ok());
                if named {
                    Ok(true)
                } else {
                    Err(Denial::new(DenialCode::HashNotAuthorized, "the token names other documents"))
                }
            }
        }
    }
}

/// The digests of whole documents (`SDR`). Without `hashType` a digest is one of data to be signed, which is
/// another thing.
fn digests(detail: &Value) -> impl Iterator<Item = [u8; 32]> {
    let documents = detail.get("documentDigests").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    documents.iter().filter_map(|document| {
        if document.get("hashType").and_then(Value::as_str) != Some("SDR") {
            return None;
        }
        let hash = document.get("hash").and_then(Value::as_str)?;
        base64_simd::STANDARD.decode_to_vec(hash).ok()?.try_into().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target<'static> =
        Target { worker: "contracts", action: Action::Sign, location: "https://sign.example.com" };

    #[test]
    fn what_is_asked_for_is_accepted() {
        let digest = base64_simd::STANDARD.encode_to_string([7; 32]);
        let details = TARGET.authorization_details(&digest, Some("contract.md"), Some(12));
        assert!(TARGET.is_meant_by(&details[0]));
        assert_eq!(digests(&details[0]).collect::<Vec<_>>(), [[7; 32]]);
    }

    #[test]
    fn details_for_something_else_are_not_meant() {
        let digest = base64_simd::STANDARD.encode_to_string([7; 32]);
        let changed = |member: &str, value: Value| {
            let mut detail = TARGET.authorization_details(&digest, None, None)[0].clone();
            detail[member] = value;
            detail
        };
        for (member, value) in [
            ("credentialID", json!("payroll")),
            ("credentialID", json!(["contracts"])),
            ("numSignatures", json!(0)),
            ("numSignatures", json!("1")),
            ("numSignatures", json!(-1)),
            ("hashAlgorithmOID", json!("1.3.14.3.2.26")),
            ("locations", json!([])),
            ("locations", json!(["https://other.example.com"])),
            ("locations", json!("https://sign.example.com")),
        ] {
            assert!(!TARGET.is_meant_by(&changed(member, value.clone())), "{member}: {value}");
        }
        let without = |member: &str| {
            let mut detail = changed("x", Value::Null);
            detail.as_object_mut().unwrap().remove(member);
            detail
        };
        assert!(TARGET.is_meant_by(&without("locations")));
        assert!(!TARGET.is_meant_by(&without("numSignatures")));
        assert!(!TARGET.is_meant_by(&without("hashAlgorithmOID")));
    }

    #[test]
    fn a_digest_of_another_kind_names_no_document() {
        let hash = base64_simd::STANDARD.encode_to_string([7; 32]);
        for document in [
            json!({"hash": hash}),
            json!({"hash": hash, "hashType": "DTBSR"}),
            json!({"hash": hash, "hashType": "sdr"}),
            json!({"hash": hash.trim_end_matches('='), "hashType": "SDR"}),
            json!({"hash": base64_simd::STANDARD.encode_to_string([7; 20]), "hashType": "SDR"}),
            json!({"hash": 7, "hashType": "SDR"}),
            json!("x"),
        ] {
            assert_eq!(digests(&json!({"documentDigests": [document]})).count(), 0);
        }
        assert_eq!(digests(&json!({"documentDigests": {"hash": hash, "hashType": "SDR"}})).count(), 0);
    }

    #[test]
    fn a_token_that_names_documents_covers_no_other() {
        let coverage = Coverage::Documents(vec![[1; 32], [2; 32]]);
        assert!(matches!(coverage.covers(&[2; 32]), Ok(true)));
        assert!(coverage.covers(&[3; 32]).is_err());
        assert!(matches!(Coverage::Unbound.covers(&[3; 32]), Ok(false)));
    }
}
