//! The word count of Flink's documentation: a checkpoint after three records, a failure at the fifth (S82 to S91).

use std::sync::{Arc, Mutex};

use flott::prelude::*;
use flott::sink::Sink;
use flott::source::GeneratorSplit;
use flott::testing::VirtualTime;
use flott_core::config::keys;
use flott_state::OperatorSnapshot;
use flott_state::storage::StoredSnapshot;

use crate::support::stored::{elements, entries, operator};
use crate::support::{Bomb, Ledger, Log, Table, pairs};

const WORDS: [&str; 8] = ["hello", "world", "hello", "flink", "hello", "world", "hello", "flink"];

/// What the program has done beside its output.
struct Story {
    /// The checkpoint after three records.
    checkpoint: StoredSnapshot,
    /// The words that the map has seen, in both runs.
    mapped: Vec<String>,
    restarts: u32,
}

/// Counts the words, one in 100 ms, with a checkpoint between the third and the fourth, and a failure of the sum at the fifth.
fn tell(sink: impl Sink<(String, i64)>, name: &str) -> Story {
    let env = flott::testing::environment();
    env.set_quiet(true).set_parallelism(1).enable_checkpointing(Duration::from_secs(24 * 3600));
    env.set(&keys::CHECKPOINT_DIRECTORY, format!("memory://story-{name}"));
    env.set(&keys::INLINE_EXCHANGES, false);
    let words = GeneratorSource::new(8, |index| WORDS[index as usize].to_owned()).with_rate(10.0);
    let mapped = Arc::new(Mutex::new(Vec::new()));
    let (seen, bomb) = (Arc::clone(&mapped), Bomb::at([2]));
    env.from_source(words, WatermarkStrategy::no_watermarks(), "Words")
        .map(move |word: String| {
            seen.lock().unwrap().push(word.clone());
            (word, 1)
        })
        .name("Map")
        .key_by(|(word, _): &(String, i64)| word.clone())
        .reduce(move |sum, next| {
            // The second word that is there already is the fifth of all.
            bomb.tick();
            (next.0, sum.1 + next.1)
        })
        .name("Sum")
        .sink_to(sink);
    let run = || {
        let handle = env.execute_async().unwrap();
        assert!(handle.wait_for(Duration::from_millis(350)).is_none(), "three words have passed");
        let checkpoint = StoredSnapshot::open(&handle.trigger_checkpoint().unwrap()).unwrap();
        checkpoint.verify().unwrap();
        (checkpoint, handle.wait(), handle.restarts())
    };
    let (checkpoint, result, restarts) = VirtualTime::with_seed(1).run(run).unwrap();
    result.unwrap();
    let mapped = mapped.lock().unwrap().clone();
    Story { checkpoint, mapped, restarts }
}

#[test]
fn s83_a_checkpoint_after_three_records_holds_offset_3_and_two_counts_and_nothing_of_the_map() {
    let Story { checkpoint, .. } = tell(Table::default(), "stored");
    assert_eq!(checkpoint.metadata.checkpoint, 1);
    assert_eq!(
        elements::<GeneratorSplit>(&operator(&checkpoint, "Words")),
        [GeneratorSplit { part: 0, next: 3, end: 8 }]
    );
    let counts = entries::<String, (String, i64)>(&operator(&checkpoint, "Sum"));
    assert_eq!(counts.into_values().collect::<Vec<_>>(), pairs([("hello", 2), ("world", 1)]));
    assert!(operator(&checkpoint, "Map").iter().all(OperatorSnapshot::is_empty));
    assert!(operator(&checkpoint, "Writer").iter().all(OperatorSnapshot::is_empty));
}

#[test]
fn s90_the_source_goes_on_behind_the_third_record_and_nothing_is_counted_twice() {
    let table = Table::default();
    let story = tell(table.clone(), "table");
    assert_eq!(story.restarts, 1);
    // S87: source and map were at offset 5 when the sum failed, and begin again at 3.
    let [before, after] = [&WORDS[..5], &WORDS[3..]];
    assert_eq!(story.mapped, [before, after].concat());
    // S91: whoever keeps the last value of each word sees no difference.
    assert_eq!(
        table.rows().into_iter().collect::<Vec<_>>(),
        pairs([("flink", 2), ("hello", 4), ("world", 2)])
    );
}

#[test]
fn s91_a_plain_sink_sees_again_what_came_between_checkpoint_and_failure() {
    let log = Log::default();
    tell(log.clone(), "log");
    let first = [("hello", 1), ("world", 1), ("hello", 2), ("flink", 1)];
    let again = [("flink", 1), ("hello", 3), ("world", 2), ("hello", 4), ("flink", 2)];
    assert_eq!(log.records(), pairs(first.into_iter().chain(again)));
}

#[test]
fn s91_a_transactional_sink_shows_everything_once() {
    let ledger = Ledger::default();
    tell(ledger.clone(), "ledger");
    // S84: what the sum emits for the eight words.
    let first = [("hello", 1), ("world", 1), ("hello", 2), ("flink", 1)];
    let then = [("hello", 3), ("world", 2), ("hello", 4), ("flink", 2)];
    assert_eq!(ledger.rows(), pairs(first.into_iter().chain(then)));
}
