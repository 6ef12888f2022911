//! Headers that a producer is given: what may be signed can be verified, and says what it said.

use sealwright_jose::{
    Alg,
    jws::{Header, Scratch, Signer, Verifier},
};

use crate::{json_oracle::Json, material, time::bounded};

/// A header in JSON.
pub fn sign(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    bounded(data.len(), || {
        let Ok(header) = Header::from_json(Alg::Hs256, text) else { return };
        let asked = Json::object(data, 16).expect("strict JSON");
        let signer = Signer::mac(material::hs256()).header(header);
        // Of an unencoded payload there is no compact form that holds it.
        let (Ok(compact), Ok(flattened)) = (signer.sign_compact(b"x"), signer.sign_flattened(b"x")) else {
            assert!(asked.get("b64").is_some() || data.len() > 15_000, "{text}");
            return;
        };
        let mut builder = Verifier::builder([Alg::Hs256]).mac_key(material::hs256().clone());
        for name in asked.get("crit").and_then(Json::strings).unwrap_or_default() {
            builder = if name == "b64" { builder.unencoded() } else { builder.understands(name) };
        }
        let verifier = builder.build().expect("the policy makes sense");
        let (mut one, mut other) = (Scratch::new(), Scratch::new());
        let first = verifier.verify_compact(&compact, &mut one).expect("what was signed verifies");
        let second = verifier.verify_flattened(&flattened, &mut other).expect("what was signed verifies");
        assert_eq!(first.protected_header(), second.protected_header());
        let said = Json::object(first.protected_header().as_bytes(), 16).expect("strict JSON");
        let (Json::Object(asked), Json::Object(mut said)) = (asked, said) else { unreachable!() };
        // `alg` stands first where it was not asked for.
        if !asked.iter().any(|(name, _)| name == "alg") {
            assert_eq!(said.remove(0).0, "alg");
        }
        assert_eq!(said, asked);
    });
}
