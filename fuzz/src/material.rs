//! Fixed keys and tokens: a finding must be found again by its input alone. They are the examples of
//! the RFCs that the library's tests read, and tokens that come out the same in each run.

use std::sync::LazyLock;

use sealwright_jose::{
    Alg, MacKey, SigningKey, base64url,
    jws::{Policy, Signer, Verifier},
};

use crate::json_oracle::Json;

macro_rules! examples {
    ($($name:literal)*) => {
        [$(include_str!(concat!("../../crates/jose/tests/it/vectors/jws/", $name, ".json"))),*]
    };
}

static EXAMPLES: LazyLock<Vec<Json>> = LazyLock::new(|| {
    let texts = examples!(
        "rfc7515_a1" "rfc7515_a2" "rfc7515_a3" "rfc7515_a4" "rfc7515_a6" "rfc7515_a7"
        "rfc7520_4_1" "rfc7520_4_2" "rfc7520_4_3" "rfc7520_4_4" "rfc7520_4_6" "rfc7520_4_7" "rfc7520_4_8"
        "rfc7797_4_1" "rfc7797_4_2" "rfc8037_a4" "rfc9964_44"
    );
    texts.map(|text| Json::object(text.as_bytes(), 16).expect("an example is JSON")).into()
});

/// The keys of all examples.
struct Keys {
    public: Vec<SigningKey>,
    mac: Vec<MacKey>,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let mut keys = Keys { public: Vec::new(), mac: Vec::new() };
    for key in EXAMPLES.iter().flat_map(|example| example.get("keys").and_then(Json::array).expect("keys")) {
        let alg: Alg = key.get("alg").and_then(Json::str).and_then(|alg| alg.parse().ok()).expect("alg");
        let jwk = key.get("jwk").expect("jwk").to_string();
        if alg.is_mac() {
            keys.mac.push(MacKey::from_jwk_as(alg, &jwk).expect("an example's key"));
        } else {
            keys.public.push(SigningKey::from_jwk_as(alg, &jwk).expect("an example's key"));
        }
    }
    keys
});

pub(crate) const PAYLOAD: &[u8] = br#"{"iss":"joe","exp":1300819380}"#;

/// The key of RFC 7515 A.1.
pub(crate) fn hs256() -> &'static MacKey {
    &KEYS.mac[0]
}

/// A verifier that has all keys of the examples, and tries those that fit.
pub(crate) fn verifier(policy: Policy) -> Verifier {
    let mut builder = Verifier::builder_from(Alg::ALL).policy(policy).unencoded().try_all(8);
    for key in &KEYS.mac {
        builder = builder.mac_key(key.clone());
    }
    for key in &KEYS.public {
        builder = builder.key(key.verifying_key());
    }
    builder.build().expect("the keys fit the algorithms")
}

/// What was signed: a protected header, and a payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) header: String,
    pub(crate) payload: Vec<u8>,
}

/// Everything that our keys have signed.
pub(crate) static SIGNED: LazyLock<Vec<Signed>> = LazyLock::new(|| {
    let mut signed = Vec::new();
    let mut add = |protected: Option<&str>, payload: &[u8]| {
        let header = base64url::decode(protected.unwrap_or("e30")).expect("a header is base64url");
        let header = String::from_utf8(header).expect("a header is UTF-8");
        signed.push(Signed { header, payload: payload.to_vec() });
    };
    let protected = |json: &'static Json| json.get("protected").and_then(Json::str);
    for example in EXAMPLES.iter() {
        let payload = example.get("payload").and_then(Json::str).expect("payload").as_bytes();
        if let Some(compact) = example.get("compact").and_then(Json::str) {
            add(compact.split('.').next(), payload);
        }
        if let Some(flattened) = example.get("flattened") {
            add(protected(flattened), payload);
        }
        let general = example.get("general").and_then(|general| general.get("signatures")?.array());
        for signature in general.into_iter().flatten() {
            add(protected(signature), payload);
        }
    }
    for token in ours(Signer::sign_compact) {
        add(token.split('.').next(), PAYLOAD);
    }
    signed
});

/// Genuine compact tokens.
pub(crate) static COMPACT: LazyLock<Vec<String>> = LazyLock::new(|| {
    let known = EXAMPLES.iter().filter_map(|example| example.get("compact")?.str());
    known.map(str::to_owned).chain(ours(Signer::sign_compact)).collect()
});

/// Genuine tokens in JSON.
pub(crate) static JSON: LazyLock<Vec<String>> = LazyLock::new(|| {
    let forms =
        |example: &'static Json| ["flattened", "general"].into_iter().filter_map(|form| example.get(form));
    let known = EXAMPLES.iter().flat_map(forms).map(Json::to_string);
    known.chain(ours(Signer::sign_flattened)).collect()
});

/// Genuine tokens without their payload, and that.
pub(crate) static DETACHED: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let compact = COMPACT.iter().map(|token| {
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
            panic!("a compact token has three parts")
        };
        (format!("{header}..{signature}"), base64url::decode(payload).expect("a payload is base64url"))
    });
    let json = JSON.iter().map(|token| {
        let Some(Json::Object(mut members)) = Json::object(token.as_bytes(), 16) else {
            panic!("a token in JSON is an object")
        };
        let at = members.iter().position(|(name, _)| name == "payload").expect("it is not detached yet");
        let (_, payload) = members.remove(at);
        let payload = payload.str().expect("a payload is a string");
        // That of RFC 7797 §4.2 stands as it is.
        let decoded = base64url::decode(payload).unwrap_or_else(|_| payload.into());
        (Json::Object(members).to_string(), decoded)
    });
    compact.chain(json).collect()
});

/// Tokens of our own, by algorithms that sign the same each time.
fn ours<E: std::fmt::Debug>(sign: impl Fn(&Signer, &[u8]) -> Result<String, E>) -> Vec<String> {
    let of = |alg| KEYS.public.iter().find(|key| key.alg() == alg).expect("there is an example");
    [Signer::mac(hs256()), Signer::new(of(Alg::Rs256)), Signer::new(of(Alg::Ed25519))]
        .map(|signer| sign(&signer.typ("JWT"), PAYLOAD).expect("the header is small"))
        .into()
}
