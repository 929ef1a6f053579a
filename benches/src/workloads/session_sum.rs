//! Sums per key in session windows, of twenty records on average.

use std::sync::atomic::Ordering;

use anyhow::Result;
use flott::prelude::*;
use hashbrown::HashMap;

use super::sum::Sum;
use super::{compare, environment};
use crate::Options;
use crate::event::{Event, checksum};
use crate::report::Report;
use crate::sinks::ChecksumSink;

/// Timestamps are even and the gap is odd, so no record touches a session: whether that one has fired by then would
/// depend on when the watermark came.
const fn timestamp(event: Event) -> i64 {
    2 * event.timestamp()
}

/// Three times the mean distance of two records of a key: one in twenty is farther from the last than that.
fn gap_ms(keys: u64) -> i64 {
    (2 * (3 * keys / 1000) + 1) as i64
}

pub(super) fn run(options: &Options) -> Result<Report> {
    let records = options.records.unwrap_or(40_000_000);
    let keys = options.keys;
    let flott = || {
        let env = environment(options);
        let (sink, sum) = ChecksumSink::new(|(key, sum): &(u64, i64)| checksum(*key, *sum));
        let source = GeneratorSource::new(records, move |index| Event::at(index, keys));
        let event_time = WatermarkStrategy::for_monotonous_timestamps()
            .with_timestamp_assigner(|event: &Event, _| timestamp(*event));
        env.from_source(source, event_time, "generator")
            .key_by(|event| event.key)
            .window(EventTimeSessionWindows::with_gap(Duration::from_millis(gap_ms(keys) as u64)))
            .aggregate_with(Sum, |key, _window, sum, out| out.collect((*key, sum)))
            .sink_to(sink);
        env.execute()?;
        Ok(sum.load(Ordering::Relaxed))
    };
    compare("session_sum", options, records, flott, || limit(records, keys))
}

/// The open session of each key, which a record beyond the gap replaces. It takes what flott can't assume: records in
/// order, and results that may wait for the key's next record.
fn limit(records: u64, keys: u64) -> u64 {
    let (mut sessions, gap): (HashMap<u64, (i64, i64)>, _) = (HashMap::new(), gap_ms(keys));
    let mut total = 0_u64;
    for index in 0..records {
        let event = Event::at(index, keys);
        let (end, sum) = sessions.entry(event.key).or_insert((i64::MAX, 0));
        if timestamp(event) > *end {
            total = total.wrapping_add(checksum(event.key, *sum));
            *sum = 0;
        }
        *end = timestamp(event) + gap;
        *sum = sum.wrapping_add(event.value);
    }
    sessions.iter().fold(total, |total, (key, (_, sum))| total.wrapping_add(checksum(*key, *sum)))
}
