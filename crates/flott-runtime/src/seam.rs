//! The seam's real side: the machine's clock, threads, and how a thread waits. A test can put a simulation in their
//! place ([`crate::testing`]); engine and connectors don't notice.

mod clock;
mod monitor;
mod parker;
mod random;
mod signal;
mod thread;

pub use clock::{SystemClock, clock};
pub(crate) use monitor::Monitor;
pub use parker::is_simulated;
pub(crate) use parker::{Parked, Parker, arrivals, with_parker};
pub use random::random;
pub use signal::Signal;
pub(crate) use signal::{really_park, really_park_for_all_of};
pub use thread::{JoinHandle, spawn};
