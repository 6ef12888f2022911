//! What the server must remember: used tokens, and its authorities' certificates.

mod certificate;
mod ledger;

use sqlx::migrate::Migrator;

pub(crate) use certificate::authority_certificate;
pub(crate) use ledger::{Ledger, Reservation, Single};

/// The tables of this crate.
pub(crate) static MIGRATOR: Migrator = sqlx::migrate!("./migrations");
