//! The way between tasks: router, channel, gate, alone and together.

mod channel;
mod flow;
mod gate;
mod inline;
mod overtaking;
mod partitioning;
mod router;
mod two_gates;
