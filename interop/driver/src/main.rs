//! What we and other people's libraries read of each other: every algorithm, every form of a token, every format of a
//! key, both ways, with keys that were made a moment ago.
//!
//! `cargo xtask test interop` installs the peers and starts this with their places.

mod axis;
mod cannot;
mod flip;
mod form;
mod keys;
mod openssl;
mod ours;
mod peer;
mod random;
mod report;
mod signatures;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use serde_json::json;

use crate::{
    cannot::Table,
    ours::OurKey,
    peer::{Peer, Process},
    random::Random,
    report::Report,
    signatures::{OurKeys, TheirKeys},
};

/// What goes wrong with the walk itself: a sentence for a person.
type Result<T, E = String> = std::result::Result<T, E>;

const USAGE: &str = "usage: sealwright-interop PYTHON PYTHON-PEERS NODE NODE-PEER OPENSSL SEALWRIGHT";

/// A peer, who makes its keys, and whether its tokens are looked at or its keys alone.
struct Role {
    name: &'static str,
    maker: &'static str,
    tokens: bool,
}

const IN_PYTHON: [Role; 4] = [
    Role { name: "joserfc", maker: "joserfc", tokens: true },
    Role { name: "jwcrypto", maker: "jwcrypto", tokens: true },
    Role { name: "PyJWT", maker: "jwcrypto", tokens: true },
    Role { name: "cryptography", maker: "cryptography", tokens: false },
];

const IN_NODE: [Role; 1] = [Role { name: "jose", maker: "jose", tokens: true }];

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [python, python_peers, node, node_peer, openssl, sealwright] = arguments.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut report = Report::default();
    match our_keys() {
        Ok(ours) => {
            let walks: [(&PathBuf, &PathBuf, &[Role]); 2] =
                [(python, python_peers, &IN_PYTHON), (node, node_peer, &IN_NODE)];
            thread::scope(|scope| {
                let started: Vec<_> = walks
                    .map(|(program, script, roles)| scope.spawn(|| walk(program, script, roles, &ours)))
                    .into_iter()
                    .collect();
                let keys = scope.spawn(|| walk_openssl(openssl, sealwright));
                for walk in started.into_iter().chain([keys]) {
                    match walk.join() {
                        Ok(part) => report.add(part),
                        Err(_) => report.broken("a walk ended in a panic".into()),
                    }
                }
            });
        }
        Err(why) => report.broken(why),
    }
    if report.print() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One key for each algorithm, and one for whoever signs second.
fn our_keys() -> Result<OurKeys> {
    let mut keys = HashMap::new();
    for name in axis::names() {
        keys.insert(name.header, OurKey::generate(name, "ours")?);
    }
    keys.insert("second", OurKey::generate(axis::SECOND, "ours-too")?);
    Ok(keys)
}

fn walk_openssl(openssl: &Path, sealwright: &Path) -> Report {
    let mut report = Report::default();
    let walked = openssl::Folder::new().and_then(|folder| {
        let programs = openssl::Programs { openssl, sealwright, folder: folder.path() };
        let versions = json!({"openssl": programs.version()?});
        report.versions(&versions);
        let table = Table::new(&versions);
        openssl::walk(&programs, &table, &mut Random::new(), &mut report)
    });
    if let Err(why) = walked {
        report.broken(why);
    }
    report
}

fn walk(program: &Path, script: &Path, roles: &[Role], ours: &OurKeys) -> Report {
    let mut report = Report::default();
    let mut random = Random::new();
    let walked = Process::start(program, script).and_then(|mut process| {
        let versions = process.ask(&json!({"op": "versions"}))??;
        report.versions(&versions);
        let table = Table::new(&versions);
        for role in roles {
            let mut theirs = TheirKeys::default();
            let mut peer = Peer { process: &mut process, name: role.name };
            if role.tokens {
                signatures::walk(&mut peer, role.maker, ours, &mut theirs, &table, &mut random, &mut report)?;
            }
            keys::walk(&mut peer, role.maker, ours, &mut theirs, &table, &mut random, &mut report)?;
        }
        for row in table.unmet(&report) {
            report.broken(row);
        }
        Ok(())
    });
    if let Err(why) = walked {
        report.broken(why);
    }
    report
}
