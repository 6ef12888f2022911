//! An entry, from what the caller says to the record in the chain, and the one text that is hashed.

use sealwright_jose::base64url;
use sealwright_service::random;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{AuditError, chain, redact};

/// The longest `details`, as JSON text.
const MAX_DETAILS_BYTES: usize = 64 * 1024;
/// The longest `event`, `operation` and `subject`.
const MAX_NAME_BYTES: usize = 1024;

/// What happened, as the caller says it. Never a token, password, code, document or other secret.
///
/// As a second line of defence, strings that are a JWS and members named like a secret are replaced by
/// `[redacted]` before the entry is hashed.
#[derive(Clone, Debug)]
pub struct Entry {
    /// A stable name such as `token.issued`, `document.signed`, `signature.refused`.
    pub event: &'static str,
    /// The operation that it belongs to, by which [`verify::show`](crate::verify::show) finds it.
    pub operation: Option<String>,
    /// Who was authenticated.
    pub subject: Option<String>,
    /// More facts, as a JSON object.
    pub details: serde_json::Value,
}

/// Where in the chain an entry stands; goes into responses. Hashes are base64url of SHA-256.
///
/// Whoever keeps a receipt can show later that the entry was there: see
/// [`Options::receipt`](crate::verify::Options::receipt).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The entry's number, from 1.
    pub sequence: i64,
    /// The entry's hash.
    pub entry: String,
    /// The hash of the entry before it.
    pub previous: String,
}

impl Receipt {
    /// Reads a receipt: its JSON object, or an object with a member `receipt`, as the servers answer.
    ///
    /// # Errors
    ///
    /// [`AuditError::Input`] if it is neither.
    pub fn parse(json: &str) -> Result<Self, AuditError> {
        #[derive(Deserialize)]
        struct Response {
            receipt: Receipt,
        }
        let whole = serde_json::from_str::<Response>(json).map(|response| response.receipt);
        whole
            .or_else(|_| serde_json::from_str(json))
            .map_err(|e| AuditError::Input(format!("not a receipt: {e}")))
    }
}

/// An entry as it stands in the chain. Read from a log, it is only what the log claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 1 without gaps.
    pub sequence: i64,
    /// When it was recorded, in milliseconds since the epoch, UTC.
    pub time: i64,
    /// What happened.
    pub event: String,
    /// The operation that it belongs to.
    pub operation: Option<String>,
    /// Who was authenticated.
    pub subject: Option<String>,
    /// More facts, as the text of a JSON object.
    pub details: String,
    /// 128 random bits, so that a receipt tells nothing about what it covers or follows.
    pub salt: String,
    /// The hash of the entry before it; of the first, that of the origin.
    pub previous: String,
    /// The hash of all the above.
    pub entry: String,
}

/// The members in the order in which they are hashed and exported.
#[derive(Serialize)]
struct Canonical<'a> {
    sequence: i64,
    time: i64,
    event: &'a str,
    operation: Option<&'a str>,
    subject: Option<&'a str>,
    details: &'a RawValue,
    salt: &'a str,
    previous: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
}

/// The same, read from a line of an export.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sequence: i64,
    time: i64,
    event: String,
    operation: Option<String>,
    subject: Option<String>,
    details: Box<RawValue>,
    salt: String,
    previous: String,
    entry: String,
}

impl Record {
    /// The hash that `entry` must be, or `None` if `details` is not the text of a JSON object, which has none.
    pub(crate) fn hash(&self) -> Option<String> {
        Some(chain::hash(chain::ENTRY, &self.text(None)?))
    }

    /// The line of an export: the hashed text with `entry` as its last member. `None` as for the hash.
    pub fn to_line(&self) -> Option<String> {
        self.text(Some(&self.entry))
    }

    pub(crate) fn parse_line(line: &str) -> Result<Self, serde_json::Error> {
        let line: Line = serde_json::from_str(line)?;
        Ok(Self {
            sequence: line.sequence,
            time: line.time,
            event: line.event,
            operation: line.operation,
            subject: line.subject,
            details: line.details.get().to_owned(),
            salt: line.salt,
            previous: line.previous,
            entry: line.entry,
        })
    }

    /// `details` goes in as it is. Since it is one JSON object without space around it, the text can be read in
    /// one way only.
    fn text(&self, entry: Option<&str>) -> Option<String> {
        let details: &RawValue = serde_json::from_str(&self.details).ok()?;
        if details.get().len() != self.details.len() || !self.details.starts_with('{') {
            return None;
        }
        let canonical = Canonical {
            sequence: self.sequence,
            time: self.time,
            event: &self.event,
            operation: self.operation.as_deref(),
            subject: self.subject.as_deref(),
            details,
            salt: &self.salt,
            previous: &self.previous,
            entry,
        };
        serde_json::to_string(&canonical).ok()
    }

    pub(crate) fn receipt(&self) -> Receipt {
        Receipt { sequence: self.sequence, entry: self.entry.clone(), previous: self.previous.clone() }
    }
}

/// An entry that can be recorded: checked, redacted, bounded, salted. It lacks only its place.
#[derive(Debug)]
pub(crate) struct Ready {
    event: &'static str,
    operation: Option<String>,
    subject: Option<String>,
    details: String,
    salt: String,
}

impl Ready {
    /// Refuses what no database could keep, before it can spoil the commit of others.
    pub(crate) fn new(entry: Entry) -> Result<Self, AuditError> {
        let Entry { event, operation, subject, mut details } = entry;
        check_name("event", event)?;
        check_name("operation", operation.as_deref().unwrap_or_default())?;
        check_name("subject", subject.as_deref().unwrap_or_default())?;
        if !details.is_object() {
            return Err(AuditError::Entry { member: "details", what: "is not a JSON object" });
        }
        redact::redact(&mut details);
        let details = details.to_string();
        if details.len() > MAX_DETAILS_BYTES {
            return Err(AuditError::Entry { member: "details", what: "is longer than 64 KiB" });
        }
        let salt = base64url::encode(random::bytes::<16>());
        Ok(Self { event, operation, subject, details, salt })
    }

    /// The record that follows `previous` as number `sequence`.
    pub(crate) fn record(&self, sequence: i64, time: i64, previous: &str) -> Record {
        let mut record = Record {
            sequence,
            time,
            event: self.event.to_owned(),
            operation: self.operation.clone(),
            subject: self.subject.clone(),
            details: self.details.clone(),
            salt: self.salt.clone(),
            previous: previous.to_owned(),
            entry: String::new(),
        };
        record.entry = record.hash().expect("`new` wrote `details` as the text of an object");
        record
    }
}

fn check_name(member: &'static str, text: &str) -> Result<(), AuditError> {
    if text.len() > MAX_NAME_BYTES {
        return Err(AuditError::Entry { member, what: "is longer than 1024 bytes" });
    }
    // PostgreSQL keeps no NUL in a text.
    if text.contains('\0') {
        return Err(AuditError::Entry { member, what: "contains a NUL character" });
    }
    Ok(())
}
