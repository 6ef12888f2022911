//! What is wrong with resource files, said for the person who wrote them.

use std::{fmt, path::PathBuf};

/// One thing wrong in a resource file. Displays as `file:line:column: Kind/name: path: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Counted from 1; 0 when the fault is the file itself.
    pub line: usize,
    /// In characters, counted from 1; 0 when the fault is the file itself.
    pub column: usize,
    /// The rest of the line: resource, path and what is wrong.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message } = self;
        match line {
            0 => write!(f, "{}: {message}", file.display()),
            _ => write!(f, "{}:{line}:{column}: {message}", file.display()),
        }
    }
}

/// All that is wrong, and all that is doubtful. `Display` prints one line each, file by file from top to bottom.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What must be mended before anything starts.
    pub faults: Vec<Fault>,
    /// What should be looked at.
    pub warnings: Vec<Fault>,
}

impl Report {
    /// Whether there are no faults; warnings do not count.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = self.faults.iter().map(|fault| ("", fault));
        let warnings = self.warnings.iter().map(|warning| ("warning: ", warning));
        let mut lines: Vec<_> = faults.chain(warnings).collect();
        lines.sort_by_key(|(_, fault)| (&fault.file, fault.line, fault.column));
        for (number, (prefix, fault)) in lines.into_iter().enumerate() {
            let newline = if number == 0 { "" } else { "\n" };
            write!(f, "{newline}{prefix}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
