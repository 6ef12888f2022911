//! ECDSA on each of its curves: signatures that no one made, in other forms, and points that are
//! none (CVE-2022-21449, CVE-2016-9121).

use sealwright_jose::{Alg, KeyError, SigningKey, VerifyErrorKind as Kind, VerifyingKey, base64url, ecdsa};
use serde_json::{Value, json};

use super::{hex, jwk_of, keys};
use crate::tally::{refused, refused_if};

const MESSAGE: &[u8] = b"message";

struct Curve {
    key: &'static SigningKey,
    /// The order of the group.
    n: Vec<u8>,
    /// The prime of the field.
    p: Vec<u8>,
}

/// SEC 2 §2.4.1, FIPS 186-4 §D.1.2.
fn curves() -> [Curve; 4] {
    let (f4, f8) = ("ffff", "ffffffff");
    [
        (
            Alg::Es256,
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551".to_owned(),
            "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff".to_owned(),
        ),
        (
            Alg::Es384,
            format!("{}c7634d81f4372ddf581a0db248b0a77aecec196accc52973", f8.repeat(6)),
            format!("{}fffffffeffffffff0000000000000000ffffffff", f8.repeat(7)),
        ),
        (
            Alg::Es512,
            format!("01{}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", f8.repeat(8)),
            format!("01ff{}", f4.repeat(32)),
        ),
        (
            Alg::Es256k,
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141".to_owned(),
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f".to_owned(),
        ),
    ]
    .map(|(alg, n, p)| {
        let key = keys().iter().find(|key| key.alg() == alg).unwrap();
        Curve { key, n: hex(&n), p: hex(&p) }
    })
}

#[test]
pub(super) fn psychic_signature_on_every_curve() {
    for Curve { key, n, p } in curves() {
        let alg = key.alg();
        let mut one = vec![0; n.len()];
        one[n.len() - 1] = 1;
        let numbers =
            [("0", vec![0; n.len()]), ("1", one), ("n", n.clone()), ("p", p), ("max", vec![0xFF; n.len()])];
        let public = key.verifying_key();
        for (name_r, r) in &numbers {
            for (name_s, s) in &numbers {
                let got = public.verify(MESSAGE, &[&r[..], s].concat()).map_err(|error| error.kind());
                refused(format_args!("{alg} r={name_r} s={name_s}"), got, Kind::Signature);
            }
        }
        let good = key.sign(MESSAGE).unwrap();
        let (r, s) = good.split_at(n.len());
        let zero = vec![0; n.len()];
        for (name, bent) in [
            ("r=0", [&zero, s].concat()),
            ("s=0", [r, &zero].concat()),
            ("r=n", [&n, s].concat()),
            ("s=n", [r, &n].concat()),
            ("s before r", [s, r].concat()),
            ("r twice", [r, r].concat()),
        ] {
            let got = public.verify(MESSAGE, &bent).map_err(|error| error.kind());
            refused(format_args!("{alg} {name}"), got, Kind::Signature);
        }
    }
}

#[test]
pub(super) fn ecdsa_in_another_form_on_every_curve() {
    for Curve { key, n, .. } in curves() {
        let (alg, len) = (key.alg(), n.len());
        let good = key.sign(MESSAGE).unwrap();
        let (r, s) = good.split_at(len);
        // One after the other in DER, with a leading zero or not, whatever the numbers are.
        let der = ecdsa::fixed_to_der(&good).unwrap();
        let raw = |width: usize| {
            let pad = vec![0; width - len];
            [&pad, r, &pad, s].concat()
        };
        for (name, bent) in [
            ("empty", vec![]),
            ("DER", der.clone()),
            ("DER and a byte", [&der[..], &[0]].concat()),
            ("one byte more in each", raw(len + 1)),
            ("wide", raw(96)),
            ("first byte missing", good[1..].to_vec()),
            ("last byte missing", good[..good.len() - 1].to_vec()),
            ("half", r.to_vec()),
            ("a byte after it", [&good[..], &[0]].concat()),
            ("a byte before it", [&[0], &good[..]].concat()),
            ("twice", good.repeat(2)),
            (
                "as hexadecimal text",
                good.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
            ),
        ] {
            let got = key.verifying_key().verify(MESSAGE, &bent).map_err(|error| error.kind());
            refused(format_args!("{alg} {name}"), got, Kind::Signature);
        }
        // The other way about, of what a remote signer returns.
        for (name, bent) in [
            ("fixed", good.clone()),
            ("DER cut", der[..der.len() - 1].to_vec()),
            ("DER and a byte", [&der[..], &[0]].concat()),
            ("negative", vec![0x30, 6, 2, 1, 0x80, 2, 1, 1]),
            ("padded", vec![0x30, 7, 2, 2, 0, 1, 2, 1, 1]),
            ("long form of the length", vec![0x30, 0x81, 6, 2, 1, 1, 2, 1, 1]),
            ("zero", vec![0x30, 6, 2, 1, 0, 2, 1, 1]),
        ] {
            let error = sealwright_jose::SignError::EcdsaEncoding;
            refused(format_args!("{alg} {name}"), ecdsa::der_to_fixed(alg, &bent), error);
        }
    }
}

fn read(jwk: &Value) -> Result<VerifyingKey, KeyError> {
    VerifyingKey::from_jwk(&jwk.to_string())
}

#[test]
pub(super) fn curve_of_another_algorithm() {
    for Curve { key, .. } in curves() {
        for Curve { key: other, .. } in curves().into_iter().filter(|other| other.key.alg() != key.alg()) {
            let (alg, other_alg) = (key.alg(), other.alg());
            let (jwk, other_jwk) = (jwk_of(&key.verifying_key()), jwk_of(&other.verifying_key()));
            let mut bent = jwk.clone();
            bent["alg"] = json!(other_alg.name());
            refused_if(
                format_args!("{alg} key for {other_alg}"),
                read(&bent),
                |error| matches!(error, KeyError::Type { alg, .. } if *alg == other_alg),
            );
            // `crv` and the length of the numbers, or the curve that they are on, disagree.
            let mut bent = jwk.clone();
            (bent["alg"], bent["crv"]) = (other_jwk["alg"].clone(), other_jwk["crv"].clone());
            refused_if(format_args!("numbers of {alg} on the curve of {other_alg}"), read(&bent), |error| {
                matches!(error, KeyError::Member { member: "x", .. } | KeyError::Invalid(_))
            });
            let signature = other.sign(MESSAGE).unwrap();
            let got = key.verifying_key().verify(MESSAGE, &signature).map_err(|error| error.kind());
            refused(format_args!("{other_alg} signature, {alg} key"), got, Kind::Signature);
        }
        for crv in
            ["P-192", "P-224", "secp256r1", "p-256", "Ed25519", "X25519", "brainpoolP256r1", "", "P-256 "]
        {
            let mut bent = jwk_of(&key.verifying_key());
            bent["crv"] = json!(crv);
            let got = read(&bent);
            refused_if(crv, got, |error| matches!(error, KeyError::Unsupported(_)));
        }
    }
}

#[test]
pub(super) fn no_point_of_any_curve() {
    for Curve { key, p, .. } in curves() {
        let (alg, public) = (key.alg(), key.verifying_key());
        let good = jwk_of(&public);
        let bytes = |member: &str| base64url::decode(good[member].as_str().unwrap()).unwrap();
        let (x, y) = (bytes("x"), bytes("y"));
        let mut bent = y.clone();
        bent[p.len() - 1] ^= 1;
        for (name, member, value) in [
            ("y bent", "y", bent),
            ("y is x", "y", x.clone()),
            ("y is 0", "y", vec![0; p.len()]),
            ("x is 0", "x", vec![0; p.len()]),
            ("x is p", "x", p.clone()),
            ("y is p", "y", p.clone()),
            ("x is max", "x", vec![0xFF; p.len()]),
        ] {
            let mut jwk = good.clone();
            jwk[member] = json!(base64url::encode(value));
            refused_if(format_args!("{alg} {name}"), read(&jwk), |error| {
                matches!(error, KeyError::Invalid(_))
            });
        }
        for (name, member, value) in [
            ("x cut", "x", x[1..].to_vec()),
            ("y cut", "y", y[..p.len() - 1].to_vec()),
            ("x padded", "x", [&[0], &x[..]].concat()),
            ("x empty", "x", vec![]),
            ("x is the point", "x", [&[4], &x[..], &y].concat()),
        ] {
            let mut jwk = good.clone();
            jwk[member] = json!(base64url::encode(value));
            let error = KeyError::Member { member, problem: "has the wrong length" };
            refused(format_args!("{alg} {name}"), read(&jwk), error);
        }
        for member in ["x", "y", "crv"] {
            let mut jwk = good.clone();
            jwk.as_object_mut().unwrap().remove(member);
            refused(format_args!("{alg} {member}"), read(&jwk), KeyError::MemberMissing(member));
            jwk[member] = json!(7);
            let error = KeyError::Member { member, problem: "is not a string" };
            refused(format_args!("{alg} {member} is 7"), read(&jwk), error);
        }
    }
}

#[test]
pub(super) fn der_that_is_cut_or_goes_on() {
    for key in keys() {
        let (alg, spki, pkcs8) = (key.alg(), key.verifying_key().to_spki_der(), key.to_pkcs8_der().unwrap());
        let is_right = |error: &KeyError| {
            matches!(
                error,
                KeyError::Malformed { .. }
                    | KeyError::Format { .. }
                    | KeyError::Unsupported(_)
                    | KeyError::Invalid(_)
            )
        };
        for len in 0..spki.len() {
            refused_if(alg, VerifyingKey::from_spki_der(alg, &spki[..len]), is_right);
        }
        for len in (0..pkcs8.len()).step_by(1 + pkcs8.len() / 64) {
            refused_if(alg, SigningKey::from_pkcs8_der(alg, &pkcs8[..len]), is_right);
        }
        for more in [&b"\0"[..], b"\x05\0", b"\n", &spki] {
            let long = [&spki[..], more].concat();
            refused_if(alg, VerifyingKey::from_spki_der(alg, &long), |error| {
                matches!(error, KeyError::Malformed { .. })
            });
            let long = [&pkcs8[..], more].concat();
            refused_if(alg, SigningKey::from_pkcs8_der(alg, &long), |error| {
                matches!(error, KeyError::Malformed { .. })
            });
        }
    }
}
