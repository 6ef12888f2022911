//! Signature formats: what is signed, and how it is packed.

pub(crate) mod jades;
