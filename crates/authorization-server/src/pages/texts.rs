//! The catalogue of texts: all that pages say, one file a language.

pub(super) mod en;
