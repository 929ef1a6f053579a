//! A map of a hundred sums per key in `MapState`, one of which each record changes and emits.

use std::sync::atomic::Ordering;

use anyhow::Result;
use flott::prelude::*;
use hashbrown::HashMap;

use super::{compare, environment};
use crate::Options;
use crate::event::{Event, checksum, splitmix64};
use crate::report::Report;
use crate::sinks::ChecksumSink;

const ENTRIES_PER_KEY: u64 = 100;

/// The key within the map.
const fn user_key(event: Event) -> u64 {
    splitmix64(!event.value as u64) % ENTRIES_PER_KEY
}

#[derive(Clone, Default)]
struct SumsPerKey {
    sums: MapState<u64, i64>,
}

impl KeyedProcessFunction<u64, Event, (u64, i64)> for SumsPerKey {
    fn open(&mut self, context: &mut OpenContext<'_, u64>) -> FnResult {
        self.sums = context.map_state(MapStateDescriptor::new("sums"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        event: Event,
        context: &mut KeyedContext<'_, u64>,
        out: &mut Collector<'_, (u64, i64)>,
    ) -> FnResult {
        let sum = self.sums.get_or_insert_with(context, user_key(event), || 0)?;
        *sum = sum.wrapping_add(event.value);
        out.collect((event.key, *sum));
        Ok(())
    }
}

pub(super) fn run(options: &Options) -> Result<Report> {
    let records = options.records.unwrap_or(20_000_000);
    let keys = options.keys;
    let flott = || {
        let env = environment(options);
        let (sink, sum) = ChecksumSink::new(|(key, sum): &(u64, i64)| checksum(*key, *sum));
        let source = GeneratorSource::new(records, move |index| Event::at(index, keys));
        let events = env.from_source(source, WatermarkStrategy::no_watermarks(), "generator");
        events.key_by(|event| event.key).process(SumsPerKey::default()).sink_to(sink);
        env.execute()?;
        Ok(sum.load(Ordering::Relaxed))
    };
    compare("map_state", options, records, flott, || limit(records, keys))
}

fn limit(records: u64, keys: u64) -> u64 {
    let mut sums: HashMap<u64, HashMap<u64, i64>> = HashMap::new();
    let mut total = 0_u64;
    for index in 0..records {
        let event = Event::at(index, keys);
        let sum = sums.entry(event.key).or_default().entry(user_key(event)).or_insert(0);
        *sum = sum.wrapping_add(event.value);
        total = total.wrapping_add(checksum(event.key, *sum));
    }
    total
}
