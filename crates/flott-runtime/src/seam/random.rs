//! Chance: the jitter of restarts, the names of jobs and files.

use std::hash::{BuildHasher, RandomState};

use super::parker::current_parker;

/// A random number; in a simulation, one drawn from its seed. Not for secrets.
pub fn random() -> u64 {
    match current_parker().and_then(|parker| parker.random()) {
        Some(number) => number,
        // The keys of the standard library's hasher come from the operating system, and change with each call.
        None => RandomState::new().hash_one(0_u64),
    }
}
