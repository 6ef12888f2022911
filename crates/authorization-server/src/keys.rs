//! What operators see of the keys that sign tokens, and do with them.
//!
//! [`KeyAdmin`] works on the database of a server, beside servers that run: they follow within one poll.

mod admin;
mod backup;
mod consequences;
mod files;
mod forecast;
mod keeping;
mod list;
mod window;
mod words;

pub(crate) use self::admin::checked;
pub use self::admin::{Done, Happened, KeyAdmin, KeyAdminError};
pub use self::backup::Restored;
pub use self::consequences::Consequences;
pub use self::keeping::Resealed;
pub use self::list::{Condition, KeyFacts, KeyList, Phase, PlanFacts, ReplicaFacts};
pub use self::window::Window;
pub use self::words::{duration, moment, relative};
pub use crate::signing_keys::operate::{Action, Refusal};
