//! A running sum per key, one output per record.

use std::sync::atomic::Ordering;

use anyhow::Result;
use flott::prelude::*;
use hashbrown::HashMap;

use super::{compare, environment};
use crate::Options;
use crate::event::{Event, checksum};
use crate::report::Report;
use crate::sinks::ChecksumSink;

/// Emits key and sum so far.
#[derive(Clone, Default)]
pub(super) struct RunningSum {
    sum: ValueState<i64>,
}

impl KeyedProcessFunction<u64, Event, (u64, i64)> for RunningSum {
    fn open(&mut self, context: &mut OpenContext<'_, u64>) -> FnResult {
        self.sum = context.value_state(ValueStateDescriptor::new("sum"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        event: Event,
        context: &mut KeyedContext<'_, u64>,
        out: &mut Collector<'_, (u64, i64)>,
    ) -> FnResult {
        let sum = self.sum.get_or_insert_with(context, || 0)?;
        *sum = sum.wrapping_add(event.value);
        out.collect((event.key, *sum));
        Ok(())
    }
}

pub(super) fn run(options: &Options) -> Result<Report> {
    let records = options.records.unwrap_or(20_000_000.max(3 * options.keys));
    let keys = options.keys;
    // The source's subtasks race, so with several of them only how often each key comes out is certain, not its sums.
    let mask = if options.parallelism == 1 { -1 } else { 0 };
    let flott = || {
        let env = environment(options);
        let (sink, sum) = ChecksumSink::new(move |(key, sum): &(u64, i64)| checksum(*key, *sum & mask));
        let source = GeneratorSource::new(records, move |index| Event::at(index, keys));
        let events = env.from_source(source, WatermarkStrategy::no_watermarks(), "generator");
        events.key_by(|event| event.key).process(RunningSum::default()).sink_to(sink);
        env.execute()?;
        Ok(sum.load(Ordering::Relaxed))
    };
    let limit = || {
        let mut sums: HashMap<u64, i64> = HashMap::new();
        let mut total = 0_u64;
        for index in 0..records {
            let event = Event::at(index, keys);
            let sum = sums.entry(event.key).or_insert(0);
            *sum = sum.wrapping_add(event.value);
            total = total.wrapping_add(checksum(event.key, *sum & mask));
        }
        total
    };
    #[cfg(feature = "rocksdb")]
    if options.backend == "rocksdb" {
        let limit = || super::rocksdb_loop::running_sums(options, records, mask);
        return super::compare_with("keyed_sum", options, records, flott, limit);
    }
    compare("keyed_sum", options, records, flott, limit)
}
