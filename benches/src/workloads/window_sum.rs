//! Sums per key in tumbling event-time windows of ten seconds, which hold ten million records each.

use std::sync::atomic::Ordering;

use anyhow::Result;
use flott::prelude::*;
use hashbrown::HashMap;

use super::sum::Sum;
use super::{compare, environment, event_time};
use crate::Options;
use crate::event::{Event, checksum};
use crate::report::Report;
use crate::sinks::ChecksumSink;

const SIZE_MS: i64 = 10_000;

pub(super) fn run(options: &Options) -> Result<Report> {
    let records = options.records.unwrap_or(40_000_000);
    let keys = options.keys;
    let flott = || {
        let env = environment(options);
        let (sink, sum) = ChecksumSink::new(|(key, sum): &(u64, i64)| checksum(*key, *sum));
        let source = GeneratorSource::new(records, move |index| Event::at(index, keys));
        env.from_source(source, event_time(), "generator")
            .key_by(|event| event.key)
            .window(TumblingEventTimeWindows::of(Duration::from_millis(SIZE_MS as u64)))
            .aggregate_with(Sum, |key, _window, sum, out| out.collect((*key, sum)))
            .sink_to(sink);
        env.execute()?;
        Ok(sum.load(Ordering::Relaxed))
    };
    compare("window_sum", options, records, flott, || limit(records, keys))
}

/// One table of (window, key), as records may be out of order; windows are taken out when a watermark, looked at for
/// every thousand records, has passed their end.
fn limit(records: u64, keys: u64) -> u64 {
    let mut sums: HashMap<(i64, u64), i64> = HashMap::new();
    let (mut total, mut next_end) = (0_u64, SIZE_MS);
    for index in 0..records {
        let event = Event::at(index, keys);
        let timestamp = event.timestamp();
        let window = timestamp - timestamp.rem_euclid(SIZE_MS);
        let sum = sums.entry((window, event.key)).or_insert(0);
        *sum = sum.wrapping_add(event.value);
        if index % 1000 == 999 && timestamp >= next_end {
            for ((_, key), sum) in sums.extract_if(|(window, _), _| window + SIZE_MS <= timestamp) {
                total = total.wrapping_add(checksum(key, sum));
            }
            next_end = window + SIZE_MS;
        }
    }
    sums.iter().fold(total, |total, ((_, key), sum)| total.wrapping_add(checksum(*key, *sum)))
}
