//! Which refusals are worth an entry of their own.
//!
//! Whoever has a token could otherwise fill the audit log with it. The first replay of a token is an entry, and so are
//! its first refusals for other reasons; further ones are counted, as those of strangers are.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::digest;
use sealwright_resource_server::AccessToken;
use sealwright_service::clock::Timestamp;

use crate::authorizer::DenialCode;

/// Entries for a token, beside that of its first replay.
const MAX_ENTRIES: u32 = 10;
/// Tokens that are remembered, until they have expired.
const MAX_TOKENS: usize = 16 * 1024;

/// What was recorded of each token that was refused; bounded in memory.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<Token, Recorded>>);

/// SHA-256 of what tells one token from another.
type Token = [u8; 32];

#[derive(Debug)]
struct Recorded {
    expires_at_s: i64,
    replay: bool,
    others: u32,
}

impl Refusals {
    /// Whether this refusal of `token` is to be an entry; if not, it is to be counted.
    pub(crate) fn admit(&self, token: &AccessToken, code: DenialCode, now: Timestamp) -> bool {
        // A token that has no name counts with all others of its subject.
        let name = token.jti().unwrap_or_else(|| token.subject());
        self.admit_named(token.issuer(), name, token.remember_until(), code, now)
    }

    fn admit_named(
        &self,
        issuer: &str,
        name: &str,
        expires_at_s: i64,
        code: DenialCode,
        now: Timestamp,
    ) -> bool {
        let key = digest_of(issuer, name);
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS {
            tokens.retain(|_, recorded| recorded.expires_at_s >= now.as_secs());
        }
        if tokens.len() >= MAX_TOKENS && !tokens.contains_key(&key) {
            // So many people at once are no single thief; the log loses nothing.
            return true;
        }
        let recorded = tokens.entry(key).or_insert(Recorded { expires_at_s, replay: false, others: 0 });
        recorded.expires_at_s = recorded.expires_at_s.max(expires_at_s);
        match code {
            DenialCode::TokenReplayed => !std::mem::replace(&mut recorded.replay, true),
            _ if recorded.others < MAX_ENTRIES => {
                recorded.others += 1;
                true
            }
            _ => false,
        }
    }
}

fn digest_of(issuer: &str, name: &str) -> Token {
    let mut hash = digest::Context::new(&digest::SHA256);
    // An issuer is a URL, so a NUL ends it.
    hash.update(issuer.as_bytes());
    hash.update(&[0]);
    hash.update(name.as_bytes());
    let mut token = Token::default();
    token.copy_from_slice(hash.finish().as_ref());
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn admit(refusals: &Refusals, name: &str, code: DenialCode, now: Timestamp) -> bool {
        refusals.admit_named("https://id", name, NOW.as_secs() + 360, code, now)
    }

    #[test]
    fn one_replay_and_ten_others_of_each_token_are_entries() {
        let refusals = Refusals::default();
        assert!(admit(&refusals, "a", DenialCode::TokenReplayed, NOW));
        assert!(!admit(&refusals, "a", DenialCode::TokenReplayed, NOW));
        assert!(admit(&refusals, "b", DenialCode::TokenReplayed, NOW), "another token");
        let mut entries = 0;
        for code in DenialCode::ALL.iter().cycle().take(1000) {
            entries += u32::from(admit(&refusals, "a", *code, NOW));
        }
        assert_eq!(entries, MAX_ENTRIES);
    }

    #[test]
    fn memory_is_bounded() {
        let refusals = Refusals::default();
        for index in 0..MAX_TOKENS + 10 {
            assert!(admit(&refusals, &index.to_string(), DenialCode::ClaimMismatch, NOW));
        }
        assert_eq!(refusals.0.lock().unwrap().len(), MAX_TOKENS);
        let later = NOW.plus(std::time::Duration::from_secs(361));
        assert!(admit(&refusals, "one more", DenialCode::ClaimMismatch, later));
        assert_eq!(refusals.0.lock().unwrap().len(), 1);
    }
}
