//! Snapshots that are written while the state goes on changing hold what the state was when they began.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

mod incremental;
mod interleaved;
mod keyed;
mod support;
