//! Keys whose numbers are wrong: too small, too large, off the curve, halves of two keys
//! (CVE-2016-9121, RUSTSEC-2022-0093).

use sealwright_jose::{Alg, KeyError, SigningKey, VerifyingKey, base64url};
use serde_json::{Value, json};

use crate::{
    support::{ED25519, ES256, RS256, generate},
    tally::{refused, refused_if},
};

fn public(alg: Alg) -> Value {
    let key = match alg {
        Alg::Es256 => &*ES256,
        Alg::Ed25519 => &*ED25519,
        _ => &*RS256,
    };
    serde_json::from_str(&key.verifying_key().to_jwk()).unwrap()
}

fn private(key: &SigningKey) -> Value {
    serde_json::from_str(&key.to_jwk().unwrap()).unwrap()
}

fn with(mut jwk: Value, member: &str, value: Value) -> String {
    jwk[member] = value;
    jwk.to_string()
}

fn number(bytes: &[u8]) -> Value {
    base64url::encode(bytes).into()
}

fn bytes(jwk: &Value, member: &str) -> Vec<u8> {
    base64url::decode(jwk[member].as_str().unwrap()).unwrap()
}

#[test]
pub(super) fn rsa_of_a_bad_size_or_exponent() {
    let good = public(Alg::Rs256);
    let n = bytes(&good, "n");
    let mut even = n.clone();
    even[255] &= 0xFE;
    let mut short = n.clone();
    short[0] = 0x7F;
    let leading = [&[0], &n[..]].concat();
    let odd_and_long = |len: usize| {
        let mut n = vec![0xFF; len];
        n[0] = 1;
        n
    };
    let modulus = |bits: usize| format!("the RSA modulus has {bits} bits; 2048 to 8192 are accepted");
    let zeros = "not a valid key: an RSA number is empty or has leading zeros";
    let exponent = "not a valid key: the RSA exponent is even or 1";
    let table: [(&str, &[u8], &str); 16] = [
        ("n", &n[..64], &modulus(512)),
        ("n", &n[..128], &modulus(1024)),
        ("n", &short, &modulus(2047)),
        ("n", &odd_and_long(1025), &modulus(8193)),
        ("n", &odd_and_long(2049), &modulus(16385)),
        ("n", &even, "not a valid key: the RSA modulus is even"),
        ("n", &leading, zeros),
        ("n", &[], zeros),
        ("e", &[], zeros),
        ("e", &[0], zeros),
        ("e", &[0, 1, 0, 1], zeros),
        ("e", &[1], exponent),
        ("e", &[2], exponent),
        ("e", &[1, 0, 0], exponent),
        ("e", &[2, 0, 0, 0, 1], "the RSA exponent has 34 bits; 2 to 33 are accepted"),
        ("e", &n, "the RSA exponent has 2048 bits; 2 to 33 are accepted"),
    ];
    for (member, value, why) in table {
        let read = VerifyingKey::from_jwk(&with(good.clone(), member, number(value)));
        refused(
            format_args!("{member} {} {why}", value.len()),
            read.map_err(|error| error.to_string()),
            why.to_owned(),
        );
    }
    assert!(VerifyingKey::from_jwk(&with(good.clone(), "e", number(&[3]))).is_ok());
    assert!(VerifyingKey::from_jwk(&with(good, "e", number(&[1, 0, 0, 0, 1]))).is_ok());
}

#[test]
pub(super) fn rsa_numbers_that_do_not_fit_each_other() {
    let good = private(&RS256);
    let other = private(&generate(Alg::Rs256));
    for member in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        let value = if member == "e" { number(&[3]) } else { other[member].clone() };
        refused_if(member, SigningKey::from_jwk(&with(good.clone(), member, value)), |error| {
            matches!(error, KeyError::Invalid(_))
        });
        let mut missing = good.clone();
        missing.as_object_mut().unwrap().remove(member);
        refused(member, SigningKey::from_jwk(&missing.to_string()), KeyError::MemberMissing(member));
    }
    let error = SigningKey::from_jwk(&with(good, "oth", json!([]))).unwrap_err();
    assert_eq!(error, KeyError::Unsupported("an RSA key of more than two primes (`oth`)"));
}

#[test]
pub(super) fn point_off_the_curve() {
    let good = public(Alg::Es256);
    let (x, y) = (bytes(&good, "x"), bytes(&good, "y"));
    let mut bent = y.clone();
    bent[31] ^= 1;
    // p, which is 0 for whoever does not compare.
    let mut p = [0; 32];
    p[..4].fill(0xFF);
    p[7] = 1;
    p[20..].fill(0xFF);
    let length = "the JWK's member `x` has the wrong length";
    let off = "not a valid key: the numbers are not a public key";
    let table: [(&str, Vec<u8>, &str); 9] = [
        ("y", bent, off),
        ("y", x.clone(), off),
        ("x", p.to_vec(), off),
        ("x", vec![0; 32], off),
        ("x", vec![0xFF; 32], off),
        ("x", x[1..].to_vec(), length),
        ("x", [&[0], &x[..]].concat(), length),
        ("x", vec![], length),
        ("x", [&[4], &x[..], &y[..]].concat(), length),
    ];
    for (member, value, why) in table {
        let read = VerifyingKey::from_jwk(&with(good.clone(), member, number(&value)));
        refused(format_args!("{member} {value:?}"), read.map_err(|error| error.to_string()), why.to_owned());
    }
    // Infinity, in SPKI.
    let mut spki = ES256.verifying_key().to_spki_der();
    let at = spki.len() - 64;
    spki[at..].fill(0);
    refused_if("infinity", VerifyingKey::from_spki_der(Alg::Es256, &spki), |error| {
        matches!(error, KeyError::Invalid(_))
    });
    for member in ["x", "y", "crv"] {
        let mut missing = good.clone();
        missing.as_object_mut().unwrap().remove(member);
        refused(member, VerifyingKey::from_jwk(&missing.to_string()), KeyError::MemberMissing(member));
    }
}

#[test]
pub(super) fn another_curve() {
    let table = [
        (Alg::Es256, "P-192"),
        (Alg::Es256, "secp256r1"),
        (Alg::Es256, "p-256"),
        (Alg::Es256, "Ed25519"),
        (Alg::Ed25519, "X25519"),
        (Alg::Ed25519, "X448"),
        (Alg::Ed25519, "P-256"),
    ];
    for (alg, crv) in table {
        let read = VerifyingKey::from_jwk(&with(public(alg), "crv", json!(crv)));
        refused_if(format_args!("{alg} {crv}"), read, |error| matches!(error, KeyError::Unsupported(_)));
    }
    let error = VerifyingKey::from_jwk(&with(public(Alg::Es256), "kty", json!("OKP"))).unwrap_err();
    assert!(matches!(error, KeyError::Unsupported(_)));
    let error = VerifyingKey::from_jwk(&with(public(Alg::Ed25519), "alg", json!("ES256"))).unwrap_err();
    assert_eq!(error, KeyError::Type { alg: Alg::Es256, seen: "an Ed25519 key" });
}

#[test]
pub(super) fn private_half_of_another_key() {
    for (key, other) in [(&*ES256, generate(Alg::Es256)), (&*ED25519, generate(Alg::Ed25519))] {
        let bent = with(private(key), "d", private(&other)["d"].clone());
        refused_if(key.alg(), SigningKey::from_jwk(&bent), |error| matches!(error, KeyError::Invalid(_)));
        for wrong in [vec![], vec![1; 31], vec![1; 33], vec![0; 33]] {
            let bent = with(private(key), "d", number(&wrong));
            refused_if(format_args!("{} {wrong:?}", key.alg()), SigningKey::from_jwk(&bent), |error| {
                matches!(error, KeyError::Member { member: "d", .. })
            });
        }
    }
    let n =
        [&[0xFF; 4][..], &[0; 4], &[0xFF; 8], &[0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84], &[0xFF; 8]]
            .concat();
    for wrong in [vec![0; 32], n, vec![0xFF; 32]] {
        let bent = with(private(&ES256), "d", number(&wrong));
        refused_if(format_args!("{wrong:?}"), SigningKey::from_jwk(&bent), |error| {
            matches!(error, KeyError::Invalid(_))
        });
    }
    assert!(matches!(SigningKey::from_jwk(&public(Alg::Es256).to_string()), Err(KeyError::Format { .. })));
}

#[test]
pub(super) fn ed25519_of_small_order_or_not_canonical() {
    let y = |first: u8, last: u8| {
        let mut point = [if first >= 0xEC { 0xFF } else { 0 }; 32];
        (point[0], point[31]) = (first, last);
        point
    };
    let order_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
    let order_8: Vec<u8> =
        (0..32).map(|i| u8::from_str_radix(&order_8[2 * i..2 * i + 2], 16).unwrap()).collect();
    let mut order_8: [u8; 32] = order_8.try_into().unwrap();
    let mut table = vec![
        y(0, 0),
        y(0, 0x80),
        y(1, 0),
        y(1, 0x80),
        y(0xEC, 0x7F),
        y(0xEC, 0xFF),
        // p, p + 1 and 2²⁵⁵ − 1: second encodings of small numbers.
        y(0xED, 0x7F),
        y(0xEE, 0x7F),
        [0xFF; 32],
        order_8,
    ];
    order_8[31] |= 0x80;
    table.push(order_8);
    for point in table {
        refused(
            format_args!("{point:x?}"),
            VerifyingKey::from_jwk(&with(public(Alg::Ed25519), "x", number(&point))),
            KeyError::Invalid("the Ed25519 point is of small order or not canonical"),
        );
    }
}

#[test]
pub(super) fn ed25519_off_the_curve() {
    // Half of all numbers are no y of the curve, so among changed keys some are refused and some
    // are other keys.
    let point = bytes(&public(Alg::Ed25519), "x");
    let off = (0..=255).filter(|first| {
        let mut bent = point.clone();
        bent[0] = *first;
        let read = VerifyingKey::from_jwk(&with(public(Alg::Ed25519), "x", number(&bent)));
        read.is_err_and(|error| error == KeyError::Invalid("the Ed25519 point is not on the curve"))
    });
    assert!((64..192).contains(&off.count()));
}
