//! Time to live: state that is forgotten some time after it was last written or read.
//!
//! A state with time to live is a kind of its own, `Ttl`, which stores each value, list element and map entry together
//! with the time of its last access; states without it pay nothing. Bottom-up:
//!
//! * [`config`] — what a program asks for;
//! * `rules` — what follows from it: when something has expired, and what then;
//! * `stamped` — what is stored: values with times;
//! * `kind` — the kinds of state with time to live, and how they are written and read in snapshots;
//! * `cleanup` — removing what has expired, a few entries at a time;
//! * `single`, `list`, `map` — access to one value, to a list and to a map.

mod cleanup;
pub mod config;
mod kind;
mod list;
mod map;
mod rules;
mod single;
mod stamped;

pub use config::{StateTtlConfig, StateVisibility, UpdateType};
pub(crate) use kind::{Ttl, WithTtl};
pub(crate) use map::MapEntries;
pub(crate) use rules::TtlRules;
pub(crate) use single::Single;
