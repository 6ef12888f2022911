//! The people of the story. Each logs in once, because a one-time code is good for one login in its 30 seconds.

use sealwright_service::{random, secret::Secret};

/// Somebody with an account: a password and an authenticator app.
pub(super) struct Person {
    pub(super) username: &'static str,
    pub(super) given_name: &'static str,
    pub(super) family_name: &'static str,
    /// What the rule on `groups` will look at.
    pub(super) group: &'static str,
    pub(super) password: Secret,
    pub(super) totp: totp_rs::Totp,
    /// The same secret, as an authenticator app wants it typed.
    pub(super) totp_secret: Secret,
}

impl Person {
    fn new(
        username: &'static str,
        given_name: &'static str,
        family_name: &'static str,
        group: &'static str,
    ) -> Self {
        let secret = totp_rs::Secret::from(random::bytes::<20>().to_vec());
        let totp_secret = Secret::new(secret.to_base32());
        let totp = totp_rs::Builder::new()
            .with_secret(secret)
            .with_account_name(username)
            .with_issuer(Some("Sealwright"))
            .build()
            .expect("20 bytes and an account name without a colon satisfy RFC 6238");
        Self {
            username,
            given_name,
            family_name,
            group,
            password: Secret::new(random::id("")),
            totp,
            totp_secret,
        }
    }
}

/// Everybody whom the demo plays.
pub(super) struct People {
    /// Signs the document.
    pub(super) alice: Person,
    /// Has it validated.
    pub(super) carol: Person,
    /// May read, not sign.
    pub(super) bob: Person,
    /// Approves one document and tries to sign another.
    pub(super) dave: Person,
    /// Comes back too late.
    pub(super) erin: Person,
}

impl People {
    pub(super) fn new() -> Self {
        Self {
            alice: Person::new("alice", "Alice", "Archer", "signers"),
            carol: Person::new("carol", "Carol", "Castellan", "signers"),
            bob: Person::new("bob", "Bob", "Baker", "readers"),
            dave: Person::new("dave", "Dave", "Draper", "signers"),
            erin: Person::new("erin", "Erin", "Eames", "signers"),
        }
    }

    pub(super) fn all(&self) -> [&Person; 5] {
        [&self.alice, &self.bob, &self.carol, &self.dave, &self.erin]
    }
}
