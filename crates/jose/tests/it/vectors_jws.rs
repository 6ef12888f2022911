//! The examples of the RFCs, one file each in `vectors/jws/`: verified in each serialization that the
//! RFC shows, and refused when anything in them is changed.
//!
//! A slip of the pen in a file cannot stay hidden: everything in it is signed, or makes the signature.

use std::fs;

use sealwright_jose::{
    Alg, MacKey, SigningKey, VerifyErrorKind,
    jws::{Limits, Policy, Require, Scratch, Unverified, UnverifiedJson, Verifier},
};
use serde_json::Value;

/// One file of the folder.
struct Example {
    name: String,
    json: Value,
}

/// A token of an example, and how it is to be read.
enum Token {
    Compact(String),
    Json(String),
}

impl Example {
    fn all() -> Vec<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/jws");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut examples: Vec<_> = files
            .map(|file| Self {
                name: file.file_stem().unwrap().to_str().unwrap().to_owned(),
                json: serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap(),
            })
            .collect();
        examples.sort_by(|one, other| one.name.cmp(&other.name));
        examples
    }

    fn tokens(&self) -> Vec<Token> {
        let json = ["flattened", "general"].into_iter().filter_map(|form| self.json.get(form));
        let json = json.map(|token| Token::Json(token.to_string()));
        let compact =
            self.json.get("compact").map(|token| Token::Compact(token.as_str().unwrap().to_owned()));
        compact.into_iter().chain(json).collect()
    }

    fn is(&self, what: &str) -> bool {
        self.json.get(what).is_some_and(|value| value.as_bool().unwrap())
    }

    /// What the example needs that only the looser policies accept.
    fn needs_rfc_policy(&self) -> bool {
        self.json.get("policy").is_some_and(|policy| policy == "rfc")
    }

    fn payload(&self) -> &[u8] {
        self.json["payload"].as_str().unwrap().as_bytes()
    }

    fn keys(&self) -> Vec<(Alg, String)> {
        let keys = self.json["keys"].as_array().unwrap().iter();
        keys.map(|key| (key["alg"].as_str().unwrap().parse().unwrap(), key["jwk"].to_string())).collect()
    }

    fn verifier(&self, policy: Policy) -> Verifier {
        let keys = self.keys();
        let algs: Vec<Alg> = keys.iter().map(|(alg, _)| *alg).collect();
        let mut builder = Verifier::builder_from(&algs).policy(policy);
        for (alg, jwk) in keys {
            builder = if alg.is_mac() {
                builder.mac_key(MacKey::from_jwk_as(alg, &jwk).unwrap())
            } else {
                builder.key(SigningKey::from_jwk_as(alg, &jwk).unwrap().verifying_key())
            };
        }
        if self.is("unencoded") {
            builder = builder.unencoded();
        }
        builder.build().unwrap()
    }

    fn verify(&self, policy: Policy, token: &Token) -> Result<Vec<u8>, VerifyErrorKind> {
        let mut scratch = Scratch::new();
        let (verifier, scratch) = (self.verifier(policy), &mut scratch);
        let payload = match token {
            Token::Compact(text) if self.is("detached") => verifier
                .verify_detached(text, self.payload(), scratch)
                .map(|verified| verified.payload().to_vec()),
            Token::Compact(text) => {
                verifier.verify_compact(text, scratch).map(|verified| verified.payload().to_vec())
            }
            Token::Json(text) if self.is("detached") => verifier
                .verify_detached_json(text, self.payload(), Require::All, scratch)
                .map(|verified| verified.payload().to_vec()),
            Token::Json(text) => {
                verifier.verify_json(text, Require::All, scratch).map(|verified| verified.payload().to_vec())
            }
        };
        payload.map_err(|error| error.kind())
    }
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Compact(text) | Self::Json(text) => text,
        }
    }

    /// Whether all that is signed, and the signatures, are the same: the unprotected header is not.
    fn says_the_same(&self, other: &Self) -> bool {
        let (Self::Json(one), Self::Json(other)) = (self, other) else { return false };
        let signed = |text| {
            let mut json: Value = serde_json::from_str(text).unwrap();
            let signatures = json.get_mut("signatures").map_or(Value::Null, Value::take);
            let members = |json: &Value| ["payload", "protected", "signature"].map(|name| json[name].clone());
            let signatures = signatures.as_array().map(|array| array.iter().map(members).collect::<Vec<_>>());
            (members(&json), signatures)
        };
        signed(one) == signed(other)
    }

    fn with_text(&self, text: String) -> Self {
        match self {
            Self::Compact(_) => Self::Compact(text),
            Self::Json(_) => Self::Json(text),
        }
    }
}

#[test]
fn every_example_verifies() {
    let (mut examples, mut tokens) = (0, 0);
    for example in Example::all() {
        for token in example.tokens() {
            let by = |policy| example.verify(policy, &token);
            let context = format!("{}: {}", example.name, token.text());
            assert_eq!(by(Policy::Rfc).as_deref(), Ok(example.payload()), "{context}");
            if example.needs_rfc_policy() {
                assert!(by(Policy::Strict).is_err(), "{context}");
            } else {
                assert_eq!(by(Policy::Strict).as_deref(), Ok(example.payload()), "{context}");
            }
            // Joserfc's limits end below the signatures of ML-DSA, which it does not know.
            if example.name.starts_with("rfc9964") {
                assert_eq!(by(Policy::Joserfc), Err(VerifyErrorKind::TooLarge), "{context}");
            } else {
                assert_eq!(by(Policy::Joserfc).as_deref(), Ok(example.payload()), "{context}");
            }
            tokens += 1;
        }
        examples += 1;
    }
    // RFC 7515 A.1–A.4, A.6, A.7; RFC 7520 §4.1–4.8; RFC 7797 §4; RFC 8037 A.4; RFC 9964 A.
    assert_eq!((examples, tokens), (21, 34));
}

#[test]
fn a_changed_example_is_refused() {
    for example in Example::all() {
        for token in example.tokens() {
            let text = token.text();
            // Each place costs a verification, so a long token is changed at some hundred of them.
            for at in (0..text.len()).step_by(text.len() / 100 + 1) {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                let bent = token.with_text(String::from_utf8(bytes).unwrap());
                let accepted = example.verify(Policy::Strict, &bent).is_ok();
                assert!(!accepted || token.says_the_same(&bent), "{}: {}", example.name, bent.text());
            }
        }
    }
}

#[test]
fn an_example_with_another_payload_is_refused() {
    for example in Example::all().iter_mut().filter(|example| example.is("detached")) {
        let other = format!("{} ", example.json["payload"].as_str().unwrap());
        example.json["payload"] = other.into();
        for token in example.tokens() {
            assert_eq!(
                example.verify(Policy::Rfc, &token),
                Err(VerifyErrorKind::Signature),
                "{}",
                example.name
            );
        }
    }
}

#[test]
fn the_keys_of_rfc9964_are_known_by_their_thumbprints() {
    let mut seen = 0;
    for example in Example::all() {
        let Some(thumbprint) = example.json.get("thumbprint") else { continue };
        for (alg, jwk) in example.keys() {
            // Reading it compares the public key with the one that the seed gives.
            let key = SigningKey::from_jwk_as(alg, &jwk).unwrap().verifying_key();
            assert_eq!(key.thumbprint_base64url(), thumbprint.as_str().unwrap(), "{}", example.name);
            assert_eq!(key.kid(), thumbprint.as_str());
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn every_example_can_be_looked_into_by_the_policy_that_takes_it() {
    for example in Example::all() {
        for token in example.tokens() {
            let context = format!("{}: {}", example.name, token.text());
            let peek = |policy| match &token {
                Token::Compact(text) => {
                    let peeked = Unverified::peek_compact_with(text, policy, &Limits::default());
                    peeked.map(|peeked| vec![peeked.protected_header().to_owned()])
                }
                Token::Json(text) => {
                    let peeked = UnverifiedJson::peek_with(text, policy, &Limits::default());
                    peeked.map(|peeked| peeked.protected_headers().map(str::to_owned).collect())
                }
            };
            assert!(peek(Policy::Rfc).is_ok_and(|headers| !headers.is_empty()), "{context}");
            assert!(peek(Policy::Joserfc).is_ok(), "{context}");
            // What a strict verifier refuses for its form cannot be looked into strictly either.
            let has_no_header = peek(Policy::Rfc).is_ok_and(|headers| headers.iter().any(|one| one == "{}"));
            assert_eq!(peek(Policy::Strict).is_err(), has_no_header, "{context}");
        }
    }
}

#[test]
fn hints_of_an_unprotected_header_are_shown() {
    // RFC 7515 A.6, RFC 7520 §4.7 and §4.8: where the `kid` that finds the key stands.
    for (name, kids) in [
        ("rfc7515_a6", vec![Some("2010-12-29"), Some("e9bc097a-ce51-4036-9562-d2ade882db0d")]),
        ("rfc7520_4_7", vec![Some("018c0ae5-4d9b-471b-bfd6-eef314bc7037")]),
        ("rfc7520_4_8", vec![Some("bilbo.baggins@hobbiton.example"); 2]),
    ] {
        let all = Example::all();
        let example = all.iter().find(|example| example.name.starts_with(name)).unwrap();
        let mut seen = 0;
        for token in example.tokens() {
            let Token::Json(text) = &token else { continue };
            let peeked = UnverifiedJson::peek_with(text, Policy::Rfc, &Limits::default()).unwrap();
            for (n, kid) in kids.iter().enumerate() {
                let header = peeked.unprotected_header(n).map(|json| serde_json::from_str(json).unwrap());
                let shown = header.as_ref().and_then(|header: &Value| header["kid"].as_str());
                assert_eq!(shown, *kid, "{name} {n}");
            }
            assert_eq!(peeked.unprotected_header(kids.len()), None);
            seen += 1;
        }
        assert!(seen > 0, "{name}");
    }
}
