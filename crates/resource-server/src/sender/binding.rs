//! What a token is bound to.

use super::CertThumbprint;
use sealwright_jose::base64url;
use serde_json::{Map, Value};

/// What `cnf` says (RFC 7800).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// Methods that can be checked here; at least one.
    Known(Methods),
    /// Another one, perhaps beside those: what the issuer bound the token to would not be checked.
    Unknown,
}

/// The thumbprints of what the holder of a token has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Methods {
    /// Of a DPoP key (RFC 9449 §6.1).
    pub(super) jkt: Option<[u8; 32]>,
    /// Of a client certificate (RFC 8705 §3.1).
    pub(super) x5t: Option<CertThumbprint>,
}

impl Binding {
    /// Reads the value of `cnf`.
    pub(crate) fn read(json: &str) -> Self {
        Methods::read(json).map_or(Self::Unknown, Self::Known)
    }
}

impl Methods {
    fn read(json: &str) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_str(json).ok()?;
        let mut methods = Self::default();
        for (name, value) in &members {
            let text = value.as_str()?;
            match name.as_str() {
                "jkt" => methods.jkt = Some(base64url::decode_exact(text).ok()?),
                "x5t#S256" => methods.x5t = Some(CertThumbprint::parse(text)?),
                _ => return None,
            }
        }
        (!members.is_empty()).then_some(methods)
    }

    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(cnf: Value) -> Binding {
        Binding::read(&cnf.to_string())
    }

    #[test]
    fn what_is_understood_is_read() {
        let (jkt, text) = ([7; 32], base64url::encode([7; 32]));
        let x5t = Some(CertThumbprint::from_bytes(jkt));
        let known = |jkt, x5t| Binding::Known(Methods { jkt, x5t });
        assert_eq!(of(json!({"jkt": text})), known(Some(jkt), None));
        assert_eq!(of(json!({"x5t#S256": text})), known(None, x5t));
        assert_eq!(of(json!({"jkt": text, "x5t#S256": text})), known(Some(jkt), x5t));
    }

    #[test]
    fn what_is_not_understood_binds_all_the_same() {
        let text = base64url::encode([7; 32]);
        for cnf in [
            json!(null),
            json!({}),
            json!([]),
            json!(true),
            json!(text),
            json!({"jkt": null}),
            json!({"jkt": 7}),
            json!({"jkt": ""}),
            json!({"jkt": &text[1..]}),
            json!({"jkt": format!("{text}=")}),
            json!({"jkt": "00".repeat(32)}),
            json!({"x5t#S256": format!("{text}=")}),
            json!({"x5t#s256": text}),
            json!({"kid": "k1"}),
            json!({"jwk": {"kty": "EC"}}),
            // One of two methods could be checked, and the other not.
            json!({"jkt": text, "kid": "k1"}),
            json!({"jkt": text, "x5t#S256": 7}),
        ] {
            assert_eq!(of(cnf.clone()), Binding::Unknown, "{cnf}");
        }
    }
}
