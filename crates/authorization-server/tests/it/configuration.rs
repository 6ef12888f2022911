//! Broken resources: every fault at once, each with its line.

use std::path::Path;

use sealwright_authorization_server::{KINDS, configure};
use sealwright_service::resource::{self, Report};

use crate::world::{resources, write_secrets};

/// All faults of `yaml`, in the order of their lines, with the folder's name taken out.
fn faults_in(dir: &Path, yaml: &str) -> Vec<String> {
    let mut report = Report::default();
    let resources = resource::parse(&dir.join("auth.yaml"), yaml, &mut report);
    configure(&resources, &mut report);
    let mut faults = report.faults;
    faults.sort_by_key(|fault| (fault.line, fault.column));
    let folder = format!("{}/", dir.display());
    faults.iter().map(|fault| fault.to_string().replace(&folder, "")).collect()
}

/// Faults of the test's resources after `replace`.
fn faults(replace: &[(&str, &str)]) -> Vec<String> {
    let dir = sealwright_testkit::temp_dir();
    write_secrets(dir.path());
    let mut yaml = resources("{sqlite: {path: auth.db}}", "");
    for (from, to) in replace {
        assert!(yaml.contains(from), "{from} is not in the resources");
        yaml = yaml.replacen(from, to, 1);
    }
    faults_in(dir.path(), &yaml)
}

/// The one fault that `from` → `to` makes, without file, line and name.
fn fault(from: &str, to: &str) -> String {
    let faults = faults(&[(from, to)]);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].splitn(3, ": ").nth(2).unwrap().to_owned()
}

#[test]
fn good_resources_have_none() {
    assert_eq!(faults(&[]), Vec::<String>::new());
    assert_eq!(KINDS, ["AuthServer", "ClientRegistration", "User", "Secret", "RSAKey"]);
}

#[test]
fn a_client_that_leaves_the_choice_to_a_server_without_rs256_is_warned_about() {
    let dir = sealwright_testkit::temp_dir();
    write_secrets(dir.path());
    let yaml = resources("{sqlite: {path: auth.db}}", "");
    let warnings = |from: &str, to: &str| {
        assert!(yaml.contains(from), "{from} is not in the resources");
        let mut report = Report::default();
        let path = dir.path().join("auth.yaml");
        configure(&resource::parse(&path, &yaml.replace(from, to), &mut report), &mut report);
        assert!(report.is_empty(), "{report}");
        let folder = format!("{}/", dir.path().display());
        report.warnings.iter().map(|w| w.to_string().replace(&folder, "")).collect::<Vec<String>>()
    };
    assert_eq!(
        warnings("[ES256]", "[ES256]"),
        [
            "auth.yaml:28:11: ClientRegistration/portal: spec.scopes: ES256 signs the ID tokens, where OpenID Connect has clients \
             expect RS256: tell the client, and write `idTokenSignedResponseAlg: ES256` here, or give the AuthServer RS256, too"
        ]
    );
    for (from, to) in [
        ("[ES256]", "[ES256, RS256]"),
        ("displayName: Contract portal", "idTokenSignedResponseAlg: ES256"),
        ("{name: openid}, ", ""),
    ] {
        assert_eq!(warnings(from, to), Vec::<String>::new(), "{to}");
    }
}

#[test]
fn all_faults_are_reported_at_once_with_their_lines() {
    let faults = faults(&[
        ("listen: 127.0.0.1:0", "listen: localhost"),
        ("requires: [password, totp]", "requires: [password, passkey]"),
        ("acknowledge: [unsafeIssuerUri]", "acknowledge: []"),
        ("contextsFrom: [default_signing-server]", "contextsFrom: [default_typo]"),
        ("claims: [given_name, email, groups]", "claims: [given_name, sub]"),
        ("clientSecret: {file: backend.secret}", "clientSecret: {file: missing.secret}"),
        ("domain: staff", "domain: stuff"),
        ("totp: {file: totp}", "totp: {file: kek}"),
        ("{username: bob,", "{username: bob, colour: blue,"),
    ]);
    insta::assert_snapshot!(faults.join("\n"), @r#"
    auth.yaml:6:14: AuthServer/main: spec.issuerURI: passwords would cross the network readable: use https, or add `acknowledge: [unsafeIssuerUri]`
    auth.yaml:7:11: AuthServer/main: spec.listen: write an IP address and a port, such as 127.0.0.1:8080 or [::]:8443
    auth.yaml:12:100: AuthServer/main: spec.acr[1].requires[1]: `passkey` is not something that people can log in with here; use password or totp
    auth.yaml:26:24: ClientRegistration/portal: spec.claims[1]: `sub` is written by the server itself; name claims of users only
    auth.yaml:27:18: ClientRegistration/portal: spec.contextsFrom[0]: there is no client `default_typo`; a client's id is NAMESPACE_NAME
    auth.yaml:58:17: ClientRegistration/signing-server: spec.clientSecret: the file missing.secret cannot be read (No such file or directory (os error 2)); create it with the secret as its only content, readable by the server alone
    auth.yaml:65:11: User/alice: spec.domain: the AuthServer has no domain `stuff`; add it to spec.domains there
    auth.yaml:67:9: User/alice: spec.totp: the TOTP secret is not base32
    auth.yaml:74:23: User/bob: spec.colour: unknown field; known are `authServerSelector`, `claims`, `domain`, `password`, `roles`, `totp`, `username`
    "#);
}

#[test]
fn selectors_must_find_one_server() {
    let dir = sealwright_testkit::temp_dir();
    write_secrets(dir.path());
    let one = resources("{sqlite: {path: auth.db}}", "");
    let second = one.split("---").next().unwrap().replace("name: main", "name: second");
    let faults = faults_in(dir.path(), &format!("{one}---{second}"));
    insta::assert_snapshot!(faults.join("\n"), @r#"
    auth.yaml:21:37: ClientRegistration/portal: spec.authServerSelector.matchLabels: these labels select several AuthServers: main, second
    auth.yaml:34:37: ClientRegistration/other: spec.authServerSelector.matchLabels: these labels select several AuthServers: main, second
    auth.yaml:46:37: ClientRegistration/posting: spec.authServerSelector.matchLabels: these labels select several AuthServers: main, second
    auth.yaml:56:37: ClientRegistration/signing-server: spec.authServerSelector.matchLabels: these labels select several AuthServers: main, second
    auth.yaml:64:3: User/alice: spec: there are several AuthServers; select one with authServerSelector
    auth.yaml:74:7: User/bob: spec: there are several AuthServers; select one with authServerSelector
    auth.yaml:80:37: ClientRegistration/robot: spec.authServerSelector.matchLabels: these labels select several AuthServers: main, second
    "#);
}

/// What is changed in good resources, and what is said about it.
const CASES: &[(&str, &str, &str)] = &[
    (
        "acknowledge: [unsafeIssuerUri]",
        "acknowledge: [unsafeIssuerUri]\n  trustedProxies: [10.0.0.0/8, 0.0.0.0/0]",
        "spec.trustedProxies[1]: this would believe everybody; name the addresses of your proxies",
    ),
    (
        "acknowledge: [unsafeIssuerUri]",
        "acknowledge: []",
        "spec.issuerURI: passwords would cross the network readable: use https, or add `acknowledge: [unsafeIssuerUri]`",
    ),
    (
        "issuerURI: http://127.0.0.1:8080",
        "issuerURI: http://id.example.com",
        "spec.issuerURI: plain http is for loopback addresses only; use https",
    ),
    (
        "listen: 127.0.0.1:0",
        "listen: 0.0.0.0:8080",
        "spec.listen: with a plain http issuer, listen on a loopback address such as 127.0.0.1; for others, give it an https issuer and a proxy that ends TLS",
    ),
    (
        "clientSecret: {file: posting.secret}",
        "clientSecret: {file: short.secret}",
        "spec.clientSecret: a client secret has at least 16 characters; make one with `openssl rand -hex 32`",
    ),
    (
        "issuerURI: http://127.0.0.1:8080",
        "issuerURI: https://id.example.com/x",
        "spec.issuerURI: write scheme, host and port only, in lower case, without a path, a query or a slash at the end",
    ),
    (
        "algorithms: [ES256]",
        "algorithms: [HS256]",
        "spec.tokenSignature.algorithms[0]: tokens are signed with asymmetric keys; use one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, ES256K, Ed25519, ML-DSA-44, ML-DSA-65, ML-DSA-87",
    ),
    (
        "algorithms: [ES256]",
        "algorithms: [none]",
        "spec.tokenSignature.algorithms[0]: no such algorithm; use one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, ES256K, Ed25519, ML-DSA-44, ML-DSA-65, ML-DSA-87",
    ),
    (
        "algorithms: [ES256]",
        "algorithms: []",
        "spec.tokenSignature.algorithms: name at least one algorithm, such as ES256",
    ),
    (
        "algorithms: [ES256]",
        "algorithms: [ES256, ES256]",
        "spec.tokenSignature.algorithms[1]: this algorithm stands there twice",
    ),
    (
        "algorithms: [ES256]",
        "algorithms: [ES256], publishLead: 5m",
        "spec.tokenSignature.publishLead: verifiers keep the set for a while and some never ask again before that is over: write at least 635s; or add `acknowledge: [unsafeKeyTimings]`",
    ),
    (
        "algorithms: [ES256]",
        "algorithms: [ES256], rotateEvery: 36h",
        "spec.tokenSignature.rotateEvery: write at least twice `publishLead`, which is 2d; or add `acknowledge: [unsafeKeyTimings]`",
    ),
    (
        "algorithms: [ES256]",
        "algorithms: [ES256], provider: {kind: pkcs11, module: softhsm.so, token: t, pin: {file: missing}}",
        "spec.tokenSignature.provider.pin: the file missing cannot be read (No such file or directory (os error 2)); create it with the secret as its only content, readable by the server alone",
    ),
    (
        "algorithms: [ES256]",
        "algorithms: [ES256], provider: {kind: pkcs12}",
        "spec.tokenSignature.provider.kind: must be one of `local`, `pkcs11`, did you mean `pkcs11`?",
    ),
    (
        "file: kek",
        "file: missing",
        "spec.secrets.kek: key-encryption key `k1`: the file missing cannot be read (No such file or directory (os error 2)); create it with the secret as its only content, readable by the server alone",
    ),
    (
        "storage: {sqlite: {path: auth.db}}",
        "storage: {}",
        "spec.storage: name exactly one of `postgres`, `sqlite`",
    ),
    (
        "m: 8, t: 1",
        "m: 4000000000, t: 1",
        "spec.passwords.argon2: argon2 cannot be run with this memory, passes and lanes",
    ),
    ("name: guests", "name: staff", "spec.domains[1].name: this domain stands there twice"),
    (
        "value: \"urn:x:mfa\"",
        "value: \"urn:x:password\"",
        "spec.acr[1].value: this acr value stands there twice",
    ),
    (
        "name: portal}\nspec:\n  authServerSelector: {matchLabels: {env: test}}",
        "name: portal}\nspec:\n  authServerSelector: {matchLabels: {env: nowhere}}",
        "spec.authServerSelector.matchLabels: no AuthServer has these labels",
    ),
    (
        "authServerSelector: {matchLabels: {env: test}}",
        "authServerSelector: {}",
        "spec.authServerSelector: missing field `matchLabels`",
    ),
    (
        "\"https://other.example.com\"",
        "\"other.example.com\"",
        "spec.audiences[1]: an audience is an absolute http or https URL without a fragment",
    ),
    (
        "https://portal.example.com/callback",
        "http://portal.example.com/callback",
        "spec.redirectURIs[1]: plain http is for loopback addresses only; use https",
    ),
    (
        "displayName: Contract portal",
        "displayName: A name that is far too long for a display name",
        "spec.displayName: a display name has 2 to 32 characters",
    ),
    (
        "displayName: Contract portal",
        "displayname: Contract portal",
        "spec.displayname: unknown field, did you mean `displayName`?",
    ),
    (
        "accessTokenExpiry: 2s",
        "accessTokenExpiry: 0s",
        "spec.accessTokenExpiry: write a duration from 1 second to 24 hours",
    ),
    (
        "clientAuthenticationMethod: none",
        "clientAuthenticationMethod: private_key_jwt",
        "spec.clientAuthenticationMethod: must be one of `none`, `client_secret_basic`, `client_secret_post`",
    ),
    (
        "clientAuthenticationMethod: none\n",
        "clientAuthenticationMethod: none\n  clientSecret: {file: kek}\n",
        "spec.clientSecret: a client with clientAuthenticationMethod: none has no secret; remove it, or name a method",
    ),
    (
        "  clientSecret: {file: posting.secret}\n",
        "",
        "spec.clientAuthenticationMethod: this method needs a clientSecret; add one, or write clientAuthenticationMethod: none",
    ),
    (
        "clientSecret: {file: posting.secret}",
        "clientSecret: {file: a, env: B}",
        "spec.clientSecret: name exactly one of `env`, `file`",
    ),
    (
        "clientSecret: {file: posting.secret}",
        "clientSecret: {file: posting.secret}\n  authorizationGrantTypes: [password]",
        "spec.authorizationGrantTypes[0]: must be one of `authorization_code`, `client_credentials`",
    ),
    (
        "clientSecret: {file: backend.secret}",
        "clientSecret: {file: backend.secret}\n  authorizationGrantTypes: [authorization_code]",
        "spec.redirectURIs: authorization_code needs at least one redirect URI",
    ),
    (
        "authorizationGrantTypes: [client_credentials]\n  clientSecret: {file: backend.secret}",
        "authorizationGrantTypes: [client_credentials]\n  clientAuthenticationMethod: none",
        "spec.clientAuthenticationMethod: client_credentials is for clients that have a secret; name a method, or leave that grant out",
    ),
    (
        "clientSecret: {file: backend.secret}",
        "clientSecret: {file: backend.secret}\n  authorizationGrantTypes: [client_credentials]",
        "spec.audiences: name the API that this client's tokens are for",
    ),
    (
        "authorizationGrantTypes: [client_credentials]",
        "authorizationGrantTypes: [client_credentials]\n  redirectURIs: [\"https://portal.example.com/\"]",
        "spec.redirectURIs: redirect URIs are of use only with authorizationGrantTypes: [authorization_code]",
    ),
    (
        "authorizationGrantTypes: [client_credentials]",
        "authorizationGrantTypes: [client_credentials]\n  accessTokenSigningAlg: RS256",
        "spec.accessTokenSigningAlg: the AuthServer signs with ES256, not with this",
    ),
    (
        "accessTokenExpiry: 2s",
        "accessTokenSigningAlg: none",
        "spec.accessTokenSigningAlg: the AuthServer signs with ES256, not with this",
    ),
    (
        "displayName: Contract portal",
        "idTokenSignedResponseAlg: RS256",
        "spec.idTokenSignedResponseAlg: the AuthServer signs with ES256, not with this",
    ),
    (
        "displayName: Contract portal",
        "idTokenSignedResponseAlg: none",
        "spec.idTokenSignedResponseAlg: the AuthServer signs with ES256, not with this",
    ),
    (
        "displayName: Contract portal",
        "idTokenSignedResponseAlgs: ES256",
        "spec.idTokenSignedResponseAlgs: unknown field, did you mean `idTokenSignedResponseAlg`?",
    ),
    (
        "accessTokenExpiry: 2s",
        "idTokenSignedResponseAlg: ES256",
        "spec.idTokenSignedResponseAlg: ID tokens come with codes, for the scope `openid`: register redirect URIs and that scope, or remove this",
    ),
    (
        "scopes: [{name: orders:read}, {name: orders:write}]",
        "scopes: [{name: openid}]\n  idTokenSignedResponseAlg: ES256",
        "spec.idTokenSignedResponseAlg: ID tokens come with codes, for the scope `openid`: register redirect URIs and that scope, or remove this",
    ),
    (
        "claims: [given_name, email, groups]",
        "claims: [at_hash]",
        "spec.claims[0]: `at_hash` is written by the server itself; name claims of users only",
    ),
    (
        "acknowledge: [unsafeIssuerUri]",
        "acknowledge: [unsafeIssuerUri]\n  token: {idToken: {expiry: 25h}}",
        "spec.token.idToken.expiry: write a duration from 1 second to 24 hours",
    ),
    (
        "acknowledge: [unsafeIssuerUri]",
        "acknowledge: [unsafeIssuerUri]\n  features: {jsonLogin: {client: default_nobody}}",
        "spec.features.jsonLogin.client: there is no client `default_nobody` at this server; a client's id is NAMESPACE_NAME",
    ),
    (
        "acknowledge: [unsafeIssuerUri]",
        "acknowledge: [unsafeIssuerUri]\n  features: {jsonLogin: {client: default_posting}}",
        "spec.features.jsonLogin.client: client `default_posting` has a secret, which a login over JSON would go around; name one with clientAuthenticationMethod: none",
    ),
    (
        "claims: {given_name: Alice",
        "claims: {sub: mallory, given_name: Alice",
        "spec.claims.sub: `sub` is written by the server itself",
    ),
    ("username: bob", "username: alice", "spec.username: another user of this server has this user name"),
    (
        "username: bob",
        "username: \" bob\"",
        "spec.username: a user name has 1 to 256 bytes, no control characters, and no spaces at its ends",
    ),
    (
        "password: {file: password-hash}",
        "password: {file: backend.secret}",
        "spec.password: write a hash that begins with {argon2}$argon2id$, never the password itself",
    ),
];

#[test]
fn each_fault_says_what_to_do() {
    for (from, to, expected) in CASES {
        assert_eq!(fault(from, to), *expected, "{from} -> {to}");
    }
}
