//! JSON Web Token (RFC 7519): what a verified payload says. Time is an argument, never asked for.

mod claims;

pub use claims::{Claims, ClaimsError};
