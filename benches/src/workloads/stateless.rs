//! Generate, map, filter, checksum: nothing but the cost of moving records through a chain.

use std::sync::atomic::Ordering;

use anyhow::Result;
use flott::prelude::*;

use super::{compare, environment};
use crate::Options;
use crate::event::{Event, checksum};
use crate::report::Report;
use crate::sinks::ChecksumSink;

#[inline]
const fn mapped(event: Event) -> Event {
    Event { key: event.key, value: event.value.wrapping_mul(3).wrapping_add(event.key as i64) }
}

#[inline]
const fn kept(event: &Event) -> bool {
    event.value & 3 != 0
}

pub(super) fn run(options: &Options) -> Result<Report> {
    let records = options.records.unwrap_or(100_000_000);
    let keys = options.keys;
    let flott = || {
        let env = environment(options);
        let (sink, sum) = ChecksumSink::new(|event: &Event| checksum(event.key, event.value));
        let source = GeneratorSource::new(records, move |index| Event::at(index, keys));
        let events = env.from_source(source, WatermarkStrategy::no_watermarks(), "generator");
        events.map(mapped).filter(kept).sink_to(sink);
        env.execute()?;
        Ok(sum.load(Ordering::Relaxed))
    };
    let limit = || {
        let mut sum = 0_u64;
        for index in 0..records {
            let event = mapped(Event::at(index, keys));
            if kept(&event) {
                sum = sum.wrapping_add(checksum(event.key, event.value));
            }
        }
        sum
    };
    compare("stateless", options, records, flott, limit)
}
