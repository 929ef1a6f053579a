//! Time to live of state in a whole program, with and without a snapshot and restore between any two steps.

use flott::function::KeyedMapFunction;
use flott::prelude::*;
use flott::testing::{OneInputHarness, in_both_modes};

/// How often a key was seen within 100 ms of the time before.
#[derive(Clone, Default)]
struct Seen {
    count: ReducingState<i64>,
}

impl KeyedMapFunction<u8, u8, i64> for Seen {
    fn open(&mut self, context: &mut OpenContext<'_, u8>) -> FnResult {
        let ttl = StateTtlConfig::new(Duration::from_millis(100));
        let count = ReducingStateDescriptor::new("count", |a: &i64, b: i64| a + b).enable_time_to_live(ttl);
        self.count = context.reducing_state(count)?;
        Ok(())
    }

    fn map(&mut self, _: u8, context: &mut KeyedStateContext<'_, '_, u8>) -> FnResult<i64> {
        self.count.add(context, 1)?;
        Ok(self.count.get(context)?.copied().unwrap_or_default())
    }
}

#[test]
fn s21_event_time_lets_nothing_expire() {
    in_both_modes(|options| {
        let build = |records: DataStream<u8>| records.key_by(|record| *record).map_with(Seen::default());
        let mut harness = OneInputHarness::new(build).with_options(options);
        for time in [0, 1_000, 1_000_000] {
            harness.process(7, time).unwrap();
            harness.watermark(time).unwrap();
        }
        assert_eq!(harness.take_records(), [1, 2, 3]);
    });
}

#[test]
fn s12_state_of_a_keyed_function_expires_by_processing_time() {
    in_both_modes(|options| {
        let build = |records: DataStream<u8>| records.key_by(|record| *record).map_with(Seen::default());
        let mut harness = OneInputHarness::new(build).with_options(options);
        for (now, record) in [(1000, 7), (1099, 7), (1150, 8), (1199, 7), (1249, 8)] {
            harness.set_processing_time(now).unwrap();
            harness.process(record, 0).unwrap();
        }
        assert_eq!(harness.take_records(), [1, 2, 1, 1, 2]);
    });
}
