//! Tokens of SoftHSM, a real PKCS#11 module without hardware.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use sealwright_keystore::{KeyProvider, KeystoreError, Pkcs11Settings, Pkcs11Token, TokenName};
use sealwright_service::{random, secret::Secret};

pub(crate) const PIN: &str = "4711-user";

/// The module's file. The folder of its tokens is named by the file in `SOFTHSM2_CONF`, which the module reads itself.
pub(crate) fn module() -> PathBuf {
    let named = env::var_os("SEALWRIGHT_TEST_SOFTHSM").filter(|_| env::var_os("SOFTHSM2_CONF").is_some());
    named.map(PathBuf::from).expect(
        "SEALWRIGHT_TEST_SOFTHSM and SOFTHSM2_CONF are not set: `cargo xtask test` sets them, and for single tests \
         `cargo xtask softhsm` prints what to set",
    )
}

/// Tokens for tests to come. SoftHSM sees new ones only when it is initialised anew, which ends the sessions of all tests
/// that run in this process; so they are made in batches.
static READY: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A new token of a label that nobody else has.
pub(crate) struct Token {
    pub(crate) label: String,
}

impl Token {
    pub(crate) fn new() -> Self {
        module();
        let mut ready = READY.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.is_empty() {
            let batch = if env::var_os("NEXTEST").is_some() { 1 } else { 16 };
            for _ in 0..batch {
                let label = random::id("t");
                initialise(&label);
                ready.push(label);
            }
        }
        Self { label: ready.pop().unwrap() }
    }

    pub(crate) fn settings(&self) -> Pkcs11Settings {
        self.settings_with(PIN)
    }

    pub(crate) fn settings_with(&self, pin: &str) -> Pkcs11Settings {
        Pkcs11Settings::new(module(), TokenName::Label(self.label.clone()), Secret::new(pin))
    }

    pub(crate) async fn open(&self) -> Pkcs11Token {
        Pkcs11Token::open(self.settings()).await.unwrap()
    }

    pub(crate) async fn provider(&self) -> KeyProvider {
        KeyProvider::pkcs11(self.open().await)
    }

    /// The folder in which SoftHSM keeps it.
    pub(crate) fn folder(&self) -> PathBuf {
        let configuration = fs::read_to_string(env::var_os("SOFTHSM2_CONF").unwrap()).unwrap();
        let tokens =
            configuration.lines().find_map(|line| line.strip_prefix("directories.tokendir = ")).unwrap();
        let is_it = |folder: &Path| {
            fs::read(folder.join("token.object"))
                .is_ok_and(|object| object.windows(self.label.len()).any(|at| at == self.label.as_bytes()))
        };
        let folders = fs::read_dir(tokens).unwrap().map(|entry| entry.unwrap().path());
        folders.into_iter().find(|folder| is_it(folder)).unwrap()
    }
}

/// Makes a token.
pub(crate) fn initialise(label: &str) {
    initialise_with(label, PIN);
}

pub(crate) fn initialise_with(label: &str, pin: &str) {
    util(&["--init-token", "--free", "--label", label, "--so-pin", "4711-officer", "--pin", pin], || {
        // It may be half done.
        Command::new("softhsm2-util").args(["--delete-token", "--token", label]).output().unwrap();
    });
}

/// Runs the program that comes with SoftHSM until it succeeds, with `clean_up` after each failure.
///
/// It reads the folder of all tokens, in which others make and remove some, and gives up when one goes away then.
pub(crate) fn util(arguments: &[&str], clean_up: impl Fn()) {
    let mut said = String::new();
    for _ in 0..10 {
        let done = Command::new("softhsm2-util").args(arguments).output().unwrap();
        if done.status.success() {
            return;
        }
        said = String::from_utf8_lossy(&done.stderr).into_owned();
        clean_up();
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{said}");
}

/// The error of opening a token, with the label cut out.
pub(crate) async fn refused(settings: Pkcs11Settings, label: &str) -> String {
    match Pkcs11Token::open(settings).await {
        Ok(_) => "it was opened".into(),
        Err(error) => said(&error, label),
    }
}

pub(crate) fn said(error: &KeystoreError, label: &str) -> String {
    crate::said(Path::new("no folder"), error).replace(label, "LABEL")
}

/// Waits for something that takes its time in a token.
pub(crate) async fn eventually<T, F: Future<Output = Result<T, KeystoreError>>>(act: impl Fn() -> F) -> T {
    let mut last = None;
    for _ in 0..50 {
        match act().await {
            Ok(done) => return done,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("still {last:?}");
}
