//! Keys in every encoding, in and out; and what errors say about those that are not read.

mod algorithms;
mod inspect;
mod protected;

use sealwright_jose::{Alg, Key, KeyError, MacKey, SigningKey, VerifyingKey};

use crate::support::{ED25519, ES256, HS256, RS256};

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!("vectors/openssl/", $name))
    };
}

#[test]
fn openssl_keys_of_each_type_are_one_key() {
    let table: [(Alg, &[&str], &[&str]); 3] = [
        (Alg::Es256, &[pem!("ec8.pem"), pem!("ecsec1.pem")], &[pem!("ecpub.pem"), pem!("eccert.pem")]),
        (
            Alg::Ps256,
            &[pem!("rsa8.pem"), pem!("rsa1.pem")],
            &[pem!("rsapub.pem"), pem!("rsa1pub.pem"), pem!("rsacert.pem")],
        ),
        (Alg::Ed25519, &[pem!("ed8.pem")], &[pem!("edpub.pem")]),
    ];
    for (alg, private, public) in table {
        let first = SigningKey::from_pem(alg, private[0]).unwrap();
        for pem in private {
            let key = SigningKey::from_pem(alg, pem).unwrap();
            assert_eq!(key.verifying_key(), first.verifying_key());
            assert!(matches!(Key::parse(pem, Some(alg)), Ok(Key::Signing(_))));
            assert!(matches!(Key::parse(pem, None), Err(KeyError::AlgMissing)));
        }
        for pem in public {
            assert_eq!(VerifyingKey::from_pem(alg, pem).unwrap(), first.verifying_key());
            assert!(matches!(Key::parse(pem, Some(alg)), Ok(Key::Verifying(_))));
        }
        // Windows line ends, text around, and no line end at the end.
        let bent = format!("a note\n{}", public[0].trim()).replace('\n', "\r\n");
        assert_eq!(VerifyingKey::from_pem(alg, &bent).unwrap(), first.verifying_key());
    }
    assert_eq!(
        SigningKey::from_pem(Alg::Ed25519, pem!("ed8.pem")).unwrap().to_pem().unwrap().as_str(),
        pem!("ed8.pem")
    );
    assert_eq!(
        VerifyingKey::from_pem(Alg::Es256, pem!("ecpub.pem")).unwrap().to_pem().unwrap(),
        pem!("ecpub.pem")
    );
    assert_eq!(
        VerifyingKey::from_pem(Alg::Rs256, pem!("rsapub.pem")).unwrap().to_pem().unwrap(),
        pem!("rsapub.pem")
    );
}

#[test]
fn keys_go_out_and_come_in_again() {
    for key in [&*ES256, &*RS256, &*ED25519] {
        let (alg, public) = (key.alg(), key.verifying_key());
        let jwk = key.to_jwk().unwrap();
        let again = [
            SigningKey::from_jwk(&jwk).unwrap(),
            SigningKey::from_pem(alg, &key.to_pem().unwrap()).unwrap().with_kid("k"),
            SigningKey::from_pkcs8_der(alg, &key.to_pkcs8_der().unwrap()).unwrap().with_kid("k"),
        ];
        for again in again {
            assert_eq!(again.verifying_key(), public);
            assert!(public.verify(b"m", &again.sign(b"m").unwrap()).is_ok());
        }
        assert_eq!(VerifyingKey::from_jwk(&public.to_jwk()).unwrap(), public);
        assert_eq!(VerifyingKey::from_spki_der(alg, &public.to_spki_der()).unwrap().with_kid("k"), public);
        assert_eq!(SigningKey::from_jwk(&jwk).unwrap().to_jwk().unwrap(), jwk);
    }
    let der = ES256.to_pkcs8_der().unwrap();
    assert!(matches!(Key::parse_der(&der, Alg::Es256), Ok(Key::Signing(_))));
    assert!(matches!(
        Key::parse_der(&RS256.verifying_key().to_spki_der(), Alg::Rs256),
        Ok(Key::Verifying(_))
    ));
    assert!(matches!(Key::parse_der(b"no DER", Alg::Es256), Err(KeyError::Format { .. })));
    let mac = MacKey::from_jwk(&HS256.to_jwk()).unwrap();
    assert!(HS256.verify(b"m", &mac.sign(b"m").unwrap()).is_ok());
    assert!(matches!(Key::parse(&HS256.to_jwk(), None), Ok(Key::Mac(_))));
    assert!(matches!(Key::parse(&ES256.to_jwk().unwrap(), None), Ok(Key::Signing(_))));
    assert!(matches!(Key::parse(&ES256.verifying_key().to_jwk(), None), Ok(Key::Verifying(_))));
}

#[test]
fn a_public_jwk_has_nothing_private() {
    insta::assert_snapshot!(
        SigningKey::from_pem(Alg::Ed25519, pem!("ed8.pem")).unwrap().with_kid("e").verifying_key().to_jwk(),
        @r#"{"kty":"OKP","crv":"Ed25519","x":"IkDD9MGETOMdXRPc0T1FvF_XnF8k10NaN8g7VmJZtdc","use":"sig","alg":"Ed25519","kid":"e"}"#
    );
}

#[test]
fn errors_say_what_was_seen_and_what_is_wanted() {
    let signing = |alg, text: &str| SigningKey::from_pem(alg, text).unwrap_err().to_string();
    let verifying = |alg, text: &str| VerifyingKey::from_pem(alg, text).unwrap_err().to_string();
    let wanted_private =
        "a private key (PEM labelled `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`) is needed";
    let wanted_public =
        "a public key (PEM labelled `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`) is needed";
    let table = [
        (signing(Alg::Es256, pem!("ecpub.pem")), format!("found a public key (SPKI), but {wanted_private}")),
        (
            signing(Alg::Es256, pem!("eccert.pem")),
            format!("found an X.509 certificate, but {wanted_private}"),
        ),
        (
            verifying(Alg::Es256, pem!("ec8.pem")),
            format!("found a private key (PKCS#8), but {wanted_public}"),
        ),
        (
            verifying(Alg::Es256, pem!("ecsec1.pem")),
            format!("found an EC private key (SEC1), but {wanted_public}"),
        ),
        (
            signing(Alg::Es256, pem!("ecenc.pem")),
            "the private key is encrypted, and there is no password".into(),
        ),
        (
            signing(Alg::Rs256, pem!("rsaenc.pem")),
            "found a private key encrypted in OpenSSL's old way (`Proc-Type: 4,ENCRYPTED`), but encrypted PKCS#8 \
             (`openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW` makes it) is needed"
                .into(),
        ),
        (
            verifying(Alg::Ed25519, pem!("ssh_ed")),
            format!("found an OpenSSH private key, but {wanted_public}"),
        ),
        (
            verifying(Alg::Ed25519, pem!("ssh_ed.pub")),
            "found an SSH public key, but a key in PEM is needed".into(),
        ),
        (verifying(Alg::Es256, "{}"), "found JSON, but a key in PEM is needed".into()),
        (signing(Alg::Es256, pem!("p384.pem")), "ES256 cannot use a P-384 key".into()),
        (signing(Alg::Es256, pem!("k256.pem")), "ES256 cannot use a secp256k1 key".into()),
        (
            verifying(Alg::Es256, pem!("ecpubc.pem")),
            "a compressed elliptic curve point is not supported".into(),
        ),
        (
            signing(Alg::Ps256, pem!("pss8.pem")),
            "an RSA key for PSS alone (`id-RSASSA-PSS`) is not supported".into(),
        ),
        (
            signing(Alg::Rs256, pem!("rsa1024.pem")),
            "the RSA modulus has 1024 bits; 2048 to 8192 are accepted".into(),
        ),
        (signing(Alg::Rs256, pem!("ec8.pem")), "RS256 cannot use a P-256 key".into()),
        (signing(Alg::Es256, pem!("rsa1.pem")), "ES256 cannot use an RSA key".into()),
        (verifying(Alg::Es256, pem!("edpub.pem")), "ES256 cannot use an Ed25519 key".into()),
        (verifying(Alg::Hs256, pem!("edpub.pem")), "HS256 cannot use an Ed25519 key".into()),
        (
            verifying(Alg::Es256, &[pem!("ecpub.pem"), pem!("ecpub.pem")].concat()),
            "malformed PEM: there are several blocks, and only one is read".into(),
        ),
    ];
    for (got, want) in table {
        assert_eq!(got, want);
    }
    assert_eq!(
        SigningKey::generate(Alg::Hs256).unwrap_err().to_string(),
        "HS256 cannot use an asymmetric key"
    );
    assert_eq!(MacKey::generate(Alg::Es256).unwrap_err().to_string(), "ES256 cannot use a symmetric key");
    assert!(matches!(
        Key::parse("garbage", None),
        Err(KeyError::Format { wanted: "a key as JWK, in PEM or DER, or of OpenSSH", .. })
    ));
}

#[test]
fn a_block_with_the_name_of_the_curve_may_stand_before_the_key() {
    let pem = include_str!("vectors/openssl/ecparam.pem");
    assert!(pem.starts_with("-----BEGIN EC PARAMETERS-----"));
    assert!(SigningKey::from_pem(Alg::Es256, pem).is_ok());
    let (curve, key) = pem.split_at(pem.find("-----BEGIN EC PRIVATE KEY").unwrap());
    assert!(SigningKey::from_pem(Alg::Es256, curve).is_err());
    assert!(SigningKey::from_pem(Alg::Es256, &[key, pem].concat()).is_err());
    assert!(SigningKey::from_pem(Alg::Es256, &[curve, pem].concat()).is_err());
}

#[test]
fn an_rsa_jwk_may_have_no_primes_but_not_some_of_them() {
    let jwk: serde_json::Value = serde_json::from_str(&RS256.to_jwk().unwrap()).unwrap();
    let without = |names: &[&str]| {
        let mut jwk = jwk.clone();
        jwk.as_object_mut().unwrap().retain(|name, _| !names.contains(&name.as_str()));
        SigningKey::from_jwk(&jwk.to_string())
    };
    let found = without(&["p", "q", "dp", "dq", "qi"]).unwrap();
    assert_eq!(found.verifying_key(), RS256.verifying_key());
    assert!(RS256.verifying_key().verify(b"m", &found.sign(b"m").unwrap()).is_ok());
    assert_eq!(*found.to_jwk().unwrap(), *RS256.to_jwk().unwrap());
    for name in ["p", "q", "dp", "dq", "qi", "d"] {
        assert_eq!(without(&[name]).unwrap_err(), KeyError::MemberMissing(name));
    }
    let mut wrong = jwk.clone();
    wrong.as_object_mut().unwrap().retain(|name, _| !["p", "q", "dp", "dq", "qi"].contains(&name.as_str()));
    for d in [jwk["e"].clone(), jwk["n"].clone(), jwk["dp"].clone(), "AA".into(), "".into()] {
        wrong["d"] = d;
        assert!(matches!(SigningKey::from_jwk(&wrong.to_string()), Err(KeyError::Invalid(_))));
    }
    let mut more = jwk.clone();
    more["oth"] = serde_json::json!([{"r": "Aw", "d": "Aw", "t": "Aw"}]);
    assert!(matches!(SigningKey::from_jwk(&more.to_string()), Err(KeyError::Unsupported(_))));
}

#[test]
fn rsa_moduli_that_can_be_factored_are_refused() {
    let hex = include_str!("vectors/roca2048.hex").trim();
    let roca: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let read = |n: &[u8]| {
        let n = sealwright_jose::base64url::encode(n);
        VerifyingKey::from_jwk_as(Alg::Rs256, &format!(r#"{{"kty":"RSA","e":"AQAB","n":"{n}"}}"#))
    };
    let why = read(&roca).unwrap_err();
    assert!(matches!(why, KeyError::Weak(why) if why.contains("CVE-2017-15361")), "{why}");
    // 2^2048 − 1 has many small factors.
    assert_eq!(read(&[0xFF; 256]).unwrap_err(), KeyError::Weak("the RSA modulus has a small prime factor"));
}
