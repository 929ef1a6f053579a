use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn watermark_after(strategy: &WatermarkStrategy<i64>, timestamps: &[Timestamp]) -> Option<Timestamp> {
    let mut generator = strategy.new_generator();
    let _ = generator.on_batch(timestamps, timestamps);
    generator.on_periodic()
}

#[test]
fn monotonous_timestamps_put_the_watermark_right_behind_the_last_event() {
    assert_eq!(watermark_after(&WatermarkStrategy::for_monotonous_timestamps(), &[5, 9]), Some(8));
}

#[test]
fn bounded_timestamps_put_it_behind_by_the_delay() {
    let strategy = WatermarkStrategy::for_bounded_out_of_orderness(Duration::from_secs(1));
    assert_eq!(watermark_after(&strategy, &[5000, 4500]), Some(3999));
}

#[test]
fn without_watermarks_there_are_none() {
    assert_eq!(watermark_after(&WatermarkStrategy::no_watermarks(), &[5]), None);
}

#[test]
fn every_generator_comes_fresh_from_the_factory() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let strategy = WatermarkStrategy::<i64>::for_generator(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        BoundedOutOfOrderness::new(Duration::ZERO)
    });
    assert_eq!(watermark_after(&strategy, &[100]), Some(99));
    assert_eq!(watermark_after(&strategy.clone(), &[5]), Some(4));
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn the_assigner_sees_the_record_and_the_timestamp_of_the_source() {
    let strategy = WatermarkStrategy::no_watermarks().with_timestamp_assigner(|record: &i64, previous| {
        if previous == NO_TIMESTAMP { *record } else { previous + record }
    });
    let mut bare = Batch::of(vec![1, 2]);
    strategy.assign_timestamps(&mut bare);
    assert_eq!(bare.timestamps, [1, 2]);

    let mut stamped = Batch { records: vec![1, 2], timestamps: vec![10, NO_TIMESTAMP], hashes: Vec::new() };
    strategy.clone().assign_timestamps(&mut stamped);
    assert_eq!(stamped.timestamps, [11, 2]);
}

#[test]
fn without_an_assigner_the_timestamps_of_the_source_stay() {
    let strategy = WatermarkStrategy::<i64>::for_monotonous_timestamps();
    let mut bare = Batch::of(vec![1, 2]);
    strategy.assign_timestamps(&mut bare);
    assert!(!bare.has_timestamps());
}

#[test]
fn v8_5_8_an_idleness_timeout_of_zero_is_refused() {
    let strategy = WatermarkStrategy::<i64>::for_monotonous_timestamps();
    assert_eq!(strategy.validate(), Ok(()));
    assert_eq!(strategy.clone().with_idleness(Duration::from_nanos(1)).validate(), Ok(()));
    assert_eq!(strategy.with_idleness(Duration::ZERO).validate(), Err(StrategyError::ZeroIdleness));
}

#[test]
fn a_strategy_can_be_shared_between_threads_whatever_its_records_are() {
    fn is_send_and_sync<S: Send + Sync>() {}
    is_send_and_sync::<WatermarkStrategy<std::rc::Rc<u8>>>();
}

#[test]
fn an_alignment_reports_each_second_unless_it_is_said() {
    let strategy = WatermarkStrategy::<i64>::for_monotonous_timestamps();
    assert_eq!(strategy.alignment(), None);
    let aligned = strategy.clone().with_watermark_alignment("orders", Duration::from_secs(5));
    let alignment = aligned.alignment().unwrap();
    assert_eq!((alignment.group(), alignment.update_interval()), ("orders", Duration::from_secs(1)));
    assert_eq!(alignment.limit(1_000), 6_000);
    assert_eq!(alignment.limit(Timestamp::MAX), Timestamp::MAX, "nobody waits for sources that have ended");
    let forever = strategy.clone().with_watermark_alignment("orders", Duration::MAX);
    assert_eq!(forever.alignment().unwrap().limit(0), Timestamp::MAX);
    let faster = strategy.with_watermark_alignment_every("orders", Duration::ZERO, Duration::from_millis(5));
    assert_eq!(faster.clone().alignment().unwrap().update_interval(), Duration::from_millis(5));
    assert_eq!(faster.validate(), Ok(()), "a drift of zero is strict, and possible");
}

#[test]
fn an_alignment_without_name_or_interval_is_refused() {
    let of = |group: &str, interval| {
        let strategy = WatermarkStrategy::<i64>::for_monotonous_timestamps();
        strategy.with_watermark_alignment_every(group, Duration::ZERO, interval).validate().unwrap_err()
    };
    assert_eq!(
        of("", Duration::from_secs(1)).to_string(),
        "the group of a watermark alignment has no name: give the sources that wait for each other the same name"
    );
    assert_eq!(
        of("orders", Duration::ZERO).to_string(),
        "the update interval of a watermark alignment must be greater than zero: leave it out for 1 s"
    );
}
