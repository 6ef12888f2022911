//! The crate from outside: vectors of the RFCs, keys in every encoding, known attacks, and input
//! bent in every byte.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod claims;
mod jwk_set;
mod jwt;
mod keys;
mod known_attacks;
mod mutation;
mod pkcs12;
mod properties;
mod signing;
mod support;
mod tally;
mod unusual;
mod vectors;
mod vectors_jws;
mod verifying;
mod wycheproof;
