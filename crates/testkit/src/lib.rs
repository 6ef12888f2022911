//! What Sealwright's tests share: fresh databases on both engines, a throw-away issuer, folders and ports that clean up
//! after themselves.
//!
//! For tests only: every function here panics with a sentence when the machine does not give what it needs.
#![warn(missing_docs)]

pub mod database;
pub mod issuer;

use std::net::{Ipv4Addr, TcpListener};

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

/// A loopback port that was free a moment ago. Prefer port 0 where the server can say which one it got.
///
/// # Panics
///
/// If there is no free port.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
