//! Runs many seeds, and tells how to replay one that fails.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::life::{Life, Told};
use crate::world::Count;

/// What many seeds have shown.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many seeds were lived.
    pub seeds: u64,
    /// How often what has happened.
    pub counts: BTreeMap<Count, u64>,
    /// The seeds that failed, and why.
    pub failed: BTreeMap<u64, String>,
    /// The first of them that was noticed, in words.
    pub failure: Option<String>,
}

/// Lives `count` seeds from `first` on, on all cores, and stops when one fails, unless it is to go on.
pub fn run(first: u64, count: u64, goes_on: bool) -> Summary {
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    let summary = Mutex::new(Summary::default());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return;
            }
            let told = Life::of_seed(seed).live();
            let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
            summary.seeds += 1;
            for (what, times) in told.log.counts() {
                *summary.counts.entry(*what).or_insert(0) += times;
            }
            if let Some(violation) = told.log.violated() {
                failed.store(!goes_on, Ordering::Relaxed);
                summary.failed.insert(seed, violation.to_owned());
                summary.failure.get_or_insert_with(|| failure(seed, &told));
            }
        }
    };
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    summary.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// A failing seed in words, with the command that replays it.
pub fn failure(seed: u64, told: &Told) -> String {
    let mut text = format!("seed {seed}: {}\n", told.log.violated().unwrap_or("nothing is wrong"));
    let _ = writeln!(text, "replay: FLOTT_SIM_SEED={seed} cargo test -p flott-sim --test seeds");
    let _ = writeln!(text, "{}", Life::of_seed(seed).program);
    for (number, process) in told.processes.iter().enumerate() {
        let _ = writeln!(text, "  process {number}: {process}");
    }
    let _ = writeln!(text, "the last moments:");
    told.log.lines().for_each(|line| {
        let _ = writeln!(text, "  {line}");
    });
    text
}
