use std::time::Duration;

use super::Rate;

const START_NS: u64 = 5;

fn rate(records_per_second: f64) -> Rate {
    Rate { records_per_second, start_ns: START_NS, made: 0 }
}

fn after(time: Duration) -> u64 {
    START_NS + time.as_nanos() as u64
}

#[test]
fn a_rate_allows_what_is_due_and_no_more() {
    let mut rate = rate(1000.0);
    assert_eq!(rate.allowance(START_NS), 0);
    assert_eq!(rate.allowance(after(Duration::from_millis(10))), 10);
    rate.made = 10;
    assert_eq!(rate.allowance(after(Duration::from_millis(10))), 0);
    assert_eq!(rate.allowance(after(Duration::from_secs(3))), 2990);
}

#[test]
fn a_record_is_due_when_the_wait_is_over() {
    for records_per_second in [0.3, 1.0, 7.7, 1e6] {
        let mut rate = rate(records_per_second);
        for made in 0..100 {
            rate.made = made;
            let now_ns = after(Duration::from_secs_f64(made as f64 / records_per_second));
            // The wait is cut to whole nanoseconds.
            let due_ns = now_ns + rate.until_next(now_ns).as_nanos() as u64 + 2;
            assert_eq!(rate.allowance(due_ns), 1, "record {made} at {records_per_second}/s");
        }
    }
}

#[test]
fn the_strangest_rates_make_a_wait() {
    assert!(rate(1e-300).until_next(START_NS) > Duration::from_secs(3600));
    assert!(rate(f64::INFINITY).until_next(START_NS) > Duration::ZERO);
    assert_eq!(rate(f64::INFINITY).allowance(START_NS + 1), u64::MAX);
}
