//! Sums per key in windows of a minute that start every second: each record counts in sixty of them.

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

const SLIDE_MS: i64 = 1_000;
const PANES: usize = 60;

pub(super) fn run(options: &Options) -> Result<Report> {
    let records = options.records.unwrap_or(40_000_000);
    let keys = options.keys;
    let flott = || {
        let env = environment(options);
        let (sink, sum) = ChecksumSink::new(|(key, sum): &(u64, i64)| checksum(*key, *sum));
        let source = GeneratorSource::new(records, move |index| Event::at(index, keys));
        let slide = Duration::from_millis(SLIDE_MS as u64);
        env.from_source(source, event_time(), "generator")
            .key_by(|event| event.key)
            .window(SlidingEventTimeWindows::of(slide * PANES as u32, slide))
            .aggregate_with(Sum, |key, _window, sum, out| out.collect((*key, sum)))
            .sink_to(sink);
        env.execute()?;
        Ok(sum.load(Ordering::Relaxed))
    };
    compare("sliding_sum", options, records, flott, || limit(records, keys))
}

/// What one key has had in each second of the last minute, and in all of it.
struct Ring {
    sums: [i64; PANES],
    counts: [u32; PANES],
    sum: i64,
    count: u32,
}

/// A ring of panes per key, from whose running sum the pane that leaves is subtracted. It takes what flott can't
/// assume: records in order, and a sum that can be undone.
fn limit(records: u64, keys: u64) -> u64 {
    let mut rings: HashMap<u64, Ring> = HashMap::new();
    let (mut total, mut next_end) = (0_u64, SLIDE_MS);
    for index in 0..records {
        let event = Event::at(index, keys);
        while event.timestamp() >= next_end {
            total = total.wrapping_add(fire(&mut rings, next_end));
            next_end += SLIDE_MS;
        }
        let empty = || Ring { sums: [0; PANES], counts: [0; PANES], sum: 0, count: 0 };
        let ring = rings.entry(event.key).or_insert_with(empty);
        let pane = pane(event.timestamp());
        ring.sums[pane] = ring.sums[pane].wrapping_add(event.value);
        ring.sum = ring.sum.wrapping_add(event.value);
        ring.counts[pane] += 1;
        ring.count += 1;
    }
    while !rings.is_empty() {
        total = total.wrapping_add(fire(&mut rings, next_end));
        next_end += SLIDE_MS;
    }
    total
}

const fn pane(timestamp: i64) -> usize {
    (timestamp / SLIDE_MS) as usize % PANES
}

/// Emits the window that ends at `end`, and forgets its first second.
fn fire(rings: &mut HashMap<u64, Ring>, end: i64) -> u64 {
    let (mut total, oldest) = (0_u64, pane(end));
    rings.retain(|key, ring| {
        total = total.wrapping_add(checksum(*key, ring.sum));
        ring.sum = ring.sum.wrapping_sub(ring.sums[oldest]);
        ring.count -= ring.counts[oldest];
        (ring.sums[oldest], ring.counts[oldest]) = (0, 0);
        ring.count > 0
    });
    total
}
