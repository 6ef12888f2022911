//! What becomes of each field of AppSSO's resources. The documentation has the same table, and a test compares them.

/// A field.
#[derive(Debug)]
pub(super) struct Field {
    /// Where it stands; `[]` is each entry of a list.
    pub(super) pattern: &'static str,
    pub(super) treatment: Treatment,
    /// What it means here; where it is warned about or refused, the message.
    pub(super) says: &'static str,
    /// A value of which nothing need be said.
    pub(super) unless: Option<&'static str>,
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    Honoured,
    Warned,
    Refused,
}

const fn honoured(pattern: &'static str, says: &'static str) -> Field {
    Field { pattern, treatment: Treatment::Honoured, says, unless: None }
}

const fn warned(pattern: &'static str, says: &'static str) -> Field {
    Field { pattern, treatment: Treatment::Warned, says, unless: None }
}

const fn refused(pattern: &'static str, says: &'static str) -> Field {
    Field { pattern, treatment: Treatment::Refused, says, unless: None }
}

const CERTIFICATES: &str =
    "certificates are not asked for here: end TLS in a proxy before the server, and remove this";
const BY_REGISTRATION: &str = "scopes are granted as registrations have them, so this is not used";
const SPRING: &str = "this is for Spring Boot and is not used; `sealwright serve --help` has what there is";
const PLATFORM: &str = "the platform that runs the server decides this, so it is not used";
const REDIS: &str = "state is kept in SQLite, in the folder of the server's state: remove this; for PostgreSQL write an AuthServer of \
                     `sealwright.dev/v1alpha1`";
const UPSTREAM: &str =
    "people log in here, not at another identity provider: remove this, and declare them as `User` resources";

/// `AuthServer`.
pub(super) const AUTH_SERVER: &[Field] = &[
    honoured("spec.issuerURI", "the issuer; it must be written, since there is no template to make it of"),
    refused("spec.tls.issuerRef", CERTIFICATES),
    refused("spec.tls.certificateRef", CERTIFICATES),
    warned(
        "spec.tls.secretRef",
        "TLS ends in the proxy before the server, so the certificate belongs there and is not used",
    ),
    honoured("spec.tls.deactivated", "the issuer is plain `http` on a loopback host"),
    honoured("spec.tls.disabled", "the older name of `deactivated`"),
    warned("spec.cors", "browsers are not given leave to call across origins yet, so this is not used"),
    honoured("spec.token.accessToken.expiry", "`12h`, if nothing is said; at most `24h`"),
    warned("spec.token.refreshToken", "refresh tokens are not issued yet, so this is not used"),
    honoured(
        "spec.token.idToken.expiry",
        "`12h`, if nothing is said; what is longer than `24h` counts as that, with a warning",
    ),
    honoured("spec.session.expiry", "`15m`, if nothing is said"),
    honoured(
        "spec.tokenSignature.signAndVerifyKeyRef",
        "the key that signs, for `RS256`; without one no tokens are issued",
    ),
    warned("spec.tokenSignature.signAngVerifyKeyRef", "this is read as `signAndVerifyKeyRef`"),
    honoured("spec.tokenSignature.extraVerifyKeyRefs", "keys that verify, too"),
    warned("spec.tokenSignature.extraVerifyKeys", "this is read as `extraVerifyKeyRefs`"),
    honoured(
        "spec.tokenSignature.extraVerifyKeyRefs[].evictAt",
        "ours: not before this moment is the key taken out of the set",
    ),
    honoured(
        "spec.tokenSignature.publishedKeyRefs",
        "ours: keys that are announced because they will sign later",
    ),
    refused("spec.storage.redis", REDIS),
    warned("spec.caCerts", "no other identity provider is asked, so there is nobody to trust by these"),
    honoured("spec.identityProviders[].name", "unique; neither `client…` nor `unknown…`"),
    honoured("spec.identityProviders[].internalUnsafe.users[].username", "what the person types"),
    honoured(
        "spec.identityProviders[].internalUnsafe.users[].password",
        "plain, and hashed when it is read; or `{argon2}…`. `{bcrypt}…` is refused",
    ),
    honoured("spec.identityProviders[].internalUnsafe.users[].claims", "claims about the person"),
    honoured("spec.identityProviders[].internalUnsafe.users[].roles", "for the `roles` claim"),
    honoured("spec.identityProviders[].internalUnsafe.users[].givenName", "the claim `given_name`"),
    honoured("spec.identityProviders[].internalUnsafe.users[].familyName", "the claim `family_name`"),
    honoured("spec.identityProviders[].internalUnsafe.users[].email", "the claim `email`"),
    honoured("spec.identityProviders[].internalUnsafe.users[].emailVerified", "the claim `email_verified`"),
    warned("spec.identityProviders[].internalUnsafe.accessToken", BY_REGISTRATION),
    refused("spec.identityProviders[].ldap", UPSTREAM),
    refused("spec.identityProviders[].openID", UPSTREAM),
    refused("spec.identityProviders[].saml", UPSTREAM),
    Field {
        pattern: "spec.replicas",
        treatment: Treatment::Warned,
        says: "one process is one replica, so this is not used; several need PostgreSQL and an AuthServer of `sealwright.dev/v1alpha1`",
        unless: Some("1"),
    },
    warned("spec.logging", SPRING),
    warned("spec.server", SPRING),
    warned("spec.resources", PLATFORM),
    warned("spec.redisResources", PLATFORM),
];

/// `ClientRegistration`.
pub(super) const CLIENT_REGISTRATION: &[Field] = &[
    honoured("spec.authServerSelector.matchLabels", "selects exactly one AuthServer"),
    honoured("spec.redirectURIs", "`https`, or `http` on a loopback host"),
    honoured(
        "spec.scopes",
        "with their descriptions; `openid` brings an ID token, the others no claims of their own",
    ),
    honoured("spec.displayName", "2 to 32 characters; the name, if nothing is said"),
    honoured(
        "spec.authorizationGrantTypes",
        "`client_credentials` and `authorization_code`; `refresh_token` is warned about, since it is not offered yet",
    ),
    honoured(
        "spec.clientAuthenticationMethod",
        "`client_secret_basic`, `client_secret_post`, `none`; the older `basic` and `post`, with a warning",
    ),
    honoured("spec.requireUserConsent", "whether people are asked to agree"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../../docs/src/reference/appsso.md");

    fn row(field: &Field) -> String {
        let treatment = match field.treatment {
            Treatment::Honoured => "honoured",
            Treatment::Warned => "warned about",
            Treatment::Refused => "refused",
        };
        let path = field.pattern.strip_prefix("spec.").unwrap();
        let unless = field.unless.map_or_else(String::new, |value| format!(" unless it is `{value}`"));
        format!("| `{path}` | {treatment}{unless} | {} |", field.says)
    }

    /// The rows of the table below a heading.
    fn documented(heading: &str) -> Vec<&str> {
        let after = PAGE.split_once(&format!("\n## {heading}\n")).unwrap().1;
        let section = after.split_once("\n## ").map_or(after, |(section, _)| section);
        section.lines().filter(|line| line.starts_with("| `")).collect()
    }

    #[test]
    fn the_documentation_says_what_is_done() {
        for (heading, fields) in
            [("`AuthServer`", AUTH_SERVER), ("`ClientRegistration`", CLIENT_REGISTRATION)]
        {
            let rows: Vec<String> = fields.iter().map(row).collect();
            assert_eq!(documented(heading), rows, "the page should say:\n{}", rows.join("\n"));
        }
    }
}
