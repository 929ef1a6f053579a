//! The way between tasks: router, channel, gate, alone and together.

mod channel;
mod flow;
mod gate;
mod partitioning;
mod router;
