//! The testkit's own promises: a tool that is wrong makes every test wrong.
mod database;
mod issuer;
