//! Words and pure rules of flott: what every other crate agrees on.
//!
//! Nothing here does I/O, starts a thread or reads a clock, so every rule can be tested by itself. Bottom-up:
//!
//! * [`data`] — what a type must be to flow or to be a key;
//! * [`time`] — timestamps and watermarks as numbers;
//! * [`batch`] — the unit of flow;
//! * [`encoding`] — values as bytes: the one frozen format for network, state and snapshots;
//! * [`schema`] — what the bytes of a type mean, and how they are read as what the type has become;
//! * [`hash`] — the routing hash of keys;
//! * [`key_group`] — key → key group → subtask;
//! * [`watermark`] — how watermarks are made at a source and merged at an operator;
//! * [`config`] — typed options under Flink's keys, from code, command line and files;
//! * [`seam`] — the clock that everything else must use.

pub mod batch;
pub mod config;
pub mod data;
pub mod encoding;
pub mod hash;
pub mod key_group;
pub mod schema;
pub mod seam;
pub mod time;
pub mod watermark;

pub use batch::Batch;
pub use data::{Data, Key};
