//! The table of faults.

use super::ISSUER;

/// One change to good resources, and the one fault that it makes (without file, line and column).
pub(super) fn cases() -> Vec<(String, String, &'static str)> {
    let jwks = format!("  jwksURI: {ISSUER}/oauth2/jwks\n");
    let terms = format!("  issuer: {ISSUER}\n{jwks}");
    let spki = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAAAA";
    let cases: Vec<(&str, String, &'static str)> = vec![
        // SigningServer
        (
            "listen: 127.0.0.1:0",
            "listen: localhost".into(),
            "SigningServer/main: spec.listen: not an address and port such as `127.0.0.1:8081`",
        ),
        (
            "publicURL: http://127.0.0.1:8081",
            "publicURL: http://sign.example.com".into(),
            "SigningServer/main: spec.publicURL: plain http is possible to a loopback address only; use https",
        ),
        (
            "publicURL: http://127.0.0.1:8081",
            "publicURL: https://sign.example.com/x".into(),
            "SigningServer/main: spec.publicURL: the public URL is scheme, host and port only",
        ),
        (
            "maxBodyBytes: 104857600",
            "maxBodyBytes: 100".into(),
            "Worker/contracts: spec.maxInputBytes: is more than SigningServer.spec.maxBodyBytes (100)",
        ),
        (
            "maxBodyBytes: 104857600",
            "maxBodyBytes: 9999999999".into(),
            "SigningServer/main: spec.maxBodyBytes: must be from 1 to 1073741824",
        ),
        (
            "checkpointEvery: 100",
            "checkpointEvery: 0".into(),
            "SigningServer/main: spec.audit.checkpointEvery: must be at least 1",
        ),
        (
            "{kek: [{id: k1, file: kek}]}",
            "{kek: []}".into(),
            "SigningServer/main: spec.secrets.kek: there is no key-encryption key: name at least one",
        ),
        (
            "{kek: [{id: k1, file: kek}]}",
            "{kek: [{id: k1, file: nowhere}]}".into(),
            "SigningServer/main: spec.secrets.kek: key-encryption key `k1`: the file nowhere cannot be read",
        ),
        (
            "listen: 127.0.0.1:0",
            "listen: 0.0.0.0:8081".into(),
            "SigningServer/main: spec.listen: other machines could reach a plain http server here",
        ),
        (
            "  maxTokenAge: 600s",
            "  authenticationContexts: {uri: https://id.example.com/c, clientID: s, clientSecret: {file: nowhere}}"
                .into(),
            "TrustedIssuer/id: spec.authenticationContexts.clientSecret: the file nowhere cannot be read",
        ),
        (
            "maxBodyBytes: 104857600",
            "trustedProxies: [10.0.0.0/8, 0.0.0.0/0]".into(),
            "SigningServer/main: spec.trustedProxies[1]: this would believe everybody; name the addresses",
        ),
        // TrustedIssuer
        (&jwks, String::new(), "TrustedIssuer/id: spec: needs exactly one of `discovery`, `jwksURI` and `keys`"),
        (
            &jwks,
            format!("{jwks}  keys: []\n"),
            "TrustedIssuer/id: spec: needs exactly one of `discovery`, `jwksURI` and `keys`",
        ),
        (
            &jwks,
            format!("{jwks}  discovery: true\n"),
            "TrustedIssuer/id: spec: needs exactly one of `discovery`, `jwksURI` and `keys`",
        ),
        (
            &jwks,
            "  discovery: true\n  keys: []\n".into(),
            "TrustedIssuer/id: spec: needs exactly one of `discovery`, `jwksURI` and `keys`",
        ),
        (
            &jwks,
            "  discovery: false\n".into(),
            "TrustedIssuer/id: spec: needs exactly one of `discovery`, `jwksURI` and `keys`",
        ),
        (
            &jwks,
            "  discovery: true\n  jwksEventsURI: https://id.example.com/events\n".into(),
            "TrustedIssuer/id: spec.jwksEventsURI: news are of the keys at `jwksURI`; name that, too",
        ),
        (
            &terms,
            "  issuer: http://id.example.com\n  discovery: true\n".into(),
            "TrustedIssuer/id: spec.issuer: plain http is possible to a loopback address only; use https",
        ),
        (
            &terms,
            "  issuer: accounts.example.com\n  discovery: true\n".into(),
            "TrustedIssuer/id: spec.issuer: `accounts.example.com` is not a URL: ",
        ),
        (
            &terms,
            "  issuer: https://id.example.com?tenant=1\n  discovery: true\n".into(),
            "TrustedIssuer/id: spec.issuer: an issuer that is discovered has no query",
        ),
        (
            &terms,
            "  issuer: https://id.example.com#one\n  discovery: true\n".into(),
            "TrustedIssuer/id: spec.issuer: a URL that is called has no fragment",
        ),
        (&jwks, "  keys: []\n".into(), "TrustedIssuer/id: spec.keys: name at least one key"),
        (&jwks, format!("  keys: [{{spki: {spki}}}]\n"), "TrustedIssuer/id: spec.keys[0]: `spki`: "),
        (
            &jwks,
            "  keys: [{kid: a}]\n".into(),
            "TrustedIssuer/id: spec.keys[0]: needs exactly one of `spki` and `jwk`",
        ),
        (
            &jwks,
            "  keys: [{spki: AAAA, alg: RS256}]\n".into(),
            "TrustedIssuer/id: spec.keys[0]: its algorithm RS256 is not in `algs`",
        ),
        (&jwks, "  keys: [{jwk: {kty: oct, k: AAAA}}]\n".into(), "TrustedIssuer/id: spec.keys[0]: `jwk`: "),
        (
            &jwks,
            "  jwksURI: http://id.example.com/jwks\n".into(),
            "TrustedIssuer/id: spec.jwksURI: plain http is possible to a loopback address only; use https",
        ),
        (
            &jwks,
            "  jwksURI: ftp://id.example.com/jwks\n".into(),
            "TrustedIssuer/id: spec.jwksURI: `ftp` is not a scheme that the server can call; use https",
        ),
        (
            "audiences: [http://127.0.0.1:8081]",
            "audiences: []".into(),
            "TrustedIssuer/id: spec.audiences: name at least one audience: a token for anybody is for nobody",
        ),
        ("algs: [ES256]", "algs: []".into(), "TrustedIssuer/id: spec.algs: name at least one algorithm"),
        ("algs: [ES256]", "algs: [HS256]".into(), "TrustedIssuer/id: spec.algs[0]: must be one of "),
        (
            "clockSkew: 60s",
            "clockSkew: 1h".into(),
            "TrustedIssuer/id: spec.clockSkew: must not be more than 600s",
        ),
        (
            "clockSkew: 60s",
            "clockScew: 60s".into(),
            "TrustedIssuer/id: spec.clockScew: unknown field, did you mean `clockSkew`?",
        ),
        // Authorizer
        (
            "issuers: [id]",
            "issuers: [idp]".into(),
            "Authorizer/staff-mfa: spec.issuers[0]: there is no TrustedIssuer named `idp`; declared are: id",
        ),
        (
            "issuers: [id]",
            "issuers: []".into(),
            "Authorizer/staff-mfa: spec.issuers: name at least one TrustedIssuer",
        ),
        (
            "issuers: [id]",
            "issuers: [id, id]".into(),
            "Authorizer/staff-mfa: spec.issuers[1]: has the same `issuer` as `id`: one authorizer, one set of terms",
        ),
        (
            "  rules: [{claim: groups, op: contains, value: signers}]\n",
            String::new(),
            "Authorizer/staff-mfa: spec: an authorizer without rules lets everybody in whom the issuer knows; if that is meant, set `allowAnyAuthenticated: true`",
        ),
        (
            "match: all",
            "allowAnyAuthenticated: true".into(),
            "Authorizer/staff-mfa: spec.allowAnyAuthenticated: contradicts `rules`; leave one of them out",
        ),
        (
            "acrAny: ",
            "acrOrder: ".into(),
            "Authorizer/staff-mfa: spec.assurance.amrAll: needs `acrAny`: a challenge can ask for classes of logins, and not for methods",
        ),
        (
            "claim: groups",
            "claim: []".into(),
            "Authorizer/staff-mfa: spec.rules[0]: `claim` must name a claim",
        ),
        (
            "value: signers",
            "value: null".into(),
            "Authorizer/staff-mfa: spec.rules[0]: `equals` and `contains` take one `value`, which must not be null",
        ),
        (
            "op: contains, value: signers",
            "op: contains, values: [signers]".into(),
            "Authorizer/staff-mfa: spec.rules[0]: `equals` and `contains` take one `value`, which must not be null",
        ),
        (
            "op: contains, value: signers",
            "op: one_of, value: signers".into(),
            "Authorizer/staff-mfa: spec.rules[0]: `contains_any` and `one_of` take a list of `values`, of which none may be null",
        ),
        (
            "op: contains, value: signers",
            "op: contains_any, values: [signers, null]".into(),
            "Authorizer/staff-mfa: spec.rules[0]: `contains_any` and `one_of` take a list of `values`, of which none may be null",
        ),
        (
            "op: contains, value: signers",
            "op: prefix, value: 42".into(),
            "Authorizer/staff-mfa: spec.rules[0]: `prefix` takes a text as `value`, which must not be empty",
        ),
        (
            "op: contains, value: signers",
            "op: present, value: signers".into(),
            "Authorizer/staff-mfa: spec.rules[0]: `present` takes neither `value` nor `values`",
        ),
        (
            "{claim: groups, op: contains, value: signers}",
            "{scope: sign read}".into(),
            "Authorizer/staff-mfa: spec.rules[0]: `scope` must be one word",
        ),
        (
            "{claim: groups, op: contains, value: signers}",
            "{any: []}".into(),
            "Authorizer/staff-mfa: spec.rules[0]: must be `claim` and `op` with its `value` or `values`, or `scope`, or a list of rules in `all` or `any`",
        ),
        (
            "{claim: groups, op: contains, value: signers}",
            "{scope: sign, value: signers}".into(),
            "Authorizer/staff-mfa: spec.rules[0]: must be `claim` and `op` with its `value` or `values`, or `scope`, or a list of rules in `all` or `any`",
        ),
        (
            "{claim: groups, op: contains, value: signers}",
            "{any: [{scope: sign}, {all: [{claim: [], op: present}]}]}".into(),
            "Authorizer/staff-mfa: spec.rules[0].any[1].all[0]: `claim` must name a claim",
        ),
        ("match: all", "match: all\n  compare: loose".into(), "Authorizer/staff-mfa: spec.compare: must be "),
        ("op: contains", "op: matches".into(), "Authorizer/staff-mfa: spec.rules[0].op: must be one of "),
        (
            "email: signer.email}",
            "email: Signer Email}".into(),
            "Authorizer/staff-mfa: spec.context.email: must be a name in lower case such as `subject` or `signer.given_name`",
        ),
        (
            "email: signer.email}",
            "email: signer.email, mail: signer.email}".into(),
            "Authorizer/staff-mfa: spec.context.mail: a second claim is mapped to `signer.email`",
        ),
        // CryptoToken
        (
            "ca: internal-short",
            "ca: external".into(),
            "CryptoToken/onetime: spec.ca: there is no CertificateAuthority named `external`; declared are: internal-short",
        ),
        ("kind: onetime", "kind: pkcs11".into(), "CryptoToken/onetime: spec.kind: must be `onetime`"),
        // CertificateAuthority
        (
            "key: ca\n",
            "key: audit\n".into(),
            "CertificateAuthority/internal-short: spec.key: must be a name of its own; `audit` is the audit log's key",
        ),
        (
            "validity: 600s",
            "validity: 2d".into(),
            "CertificateAuthority/internal-short: spec.validity: must be from 1s to 24h: the keys are used once",
        ),
        (
            "backdate: 60s",
            "backdate: 2h".into(),
            "CertificateAuthority/internal-short: spec.backdate: must not be more than 1h",
        ),
        (
            "commonName: Demo signing CA",
            "commonName: \"Demo \"".into(),
            "CertificateAuthority/internal-short: spec.commonName: must not begin or end with a blank",
        ),
        (
            "from: subject,",
            "from: signer.id,".into(),
            "CertificateAuthority/internal-short: spec.subject[1].from: `signer.id` is not known: the authorizer `staff-mfa` of the worker `contracts` maps no claim to it",
        ),
        (
            "[signer.given_name, \" \",",
            "[signer.first_name, \" \",".into(),
            "CertificateAuthority/internal-short: spec.subject[0].from[0]: `signer.first_name` is not known: the authorizer `staff-mfa` of the worker `contracts` maps no claim to it",
        ),
        (
            "from: signer.email}]",
            "from: signer.mail}]".into(),
            "CertificateAuthority/internal-short: spec.san[0].from: `signer.mail` is not known: the authorizer `staff-mfa` of the worker `contracts` maps no claim to it",
        ),
        (
            "value: CH",
            "value: Switzerland".into(),
            "CertificateAuthority/internal-short: spec.subject[2]: `value` must not have more than 2 characters",
        ),
        (
            "value: CH",
            "value: ch".into(),
            "CertificateAuthority/internal-short: spec.subject[2]: `value` has a character that is not allowed here",
        ),
        (
            "type: C, value: CH",
            "type: CN, value: CH".into(),
            "CertificateAuthority/internal-short: spec.subject[2]: this attribute is already there",
        ),
        (
            "type: C, value: CH",
            "type: C".into(),
            "CertificateAuthority/internal-short: spec.subject[2]: needs exactly one of `from` and `value`",
        ),
        (
            "max: 64",
            "max: 65".into(),
            "CertificateAuthority/internal-short: spec.subject[0]: `max` must be from 1 to 64 for this attribute",
        ),
        // Worker
        (
            "token: onetime",
            "token: hsm".into(),
            "Worker/contracts: spec.token: there is no CryptoToken named `hsm`; declared are: onetime",
        ),
        (
            "authorizers: [staff-mfa], level",
            "authorizers: [], level".into(),
            "Worker/contracts: spec.authorizers: a worker without an authorizer would work for anybody; name one",
        ),
        (
            "authorizers: [staff-mfa], level",
            "authorizers: [staff], level".into(),
            "Worker/contracts: spec.authorizers[0]: there is no Authorizer named `staff`; declared are: staff-mfa",
        ),
        (
            "alg: ES256, packaging",
            "alg: RS256, packaging".into(),
            "Worker/contracts: spec.alg: the keys of the token `onetime` are for ES256",
        ),
        ("level: B-B", "level: B-T".into(), "Worker/contracts: spec.level: must be `B-B`"),
        ("kind: jades", "kind: pades".into(), "Worker/contracts: spec.kind: must be one of "),
        (
            "maxInputBytes: 104857600",
            "maxInputBytes: 0".into(),
            "Worker/contracts: spec.maxInputBytes: must be at least 1",
        ),
        (
            "trust: [{certificateAuthority: internal-short}]",
            "trust: []".into(),
            "Worker/verify: spec.trust: name at least one trust anchor",
        ),
        (
            "{certificateAuthority: internal-short}",
            "{}".into(),
            "Worker/verify: spec.trust[0]: needs exactly one of `certificateAuthority` and `file`",
        ),
        (
            "{certificateAuthority: internal-short}",
            "{certificateAuthority: other}".into(),
            "Worker/verify: spec.trust[0]: there is no CertificateAuthority named `other`; declared are: internal-short",
        ),
    ];
    cases.into_iter().map(|(from, to, fault)| (from.to_owned(), to, fault)).collect()
}
