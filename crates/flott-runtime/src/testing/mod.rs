//! Runs programs under the control of a test: what `flott::testing` stands on.
//!
//! On the present thread, one step at a time:
//!
//! * [`ManualClock`] — time that passes when a test says so;
//! * [`Feed`] — a source that emits what a test pushes into it;
//! * [`Capture`] — the end of a stream, which keeps all that arrives;
//! * [`LocalTasks`] — the tasks of a program between the two, with real operators, routers, channels and gates;
//! * [`JobSnapshot`] — the state of all of them, which can be restored at another parallelism.
//!
//! As a whole, on their own threads: [`VirtualTime`], in which a [`Director`] may do harm.

mod capture;
mod clock;
mod feed;
mod local;
mod snapshot;
mod virtual_time;

use flott_core::time::Timestamp;
use flott_core::watermark::StreamStatus;

pub use capture::Capture;
pub use clock::ManualClock;
pub use feed::{AnyFeed, Feed};
pub use local::LocalTasks;
pub use snapshot::JobSnapshot;
pub use virtual_time::{Deadlock, Director, Order, Turn, VirtualTime};

/// What travels through a stream (Flink: `StreamElement`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamElement<T> {
    /// A record, and its timestamp if it has one.
    Record(T, Option<Timestamp>),
    /// Event time has advanced.
    Watermark(Timestamp),
    /// The stream has become idle or active.
    Status(StreamStatus),
}
