//! The style sheet, under a name that changes with its content.

use std::fmt::Write as _;
use std::sync::LazyLock;

use aws_lc_rs::digest;

/// All of it.
pub(crate) const CSS: &str = include_str!("../../assets/sealwright.css");

/// Such as `sealwright-3f2a….css`: browsers keep it for a year, and a new server's pages name a new one.
pub(crate) fn file_name() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| {
        let hash = digest::digest(&digest::SHA256, CSS.as_bytes());
        let mut name = String::from("sealwright-");
        for byte in &hash.as_ref()[..8] {
            let _ = write!(name, "{byte:02x}");
        }
        name + ".css"
    });
    &NAME
}

/// Where pages find it.
pub(super) fn path() -> String {
    format!("/assets/{}", file_name())
}
