//! What Sealwright's tests share: fresh databases on both engines, a throw-away issuer, folders and ports that clean up
//! after themselves, a search for the bytes of keys.
//!
//! For tests only: every function here panics with a sentence when the machine does not give what it needs.
#![warn(missing_docs)]

pub mod database;
pub mod issuer;
pub mod needles;

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, TcpListener},
    process,
    sync::{Mutex, PoisonError},
};

/// A folder that is removed when this is dropped.
pub use tempfile::TempDir;

/// Makes a folder of the test's own.
///
/// # Panics
///
/// If the machine's folder for temporary files is not writable.
pub fn temp_dir() -> TempDir {
    let made = tempfile::Builder::new().prefix("sealwright-test-").tempdir();
    made.expect("the folder for temporary files is writable")
}

/// A loopback port that was free a moment ago, and that this process was not given before. Prefer port 0 where the server can
/// say which one it got.
///
/// It lies below the range from which systems choose for port 0 and for connections (Linux: from 32768, others: from
/// 49152), because those take a port of that range while it waits for its server.
///
/// # Panics
///
/// If a thousand attempts find no free port.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let free = |port: &u16| given.insert(*port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let chosen = |_| 16_384 + (RandomState::new().hash_one(process::id()) % 16_384) as u16;
    (0..1_000).map(chosen).find(free).expect("there is a free port")
}
