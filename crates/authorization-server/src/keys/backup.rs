//! All keys of a server as one text, and back.

use std::collections::BTreeSet;

use sealwright_jose::{Alg, VerifyingKey};
use sealwright_keystore::KeyHandle;
use sealwright_service::clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::admin::{KeyAdmin, KeyAdminError};
use super::files::{KeyFiles, MadeKey};
use crate::config::token_signature::Declared;
use crate::signing_keys::declared::{DeclareError, Elsewhere, refusal};
use crate::signing_keys::record::{Event, KeyRecord, KeyState, Ledger};
use crate::signing_keys::replica::Source;
use crate::signing_keys::transaction::{self, Refused};

/// What knows the first version only would take a backup with the keys of `RSAKey`s for none at all.
const VERSION: u32 = 1;
const VERSION_WITH_RSA_KEYS: u32 = 2;

const NOT_EMPTY: &str = "the database has keys already; restore into a new one, before its server starts";

/// Far more than the keys of a century.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What every version of a backup has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// The text of a backup. Private halves are in it as they are in the database: sealed, or where in a token they are.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Backup {
    version: u32,
    issuer: String,
    /// RFC 3339, for people.
    taken_at: String,
    keys: Vec<Row>,
    /// The private halves of `RSAKey`s, which are in files beside the database.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rsa_keys: Vec<MadeKey>,
}

/// One key; times in milliseconds.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Row {
    kid: String,
    state: String,
    public_jwk: String,
    private: Option<String>,
    created_at: i64,
    published_at: Option<i64>,
    activate_at: Option<i64>,
    retired_at: Option<i64>,
    max_exp_s: Option<i64>,
    evict_not_before: Option<i64>,
    gone_at: Option<i64>,
    reason: Option<String>,
    declared: bool,
}

/// What a restoration came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// How many keys there are now.
    pub keys: usize,
    /// How many of them can sign, now or later: their private halves were opened.
    pub opened: usize,
}

impl KeyAdmin {
    /// All keys as one text (JSON), with those that were made for `RSAKey`s; private halves that stand in resources are not in
    /// it. Without the key-encryption key, or the token, nobody can sign with it; whoever can change it can withhold a key,
    /// but not give it another name, algorithm or public half.
    ///
    /// # Errors
    ///
    /// [`KeyAdminError::Store`]; [`KeyAdminError::Keystore`] and [`KeyAdminError::Folder`] if the file of a key cannot be read.
    #[expect(clippy::missing_panics_doc, reason = "strings and numbers always have a JSON text")]
    pub async fn backup(&self) -> Result<String, KeyAdminError> {
        let (ledger, _, now) = self.look().await?;
        let rsa_keys = match &self.files {
            Some(files) => files.made().await?,
            None => Vec::new(),
        };
        let backup = Backup {
            version: if rsa_keys.is_empty() { VERSION } else { VERSION_WITH_RSA_KEYS },
            issuer: self.issuer().to_owned(),
            taken_at: now.to_rfc3339(),
            keys: ledger.keys.iter().map(Row::from).collect(),
            rsa_keys,
        };
        Ok(serde_json::to_string_pretty(&backup).expect("strings and numbers always have a JSON text"))
    }

    /// Takes the keys of a backup over into a database that has none, as on another machine. All that can sign are opened
    /// before anything is written, and the resources have to be such that the server can go on with these keys.
    ///
    /// # Errors
    ///
    /// [`KeyAdminError::Backup`] if the text is no backup of this issuer, the database has keys already, or a declared key is
    /// missing or another; [`KeyAdminError::Keystore`] if a private half does not open; [`KeyAdminError::Store`]. Nothing is
    /// changed in the database then.
    pub async fn restore(&self, text: &str) -> Result<Restored, KeyAdminError> {
        let (keys, made) = read(text, self.issuer()).map_err(KeyAdminError::Backup)?;
        let (ledger, _, now) = self.look().await?;
        if !ledger.keys.is_empty() {
            return Err(KeyAdminError::Backup(NOT_EMPTY.to_owned()));
        }
        let mut opened = BTreeSet::new();
        if let Source::Planned { provider, .. } = &self.source {
            for key in keys.iter().filter(|key| !key.declared) {
                if let Some(private) = &key.private {
                    belongs(&provider.open(&key.kid, private).await?, &keys)?;
                    opened.insert(key.kid.clone());
                }
            }
        }
        if let Some(files) = &self.files {
            let mut handles = Vec::new();
            for key in &made {
                let handle = files.open(key).await?;
                belongs(&handle, &keys)?;
                handles.push((key, handle));
            }
            if let Source::Declared(declared) = &self.source {
                let declared = with_restored(declared, &handles);
                goes_on(&declared, &keys, files, now).map_err(KeyAdminError::Backup)?;
                opened.extend(declared.signing.filter(|key| key.private.is_some()).map(|key| key.kid));
            }
            for key in &made {
                files.restore(key).await?;
            }
            opened.extend(made.into_iter().map(|key| key.kid));
        }
        opened.retain(|kid| keys.iter().any(|key| key.kid == *kid));
        let restored = Restored { keys: keys.len(), opened: opened.len() };
        let rewritten =
            transaction::rewrite(&self.database, now, |ledger, _, epoch| fill(ledger, keys, now, epoch));
        match rewritten.await {
            Ok(_) => Ok(restored),
            Err(Refused::Store(error)) => Err(error.into()),
            Err(Refused::By(sentence)) => Err(KeyAdminError::Backup(sentence.to_owned())),
        }
    }
}

/// A private half must be that of the key of its name.
fn belongs(private: &KeyHandle, keys: &[KeyRecord]) -> Result<(), KeyAdminError> {
    let thumbprint = private.verifying_key().thumbprint_base64url();
    match keys.iter().find(|key| key.kid == private.kid()) {
        Some(key) if key.thumbprint != thumbprint => {
            let sentence = format!("the private half of `{}` belongs to another key", key.kid);
            Err(KeyAdminError::Backup(sentence))
        }
        _ => Ok(()),
    }
}

/// What is declared, with the keys of `RSAKey`s that come back.
fn with_restored(declared: &Declared, made: &[(&MadeKey, KeyHandle)]) -> Declared {
    let mut declared = declared.clone();
    for to_make in std::mem::take(&mut declared.to_make) {
        let is_it = |made: &MadeKey| (&made.namespace, &made.kid) == (&to_make.namespace, &to_make.name);
        match made.iter().find(|(made, _)| is_it(made)) {
            Some((_, key)) => declared.put_made(to_make, key.clone()),
            None => declared.to_make.push(to_make),
        }
    }
    declared
}

/// Whether a server with these resources can go on with the keys of the backup; else what is to be done.
fn goes_on(declared: &Declared, keys: &[KeyRecord], files: &KeyFiles, now: Timestamp) -> Result<(), String> {
    let folder = files.made_folder();
    let folder = folder.display();
    if let Some(lost) = declared.to_make.iter().find(|made| keys.iter().any(|key| key.kid == made.name)) {
        return Err(format!(
            "the private half of `{}`, which was made for an RSAKey, is not in this backup: copy {folder} from the machine \
             where the server ran, then restore",
            lost.name
        ));
    }
    let ledger = Ledger { epoch: 0, keys: keys.to_vec() };
    match refusal(&ledger, declared, &Elsewhere::default(), now) {
        None => Ok(()),
        Some(DeclareError::NameReused(kid)) => Err(format!(
            "`{kid}` is another key in the resources, or in {folder}, than in the backup: bring the old one there, then restore"
        )),
        Some(error) => Err(format!("the resources do not go with it: {error}")),
    }
}

fn fill(
    ledger: &mut Ledger,
    keys: Vec<KeyRecord>,
    now: Timestamp,
    epoch: i64,
) -> Result<Vec<Event>, &'static str> {
    if !ledger.keys.is_empty() {
        return Err(NOT_EMPTY);
    }
    ledger.keys = keys;
    let mut events = Vec::new();
    for key in &mut ledger.keys {
        // Replicas confirm what they serve by epochs of this database.
        key.published_epoch = key.published_at.map(|_| epoch);
        events.push(Event {
            kid: key.kid.clone(),
            alg: key.alg,
            name: "key.restored",
            at: now,
            reason: None,
        });
    }
    Ok(events)
}

/// Reads a backup; the sentence says what is wrong with it.
fn read(text: &str, issuer: &str) -> Result<(Vec<KeyRecord>, Vec<MadeKey>), String> {
    if text.len() > MAX_BYTES {
        return Err("a backup of keys has at most 16 MiB".to_owned());
    }
    let no_backup = |error| format!("this is no backup of keys, or not the whole of one: {error}");
    // Before all else, which another version may have otherwise.
    let Versioned { version } = serde_json::from_str(text).map_err(no_backup)?;
    if ![VERSION, VERSION_WITH_RSA_KEYS].contains(&version) {
        return Err(format!(
            "version {version} of backups is not known here; {VERSION} and {VERSION_WITH_RSA_KEYS} are"
        ));
    }
    let backup: Backup = serde_json::from_str(text).map_err(no_backup)?;
    if backup.issuer != issuer {
        return Err(format!("it is a backup of `{}`, and this is `{issuer}`", backup.issuer));
    }
    let keys: Result<_, String> = backup.keys.into_iter().map(Row::into_record).collect();
    Ok((keys?, backup.rsa_keys))
}

impl From<&KeyRecord> for Row {
    fn from(key: &KeyRecord) -> Self {
        let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millis);
        Self {
            kid: key.kid.clone(),
            state: key.state.name().to_owned(),
            public_jwk: key.public_jwk.clone(),
            private: key.private.clone(),
            created_at: key.created_at.as_millis(),
            published_at: millis(key.published_at),
            activate_at: millis(key.activate_at),
            retired_at: millis(key.retired_at),
            max_exp_s: key.max_exp_s,
            evict_not_before: millis(key.evict_not_before),
            gone_at: millis(key.gone_at),
            reason: key.reason.clone(),
            declared: key.declared,
        }
    }
}

impl Row {
    fn into_record(self) -> Result<KeyRecord, String> {
        let wrong = |what: &str| format!("the key `{}` of the backup {what}", self.kid);
        let state =
            KeyState::from_name(&self.state).ok_or_else(|| wrong("has a state that is not known here"))?;
        let public = VerifyingKey::from_jwk(&self.public_jwk)
            .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        if public.kid() != Some(&self.kid) || !Alg::ALL.contains(&public.alg()) {
            return Err(wrong("has another name than its public half"));
        }
        let ended = matches!(state, KeyState::Verifying) || state.is_gone();
        if ended && self.private.is_some() {
            return Err(wrong("has ended and has a private half all the same"));
        }
        let time = |ms: Option<i64>| ms.map(Timestamp::from_millis);
        let created_at = Timestamp::from_millis(self.created_at);
        let thumbprint = public.thumbprint_base64url();
        Ok(KeyRecord {
            state,
            // As it was written, so that the set is the same to the last byte.
            public_jwk: self.public_jwk,
            published_at: time(self.published_at),
            activate_at: time(self.activate_at),
            retired_at: time(self.retired_at),
            max_exp_s: self.max_exp_s,
            evict_not_before: time(self.evict_not_before),
            gone_at: time(self.gone_at),
            reason: self.reason,
            declared: self.declared,
            ..KeyRecord::new(&self.kid, &public, thumbprint, self.private, created_at)
        })
    }
}
