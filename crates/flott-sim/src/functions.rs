//! The functions of the simulated programs. What they bring out does not depend on the order in which records come.

mod couple;
mod lists;
mod patience;
mod ruled;
mod stateless;
mod tally;

pub(crate) use couple::Couple;
pub(crate) use lists::{Census, Hoard};
pub(crate) use patience::Patience;
pub(crate) use ruled::Ruled;
pub(crate) use stateless::{Change, Copies, Keep};
pub(crate) use tally::Tally;
