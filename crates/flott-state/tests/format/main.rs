//! The format of snapshots, from outside: what was written once, and what is sent to break the reader.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

mod corpus;
mod fixture;
