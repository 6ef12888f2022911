//! `sealwright serve`: all servers that the resource files declare, until a signal ends them.

mod watch;

use std::{collections::BTreeMap, fmt::Arguments, path::PathBuf};

use sealwright_authorization_server::Reloader;
use sealwright_service::{
    clock::Clock,
    shutdown::Shutdown,
    telemetry::{self, Format},
};
use tokio::{runtime::Runtime, task::JoinSet};

use self::watch::Watcher;
use super::{
    Outcome,
    check::{counted, print_findings},
    resources::Declared,
};
use crate::{
    args::{LogFormat, ServeArgs},
    error::CliError,
    output::Output,
};

pub(super) fn run(args: &ServeArgs, output: &Output) -> Result<Outcome, CliError> {
    let declared = Declared::read(&args.files)?;
    print_findings(&declared, output);
    if !declared.report.is_empty() {
        let faults = counted(declared.report.faults.len(), "fault");
        return Err(CliError::refused(format!("nothing was started: {faults} in the resource files")));
    }
    if declared.servers() == 0 {
        return Err(CliError::refused(
            "nothing to start: no `AuthServer` and no `SigningServer` in the resource files",
        ));
    }
    let format = match args.log_format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    telemetry::init(format, &args.log);
    let runtime = Runtime::new().map_err(|e| CliError::refused_by("cannot start the runtime", e))?;
    runtime.block_on(serve(args.files.clone(), declared, output))
}

/// What a server ends with.
type Ended = Result<(), CliError>;

async fn serve(paths: Vec<PathBuf>, mut declared: Declared, output: &Output) -> Result<Outcome, CliError> {
    let shutdown = Shutdown::on_signals();
    let mut servers = JoinSet::new();
    let resources = std::mem::take(&mut declared.resources);
    let unresolved = watch::unresolved(&declared);
    let watcher = Watcher::new(paths, resources, unresolved);
    let started = match start(declared, output, &shutdown, &mut servers).await {
        Ok(reloaders) => {
            tokio::spawn(watcher.run(reloaders, shutdown.clone()));
            Ok(())
        }
        Err(error) => {
            // Those that did start have to close their logs.
            shutdown.begin();
            Err(error)
        }
    };
    let ended = all_end(servers, &shutdown).await;
    started.and(ended).map(|()| Outcome::Done)
}

/// Starts one server after the other, and says where each is.
async fn start(
    declared: Declared,
    output: &Output,
    shutdown: &Shutdown,
    servers: &mut JoinSet<Ended>,
) -> Result<BTreeMap<String, Reloader>, CliError> {
    let clock = Clock::system();
    let mut reloaders = BTreeMap::new();
    for config in declared.authorization_servers {
        let name = config.name().to_owned();
        let running = sealwright_authorization_server::start(config, clock.clone(), shutdown.clone())
            .await
            .map_err(|error| CliError::refused_by("cannot start an authorization server", error))?;
        tell(output, format_args!("authorization server  {}", running.issuer));
        reloaders.insert(name, running.reloader());
        servers.spawn(async move {
            let ended = running.join().await;
            ended.map_err(|error| CliError::refused_by("an authorization server failed", error))
        });
    }
    for config in declared.signing_servers {
        let running = sealwright_signing_server::start(config, clock.clone(), shutdown.clone())
            .await
            .map_err(|error| CliError::refused_by("cannot start a signing server", error))?;
        tell(output, format_args!("signing server        {}", running.public_url));
        servers.spawn(async move {
            let ended = running.join().await;
            ended.map_err(|error| CliError::refused_by("a signing server failed", error))
        });
    }
    Ok(reloaders)
}

fn tell(output: &Output, where_it_is: Arguments<'_>) {
    // That nobody reads along is no reason not to serve.
    let _ = output.line(where_it_is);
}

/// Waits for all servers; the first failure is the one that is told.
async fn all_end(mut servers: JoinSet<Ended>, shutdown: &Shutdown) -> Ended {
    let mut result = Ok(());
    while let Some(server) = servers.join_next().await {
        // A server that ends by itself takes the others with it: half a pair helps nobody, and
        // whoever supervises this process starts it again.
        shutdown.begin();
        let ended = server.unwrap_or_else(|e| Err(CliError::refused_by("a server stopped working", e)));
        result = result.and(ended);
    }
    result
}
