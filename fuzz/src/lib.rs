//! What the fuzz targets hold each parser to. Each module has the functions of some targets; a file
//! of `bin/` hands libFuzzer's bytes to one of them.
//!
//! "No panic" is the least of it. What is accepted is written and read again, and must be the same;
//! a second opinion, made of other code, must agree on what is acceptable; no signature may be
//! accepted that was not made; and no input may take long for its size.

pub mod claims;
pub mod detached;
pub mod header;
pub mod json_oracle;
pub mod keys;
pub mod pkcs12;
pub mod sign;
pub mod stretch;
pub mod tampered;
pub mod time;
pub mod tokens;

mod material;
