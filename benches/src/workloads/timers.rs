//! One event-time timer per record, one to ten seconds ahead, which emits its key when it fires.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use anyhow::Result;
use flott::prelude::*;

use super::{compare, environment, event_time};
use crate::Options;
use crate::event::{Event, checksum, splitmix64};
use crate::report::Report;
use crate::sinks::ChecksumSink;

/// When the timer of a record is due.
const fn due(event: Event) -> i64 {
    event.timestamp() + 1_000 + (splitmix64(!event.value as u64) % 9_000) as i64
}

#[derive(Clone)]
struct OneTimerEach;

impl KeyedProcessFunction<u64, Event, (u64, i64)> for OneTimerEach {
    fn process_element(
        &mut self,
        event: Event,
        context: &mut KeyedContext<'_, u64>,
        _out: &mut Collector<'_, (u64, i64)>,
    ) -> FnResult {
        context.register_event_time_timer(due(event));
        Ok(())
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerContext<'_, u64>,
        out: &mut Collector<'_, (u64, i64)>,
    ) -> FnResult {
        out.collect((*context.current_key(), time));
        Ok(())
    }
}

pub(super) fn run(options: &Options) -> Result<Report> {
    let records = options.records.unwrap_or(20_000_000);
    let keys = options.keys;
    let flott = || {
        let env = environment(options);
        let (sink, sum) = ChecksumSink::new(|(key, time): &(u64, i64)| checksum(*key, *time));
        let source = GeneratorSource::new(records, move |index| Event::at(index, keys));
        env.from_source(source, event_time(), "generator")
            .key_by(|event| event.key)
            .process(OneTimerEach)
            .sink_to(sink);
        env.execute()?;
        Ok(sum.load(Ordering::Relaxed))
    };
    compare("timers", options, records, flott, || limit(records, keys))
}

/// A list of keys for each millisecond; timers set twice are found when it is due.
fn limit(records: u64, keys: u64) -> u64 {
    let mut timers: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    let (mut total, mut now) = (0_u64, 0);
    for index in 0..records {
        let event = Event::at(index, keys);
        if event.timestamp() > now {
            now = event.timestamp();
            while let Some(first) = timers.first_entry().filter(|first| *first.key() < now) {
                total = total.wrapping_add(fire(first.remove_entry()));
            }
        }
        timers.entry(due(event)).or_default().push(event.key);
    }
    timers.into_iter().fold(total, |total, timers| total.wrapping_add(fire(timers)))
}

fn fire((time, mut keys): (i64, Vec<u64>)) -> u64 {
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().fold(0, |total, key| total.wrapping_add(checksum(key, time)))
}
