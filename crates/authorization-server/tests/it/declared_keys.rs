//! Keys that resources name: what is accepted, and each way in which it can be wrong.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use sealwright_authorization_server::{assemble, configure};
use sealwright_service::clock::Clock;
use sealwright_service::resource::{self, Report};
use sealwright_service::shutdown::Shutdown;

use crate::world::write_secrets;

const RSA: &str = include_str!("keys/rsa.pem");
const RSA_PKCS1: &str = include_str!("keys/rsa.pkcs1.pem");
const RSA_PUB: &str = include_str!("keys/rsa.pub.pem");
const OTHER: &str = include_str!("keys/other.pem");
const OTHER_PUB: &str = include_str!("keys/other.pub.pem");
const WEAK: &str = include_str!("keys/weak.pem");
const WEAK_PUB: &str = include_str!("keys/weak.pub.pem");
const ENCRYPTED: &str = include_str!("keys/encrypted.pem");
const P256: &str = include_str!("keys/p256.pem");
const P256_PUB: &str = include_str!("keys/p256.pub.pem");
const ED25519: &str = include_str!("keys/ed25519.pem");

/// A `Secret` with these entries.
fn secret(name: &str, entries: &[(&str, &str)]) -> String {
    let mut text = format!("---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData:\n");
    for (entry, content) in entries {
        writeln!(text, "  {entry}: |-").unwrap();
        content.lines().for_each(|line| writeln!(text, "    {line}").unwrap());
    }
    text
}

/// The same as a cluster gives it: under `data`, in base64.
fn encoded_secret(name: &str, entries: &[(&str, &str)]) -> String {
    let mut text = format!("---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\ndata:\n");
    for (entry, content) in entries {
        writeln!(text, "  {entry}: {}", base64_simd::STANDARD.encode_to_string(content)).unwrap();
    }
    text
}

fn rsa_key(name: &str) -> String {
    format!(
        "---\napiVersion: secretgen.k14s.io/v1alpha1\nkind: RSAKey\nmetadata: {{name: {name}}}\nspec:\n  \
         secretTemplate: {{type: Opaque, stringData: {{key.pem: $(privateKey), pub.pem: $(publicKey)}}}}\n"
    )
}

/// All that is said about a server with this `tokenSignature` beside these documents, in a folder that `prepare` has filled.
fn said(signature: &str, documents: &str, prepare: impl FnOnce(&Path)) -> Vec<String> {
    let dir = sealwright_testkit::temp_dir();
    write_secrets(dir.path());
    prepare(dir.path());
    let yaml = format!(
        "apiVersion: sealwright.dev/v1alpha1\nkind: AuthServer\nmetadata: {{name: main, labels: {{env: test}}}}\nspec:\n  \
         issuerURI: https://id.example.com\n  listen: 127.0.0.1:0\n  storage: {{sqlite: {{path: auth.db}}}}\n  \
         secrets: {{kek: [{{id: k1, file: kek}}]}}\n  tokenSignature: {{{signature}}}\n{documents}"
    );
    let mut report = Report::default();
    let resources = resource::parse(&dir.path().join("auth.yaml"), &yaml, &mut report);
    let configs = configure(&resources, &mut report);
    assert_eq!(configs.len(), 1, "a server whose keys are wrong is still described: {report}");
    let folder = format!("{}/", dir.path().display());
    report.to_string().lines().map(|line| line.replace(&folder, "")).collect()
}

/// The same without places in the file.
fn messages(signature: &str, documents: &str) -> Vec<String> {
    let without_place = |line: String| {
        let (before, after) = line.split_once("auth.yaml:").unwrap();
        format!("{before}{}", after.split_once(": ").unwrap().1)
    };
    said(signature, documents, |_| {}).into_iter().map(without_place).collect()
}

/// What is in the folder of the resource.
type Prepare = fn(&Path);

const SIGN_K: &str = "signAndVerifyKeyRef: {name: k}";

#[test]
fn keys_of_every_kind_are_accepted() {
    let rsa = secret("k", &[("key.pem", RSA), ("pub.pem", RSA_PUB)]);
    for (signature, documents) in [
        (SIGN_K, rsa.clone()),
        (SIGN_K, secret("k", &[("key.pem", RSA_PKCS1), ("pub.pem", RSA_PUB)])),
        (SIGN_K, secret("k", &[("key.pem", RSA_PKCS1)])),
        (SIGN_K, encoded_secret("k", &[("key.pem", RSA), ("pub.pem", RSA_PUB)])),
        (SIGN_K, secret("k", &[("key.pem", P256), ("pub.pem", P256_PUB)])),
        (SIGN_K, secret("k", &[("key.pem", ED25519)])),
        (SIGN_K, rsa_key("k")),
        ("signAndVerifyKeyRef: {name: k, alg: PS384}", rsa.clone()),
        (
            "signAndVerifyKeyRef: {name: k}, extraVerifyKeyRefs: [{name: old, evictAt: \"2026-12-01T00:00:00Z\"}]",
            format!("{rsa}{}", secret("old", &[("pub.pem", OTHER_PUB)])),
        ),
        (
            "mode: declared, signAndVerifyKeyRef: {name: k}, publishedKeyRefs: [{name: next}], evictGrace: 1m, jwksMaxAge: 10m",
            format!("{rsa}{}", rsa_key("next")),
        ),
        // What secretgen made of an RSAKey stands beside it where a cluster's objects were exported.
        (SIGN_K, format!("{}{rsa}", rsa_key("k"))),
    ] {
        assert_eq!(messages(signature, &documents), Vec::<String>::new(), "{signature}");
    }
}

#[test]
fn broken_keys_are_refused_where_they_stand() {
    for (entries, expected) in [
        (
            &[("key.pem", "hello")][..],
            "Secret/k: stringData.key.pem: this is not PEM, which begins with `-----BEGIN `",
        ),
        (
            &[("key.pem", RSA_PUB)],
            "Secret/k: stringData.key.pem: this is a public key; the private one belongs here",
        ),
        (
            &[("key.pem", RSA), ("pub.pem", RSA)],
            "Secret/k: stringData.pub.pem: this is a private key; the public one belongs here",
        ),
        (
            &[("key.pem", WEAK)],
            "Secret/k: stringData.key.pem: the RSA modulus has 1024 bits; 2048 to 8192 are accepted",
        ),
        (
            &[("key.pem", ENCRYPTED)],
            "Secret/k: stringData.key.pem: this key is encrypted; write it without a password, as `openssl pkey -in FILE` does",
        ),
        (
            &[("key.pem", RSA), ("pub.pem", OTHER_PUB)],
            "Secret/k: stringData.pub.pem: this is not the public half of key.pem",
        ),
        (
            &[("key.pem", RSA), ("pub.pem", P256_PUB)],
            "Secret/k: stringData.pub.pem: RS256 cannot use a P-256 key",
        ),
        (
            &[("key.pem", ""), ("pub.pem", RSA_PUB)],
            "Secret/k: stringData.key.pem: this is empty; PEM is wanted",
        ),
        (
            &[("pub.pem", RSA_PUB)],
            "Secret/k: data.key.pem: there is no key.pem, without which nothing can be signed",
        ),
        (
            &[("tls.key", RSA)],
            "Secret/k: data.key.pem: there is no key.pem, without which nothing can be signed",
        ),
    ] {
        assert_eq!(messages(SIGN_K, &secret("k", entries)), [expected], "{entries:?}");
    }
}

#[test]
fn keys_that_only_verify_are_checked_as_well() {
    let both = "signAndVerifyKeyRef: {name: k}, extraVerifyKeyRefs: [{name: old}]";
    for (entries, expected) in [
        (
            &[("pub.pem", WEAK_PUB)][..],
            "Secret/old: stringData.pub.pem: the RSA modulus has 1024 bits; 2048 to 8192 are accepted",
        ),
        (
            &[("pub.pem", OTHER)],
            "Secret/old: stringData.pub.pem: this is a private key; the public one belongs here",
        ),
        (
            &[("key.pem", OTHER), ("pub.pem", RSA_PUB)],
            "Secret/old: stringData.pub.pem: this is not the public half of key.pem",
        ),
        (&[("x", "y")], "Secret/old: data.key.pem: there is neither key.pem nor pub.pem"),
    ] {
        let key = secret("k", &[("key.pem", RSA)]);
        let documents = format!("{key}{}", secret("old", entries));
        assert_eq!(messages(both, &documents), [expected], "{entries:?}");
        let documents = format!("{key}{}", encoded_secret("old", entries));
        assert_eq!(messages(both, &documents), [expected.replace("stringData", "data")], "{entries:?}");
    }
}

#[test]
fn references_that_contradict_each_other_are_refused() {
    let keys = format!("{}{}", secret("k", &[("key.pem", RSA)]), secret("old", &[("key.pem", OTHER)]));
    let at =
        |field: &str, message: &str| vec![format!("AuthServer/main: spec.tokenSignature{field}: {message}")];
    for (signature, expected) in [
        (
            "signAndVerifyKeyRef: {name: k}, extraVerifyKeyRefs: [{name: k}]",
            at(
                ".extraVerifyKeyRefs[0].name",
                "this is the key that signs, which verifies, too; name it in one place",
            ),
        ),
        (
            "signAndVerifyKeyRef: {name: k}, extraVerifyKeyRefs: [{name: old}, {name: old}]",
            at(".extraVerifyKeyRefs[1].name", "this key stands there twice"),
        ),
        (
            "signAndVerifyKeyRef: {name: k}, publishedKeyRefs: [{name: old}], extraVerifyKeyRefs: [{name: old}]",
            at(
                ".extraVerifyKeyRefs[0].name",
                "this key stands in `publishedKeyRefs` already; name it in one place",
            ),
        ),
        (
            "signAndVerifyKeyRef: {name: k}, signAndVerifyKeyRef: {name: old}",
            vec!["the key `signAndVerifyKeyRef` stands here already, in line 9".to_owned()],
        ),
        (
            "signAndVerifyKeyRef: {name: ../k}",
            at(
                ".signAndVerifyKeyRef.name",
                "a Secret's name has lower-case letters, digits, `-` and `.`, and a letter or digit at both ends",
            ),
        ),
        (
            "signAndVerifyKeyRef: {name: k, alg: HS256}",
            at(
                ".signAndVerifyKeyRef.alg",
                "tokens are signed with asymmetric keys; use one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, ES256K, Ed25519, ML-DSA-44, ML-DSA-65, ML-DSA-87",
            ),
        ),
        (
            "signAndVerifyKeyRef: {name: k, evictAt: \"2026-12-01T00:00:00Z\"}",
            at(".signAndVerifyKeyRef.evictAt", "only a key of `extraVerifyKeyRefs` is on its way out"),
        ),
        (
            "signAndVerifyKeyRef: {name: k}, extraVerifyKeyRefs: [{name: old, evictAt: tomorrow}]",
            at(".extraVerifyKeyRefs[0].evictAt", "write a moment such as 2026-12-01T00:00:00Z (RFC 3339)"),
        ),
        (
            "signAndVerifyKeyRef: {name: k}, rotateEvery: 30d",
            at(
                ".rotateEvery",
                "declared keys come and go with the resources; remove this, or the references to keys",
            ),
        ),
        (
            "mode: automatic, algorithms: [ES256], signAndVerifyKeyRef: {name: k}",
            at(
                ".signAndVerifyKeyRef",
                "with `mode: automatic` the server makes its own keys; remove this, or the mode",
            ),
        ),
        (
            "signAndVerifyKeyRef: {name: k}, extraVerifyKeyRef: [{name: old}]",
            at(".extraVerifyKeyRef", "unknown field, did you mean `extraVerifyKeyRefs`?"),
        ),
    ] {
        assert_eq!(messages(signature, &keys), expected, "{signature}");
    }
}

#[test]
fn references_to_nothing_are_warnings() {
    let both = "signAndVerifyKeyRef: {name: k}, extraVerifyKeyRefs: [{name: old}]";
    assert_eq!(
        messages(both, ""),
        [
            "warning: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: there is no Secret `k` in the namespace `default`",
            "warning: AuthServer/main: spec.tokenSignature.extraVerifyKeyRefs[0].name: there is no Secret `old` in the namespace `default`",
        ]
    );
    assert_eq!(
        messages("mode: declared", ""),
        [
            "warning: AuthServer/main: spec.tokenSignature: no key is named that signs, so no tokens are issued; name one in `signAndVerifyKeyRef`"
        ]
    );
    // Of another namespace is nothing, too.
    let elsewhere = secret("k", &[("key.pem", RSA)]).replace("{name: k}", "{name: k, namespace: other}");
    assert_eq!(messages(SIGN_K, &elsewhere).len(), 1);
}

#[test]
fn secrets_are_read_strictly() {
    let head = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: k}\n";
    for (body, expected) in [
        (
            "data: {key.pem: \"not base64!\"}\n",
            "Secret/k: data.key.pem: this is not base64; plain text stands under `stringData`",
        ),
        (
            "data: {key.pem: aGVsbG8=}\n",
            "Secret/k: data.key.pem: this is not PEM, which begins with `-----BEGIN `",
        ),
        (
            "stringData: {key.pem: \"\"}\nstringdata: {}\n",
            "Secret/k: stringData.key.pem: this is empty; PEM is wanted\nSecret/k: stringdata: unknown field, did you mean `stringData`?",
        ),
    ] {
        assert_eq!(messages(SIGN_K, &format!("{head}{body}")).join("\n"), expected, "{body}");
    }
    let twice = format!("{}{}", secret("k", &[("key.pem", RSA)]), secret("k", &[("key.pem", OTHER)]));
    let faults = messages(SIGN_K, &twice);
    assert_eq!(faults, ["Secret/k: metadata.name: this resource is declared already, at auth.yaml:11"]);
    let template = rsa_key("k").replace("pub.pem: $(publicKey)", "pub.pem: $(privateKey)");
    assert_eq!(
        messages(SIGN_K, &template),
        ["RSAKey/k: spec.secretTemplate.stringData: a signing key needs the entry `pub.pem: $(publicKey)`"]
    );
}

fn mount(dir: &Path, name: &str, files: &[(&str, &str)]) {
    let folder = dir.join("mounted").join(name);
    fs::create_dir_all(&folder).unwrap();
    for (file, content) in files {
        fs::write(folder.join(file), content).unwrap();
        fs::set_permissions(folder.join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn keys_come_from_folders_as_kubernetes_mounts_them() {
    let signature = "signAndVerifyKeyRef: {name: k}, extraVerifyKeyRefs: [{name: old}], keysFrom: mounted";
    let nothing = said(signature, "", |dir| {
        mount(dir, "k", &[("key.pem", RSA), ("pub.pem", RSA_PUB)]);
        // A cluster swaps `..data`, so that all files change at once.
        mount(dir, "old/..2026_11_22", &[("pub.pem", OTHER_PUB)]);
        symlink("..2026_11_22", dir.join("mounted/old/..data")).unwrap();
        symlink("..data/pub.pem", dir.join("mounted/old/pub.pem")).unwrap();
    });
    assert_eq!(nothing, Vec::<String>::new());

    assert_eq!(
        said("signAndVerifyKeyRef: {name: k}, keysFrom: mounted", "", |dir| mount(dir, "other", &[])),
        [
            "warning: auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: there is no Secret `k` in the namespace `default`, and no folder mounted/k"
        ]
    );

    let faults = |prepare: Prepare| said("signAndVerifyKeyRef: {name: k}, keysFrom: mounted", "", prepare);
    let cases: [(Prepare, &str); 9] = [
        (
            |dir| mount(dir, "k", &[("key.pem", "")]),
            "auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: mounted/k/key.pem: this is empty; PEM is wanted",
        ),
        (
            |dir| mount(dir, "k", &[("key.pem", WEAK)]),
            "auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: mounted/k/key.pem: the RSA modulus has 1024 bits; 2048 to 8192 are accepted",
        ),
        (
            |dir| mount(dir, "k", &[("key.pem", RSA), ("pub.pem", OTHER_PUB)]),
            "auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: mounted/k/pub.pem: this is not the public half of key.pem",
        ),
        (
            |dir| mount(dir, "k/key.pem", &[]),
            "auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: mounted/k/key.pem cannot be read: Is a directory (os error 21)",
        ),
        (
            |dir| {
                mount(dir, "k", &[]);
                symlink("key.pem", dir.join("mounted/k/key.pem")).unwrap();
            },
            "auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: mounted/k/key.pem cannot be read: Too many levels of symbolic links (os error 40)",
        ),
        (
            |dir| mount(dir, "", &[("k", RSA)]),
            "auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: mounted/k is not a folder with key.pem and pub.pem in it",
        ),
        (
            |dir| {
                mount(dir, "k", &[("key.pem", RSA)]);
                fs::set_permissions(dir.join("mounted/k/key.pem"), fs::Permissions::from_mode(0o644))
                    .unwrap();
            },
            "warning: auth.yaml:9:19: AuthServer/main: spec.tokenSignature: others than the owner may read this key; run `chmod 600 mounted/k/key.pem`",
        ),
        (
            |dir| mount(dir, "", &[]),
            "warning: auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: there is no Secret `k` in the namespace `default`, and no folder mounted/k",
        ),
        (
            |dir| mount(dir, "k", &[("key.pem", &"x".repeat(70_000))]),
            "auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: mounted/k/key.pem is larger than 64 KiB; it cannot be a key",
        ),
    ];
    for (prepare, expected) in cases {
        assert_eq!(faults(prepare), [expected]);
    }
    let missing =
        said("signAndVerifyKeyRef: {name: k}, keysFrom: nowhere", &secret("k", &[("key.pem", RSA)]), |_| {});
    assert_eq!(
        missing,
        [
            "auth.yaml:9:62: AuthServer/main: spec.tokenSignature.keysFrom: this folder cannot be read: No such file or directory (os error 2)"
        ]
    );
}

#[test]
fn one_kid_is_for_one_key() {
    let signature = "signAndVerifyKeyRef: {name: k}, keysFrom: mounted";
    let inline = secret("k", &[("key.pem", RSA)]);
    let same = said(signature, &inline, |dir| mount(dir, "k", &[("key.pem", RSA_PKCS1)]));
    assert_eq!(same, Vec::<String>::new());
    let other = said(signature, &inline, |dir| mount(dir, "k", &[("key.pem", OTHER)]));
    assert_eq!(
        other,
        [
            "auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: the Secret and the folder of this name hold different keys; one `kid` is for one key"
        ]
    );
    let made = said(signature, &rsa_key("k"), |dir| mount(dir, "k", &[("key.pem", OTHER)]));
    assert_eq!(
        made,
        [
            "auth.yaml:9:48: AuthServer/main: spec.tokenSignature.signAndVerifyKeyRef.name: there are an RSAKey and a folder of this name; one `kid` is for one key"
        ]
    );
}

#[test]
fn a_file_with_secrets_that_others_may_read_is_warned_of() {
    let dir = sealwright_testkit::temp_dir();
    let file = dir.path().join("secrets.yaml");
    fs::write(&file, secret("k", &[("key.pem", RSA)])).unwrap();
    let warnings = |mode| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let mut report = Report::default();
        let resources = resource::load(std::slice::from_ref(&file), &mut report);
        configure(&resources, &mut report);
        report.to_string().replace(&format!("{}/", dir.path().display()), "")
    };
    assert_eq!(warnings(0o600), "");
    assert_eq!(
        warnings(0o640),
        "warning: secrets.yaml:2:1: Secret/k: others than the owner may read this file, which has a secret in it; run `chmod 600 secrets.yaml`"
    );
}

#[tokio::test]
async fn two_processes_that_start_for_the_first_time_at_once_share_one_key_encryption_key() {
    let dir = sealwright_testkit::temp_dir();
    let manifest = format!(
        "apiVersion: sso.apps.tanzu.vmware.com/v1alpha1\nkind: AuthServer\nmetadata:\n  name: sso\n  labels: {{a: b}}\n  \
         annotations: {{sealwright.dev/listen: \"127.0.0.1:0\"}}\nspec:\n  issuerURI: https://id.example.com\n  \
         tokenSignature: {{signAndVerifyKeyRef: {{name: k}}}}\n{}",
        rsa_key("k")
    );
    // Both have read the resources before either has made anything.
    let read = || {
        let mut report = Report::default();
        let resources = resource::parse(&dir.path().join("auth.yaml"), &manifest, &mut report);
        configure(&resources, &mut report).pop().expect("the manifest is right")
    };
    let (one, two) = (read(), read());
    for config in [one, two, read()] {
        let (clock, shutdown) = (Clock::system(), Shutdown::new());
        let assembled = assemble(config, clock, shutdown.clone()).await.unwrap();
        shutdown.begin();
        assembled.audit().closed().await;
        assembled.database().close().await;
    }
}

/// As `sealwright serve -f config/` names its files: from the working folder.
#[tokio::test]
async fn what_a_manifest_names_is_beside_it_wherever_the_server_was_started() {
    let dir = sealwright_testkit::temp_dir();
    let up = "../".repeat(std::env::current_dir().unwrap().components().count() - 1);
    let relative = Path::new(&up).join(dir.path().strip_prefix("/").unwrap());
    let key = dir.path().join("keys/key-1");
    fs::create_dir_all(&key).unwrap();
    fs::write(key.join("key.pem"), RSA).unwrap();
    fs::set_permissions(key.join("key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(key.join("pub.pem"), RSA_PUB).unwrap();
    let yaml = "apiVersion: sso.apps.tanzu.vmware.com/v1alpha1\nkind: AuthServer\nmetadata:\n  name: id\n  labels: {env: test}\n  \
                annotations: {sealwright.dev/keys-from: keys, sealwright.dev/listen: '127.0.0.1:0'}\nspec:\n  \
                issuerURI: https://id.example.com\n  tokenSignature: {signAndVerifyKeyRef: {name: key-1}}\n";
    for start in ["the first", "the second"] {
        let mut report = Report::default();
        let resources = resource::parse(&relative.join("id.yaml"), yaml, &mut report);
        let config = configure(&resources, &mut report).pop().unwrap();
        let said = report.to_string();
        assert!(said.lines().all(|line| line.starts_with("warning: ")), "{start}: {said}");
        let server = assemble(config, Clock::system(), Shutdown::new()).await.unwrap();
        server.database().close().await;
    }
    let mut there: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(there, ["id-state", "keys"]);
    for name in ["auth.db", "kek", "keys"] {
        assert!(dir.path().join("id-state").join(name).exists(), "{name}");
    }
}
