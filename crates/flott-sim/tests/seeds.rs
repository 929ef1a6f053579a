//! Lives seeds: 2,000 of them, or as many as `FLOTT_SIM_SEEDS` says from `FLOTT_SIM_FIRST` on, or the one of `FLOTT_SIM_SEED`.
//! With `FLOTT_SIM_GOES_ON=1` all that fail are listed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use flott_sim::life::Life;
use flott_sim::seeds;

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

#[test]
fn whatever_goes_wrong_each_row_is_seen_once_and_no_state_is_lost() {
    if let Some(seed) = number("FLOTT_SIM_SEED") {
        let told = Life::of_seed(seed).live();
        println!("{}", seeds::failure(seed, &told));
        assert_eq!(told.log.violated(), None);
        return;
    }
    let (first, count) = (number("FLOTT_SIM_FIRST").unwrap_or(0), number("FLOTT_SIM_SEEDS").unwrap_or(2_000));
    let summary = seeds::run(first, count, number("FLOTT_SIM_GOES_ON").is_some());
    println!("{} seeds: {:#?}", summary.seeds, summary.counts);
    summary.failed.iter().for_each(|(seed, violation)| println!("seed {seed}: {violation}"));
    if let Some(failure) = summary.failure {
        panic!("{failure}");
    }
}
