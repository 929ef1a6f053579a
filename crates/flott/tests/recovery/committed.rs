//! What sinks of three kinds show of the word count of S82 to S91 in the end, and what a program collects.

use flott::prelude::*;
use flott::sink::Sink;
use flott::testing::VirtualTime;

use crate::support::{Bomb, Ledger, Table, env};

const WORDS: [&str; 8] = ["hello", "world", "hello", "flink", "hello", "world", "hello", "flink"];

/// Runs the job into a sink: a word a second, a checkpoint after the third. The sum fails at the fifth word, which is the
/// second whose count it has, apart from those of which it has none yet.
fn count_words(sink: impl Sink<(String, i64)>) {
    let env = env(1);
    env.enable_checkpointing(Duration::from_secs(3_600));
    let bomb = Bomb::at([2]);
    let words = GeneratorSource::new(8, |index| WORDS[index as usize].to_owned()).with_rate(1.0);
    env.from_source(words, WatermarkStrategy::no_watermarks(), "Words")
        .map(|word: String| (word, 1_i64))
        .key_by(|pair: &(String, i64)| pair.0.clone())
        .reduce(move |sum, next| {
            bomb.tick();
            (sum.0.clone(), sum.1 + next.1)
        })
        .sink_to(sink);
    let restarts = VirtualTime::with_seed(7).run(|| {
        let handle = env.execute_async().unwrap();
        assert!(handle.wait_for(Duration::from_millis(3_500)).is_none());
        handle.trigger_checkpoint().unwrap();
        handle.wait().unwrap();
        handle.restarts()
    });
    assert_eq!(restarts.unwrap(), 1);
}

fn rows(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect()
}

/// What the sum emits for the eight words (S84).
const EMITTED: [(&str, i64); 8] = [
    ("hello", 1),
    ("world", 1),
    ("hello", 2),
    ("flink", 1),
    ("hello", 3),
    ("world", 2),
    ("hello", 4),
    ("flink", 2),
];

#[test]
fn s90_no_count_is_doubled_where_the_sink_overwrites() {
    let table = Table::default();
    count_words(table.clone());
    let counts: Vec<_> = table.rows().into_iter().collect();
    assert_eq!(counts, rows(&[("flink", 2), ("hello", 4), ("world", 2)]));
}

#[test]
fn s91_a_sink_that_appends_at_once_shows_again_what_came_after_the_checkpoint() {
    let ledger = Ledger::at_once();
    count_words(ledger.clone());
    let mut expected = rows(&EMITTED);
    expected.insert(3, expected[3].clone());
    assert_eq!(ledger.rows(), expected);
}

#[test]
fn s91_a_transactional_sink_shows_everything_once() {
    let ledger = Ledger::transactional();
    count_words(ledger.clone());
    assert_eq!(ledger.rows(), rows(&EMITTED));
}

#[test]
fn what_a_program_collects_of_a_job_that_fails_comes_once_and_in_order() {
    for seed in 0..20 {
        let env = env(1 + seed as u32 % 3);
        let bomb = Bomb::at([100 + 13 * seed as i64, 700, 950]);
        let numbers = GeneratorSource::new(1_000, |n| n as i64).with_rate(100.0);
        let numbers =
            env.from_source(numbers, WatermarkStrategy::no_watermarks(), "Numbers").map(move |n: i64| {
                bomb.tick();
                n
            });
        let mut collected =
            VirtualTime::with_seed(seed).run(|| numbers.execute_and_collect()).unwrap().unwrap();
        if seed % 3 > 0 {
            collected.sort_unstable();
        }
        assert_eq!(collected, (0..1_000).collect::<Vec<_>>(), "seed {seed}");
    }
}
