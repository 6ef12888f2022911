//! PKCS#12 files as `openssl pkcs12 -export` writes them.

use std::{fs, path::Path, process::Command};

use sealwright_jose::{Alg, Pkcs12, VerifyingKey};
use tempfile::{TempDir, tempdir};

const PASSWORD: &str = "correct horse";

/// Runs OpenSSL in a folder.
fn openssl(dir: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .args(arguments.split(' '))
        .args(arguments.starts_with("pkcs12").then(|| format!("-passout=pass:{PASSWORD}")))
        .current_dir(dir)
        .output()
        .expect("openssl is installed");
    assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A folder with a key, its certificate, and that of another key.
fn folder(kind: &str) -> TempDir {
    let dir = tempdir().unwrap();
    for (name, kind) in [("key", kind), ("other", "-algorithm ed25519")] {
        openssl(dir.path(), &format!("genpkey {kind} -out {name}.pem"));
        openssl(
            dir.path(),
            &format!("req -x509 -new -key {name}.pem -subj /CN={name} -days 3 -out {name}.crt"),
        );
    }
    dir
}

const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";

/// The file that OpenSSL exports with these options.
fn exported(dir: &TempDir, options: &str) -> Vec<u8> {
    let options = format!("pkcs12 -export -inkey key.pem -in key.crt -out out.p12 {options}");
    openssl(dir.path(), options.trim_end());
    fs::read(dir.path().join("out.p12")).unwrap()
}

fn refused(file: &[u8], password: &str) -> String {
    match Pkcs12::read(file, password) {
        Ok(_) => "it was opened".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_openssl_exports_is_read_with_its_certificates() {
    for (alg, kind) in [
        (Alg::Es256, P256),
        (Alg::Es512, "-algorithm EC -pkeyopt ec_paramgen_curve:P-521"),
        (Alg::Rs256, "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
        (Alg::Ed25519, "-algorithm ed25519"),
    ] {
        let dir = folder(kind);
        let file = exported(&dir, "-certfile other.crt -name friendly");
        let opened = Pkcs12::read(&file, PASSWORD).unwrap();
        let key = opened.signing_key(alg).unwrap();
        let [own, other] = opened.certificates() else { panic!("two certificates") };
        let public = VerifyingKey::from_certificate_der(alg, own).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert!(public.verify(b"message", &signature).is_ok(), "{alg}");
        assert!(VerifyingKey::from_certificate_der(Alg::Ed25519, other).is_ok());
        assert_eq!(format!("{opened:?}"), "Pkcs12 { certificates: 2, .. }");
    }
}

#[test]
fn every_way_to_encrypt_with_aes_and_each_mac_of_sha_2_is_read() {
    let dir = folder(P256);
    for options in [
        "",
        "-macalg sha384",
        "-macalg sha512",
        "-iter 100000",
        "-noiter -nomaciter",
        "-keypbe AES-128-CBC -certpbe AES-192-CBC",
        "-keypbe NONE -certpbe NONE",
        "-certpbe NONE",
        "-keypbe NONE",
        "-nocerts",
    ] {
        let opened =
            Pkcs12::read(&exported(&dir, options), PASSWORD).unwrap_or_else(|e| panic!("{options}: {e}"));
        assert!(opened.signing_key(Alg::Es256).is_ok(), "{options}");
        assert_eq!(opened.certificates().len(), usize::from(options != "-nocerts"), "{options}");
    }
}

#[test]
fn a_password_beyond_ascii_is_the_same_for_mac_and_encryption() {
    let dir = folder(P256);
    let password = "grüße 中文";
    let done = Command::new("openssl")
        .args("pkcs12 -export -inkey key.pem -in key.crt -out out.p12".split(' '))
        .arg("-passout")
        .arg(format!("pass:{password}"))
        .env("LC_ALL", "C.UTF-8")
        .current_dir(dir.path())
        .status()
        .unwrap();
    assert!(done.success());
    let file = fs::read(dir.path().join("out.p12")).unwrap();
    assert!(Pkcs12::read(&file, password).is_ok());
    assert_eq!(refused(&file, "grusse"), "the password is wrong, or the encrypted key is damaged");
}

#[test]
fn a_wrong_password_is_called_one() {
    let file = exported(&folder(P256), "");
    for password in ["", "wrong", "correct hors", "correct horse "] {
        assert_eq!(
            refused(&file, password),
            "the password is wrong, or the encrypted key is damaged",
            "{password:?}"
        );
    }
}

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let file = exported(&folder(P256), "-noiter -nomaciter");
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        let said = refused(&changed, PASSWORD);
        assert!(!said.contains("was opened"), "byte {at} of {}", file.len());
    }
    for len in 0..file.len() {
        assert_eq!(refused(&file[..len], PASSWORD), "malformed PKCS#12: not the DER of one");
    }
    let longer = [&file[..], &[0]].concat();
    assert_eq!(refused(&longer, PASSWORD), "malformed PKCS#12: not the DER of one");
}

#[test]
fn old_encryption_is_refused_with_the_commands_that_write_the_file_anew() {
    const OLD: &str = "PKCS#12 with the old encryption (RC2 or triple DES; `openssl pkcs12 -legacy -in OLD -out BOTH.pem` \
        and `openssl pkcs12 -export -in BOTH.pem -out NEW` write it anew) is not supported";
    const MAC: &str = "PKCS#12 with another MAC than HMAC with SHA-256, SHA-384 or SHA-512 \
        (`openssl pkcs12 -in OLD -out BOTH.pem` and `openssl pkcs12 -export -in BOTH.pem -out NEW` write it anew) \
        is not supported";
    let dir = folder(P256);
    for options in ["-keypbe PBE-SHA1-3DES", "-certpbe PBE-SHA1-3DES", "-legacy -macalg sha256"] {
        assert_eq!(refused(&exported(&dir, options), PASSWORD), OLD, "{options}");
    }
    for options in ["-legacy", "-macalg sha1"] {
        assert_eq!(refused(&exported(&dir, options), PASSWORD), MAC, "{options}");
    }

    // The commands do what they say.
    fs::write(dir.path().join("old.p12"), exported(&dir, "-legacy")).unwrap();
    fs::write(dir.path().join("password"), PASSWORD).unwrap();
    openssl(dir.path(), "pkcs12 -legacy -in old.p12 -out both.pem -passin file:password");
    openssl(dir.path(), "pkcs12 -export -in both.pem -out new.p12 -passin file:password");
    let new = fs::read(dir.path().join("new.p12")).unwrap();
    assert!(Pkcs12::read(&new, PASSWORD).unwrap().signing_key(Alg::Es256).is_ok());
}

#[test]
fn a_file_without_mac_or_key_or_with_several_is_refused() {
    let dir = folder(P256);
    assert_eq!(
        refused(&exported(&dir, "-nomac"), PASSWORD),
        "PKCS#12 without a MAC, which nothing keeps from changes is not supported"
    );
    openssl(dir.path(), "pkcs12 -export -nokeys -in key.crt -out out.p12");
    let file = fs::read(dir.path().join("out.p12")).unwrap();
    assert_eq!(
        refused(&file, PASSWORD),
        "found a PKCS#12 file without a private key, but one with a single private key is needed"
    );
}

#[test]
fn a_file_that_asks_for_too_much_work_is_refused_before_it_is_done() {
    let dir = folder(P256);
    let file = exported(&dir, "-keypbe NONE -certpbe NONE -iter 10000001");
    assert_eq!(
        refused(&file, PASSWORD),
        "decrypting the key would take more than 10,000,000 iterations of the key derivation of PKCS#12"
    );
}

#[test]
fn what_is_no_pkcs12_is_refused() {
    for bytes in [&b""[..], b"-----BEGIN PRIVATE KEY-----", &[0x30, 0], &[0x30, 0x80, 0, 0]] {
        assert_eq!(refused(bytes, PASSWORD), "malformed PKCS#12: not the DER of one");
    }
    assert!(
        refused(&vec![0x30; 300_000], PASSWORD).contains("262144"),
        "{}",
        refused(&vec![0; 300_000], PASSWORD)
    );
}
