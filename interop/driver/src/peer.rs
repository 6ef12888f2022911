//! A peer's process: one JSON request a line in, one JSON answer a line out.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use sealwright_jose::base64url;
use serde_json::{Value, json};

use crate::{Result, form::Form};

/// What a peer answers: what it made or read, or the words with which it refused.
pub(crate) type Answer<T> = std::result::Result<T, String>;

/// A process that plays one or more peers for as long as it is held.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(program: &Path, script: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("a peer has no standard output")?;
        Ok(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    /// One question; an error if the process is gone, an [`Answer`] if it is there.
    pub(crate) fn ask(&mut self, request: &Value) -> Result<Answer<Value>> {
        let stdin = self.stdin.as_mut().ok_or("the peer's standard input is closed")?;
        writeln!(stdin, "{request}")
            .and_then(|()| stdin.flush())
            .map_err(|error| format!("the peer is gone: {error}"))?;
        let mut line = String::new();
        self.stdout.read_line(&mut line).map_err(|error| format!("the peer is gone: {error}"))?;
        let mut answer: Value = serde_json::from_str(&line)
            .map_err(|_| format!("the peer answered no JSON, but {line:?}, when asked {request}"))?;
        match answer.get_mut("ok") {
            Some(ok) => Ok(Ok(ok.take())),
            None => Ok(Err(answer["error"].as_str().unwrap_or("no error and no answer").to_owned())),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A peer ends when nothing more can be asked.
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// A key file as it goes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct KeyFile {
    pub(crate) format: &'static str,
    pub(crate) data: Vec<u8>,
    pub(crate) password: Option<String>,
}

impl KeyFile {
    pub(crate) fn jwk(text: impl AsRef<[u8]>) -> Self {
        Self { format: "jwk", data: text.as_ref().to_vec(), password: None }
    }

    fn to_json(&self) -> Value {
        let mut key = json!({"format": self.format, "data": base64url::encode(&self.data)});
        if let Some(password) = &self.password {
            key["password"] = password.as_str().into();
        }
        key
    }
}

/// Who signed, or is asked to.
#[derive(Clone, Debug)]
pub(crate) struct Signer<'a> {
    /// The name that stands in the header.
    pub(crate) alg: &'a str,
    pub(crate) kid: &'a str,
    pub(crate) key: &'a KeyFile,
}

/// One library behind a process.
pub(crate) struct Peer<'p> {
    pub(crate) process: &'p mut Process,
    pub(crate) name: &'static str,
}

impl Peer<'_> {
    pub(crate) fn sign(
        &mut self,
        form: Form,
        signers: &[Signer<'_>],
        payload: &[u8],
    ) -> Result<Answer<String>> {
        let answer = self.ask(json!({
            "op": "sign", "form": form.name(), "signers": wire(signers), "payload": base64url::encode(payload),
        }))?;
        content(answer, |ok| member(ok, "token"))
    }

    /// The payload, if the peer says that `token` is valid. `detached` is what a detached form leaves out.
    pub(crate) fn verify(
        &mut self,
        form: Form,
        signers: &[Signer<'_>],
        token: &str,
        detached: &[u8],
    ) -> Result<Answer<Vec<u8>>> {
        let mut request =
            json!({"op": "verify", "form": form.name(), "signers": wire(signers), "token": token});
        if form.is_detached() {
            request["payload"] = base64url::encode(detached).into();
        }
        let answer = self.ask(request)?;
        content(answer, |ok| bytes(ok, "payload"))
    }

    /// A new private JWK.
    pub(crate) fn generate(&mut self, alg: &str) -> Result<Answer<String>> {
        let answer = self.ask(json!({"op": "generate", "alg": alg}))?;
        content(answer, |ok| member(ok, "jwk"))
    }

    /// `key`, or its public half, in another format.
    pub(crate) fn export(
        &mut self,
        alg: &str,
        key: &KeyFile,
        format: &'static str,
        private: bool,
        password: Option<&str>,
    ) -> Result<Answer<KeyFile>> {
        let answer = self.ask(json!({
            "op": "export", "alg": alg, "key": key.to_json(), "format": format, "private": private,
            "password": password,
        }))?;
        let password = password.map(str::to_owned);
        content(answer, |ok| Ok(KeyFile { format, data: bytes(ok, "data")?, password }))
    }

    fn ask(&mut self, mut request: Value) -> Result<Answer<Value>> {
        request["peer"] = self.name.into();
        self.process.ask(&request)
    }
}

/// What stands in an answer. One whose content is broken is a fault of the harness, not the peer's refusal.
fn content<T>(answer: Answer<Value>, read: impl FnOnce(&Value) -> Result<T>) -> Result<Answer<T>> {
    match answer {
        Ok(value) => read(&value).map(Ok),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn wire(signers: &[Signer<'_>]) -> Value {
    let wire =
        |signer: &Signer<'_>| json!({"alg": signer.alg, "kid": signer.kid, "key": signer.key.to_json()});
    signers.iter().map(wire).collect()
}

fn member(answer: &Value, name: &str) -> Result<String> {
    answer[name].as_str().map(str::to_owned).ok_or_else(|| format!("the answer has no `{name}`: {answer}"))
}

fn bytes(answer: &Value, name: &str) -> Result<Vec<u8>> {
    base64url::decode(&member(answer, name)?).map_err(|error| format!("`{name}` of the answer: {error}"))
}
