use super::*;

fn bounded(delay_ms: u64) -> impl WatermarkGenerator<()> {
    BoundedOutOfOrderness::new(Duration::from_millis(delay_ms))
}

fn events(generator: &mut impl WatermarkGenerator<()>, timestamps: &[Timestamp]) -> Option<Timestamp> {
    for timestamp in timestamps {
        assert_eq!(generator.on_event(&(), *timestamp), None);
    }
    generator.on_periodic()
}

#[test]
fn v8_5_1_bounded_watermarks_follow_the_greatest_timestamp() {
    let mut generator = bounded(10);
    assert_eq!(generator.on_periodic(), Some(i64::MIN));
    assert_eq!(events(&mut generator, &[1337]), Some(1326));
    assert_eq!(events(&mut generator, &[12345, 12300, 12340, 12280]), Some(12334));
    assert_eq!(events(&mut generator, &[723_456]), Some(723_445));
    assert_eq!(generator.on_periodic(), Some(723_445), "asking again changes nothing");
}

#[test]
fn a_batch_counts_like_its_records() {
    let mut generator = bounded(10);
    assert_eq!(generator.on_batch(&[(); 4], &[12345, 12300, 12340, 12280]), None);
    assert_eq!(generator.on_periodic(), Some(12334));
}

#[test]
fn records_without_timestamps_make_no_watermark() {
    let mut generator = bounded(0);
    assert_eq!(generator.on_batch(&[(); 2], &[]), None);
    assert_eq!(events(&mut generator, &[NO_TIMESTAMP]), Some(i64::MIN));
}

#[test]
fn the_least_timestamps_and_the_longest_delay_do_not_overflow() {
    let mut generator: BoundedOutOfOrderness = BoundedOutOfOrderness::new(Duration::MAX);
    assert_eq!(events(&mut generator, &[i64::MIN + 5]), Some(i64::MIN));
    assert_eq!(events(&mut generator, &[i64::MAX]), Some(-1));
}

/// Every negative record is a punctuation that carries a watermark.
struct Punctuated;

impl WatermarkGenerator<i64> for Punctuated {
    fn on_event(&mut self, record: &i64, timestamp: Timestamp) -> Option<Timestamp> {
        (*record < 0).then_some(timestamp)
    }
}

#[test]
fn the_greatest_punctuation_of_a_batch_counts() {
    assert_eq!(Punctuated.on_batch(&[-1, -1, 1], &[7, 5, 9]), Some(7));
    assert_eq!(Punctuated.on_batch(&[1, 1, 1], &[7, 5, 9]), None);
    assert_eq!(Punctuated.on_batch(&[-1], &[]), Some(NO_TIMESTAMP));
    assert_eq!(Punctuated.on_periodic(), None);
}

#[test]
fn no_watermarks_makes_none() {
    let mut generator: Box<dyn WatermarkGenerator<()>> = Box::new(NoWatermarks);
    assert_eq!(generator.on_batch(&[(); 2], &[1, 2]), None);
    assert_eq!(generator.on_periodic(), None);
}
