//! What the demo writes, and the commands that check it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{Failure, document::Document, resources, story::Story};

/// The default folder; `-2`, `-3`, … where it is taken.
const FOLDER: &str = "sealwright-demo";

/// Makes the folder to write to: the one that was named, which must be new or empty, or the first free default.
pub(super) fn folder(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let unusable = |path: &Path, why: &dyn std::fmt::Display| {
        Failure::usage(format!("cannot write to {}: {why}", path.display()))
    };
    if let Some(path) = named {
        fs::create_dir_all(path).map_err(|error| unusable(path, &error))?;
        let mut entries = fs::read_dir(path).map_err(|error| unusable(path, &error))?;
        if entries.next().is_some() {
            return Err(unusable(path, &"the folder is not empty; name a new one"));
        }
        return Ok(path.to_owned());
    }
    let names = (2..).map(|n| format!("{FOLDER}-{n}"));
    for name in std::iter::once(FOLDER.to_owned()).chain(names) {
        let path = PathBuf::from(name);
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unusable(&path, &error)),
        }
    }
    unreachable!("the names do not end")
}

/// The paths of what was written.
pub(super) struct Files {
    dir: PathBuf,
    document: PathBuf,
    signed: PathBuf,
}

impl Files {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), document: PathBuf::new(), signed: PathBuf::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The signed document.
    pub(super) fn signed(&self) -> &Path {
        &self.signed
    }

    /// Writes the document, what came back for it, and the token that authorised it.
    pub(super) fn write_signed(
        &mut self,
        document: &Document,
        answer: &Value,
        token: &str,
    ) -> Result<(), Failure> {
        let decode = |value: &Value| {
            let text = value.as_str().unwrap_or_default();
            base64_simd::STANDARD.decode_to_vec(text).map_err(|_| Failure::new("the answer is not base64"))
        };
        self.document = self.path("documents").join(&document.name);
        self.signed = self.path("documents").join(format!("{}.jades.json", document.name));
        fs::create_dir(self.path("documents"))?;
        fs::write(&self.document, &document.bytes)?;
        fs::write(&self.signed, decode(&answer["output"]["content"])?)?;
        let chain = answer["certificate"]["chain"].as_array();
        for (name, certificate) in ["certificate.pem", "ca.pem"].iter().zip(chain.into_iter().flatten()) {
            fs::write(self.path(name), pem(&decode(certificate)?))?;
        }
        fs::write(self.path("receipt.json"), answer["receipt"].to_string())?;
        // Used up, but still a credential by its looks.
        resources::write_secret(&self.path("token.jwt"), token)?;
        Ok(())
    }

    /// The keys that verify the token, which the authorization server publishes only while it runs.
    pub(super) fn write_keys(&self, jwk_set: &Value) -> Result<(), Failure> {
        Ok(fs::write(self.path("jwks.json"), jwk_set.to_string())?)
    }

    fn all(&self) -> [(&'static str, &'static str, PathBuf); 15] {
        [
            ("document", "the document", self.document.clone()),
            ("signed", "the signed document", self.signed.clone()),
            ("certificate", "the one-time certificate", self.path("certificate.pem")),
            ("ca", "the CA that issued it", self.path("ca.pem")),
            ("token", "the token that authorised it", self.path("token.jwt")),
            ("jwks", "  the keys that verify it", self.path("jwks.json")),
            ("receipt", "the receipt", self.path("receipt.json")),
            ("audit_signing", "the signing server's audit log", self.path("signing.db")),
            ("checkpoint_signing", "  its last checkpoint", self.path("signing-checkpoint.jws")),
            ("audit_key_signing", "  the key that signed it", self.path("signing-keys/audit.pub.jwk")),
            ("audit_authorization", "the authorization server's", self.path("authorization.db")),
            ("checkpoint_authorization", "  its last checkpoint", self.path("authorization-checkpoint.jws")),
            (
                "audit_key_authorization",
                "  the key that signed it",
                self.path("authorization-keys/audit.pub.jwk"),
            ),
            ("resources_authorization", "the resources, to read", self.path("authorization-server.yaml")),
            ("resources_signing", "  and reuse", self.path("signing-server.yaml")),
        ]
    }

    pub(super) fn to_json(&self) -> Value {
        let paths = self.all().map(|(name, _, path)| (name.to_owned(), json!(path)));
        Value::Object(paths.into_iter().collect())
    }

    pub(super) fn list(&self, story: &Story<'_>) {
        for (_, what, path) in self.all() {
            story.plain(&format!("  {what:<32} {}", path.display()));
        }
    }

    pub(super) fn commands(&self, story: &Story<'_>) {
        let sealwright = std::env::args().next().unwrap_or_else(|| "sealwright".into());
        let sealwright = quoted(Path::new(&sealwright));
        let path = |name| quoted(&self.path(name));
        let (document, signed) = (quoted(&self.document), quoted(&self.signed));
        let certificate = path("certificate.pem");
        for command in [
            format!(
                "{sealwright} jws verify --alg ES256 --key {certificate} - < {signed} | cmp - {document}"
            ),
            format!(
                "{sealwright} audit verify {} --checkpoint {} --receipt {} --key {}",
                path("signing.db"),
                path("signing-checkpoint.jws"),
                path("receipt.json"),
                path("signing-keys/audit.pub.jwk"),
            ),
            format!(
                "{sealwright} audit verify {} --checkpoint {} --key {}",
                path("authorization.db"),
                path("authorization-checkpoint.jws"),
                path("authorization-keys/audit.pub.jwk"),
            ),
            format!("{sealwright} jws verify --key {} - < {}", path("jwks.json"), path("token.jwt")),
            format!(
                "python3 -c \"import sys; from jwcrypto import jwk, jws; t = jws.JWS(); \
                 t.deserialize(open(sys.argv[1]).read()); \
                 t.verify(jwk.JWK.from_pem(open(sys.argv[2], 'rb').read())); print('valid')\" \
                 {signed} {certificate}  # pip install jwcrypto"
            ),
            format!("openssl verify -CAfile {} {certificate}", path("ca.pem")),
            format!("openssl x509 -noout -subject -ext subjectAltName -dates -in {certificate}"),
        ] {
            story.plain(&format!("  {command}"));
        }
    }
}

/// A path as a shell wants it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A certificate as RFC 7468 writes it.
fn pem(der: &[u8]) -> String {
    let base64 = base64_simd::STANDARD.encode_to_string(der);
    let lines: Vec<_> =
        base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
