//! The same seed is the same run, turn by turn.

use std::collections::BTreeSet;

use flott_sim::life::Life;

#[test]
fn a_seed_replays_exactly() {
    let trace = |seed| {
        let told = Life::of_seed(seed).live();
        (told.log.trace(), told.log.counts().clone())
    };
    let traces: Vec<_> = (0..60).map(trace).collect();
    // Others run at the same time now, on the same machine.
    let again: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..60).map(|seed| scope.spawn(move || trace(seed))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (seed, (first, second)) in traces.iter().zip(&again).enumerate() {
        assert_eq!(first, second, "seed {seed}");
    }
    let different: BTreeSet<_> = traces.iter().map(|(trace, _)| trace).collect();
    assert_eq!(different.len(), traces.len(), "other seeds are other runs");
}
