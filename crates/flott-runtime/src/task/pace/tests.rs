use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::test_support::{ManualClock, TestTask, task};

fn pace() -> (Arc<ManualClock>, TestTask, Pace) {
    let clock = Arc::new(ManualClock::default());
    let task = task(clock.clone());
    let pace = Pace::new(Rc::clone(&task.shared));
    (clock, task, pace)
}

/// Processes so many records, each of which takes so long.
fn process(pace: &mut Pace, clock: &ManualClock, records: usize, each: Duration) {
    let since_ns = pace.now_ns();
    clock.advance(each * records as u32);
    pace.note(records, since_ns);
}

#[test]
fn steps_grow_while_they_are_short_and_shrink_when_they_are_long() {
    let (clock, _, mut pace) = pace();
    for _ in 0..10 {
        let records = pace.most();
        process(&mut pace, &clock, records, Duration::from_nanos(100));
    }
    assert_eq!(pace.most(), FIRST_RECORDS << 10);
    // A second each: one at a time.
    process(&mut pace, &clock, 1_024, Duration::from_secs(1));
    assert_eq!(pace.most(), 1);
    process(&mut pace, &clock, 1, Duration::from_secs(1));
    assert_eq!(pace.most(), 1);
    // Five milliseconds each: about ten at a time.
    process(&mut pace, &clock, 1, Duration::from_millis(5));
    process(&mut pace, &clock, 2, Duration::from_millis(5));
    process(&mut pace, &clock, 4, Duration::from_millis(5));
    process(&mut pace, &clock, 8, Duration::from_millis(5));
    assert_eq!(pace.most(), 8, "40 ms are long enough");
    process(&mut pace, &clock, 1_024, Duration::from_millis(5));
    assert_eq!(pace.most(), 10);
}

#[test]
fn small_batches_say_nothing_about_large_ones() {
    let (clock, _, mut pace) = pace();
    process(&mut pace, &clock, FIRST_RECORDS - 1, Duration::from_nanos(1));
    assert_eq!(pace.most(), FIRST_RECORDS);
}

#[test]
fn steps_that_fill_an_output_are_large_enough() {
    let (clock, task, mut pace) = pace();
    task.signal.output_is_full();
    process(&mut pace, &clock, FIRST_RECORDS, Duration::from_nanos(1));
    assert_eq!(pace.most(), FIRST_RECORDS);
    task.signal.output_has_room();
    process(&mut pace, &clock, FIRST_RECORDS, Duration::from_nanos(1));
    assert_eq!(pace.most(), 2 * FIRST_RECORDS);
}
