//! Where a log is read from: a database, or the lines of an export.

use std::{
    collections::VecDeque,
    fmt::Write,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use sealwright_service::database::{Connection, Database};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, any::AnyRow, error::DatabaseError};

use crate::{AuditError, Record, checkpoint::Checkpoint, store};

/// What the first line of an export says it is.
pub(super) const FORMAT: &str = "sealwright-audit/1";
/// So many rows are held at once.
const PAGE: i64 = 256;
/// More than the longest entry has, even if every character of it is escaped.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// A log that can be read once, from its first entry to its last.
#[derive(Debug)]
pub struct Source {
    origin: String,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Database(Box<Tables>),
    Lines(Lines),
}

/// What comes next in a log. Checkpoints come behind the entry that they cover.
pub(super) enum Item {
    Entry(Record),
    Checkpoint {
        /// The number under which the log keeps it, if it keeps one.
        sequence: Option<i64>,
        jws: String,
    },
    Unreadable {
        after: i64,
        what: String,
    },
}

/// The first line of an export.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderLine {
    pub(super) log: String,
    pub(super) origin: String,
}

/// The line of a checkpoint.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckpointLine {
    pub(super) checkpoint: String,
}

/// Opens a log: a `postgres://` URL, the file of a SQLite database, the file of an export, or `-` for an export on
/// standard input. Databases are opened for reading only and are read as they are at this moment; the server may go
/// on writing.
///
/// # Errors
///
/// [`AuditError::Input`] if there is no log to read, [`AuditError::Storage`] if the database fails.
pub async fn open(place: &str) -> Result<Source, AuditError> {
    if place.starts_with("postgres://") || place.starts_with("postgresql://") {
        return Source::from_url(place).await;
    }
    if place == "-" {
        return Source::from_lines(BufReader::new(io::stdin()));
    }
    let unreadable = |e: io::Error| AuditError::Input(format!("{place}: {e}"));
    let mut file = BufReader::new(File::open(place).map_err(unreadable)?);
    let is_sqlite = file.fill_buf().map_err(unreadable)?.starts_with(b"SQLite format 3\0");
    if is_sqlite { from_sqlite(Path::new(place)).await } else { Source::from_lines(file) }
}

impl Source {
    /// The log in a server's own database.
    ///
    /// # Errors
    ///
    /// [`AuditError::Input`] if it holds no log, [`AuditError::Storage`].
    pub async fn from_database(database: &Database) -> Result<Self, AuditError> {
        Self::from_connection(database.reader().acquire().await?.detach()).await
    }

    /// The lines of an export.
    ///
    /// # Errors
    ///
    /// [`AuditError::Input`] if the first line is not that of an export.
    pub fn from_lines(reader: impl BufRead + Send + 'static) -> Result<Self, AuditError> {
        let mut lines = Lines { reader: Box::new(reader), after: 0 };
        let header = lines.line().map_err(|e| AuditError::Input(format!("cannot be read: {e}")))?;
        let header = header.and_then(|line| serde_json::from_str::<HeaderLine>(&line).ok());
        match header {
            Some(header) if header.log == FORMAT => {
                Ok(Self { origin: header.origin, inner: Inner::Lines(lines) })
            }
            _ => Err(AuditError::Input(format!(
                "neither a SQLite database nor an export, whose first line begins with {{\"log\":\"{FORMAT}\""
            ))),
        }
    }

    async fn from_url(url: &str) -> Result<Self, AuditError> {
        sqlx::any::install_default_drivers();
        Self::from_connection(Connection::connect(url).await?).await
    }

    async fn from_connection(mut conn: Connection) -> Result<Self, AuditError> {
        // One snapshot for entries and checkpoints, else a checkpoint written meanwhile would look like a cut.
        let begin = match conn.backend_name() {
            "PostgreSQL" => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            _ => "BEGIN",
        };
        sqlx::query(begin).execute(&mut conn).await?;
        let origin = match store::origin(&mut conn).await {
            Ok(origin) => origin,
            Err(error) if is_missing_table(&error) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(origin) = origin else {
            return Err(AuditError::Input("this database holds no audit log".into()));
        };
        let tables = Tables {
            conn,
            entries: Pages { next: VecDeque::new(), after: i64::MIN, at_end: false },
            checkpoints: Pages { next: VecDeque::new(), after: i64::MIN, at_end: false },
            after: 0,
        };
        Ok(Self { origin, inner: Inner::Database(Box::new(tables)) })
    }

    /// Whose log it says it is.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) async fn next(&mut self) -> Result<Option<Item>, AuditError> {
        match &mut self.inner {
            Inner::Database(tables) => tables.next().await,
            Inner::Lines(lines) => lines.next(),
        }
    }

    /// How many rows of entries there are, where rows may hide from a reader in order.
    pub(super) async fn count(&mut self) -> Result<Option<i64>, AuditError> {
        match &mut self.inner {
            Inner::Database(tables) => Ok(Some(store::count_entries(&mut tables.conn).await?)),
            Inner::Lines(_) => Ok(None),
        }
    }

    /// The entries of an operation, if there is an index to find them by.
    pub(super) async fn indexed(
        &mut self,
        operation: &str,
        limit: i64,
    ) -> Result<Option<Vec<Record>>, AuditError> {
        let Inner::Database(tables) = &mut self.inner else {
            return Ok(None);
        };
        let rows = store::entries_of(&mut tables.conn, operation, limit).await?;
        Ok(Some(rows.iter().map(store::record).collect::<Result<_, _>>()?))
    }
}

/// PostgreSQL has a code for it; SQLite has one for every mistake in a statement, and this statement has no other.
fn is_missing_table(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("42P01" | "1"))
}

async fn from_sqlite(path: &Path) -> Result<Source, AuditError> {
    let url = sqlite_url(path)?;
    let opened = Source::from_url(&format!("{url}?mode=ro")).await;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    match opened {
        // Even to read, SQLite makes a file beside the database, which a read-only medium does not let it do. Without
        // a write-ahead log nobody is writing, and it can do without.
        Err(AuditError::Storage(_)) if !Path::new(&log).exists() => {
            Source::from_url(&format!("{url}?mode=ro&immutable=1")).await
        }
        opened => opened,
    }
}

/// SQLite reads `?` and `#` in a URL as its own, so that a path must be escaped.
fn sqlite_url(path: &Path) -> Result<String, AuditError> {
    let path =
        std::path::absolute(path).map_err(|e| AuditError::Input(format!("{}: {e}", path.display())))?;
    let text =
        path.to_str().ok_or_else(|| AuditError::Input(format!("{}: not a UTF-8 path", path.display())))?;
    let mut url = String::from("sqlite://");
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => url.push(char::from(byte)),
            _ => write!(url, "%{byte:02X}").expect("writing into a String does not fail"),
        }
    }
    Ok(url)
}

#[derive(Debug)]
struct Tables {
    conn: Connection,
    entries: Pages<AnyRow>,
    checkpoints: Pages<(i64, String)>,
    /// The last entry that was given out.
    after: i64,
}

struct Pages<T> {
    next: VecDeque<T>,
    after: i64,
    at_end: bool,
}

impl<T> std::fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages")
            .field("held", &self.next.len())
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

impl Tables {
    async fn next(&mut self) -> Result<Option<Item>, AuditError> {
        self.fill().await?;
        let entry = self.entries.next.front().map(store::record);
        let entry = match entry.transpose() {
            Ok(entry) => entry,
            Err(error) => {
                self.entries.next.pop_front();
                let what = format!("its row does not hold an entry: {error}");
                return Ok(Some(Item::Unreadable { after: self.after, what }));
            }
        };
        let entry_comes_first = match (&entry, self.checkpoints.next.front()) {
            (Some(entry), Some((covered, _))) => entry.sequence <= *covered,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if let Some(entry) = entry.filter(|_| entry_comes_first) {
            self.entries.next.pop_front();
            self.after = entry.sequence;
            return Ok(Some(Item::Entry(entry)));
        }
        let checkpoint = self.checkpoints.next.pop_front();
        Ok(checkpoint.map(|(sequence, jws)| Item::Checkpoint { sequence: Some(sequence), jws }))
    }

    async fn fill(&mut self) -> Result<(), AuditError> {
        if self.entries.next.is_empty() && !self.entries.at_end {
            let rows = store::entries_after(&mut self.conn, self.entries.after, PAGE).await?;
            // A row whose number cannot be read is the last that is looked at.
            let last = rows.last().map(|row| store::record(row).map_or(i64::MAX, |record| record.sequence));
            self.entries.after = last.unwrap_or(i64::MAX);
            self.entries.at_end = self.entries.after == i64::MAX;
            self.entries.next = rows.into();
        }
        if self.checkpoints.next.is_empty() && !self.checkpoints.at_end {
            let rows = store::checkpoints_after(&mut self.conn, self.checkpoints.after, PAGE).await?;
            self.checkpoints.after = rows.last().map_or(i64::MAX, |(last, _)| *last);
            self.checkpoints.at_end = self.checkpoints.after == i64::MAX;
            self.checkpoints.next = rows.into();
        }
        Ok(())
    }
}

struct Lines {
    reader: Box<dyn BufRead + Send>,
    /// The last entry that was given out.
    after: i64,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("after", &self.after).finish_non_exhaustive()
    }
}

impl Lines {
    fn next(&mut self) -> Result<Option<Item>, AuditError> {
        let line = match self.line() {
            Ok(None) => return Ok(None),
            Ok(Some(line)) => line,
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                return Ok(Some(Item::Unreadable { after: self.after, what: e.to_string() }));
            }
            Err(e) => return Err(AuditError::Input(format!("cannot be read: {e}"))),
        };
        if let Ok(CheckpointLine { checkpoint: jws }) = serde_json::from_str(&line) {
            let sequence = Checkpoint::parse_unverified(&jws).map(|checkpoint| checkpoint.sequence);
            return Ok(Some(Item::Checkpoint { sequence, jws }));
        }
        Ok(Some(match Record::parse_line(&line) {
            Ok(record) => {
                self.after = record.sequence;
                Item::Entry(record)
            }
            Err(e) => Item::Unreadable { after: self.after, what: format!("its line is not an entry: {e}") },
        }))
    }

    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = self.reader.by_ref().take(MAX_LINE_BYTES).read_line(&mut line)?;
        if read as u64 == MAX_LINE_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its line is longer than any entry"));
        }
        Ok((read > 0).then_some(line))
    }
}
