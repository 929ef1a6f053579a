//! How records get from one task to another: router → channel → gate.

pub(crate) mod channel;
mod gate;
mod partitioning;
mod router;
mod size;

pub(crate) use channel::{Receiver, Sender, channel};
pub(crate) use gate::{Gate, forward};
pub use partitioning::{CustomPartitioner, KeyHasher, Partitioner, Partitioning};
pub(crate) use router::{Router, RouterPlan};

#[cfg(test)]
mod tests;
