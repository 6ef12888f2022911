//! Resource files → the configuration of every server that they declare.

use std::{fs, path::PathBuf};

use sealwright_service::resource::{self, Report, Resource};

use crate::error::CliError;

/// What the files declare. Only to be started while the report is empty.
pub(super) struct Declared {
    pub(super) resources: Vec<Resource>,
    pub(super) authorization_servers: Vec<sealwright_authorization_server::Config>,
    pub(super) signing_servers: Vec<sealwright_signing_server::Config>,
    pub(super) report: Report,
}

impl Declared {
    /// Reads and resolves everything; all that is wrong with it is in the report.
    ///
    /// # Errors
    ///
    /// A path that was named and cannot be read, which is no fault of any resource.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, CliError> {
        for path in paths {
            readable(path)?;
        }
        let mut report = Report::default();
        let resources = resource::load(paths, &mut report);
        // Each server picks its own kinds, so what neither picks would go unseen.
        let kinds = [sealwright_authorization_server::KINDS, sealwright_signing_server::KINDS].concat();
        resource::refuse_unknown_kinds(&resources, &kinds, &mut report);
        let authorization_servers = sealwright_authorization_server::configure(&resources, &mut report);
        let signing_servers = sealwright_signing_server::configure(&resources, &mut report);
        for findings in [&mut report.faults, &mut report.warnings] {
            findings.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        }
        Ok(Self { resources, authorization_servers, signing_servers, report })
    }

    /// How many servers there are to start.
    pub(super) fn servers(&self) -> usize {
        self.authorization_servers.len() + self.signing_servers.len()
    }
}

fn readable(path: &PathBuf) -> Result<(), CliError> {
    let read = if path.is_dir() { fs::read_dir(path).map(drop) } else { fs::File::open(path).map(drop) };
    read.map_err(|source| CliError::Unreadable { what: path.display().to_string(), source })
}
