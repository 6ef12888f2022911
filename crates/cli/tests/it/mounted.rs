//! Declared keys in a folder that changes under a running server, as Kubernetes mounts Secrets and changes them.

use std::{fs, net::SocketAddr, os::unix::fs::symlink, path::Path};

use crate::{
    serve::{Serve, free_address, wait_for_kids},
    transcript::write_private,
};

/// A folder of Secrets, and the manifests of a server whose keys are there.
struct Mounts {
    folder: tempfile::TempDir,
    address: SocketAddr,
}

impl Mounts {
    fn new() -> Self {
        let mounts = Self { folder: sealwright_testkit::temp_dir(), address: free_address() };
        fs::create_dir(mounts.path("keys")).expect("the folder is new");
        mounts
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn declare(&self, signature: &str) {
        let manifest = format!(
            "apiVersion: sso.apps.tanzu.vmware.com/v1alpha1\nkind: AuthServer\nmetadata:\n  name: sso\n  \
             labels: {{a: b}}\n  annotations:\n    sso.apps.tanzu.vmware.com/allow-unsafe-issuer-uri: \"\"\n    \
             sealwright.dev/keys-from: keys\nspec:\n  issuerURI: http://{}\n  tokenSignature: {{{signature}}}\n",
            self.address
        );
        fs::write(self.path("sso.yaml"), manifest).expect("it is written");
    }

    /// Mounts the Secret `name`, or swaps its content, as the kubelet does: into a folder of a new name, to which a
    /// symbolic link points that takes the place of the one before at once.
    fn mount(&self, name: &str, version: &str, key_pem: &str) {
        let mount = self.path("keys").join(name);
        fs::create_dir_all(mount.join(version)).expect("the folder can be written");
        write_private(&mount.join(version).join("key.pem"), key_pem.as_bytes());
        symlink(version, mount.join("..data_tmp")).expect("the link is new");
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("it takes its place");
        if !mount.join("key.pem").is_symlink() {
            symlink("..data/key.pem", mount.join("key.pem")).expect("the link is new");
        }
    }
}

/// A key of the tests.
fn pem(file: &str) -> String {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../authorization-server/tests/it/keys");
    fs::read_to_string(keys.join(file)).expect("the key is there")
}

#[test]
fn mounted_keys_follow_their_folder_and_broken_ones_change_nothing() {
    let mounts = Mounts::new();
    let (first, second) = (pem("rsa.pem"), pem("other.pem"));
    mounts.mount("first", "..2026_01", &first);
    mounts.declare("signAndVerifyKeyRef: {name: first}");
    let mut serve = Serve::start(mounts.folder.path());
    serve.line();
    wait_for_kids(mounts.address, &["first"]);

    // A key that is not mounted yet, then one that is broken: the one before signs on.
    mounts.declare("signAndVerifyKeyRef: {name: second}, extraVerifyKeyRefs: [{name: first}]");
    serve.says("(there is no Secret `second` in the namespace `default`, and no folder ");
    mounts.mount("second", "..2026_01", &second[..second.len() / 2]);
    serve.says("keys/second/key.pem: malformed PEM");
    wait_for_kids(mounts.address, &["first"]);
    // The link is swapped, and nothing else: the manifest stays as it is.
    mounts.mount("second", "..2026_02", &second);
    wait_for_kids(mounts.address, &["second", "first"]);

    // What is refused now changes nothing: another key by the same name, a broken one under a running server.
    mounts.mount("first", "..2026_02", &pem("p256.pub.pem"));
    serve.says("keys/first/key.pem: this is a public key");
    mounts.mount("first", "..2026_03", &first);
    mounts.mount("second", "..2026_03", &first);
    serve.says("the key `second` was published under the name `first` before");
    wait_for_kids(mounts.address, &["second", "first"]);

    mounts.mount("second", "..2026_04", &second);
    mounts.declare("signAndVerifyKeyRef: {name: second}");
    wait_for_kids(mounts.address, &["second"]);
    serve.signal("TERM");
    assert!(serve.ends().success());
}
