//! Resource files that change while servers run: signing keys are taken over at once, the rest at the next start.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use sealwright_authorization_server::{Config, Reloader, annotated_kek_files};
use sealwright_service::{resource::Resource, shutdown::Shutdown};
use tokio::{task::spawn_blocking, time::sleep};

use super::{Declared, counted};
use crate::output::chain;

/// How often files are looked at. Looking needs no help of the file system, so it also works on network mounts.
const EVERY: Duration = Duration::from_millis(500);
/// A file that is being written is left alone until it has been the same for so long.
const SETTLED: Duration = Duration::from_millis(100);

/// How long after a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// The names under which resources name files and folders, one each.
const NAMES: [&str; 3] = ["file", "keysFrom", "sealwright.dev/keys-from"];

/// What tells one state of a file from another. A cluster that mounts a Secret swaps a symbolic link, which shows as
/// another file behind the path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
    /// Device, inode, and the time at which the inode changed.
    identity: (u64, u64, i64, i64),
}

/// The state of all files; `None` for one that is not there.
type Stamps = BTreeMap<PathBuf, Option<Stamp>>;

/// Looks at the files of the resources, and at those that they name.
pub(super) struct Watcher {
    /// As they were named on the command line.
    paths: Vec<PathBuf>,
    /// As they were when they were last taken over.
    resources: Vec<Resource>,
    /// References that led nowhere then, too.
    unresolved: BTreeSet<String>,
    stamps: Stamps,
    /// When to try again what failed for a reason that may pass, such as a database out of reach.
    again_at: Option<Instant>,
}

/// References to keys that lead nowhere.
pub(super) fn unresolved(declared: &Declared) -> BTreeSet<String> {
    let all = declared.authorization_servers.iter().flat_map(Config::unresolved);
    all.map(str::to_owned).collect()
}

impl Watcher {
    pub(super) fn new(paths: Vec<PathBuf>, resources: Vec<Resource>, unresolved: BTreeSet<String>) -> Self {
        let stamps = stamps(&paths, &resources);
        Self { paths, resources, unresolved, stamps, again_at: None }
    }

    /// Watches until the shutdown begins. SIGHUP has everything read again at once.
    pub(super) async fn run(mut self, reloaders: BTreeMap<String, Reloader>, shutdown: Shutdown) {
        let mut hangups = Hangups::new();
        loop {
            let asked = tokio::select! {
                () = shutdown.begun() => return,
                () = sleep(EVERY) => false,
                () = hangups.next() => true,
            };
            let is_due = asked || self.again_at.is_some_and(|at| at <= Instant::now());
            if let Some(stamps) = self.changed().await {
                self.stamps = stamps;
            } else if !is_due {
                continue;
            }
            self.again_at = None;
            self.read(&reloaders).await;
        }
    }

    /// The new state, if it is another one.
    async fn changed(&self) -> Option<Stamps> {
        let mut seen = self.look().await?;
        if seen == self.stamps {
            return None;
        }
        loop {
            sleep(SETTLED).await;
            let again = self.look().await?;
            if again == seen {
                return Some(seen);
            }
            seen = again;
        }
    }

    async fn look(&self) -> Option<Stamps> {
        let (paths, resources) = (self.paths.clone(), self.resources.clone());
        spawn_blocking(move || stamps(&paths, &resources)).await.ok()
    }

    /// Reads everything again, and takes over what can be.
    async fn read(&mut self, reloaders: &BTreeMap<String, Reloader>) {
        let paths = self.paths.clone();
        let Ok(read) = spawn_blocking(move || Declared::read(&paths)).await else { return };
        let mut declared = match read {
            Ok(declared) => declared,
            Err(error) => return tracing::error!(%error, "the resource files were not read again"),
        };
        for warning in &declared.report.warnings {
            tracing::warn!("{warning}");
        }
        for fault in &declared.report.faults {
            tracing::error!("{fault}");
        }
        if !declared.report.is_empty() {
            let faults = counted(declared.report.faults.len(), "fault");
            return tracing::error!(
                "the changed resources were not taken over ({faults}); the running keys stay"
            );
        }
        let unresolved = unresolved(&declared);
        if let Some(new) = unresolved.difference(&self.unresolved).next() {
            return tracing::error!(
                "the changed resources were not taken over ({new}); the running keys stay"
            );
        }
        let resources = std::mem::take(&mut declared.resources);
        for change in needing_a_restart(&self.resources, &resources) {
            tracing::warn!("{change}; restart to take this over");
        }
        for config in declared.authorization_servers {
            let name = config.name().to_owned();
            let Some(reloader) = reloaders.get(&name) else { continue };
            match reloader.reload(config).await {
                Ok(()) => tracing::info!(server = %name, "the signing keys are those of the resources"),
                Err(error) => {
                    let why = chain(&error);
                    self.again_at = error.may_pass().then(|| Instant::now() + AGAIN);
                    return tracing::error!(server = %name, "the changed resources were not taken over: {why}");
                }
            }
        }
        (self.resources, self.unresolved) = (resources, unresolved);
        // Other files may be named now. Those that were known are as they were before they were read: what was written to
        // them since has not been seen.
        if let Some(stamps) = self.look().await {
            for (path, stamp) in stamps {
                self.stamps.entry(path).or_insert(stamp);
            }
        }
    }
}

/// What has changed besides the signing keys, a sentence each.
fn needing_a_restart(old: &[Resource], new: &[Resource]) -> Vec<String> {
    let by_key = |resources: &[Resource]| -> BTreeMap<_, Resource> {
        // What Secrets and RSAKeys hold is looked at where they are referred to.
        let others =
            resources.iter().filter(|resource| !matches!(resource.kind.as_str(), "Secret" | "RSAKey"));
        others.map(|resource| (resource.key(), resource.clone())).collect()
    };
    let (old, new) = (by_key(old), by_key(new));
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let (kind, _, name) = key;
        match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) => {
                let mut parts = old.changed_parts(new);
                parts.retain(|part| kind != "AuthServer" || part != "spec.tokenSignature");
                if !parts.is_empty() {
                    changes.push(format!("{kind}/{name}: {} changed", parts.join(", ")));
                }
            }
            (None, Some(_)) => changes.push(format!("{kind}/{name} is new")),
            (Some(_), None) => changes.push(format!("{kind}/{name} is gone")),
            (None, None) => {}
        }
    }
    changes
}

fn stamps(paths: &[PathBuf], resources: &[Resource]) -> Stamps {
    let mut stamps = Stamps::new();
    let mut look = |path: PathBuf| {
        let stamp = stamp(&path);
        stamps.insert(path, stamp);
    };
    for path in paths {
        below(path).into_iter().filter(|path| is_yaml(path)).for_each(&mut look);
        look(path.clone());
    }
    for path in
        resources.iter().flat_map(|resource| [resource.paths(&NAMES), annotated_kek_files(resource)].concat())
    {
        for folder in below(&path) {
            below(&folder).into_iter().for_each(&mut look);
        }
        look(path);
    }
    stamps
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// What is in a folder; nothing in what is none.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn stamp(path: &Path) -> Option<Stamp> {
    // A folder changes with all that comes and goes in it, such as a database; what counts of it is looked at by itself.
    let meta = fs::metadata(path).ok().filter(|meta| !meta.is_dir())?;
    Some(Stamp { modified: meta.modified().ok(), len: meta.len(), identity: identity(&meta) })
}

#[cfg(unix)]
fn identity(meta: &fs::Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino(), meta.ctime(), meta.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> (u64, u64, i64, i64) {
    (0, 0, 0, 0)
}

/// SIGHUPs, where there are any.
#[cfg(unix)]
struct Hangups(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangups {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(signal(SignalKind::hangup()).ok())
    }

    async fn next(&mut self) {
        match &mut self.0 {
            Some(signals) => drop(signals.recv().await),
            None => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
struct Hangups;

#[cfg(not(unix))]
impl Hangups {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        std::future::pending().await
    }
}
