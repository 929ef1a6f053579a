//! Words and pure rules of flott: what every other crate agrees on.
//!
//! Nothing here does I/O, starts a thread or reads a clock, so every rule can be tested by itself. Bottom-up:
//!
//! * [`data`] — what a type must be to flow or to be a key;
//! * [`time`] — timestamps and watermarks as numbers;
//! * [`batch`] — the unit of flow;
//! * [`key_group`] — key → key group → subtask;
//! * [`seam`] — the clock that everything else must use.

pub mod batch;
pub mod data;
pub mod key_group;
pub mod seam;
pub mod time;

pub use batch::Batch;
pub use data::{Data, Key};
