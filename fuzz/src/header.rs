//! Headers of any content under a genuine signature, so that nothing but the rules about headers
//! refuses them.

use sealwright_jose::{
    Alg, base64url,
    jws::{Scratch, Verifier},
};

use crate::{json_oracle::Json, material, time::bounded};

/// Accepted is exactly what a second reading of the rules accepts.
pub fn header(data: &[u8]) {
    let header = base64url::encode(data);
    let input = format!("{header}.{}", base64url::encode(material::PAYLOAD));
    let signature = base64url::encode(material::hs256().sign(input.as_bytes()).expect("the key may sign"));
    let compact = format!("{input}.{signature}");
    let (header, payload) = input.split_once('.').expect("it was put there");
    let flattened = format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#);
    let verifier = Verifier::builder([Alg::Hs256])
        .mac_key(material::hs256().clone())
        .understands("exp")
        .build()
        .expect("the policy makes sense");
    bounded(data.len(), || {
        let (mut one, mut other) = (Scratch::new(), Scratch::new());
        let first = verifier.verify_compact(&compact, &mut one).map(|verified| verified.payload().to_vec());
        let second = verifier.verify_flattened(&flattened, &mut other).map(|verified| {
            assert_eq!(verified.protected_header().as_bytes(), data);
            verified.payload().to_vec()
        });
        assert_eq!(first, second, "the two serializations differ");
        assert_eq!(first.is_ok(), is_acceptable(data), "{}: {first:?}", data.escape_ascii());
        if let Ok(payload) = first {
            assert_eq!(payload, material::PAYLOAD);
        }
    });
}

fn is_acceptable(header: &[u8]) -> bool {
    if header.len() > 16 * 1024 {
        return false;
    }
    let Some(json) = Json::object(header, 16) else { return false };
    let is_string = |name| json.get(name).is_none_or(|value| value.str().is_some());
    let critical = json.get("crit").is_none_or(|value| {
        value.strings().is_some_and(|names| names == ["exp"] && json.get("exp").is_some())
    });
    json.get("alg").and_then(Json::str) == Some("HS256")
        && ["kid", "typ", "cty", "jku", "x5u", "x5t", "x5t#S256"].into_iter().all(is_string)
        && json.get("jwk").is_none_or(Json::is_object)
        && json.get("x5c").is_none_or(|value| value.strings().is_some_and(|chain| !chain.is_empty()))
        && json.get("enc").is_none()
        && json.get("b64").is_none()
        && critical
}
