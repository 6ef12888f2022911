//! Writes the two servers' resources and secrets into the demo's folder, for the servers and for the reader.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sealwright_authorization_server::hash_password;
use sealwright_keystore::KekRing;
use sealwright_service::random;

use super::{
    document::MAX_BYTES,
    people::{People, Person},
};

/// The client that plays the contract portal; a public client, so PKCE is what proves it.
pub(super) const PORTAL: &str = "default_portal";
/// A client whose tokens live for a second.
pub(super) const HASTY: &str = "default_hasty-portal";
/// Where both clients say that codes go. Nothing listens there: the demo reads the redirect itself.
pub(super) const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";
/// The users' authentication domain.
pub(super) const DOMAIN: &str = "staff";
/// The workers.
pub(super) const SIGNER: &str = "contracts";
pub(super) const SIGNER_WITHOUT_SKEW: &str = "contracts-to-the-second";
pub(super) const VALIDATOR: &str = "verify";

/// The two addresses that the servers know of each other.
pub(super) struct Addresses {
    pub(super) authorization: String,
    pub(super) signing: String,
}

/// What was written.
pub(super) struct Written {
    pub(super) authorization_server: PathBuf,
    pub(super) signing_server: PathBuf,
}

/// Writes `authorization-server.yaml`, `signing-server.yaml` and the secrets that they name.
pub(super) fn write(dir: &Path, addresses: &Addresses, people: &People) -> io::Result<Written> {
    let secrets = dir.join("secrets");
    fs::create_dir(&secrets)?;
    write_secret(&secrets.join("authorization.kek"), &KekRing::generate_text())?;
    write_secret(&secrets.join("signing.kek"), &KekRing::generate_text())?;
    write_secret(&secrets.join("signing-server.secret"), &random::id("secret_"))?;
    for person in people.all() {
        write_secret(
            &secrets.join(format!("{}.password-hash", person.username)),
            &hash_password(&person.password).map_err(io::Error::other)?,
        )?;
        write_secret(&secrets.join(format!("{}.totp", person.username)), person.totp_secret.expose())?;
        // No server reads it; whoever starts them again wants to log in.
        write_secret(&secrets.join(format!("{}.password", person.username)), person.password.expose())?;
    }

    let written = Written {
        authorization_server: dir.join("authorization-server.yaml"),
        signing_server: dir.join("signing-server.yaml"),
    };
    fs::write(&written.authorization_server, authorization_server(addresses, people))?;
    fs::write(&written.signing_server, signing_server(addresses))?;
    Ok(written)
}

/// Writes a file that only its owner may read.
pub(super) fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    use io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn authorization_server(addresses: &Addresses, people: &People) -> String {
    let Addresses { authorization, signing } = addresses;
    let listen = authorization.trim_start_matches("http://");
    let users: String = people.all().map(user).concat();
    format!(
        r#"# The authorization server of `sealwright demo`. Start it by hand with
#   sealwright serve -f authorization-server.yaml
apiVersion: sealwright.dev/v1alpha1
kind: AuthServer
metadata:
  name: main
  labels: {{env: demo}}
spec:
  issuerURI: {authorization}
  listen: {listen}
  tokenSignature: {{algorithms: [ES256], keysDir: authorization-keys}}
  token: {{accessToken: {{expiry: 5m}}}}
  storage: {{sqlite: {{path: authorization.db}}}}
  secrets: {{kek: [{{id: demo, file: secrets/authorization.kek}}]}}
  domains: [{{name: {DOMAIN}, displayName: Staff of Alder & Finch}}]
  acr: # weakest first
    - {{value: "urn:sealwright:acr:password", requires: [password]}}
    - {{value: "urn:sealwright:acr:mfa", requires: [password, totp]}}
  audit: {{checkpointEvery: 1, checkpointFile: authorization-checkpoint.jws}} # a busy server signs fewer
  acknowledge: [unsafeIssuerUri] # plain http, on loopback only
---
# The application that a user works with. A public client: it has no secret, PKCE proves it.
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: portal}}
spec:
  authServerSelector: {{matchLabels: {{env: demo}}}}
  displayName: Contract portal
  redirectURIs: ["{REDIRECT_URI}"]
  authorizationGrantTypes: [authorization_code]
  clientAuthenticationMethod: none
  audiences: ["{signing}"]
  claims: [given_name, family_name, email, groups]
  contextsFrom: [default_signing-server] # who may ask for authentication in this client's name
---
# The same with tokens of one second, to show what happens to a token that comes too late.
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: hasty-portal}}
spec:
  authServerSelector: {{matchLabels: {{env: demo}}}}
  displayName: Hasty portal
  redirectURIs: ["{REDIRECT_URI}"]
  authorizationGrantTypes: [authorization_code]
  clientAuthenticationMethod: none
  audiences: ["{signing}"]
  claims: [given_name, family_name, email, groups]
  contextsFrom: [default_signing-server]
  accessTokenExpiry: 1s
---
# The signing server, as a client of this one: it pushes authentication contexts and nothing else.
apiVersion: sealwright.dev/v1alpha1
kind: ClientRegistration
metadata: {{name: signing-server}}
spec:
  authServerSelector: {{matchLabels: {{env: demo}}}}
  displayName: Signing server
  authorizationGrantTypes: []
  clientAuthenticationMethod: client_secret_basic
  clientSecret: {{file: secrets/signing-server.secret}}
{users}"#
    )
}

fn user(person: &Person) -> String {
    let Person { username, given_name, family_name, group, .. } = person;
    format!(
        r#"---
apiVersion: sealwright.dev/v1alpha1
kind: User
metadata: {{name: {username}}}
spec:
  username: {username}
  domain: {DOMAIN}
  password: {{file: secrets/{username}.password-hash}}
  totp: {{file: secrets/{username}.totp}}
  claims:
    given_name: {given_name}
    family_name: {family_name}
    email: {username}@example.com
    groups: [{group}]
"#
    )
}

fn signing_server(addresses: &Addresses) -> String {
    let Addresses { authorization, signing } = addresses;
    let listen = signing.trim_start_matches("http://");
    // What is signed comes back a third longer, in base64url, and goes to the validator like that.
    let body = MAX_BYTES / 2 * 3;
    let issuer = |name: &str, skew: &str| {
        format!(
            r#"---
apiVersion: sealwright.dev/v1alpha1
kind: TrustedIssuer
metadata: {{name: {name}}}
spec:
  issuer: {authorization}
  jwksURI: {authorization}/oauth2/jwks
  algs: [ES256]
  typ: [at+jwt]
  audiences: ["{signing}"]
  clockSkew: {skew}
  maxTokenAge: 10m
  authenticationContexts:
    uri: {authorization}/api/v1/authentication-contexts
    clientID: default_signing-server
    clientSecret: {{file: secrets/signing-server.secret}}
"#
        )
    };
    let authorizer = |name: &str, issuer: &str| {
        format!(
            r#"---
apiVersion: sealwright.dev/v1alpha1
kind: Authorizer
metadata: {{name: {name}}}
spec:
  kind: jws
  issuers: [{issuer}]
  match: all
  rules:
    - {{claim: groups, op: contains, value: signers}}
  assurance: {{acrAny: ["urn:sealwright:acr:mfa"], maxAuthAge: 5m}}
  binding: {{mode: required}} # a token is good for the document that its user approved
  replay: {{jti: required}} # once
  context: # the claims that the signing process may see, and what it calls them
    sub: subject
    given_name: signer.given_name
    family_name: signer.family_name
    email: signer.email
"#
        )
    };
    let worker = |name: &str, authorizer: &str| {
        format!(
            r#"---
apiVersion: sealwright.dev/v1alpha1
kind: Worker
metadata: {{name: {name}}}
spec:
  kind: jades
  token: onetime
  authorizers: [{authorizer}]
  level: B-B
  alg: ES256
  maxInputBytes: {MAX_BYTES}
"#
        )
    };
    let issuers = issuer("staff-idp", "60s") + &issuer("staff-idp-to-the-second", "0s");
    let authorizers = authorizer("staff-mfa", "staff-idp")
        + &authorizer("staff-mfa-to-the-second", "staff-idp-to-the-second");
    let workers = worker(SIGNER, "staff-mfa") + &worker(SIGNER_WITHOUT_SKEW, "staff-mfa-to-the-second");
    format!(
        r#"# The signing server of `sealwright demo`. Start it by hand with
#   sealwright serve -f signing-server.yaml
apiVersion: sealwright.dev/v1alpha1
kind: SigningServer
metadata: {{name: main}}
spec:
  listen: {listen}
  publicURL: {signing}
  maxBodyBytes: {body}
  keysDir: signing-keys
  storage: {{sqlite: {{path: signing.db}}}}
  secrets: {{kek: [{{id: demo, file: secrets/signing.kek}}]}}
  audit: {{checkpointEvery: 1, checkpointFile: signing-checkpoint.jws}} # a busy server signs fewer
  acknowledge: [unsafeHttp] # plain http, on loopback only
{issuers}{authorizers}---
# A key is made for one signature, certified by the CA below, used, and destroyed.
apiVersion: sealwright.dev/v1alpha1
kind: CryptoToken
metadata: {{name: onetime}}
spec: {{kind: onetime, key: ES256, ca: minutes}}
---
apiVersion: sealwright.dev/v1alpha1
kind: CertificateAuthority
metadata: {{name: minutes}}
spec:
  kind: internal
  key: ca
  alg: ES256
  commonName: Alder & Finch signing CA
  validity: 10m
  backdate: 1m
  subject:
    - {{type: CN, from: [signer.given_name, " ", signer.family_name], required: true, max: 64}}
    - {{type: serialNumber, from: subject, required: true}}
    - {{type: C, value: CH}}
  san: [{{type: rfc822Name, from: signer.email}}]
{workers}---
apiVersion: sealwright.dev/v1alpha1
kind: Worker
metadata: {{name: {VALIDATOR}}}
spec:
  kind: validator
  authorizers: [staff-mfa]
  maxInputBytes: {body}
  trust: [{{certificateAuthority: minutes}}]
"#
    )
}
