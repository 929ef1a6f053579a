//! How records get from one task to another: router → channel → gate, or a call where both sides are one subtask.

pub(crate) mod channel;
mod gate;
mod in_flight;
mod inline;
mod overtaking;
mod partitioning;
mod router;
mod size;
mod two_gates;

pub(crate) use channel::{Receiver, Sender, channel};
pub(crate) use gate::{Downstream, Gate, forward};
pub(crate) use in_flight::{ChannelPlace, RestoredExchange, Share, sized};
pub(crate) use inline::InlineExchange;
pub(crate) use overtaking::Overtaking;
pub use partitioning::{CustomPartitioner, KeyHasher, Partitioner, Partitioning};
pub(crate) use router::{Router, RouterPlan};
pub(crate) use two_gates::TwoGates;

#[cfg(test)]
mod tests;
