//! `sealwright key …`: the keys of an authorization server, beside the servers that use them.

mod timeline;

use std::io::{self, IsTerminal, Write};

use sealwright_authorization_server::{
    Config,
    keys::{Action, Condition, Consequences, Done, KeyAdmin, KeyAdminError, Refusal},
};
use sealwright_jose::Key;
use sealwright_service::clock::Clock;
use serde::Serialize;

use super::{
    Outcome,
    check::{counted, print_findings},
    resources::Declared,
};
use crate::{
    args::{KeyCommand, KeyServerArgs},
    error::CliError,
    key_file::KeyFile,
    output::{Output, one_line, style},
};

/// The most that a backup of keys may have.
const MAX_BACKUP_BYTES: u64 = 16 * 1024 * 1024;

pub(super) fn run(command: &KeyCommand, output: &Output) -> Result<Outcome, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::refused_by("cannot start the runtime", error))?;
    runtime.block_on(async {
        let server = match command {
            KeyCommand::List(args) => &args.server,
            KeyCommand::Rotate(args) => &args.server,
            KeyCommand::Publish(args) | KeyCommand::Activate(args) => &args.server,
            KeyCommand::Revoke(args) => &args.server,
            KeyCommand::Import(args) => &args.server,
            KeyCommand::Export(args) => &args.server,
            KeyCommand::Reseal(args) => &args.server,
            KeyCommand::Backup(args) => &args.server,
            KeyCommand::Restore(args) => &args.server,
        };
        let is_new = matches!(command, KeyCommand::Restore(_));
        // What is only read, and what cannot wait until the files are in order.
        let despite_faults = matches!(
            command,
            KeyCommand::List(_) | KeyCommand::Export(_) | KeyCommand::Revoke(_) | KeyCommand::Backup(_)
        );
        let (admin, faults) = open(server, is_new, despite_faults, output).await?;
        let result = carry_out(command, &admin, faults, output).await;
        admin.close().await;
        result
    })
}

/// Carries it out; there are so many faults in the resource files.
async fn carry_out(
    command: &KeyCommand,
    admin: &KeyAdmin,
    faults: usize,
    output: &Output,
) -> Result<Outcome, CliError> {
    match command {
        KeyCommand::List(args) => {
            let mut list = admin.list().await.map_err(failed)?;
            list.conditions.extend(invalid(faults));
            output.json(&list)?;
            timeline::print(&list, args.all, output)?;
            Ok(Outcome::Done)
        }
        KeyCommand::Rotate(args) => {
            let action = Action::Rotate { alg: args.alg, now: args.now };
            act(admin, &action, args.reason.as_deref(), args.yes, output).await
        }
        KeyCommand::Publish(args) => {
            let action = Action::Publish { kid: args.kid.clone() };
            act(admin, &action, args.reason.as_deref(), args.yes, output).await
        }
        KeyCommand::Activate(args) => {
            let action = Action::Activate { kid: args.kid.clone() };
            act(admin, &action, args.reason.as_deref(), args.yes, output).await
        }
        KeyCommand::Revoke(args) => {
            let action = Action::Revoke { kid: args.kid.clone() };
            act(admin, &action, Some(&args.reason), args.yes, output).await
        }
        KeyCommand::Import(args) => {
            let file = KeyFile::read_with_password(&args.file, args.password.password_file.as_ref())?;
            let key = match file.pkcs12(args.alg)? {
                Some(key) => key,
                None => match file.one_key(args.alg.as_slice())? {
                    Key::Signing(key) => key,
                    _ => {
                        let message = format!("{} is no private key that signs tokens", args.file);
                        return Err(CliError::refused(message));
                    }
                },
            };
            let done = admin.import(&args.kid, key, args.reason.as_deref()).await;
            let done = done.map_err(|error| match error {
                KeyAdminError::Keystore(error) => CliError::refused_by("the key is not taken over", error),
                error => failed(error),
            })?;
            output.json(&done)?;
            output.line(format_args!("{} lies in reserve", one_line(&args.kid)))?;
            Ok(Outcome::Done)
        }
        KeyCommand::Export(args) => {
            let set = admin.public_keys(args.kid.as_deref()).await.map_err(failed)?;
            if !args.pem {
                output.text(&set.to_json())?;
                return Ok(Outcome::Done);
            }
            for key in set.keys() {
                let pem = key.to_pem().map_err(|error| CliError::refused_by("a key has no PEM", error))?;
                output.text(pem.trim_end())?;
            }
            Ok(Outcome::Done)
        }
        KeyCommand::Reseal(_) => {
            let counts = admin.reseal().await.map_err(failed)?;
            output.json(&counts)?;
            output
                .line(format_args!("{} sealed anew, {} as they were", counts.resealed, counts.unchanged))?;
            Ok(Outcome::Done)
        }
        KeyCommand::Backup(_) => {
            output.text(&admin.backup().await.map_err(failed)?)?;
            Ok(Outcome::Done)
        }
        KeyCommand::Restore(args) => {
            let text = args.file.read_text(MAX_BACKUP_BYTES)?;
            let restored = admin.restore(&text).await.map_err(failed)?;
            output.json(&restored)?;
            output.line(format_args!(
                "{} keys restored, {} of which can sign",
                restored.keys, restored.opened
            ))?;
            Ok(Outcome::Done)
        }
    }
}

/// The condition of resource files with faults.
fn invalid(faults: usize) -> Option<Condition> {
    let message = format!(
        "{} in the resource files: no server starts with them, and one that runs keeps the keys that it has",
        counted(faults, "fault")
    );
    (faults > 0).then_some(Condition { kind: "ResourcesValid", status: "False", reason: "Faults", message })
}

/// Reads the resources and opens the database of the server that is meant, or makes it if it may be new; also gives the number
/// of faults in the resources, with which most commands do nothing.
async fn open(
    args: &KeyServerArgs,
    may_be_new: bool,
    despite_faults: bool,
    output: &Output,
) -> Result<(KeyAdmin, usize), CliError> {
    let declared = Declared::read(&args.files)?;
    let faults = declared.report.faults.len();
    if faults > 0 {
        print_findings(&declared, output);
        let is_known = meant(&declared.authorization_servers, args.server.as_deref()).is_ok();
        if !(despite_faults && is_known) {
            let faults = counted(faults, "fault");
            return Err(CliError::refused(format!("nothing was done: {faults} in the resource files")));
        }
    }
    let config = meant(&declared.authorization_servers, args.server.as_deref())?;
    let opened = if may_be_new {
        KeyAdmin::create(config, Clock::system()).await
    } else {
        KeyAdmin::open(config, Clock::system()).await
    };
    let admin = opened.map_err(failed)?;
    Ok((if faults > 0 { admin.without_plan() } else { admin }, faults))
}

fn meant<'a>(servers: &'a [Config], name: Option<&str>) -> Result<&'a Config, CliError> {
    let names = || servers.iter().map(Config::name).collect::<Vec<_>>().join(", ");
    match (servers, name) {
        ([], _) => Err(CliError::refused("the resource files declare no `AuthServer`")),
        ([one], None) => Ok(one),
        (_, None) => Err(CliError::Usage(format!("say with --server which one: {}", names()))),
        (_, Some(name)) => servers
            .iter()
            .find(|server| server.name() == name)
            .ok_or_else(|| CliError::Usage(format!("there is no such `AuthServer`; there are: {}", names()))),
    }
}

/// Says what will follow, asks if that disturbs anybody, does it, and says what was done.
async fn act(
    admin: &KeyAdmin,
    action: &Action,
    reason: Option<&str>,
    yes: bool,
    output: &Output,
) -> Result<Outcome, CliError> {
    let consequences = admin.consequences(action).await.map_err(failed)?;
    for sentence in &consequences.sentences {
        output.line(one_line(sentence))?;
    }
    if consequences.disturbs && !yes && !confirmed(output)? {
        return Err(CliError::refused("nothing was done"));
    }
    let done = admin.act(action, reason).await.map_err(failed)?;
    output.json(&Report { consequences: &consequences, done: &done })?;
    let (good, faint) = (style::GOOD, style::FAINT);
    for happened in &done.events {
        output.line(format_args!(
            "{good}{}{good:#}  {}  {faint}{}{faint:#}",
            happened.event, happened.kid, happened.at
        ))?;
    }
    output.line("Running servers follow within one poll; `sealwright key list` shows when each has.")?;
    Ok(Outcome::Done)
}

/// The object of `--json`.
#[derive(Serialize)]
struct Report<'a> {
    consequences: &'a Consequences,
    #[serde(flatten)]
    done: &'a Done,
}

/// Asks a person; where nobody can be asked, `--yes` has to be said.
fn confirmed(output: &Output) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() || output.is_json() {
        return Err(CliError::Usage(
            "this disturbs verifiers: say --yes where nobody can be asked".to_owned(),
        ));
    }
    let careful = style::CAREFUL;
    let mut stderr = anstream::stderr().lock();
    let asked = write!(stderr, "{careful}Do it?{careful:#} [y/N] ").and_then(|()| stderr.flush());
    asked.map_err(CliError::Output)?;
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.map_err(|source| CliError::Unreadable { what: "standard input".to_owned(), source })?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn failed(error: KeyAdminError) -> CliError {
    match error {
        KeyAdminError::Refused(refusal @ (Refusal::Unknown | Refusal::State { .. })) => {
            CliError::refused_by("the key stays as it is", refusal)
        }
        error @ KeyAdminError::NotResealed { .. } => CliError::refused(error.to_string()),
        KeyAdminError::Backup(sentence) => CliError::refused(format!("nothing was restored: {sentence}")),
        error @ KeyAdminError::Reason => CliError::refused_by("nothing was done", error),
        error @ KeyAdminError::Unreadable(_) => CliError::refused_by("the keys stay as they are", error),
        KeyAdminError::Refused(refusal) => CliError::refused_by("the keys stay as they are", refusal),
        error => CliError::refused_by("the keys cannot be reached", error),
    }
}
