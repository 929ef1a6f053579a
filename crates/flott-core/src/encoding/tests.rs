//! The format's bytes, its round trip, what it refuses to write, and what hostile input does to a reader.

mod golden;
mod hostile;
mod refused;
pub(crate) mod rich;
mod round_trip;
