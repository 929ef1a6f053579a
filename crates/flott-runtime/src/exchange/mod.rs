//! How records get from one task to another: router → channel → gate, or a call where both sides are one subtask.

pub(crate) mod channel;
mod gate;
mod inline;
mod partitioning;
mod router;
mod size;

pub(crate) use channel::{Receiver, Sender, channel};
pub(crate) use gate::{Gate, forward};
pub(crate) use inline::InlineExchange;
pub use partitioning::{CustomPartitioner, KeyHasher, Partitioner, Partitioning};
pub(crate) use router::{Router, RouterPlan};

#[cfg(test)]
mod tests;
