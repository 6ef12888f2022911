//! Private keys behind a password, and OpenSSH's own formats.

use sealwright_jose::{Alg, Key, KeyError, SigningKey, VerifyingKey};

const PASSWORD: &[u8] = b"correct horse";

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("../vectors/", $name))
    };
}

const REWRITE: &str = "`openssl pkcs8 -in OLD -topk8 -v2 aes-256-cbc -out NEW` writes it anew";

#[test]
fn keys_that_others_encrypted_are_read() {
    let ec = SigningKey::from_pem(Alg::Es256, vector!("openssl/ec8.pem")).unwrap();
    let rsa = SigningKey::from_pem(Alg::Rs256, vector!("openssl/rsa8.pem")).unwrap();
    let ed = SigningKey::from_pem(Alg::Ed25519, vector!("openssl/ed8.pem")).unwrap();
    let table = [
        (&ec, vector!("encrypted/ec_pbkdf2_sha1_aes128.pem")),
        (&ec, vector!("encrypted/ec_pbkdf2_sha384_aes192.pem")),
        (&ed, vector!("encrypted/ed_pbkdf2_sha512_aes256.pem")),
        (&rsa, vector!("encrypted/rsa_pbkdf2_sha256_aes256.pem")),
        (&ec, vector!("encrypted/ec_scrypt.pem")),
        (&ec, vector!("encrypted/ec_cryptography.pem")),
        (&ec, vector!("encrypted/ec_jwcrypto.pem")),
        (&ec, vector!("encrypted/ec_joserfc.pem")),
    ];
    for (plain, pem) in table {
        let alg = plain.alg();
        let read = SigningKey::from_pem_with_password(alg, pem, PASSWORD).unwrap();
        assert_eq!(read.verifying_key(), plain.verifying_key());
        assert!(plain.verifying_key().verify(b"m", &read.sign(b"m").unwrap()).is_ok());
        for wrong in [&b"Correct horse"[..], b"correct horse ", b""] {
            let error = SigningKey::from_pem_with_password(alg, pem, wrong).unwrap_err();
            assert_eq!(error, KeyError::Password);
        }
        assert_eq!(SigningKey::from_pem(alg, pem).unwrap_err(), KeyError::PasswordNeeded);
        assert_eq!(Key::parse(pem, Some(alg)).unwrap_err(), KeyError::PasswordNeeded);
        assert!(VerifyingKey::from_pem(alg, pem).unwrap_err().to_string().contains("encrypted"));
    }
    let der = include_bytes!("../vectors/encrypted/rsa_pbkdf2_sha256_aes256.der");
    let read = SigningKey::from_encrypted_pkcs8_der(Alg::Rs256, der, PASSWORD).unwrap();
    assert_eq!(read.verifying_key(), rsa.verifying_key());
    let read = Key::parse_with_password(der, Some(Alg::Rs256), Some(PASSWORD)).unwrap();
    assert_eq!(read.verifying_key(), Some(rsa.verifying_key()));
    assert_eq!(Key::parse_der(der, Alg::Rs256).unwrap_err(), KeyError::PasswordNeeded);
}

#[test]
fn a_damaged_file_is_refused_wherever_it_is_damaged() {
    let der = include_bytes!("../vectors/encrypted/rsa_pbkdf2_sha256_aes256.der");
    // The structure around the ciphertext is its first hundred bytes.
    for at in (0..100).chain([der.len() - 20, der.len() - 1]) {
        for flip in [0x01, 0x80] {
            let mut bent = der.to_vec();
            bent[at] ^= flip;
            assert!(SigningKey::from_encrypted_pkcs8_der(Alg::Rs256, &bent, PASSWORD).is_err(), "{at}");
        }
    }
    for len in [0, 1, 50, der.len() - 1] {
        assert!(SigningKey::from_encrypted_pkcs8_der(Alg::Rs256, &der[..len], PASSWORD).is_err());
    }
    let longer = [&der[..], &[0]].concat();
    assert!(SigningKey::from_encrypted_pkcs8_der(Alg::Rs256, &longer, PASSWORD).is_err());
}

#[test]
fn encryption_that_is_not_read_is_named_with_the_way_out() {
    let read = |pem: &str| {
        let error = SigningKey::from_pem_with_password(Alg::Es256, pem, PASSWORD).unwrap_err();
        error.to_string()
    };
    let old = read(vector!("encrypted/ec_pbes1.pem"));
    assert!(old.contains("PKCS#5 or PKCS#12") && old.contains(REWRITE), "{old}");
    let cipher = read(vector!("encrypted/ec_des3.pem"));
    assert!(cipher.contains("another cipher than AES-CBC") && cipher.contains(REWRITE), "{cipher}");
    let hash = read(vector!("encrypted/ec_sha224.pem"));
    assert!(hash.contains("HMAC with SHA-1, SHA-256, SHA-384 or SHA-512"), "{hash}");
    let traditional = read(vector!("encrypted/ec_traditional.pem"));
    assert!(
        traditional.contains("Proc-Type: 4,ENCRYPTED")
            && traditional.contains("`openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW`"),
        "{traditional}"
    );
    let gcm = SigningKey::from_openssh(Alg::Ed25519, vector!("openssh/ed25519_gcm"), Some(PASSWORD));
    let gcm = gcm.unwrap_err().to_string();
    assert!(gcm.contains("`ssh-keygen -p -Z aes256-ctr -f FILE`"), "{gcm}");
}

#[test]
fn a_file_cannot_ask_for_much_work() {
    for (alg, pem) in [
        (Alg::Es256, vector!("encrypted/ec_iterations.pem")),
        (Alg::Es256, vector!("encrypted/ec_scrypt_cost.pem")),
        (Alg::Ed25519, vector!("openssh/ed25519_rounds")),
    ] {
        let error = SigningKey::from_pem_with_password(alg, pem, PASSWORD).unwrap_err();
        assert!(matches!(error, KeyError::TooCostly(_)), "{error}");
    }
}

#[test]
fn what_is_encrypted_here_is_read_again() {
    for alg in [Alg::Es512, Alg::Ed25519, Alg::MlDsa44, Alg::Ps256] {
        let key = SigningKey::generate(alg).unwrap();
        let pem = key.to_encrypted_pem(PASSWORD).unwrap();
        assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{pem}");
        let read = SigningKey::from_pem_with_password(alg, &pem, PASSWORD).unwrap();
        assert_eq!(read.verifying_key(), key.verifying_key());
        assert_eq!(*read.to_pkcs8_der().unwrap(), *key.to_pkcs8_der().unwrap());
    }
    let key = SigningKey::generate(Alg::Ed25519).unwrap();
    let (one, other) = (key.to_encrypted_pem(PASSWORD).unwrap(), key.to_encrypted_pem(PASSWORD).unwrap());
    assert_ne!(one, other, "salt and initialization vector are fresh");
    assert_eq!(key.to_encrypted_pem(b"").unwrap_err(), KeyError::PasswordNeeded);
}

#[test]
fn openssh_keys_are_the_keys_that_ssh_keygen_says_they_are() {
    let table = [
        (Alg::Ed25519, vector!("openssh/ed25519"), vector!("openssh/ed25519.pub"), None, None),
        (Alg::Ed25519, vector!("openssh/ed25519_enc"), vector!("openssh/ed25519.pub"), None, Some(PASSWORD)),
        (
            Alg::Es256,
            vector!("openssh/p256"),
            vector!("openssh/p256.pub"),
            Some(vector!("openssh/p256.spki.pem")),
            None,
        ),
        (
            Alg::Es384,
            vector!("openssh/p384"),
            vector!("openssh/p384.pub"),
            Some(vector!("openssh/p384.spki.pem")),
            Some(PASSWORD),
        ),
        (
            Alg::Es512,
            vector!("openssh/p521"),
            vector!("openssh/p521.pub"),
            Some(vector!("openssh/p521.spki.pem")),
            Some(PASSWORD),
        ),
        (
            Alg::Ps384,
            vector!("openssh/rsa"),
            vector!("openssh/rsa.pub"),
            Some(vector!("openssh/rsa.spki.pem")),
            Some(PASSWORD),
        ),
    ];
    for (alg, private, public, spki, password) in table {
        let key = SigningKey::from_openssh(alg, private, password).unwrap();
        let public = VerifyingKey::from_openssh(alg, public).unwrap();
        assert_eq!(key.verifying_key(), public);
        assert!(public.verify(b"m", &key.sign(b"m").unwrap()).is_ok());
        if let Some(spki) = spki {
            assert_eq!(VerifyingKey::from_pem(alg, spki).unwrap(), public);
        }
        let any = Key::parse_with_password(private.as_bytes(), Some(alg), password).unwrap();
        assert_eq!(any.verifying_key(), Some(public.clone()));
        if password.is_some() {
            let without = SigningKey::from_openssh(alg, private, None).unwrap_err();
            assert_eq!(without, KeyError::PasswordNeeded);
            for wrong in [&b"wrong"[..], b""] {
                let wrong = SigningKey::from_openssh(alg, private, Some(wrong)).unwrap_err();
                assert_eq!(wrong, KeyError::Password);
            }
        }
    }
}

#[test]
fn lines_that_are_no_openssh_key_are_refused() {
    let good = vector!("openssh/ed25519.pub");
    let blob = good.split(' ').nth(1).unwrap();
    let table = [
        (good.repeat(2), "malformed OpenSSH public key: there are several lines, and only one is read"),
        ("ssh-ed25519 ".into(), "malformed OpenSSH public key: it is not `TYPE BASE64 [COMMENT]`"),
        (format!("ssh-ed25519 {blob}A"), "malformed OpenSSH public key: not base64"),
        (
            format!("ssh-rsa {blob}"),
            "malformed OpenSSH public key: the text and the base64 name two different types",
        ),
        (format!("ssh-ed25519 {}", &blob[..60]), "malformed OpenSSH public key: it ends too early"),
        (format!("ssh-ed25519 {blob}AAAA"), "malformed OpenSSH public key: bytes follow after its end"),
        (
            "ssh-dss AAAAB3NzaC1kc3M=".into(),
            "an SSH key type other than ssh-rsa, ssh-ed25519 and ecdsa-sha2-nistp256, -384 and -521 is not \
             supported",
        ),
        (
            format!("no-pty {good}"),
            "found an unknown format, but an OpenSSH public key (`ssh-ed25519 AAAA…`) is needed",
        ),
        (
            vector!("openssl/ecpub.pem").into(),
            "found PEM, but an OpenSSH public key (`ssh-ed25519 AAAA…`) is needed",
        ),
    ];
    for (line, why) in table {
        assert_eq!(VerifyingKey::from_openssh(Alg::Ed25519, &line).unwrap_err().to_string(), why, "{line}");
    }
    let pkcs8 = SigningKey::from_openssh(Alg::Es256, vector!("openssl/ec8.pem"), None).unwrap_err();
    assert_eq!(pkcs8.to_string(), "found a private key (PKCS#8), but an OpenSSH private key is needed");
}

/// Every byte of an unencrypted file either counts or is the comment.
#[test]
fn an_openssh_private_key_bent_anywhere_is_refused_or_the_same_key() {
    let pem = vector!("openssh/p256");
    let key = SigningKey::from_openssh(Alg::Es256, pem, None).unwrap().verifying_key();
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut same = 0;
    for at in 0..text.trim_end_matches('=').len() - 1 {
        let mut bent = text.clone().into_bytes();
        let value = alphabet.iter().position(|c| *c == bent[at]).unwrap();
        bent[at] = alphabet[value ^ 1];
        let bent = String::from_utf8(bent).unwrap();
        let lines: Vec<_> = bent.as_bytes().chunks(70).map(|line| str::from_utf8(line).unwrap()).collect();
        let bent = format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
            lines.join("\n")
        );
        if let Ok(read) = SigningKey::from_openssh(Alg::Es256, &bent, None) {
            assert_eq!(read.verifying_key(), key);
            same += 1;
        }
    }
    assert!(same <= 8, "the comment `test` takes six characters of base64, not {same}");
}
