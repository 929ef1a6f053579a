//! Jobs that fail and start again from their checkpoints, in virtual time.

mod restarts;
mod story;
mod support;
