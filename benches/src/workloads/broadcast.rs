//! A running sum per key by a factor that is broadcast, beside the same sum by a function without a broadcast side.

use std::sync::atomic::Ordering;

use anyhow::Result;
use flott::function::{KeyedBroadcastContext, KeyedBroadcastProcessFunction, KeyedReadOnlyContext};
use flott::prelude::*;
use hashbrown::HashMap;

use super::{environment, summarize};
use crate::Options;
use crate::event::{Event, checksum};
use crate::measure::{measure, median, peak_rss};
use crate::report::{Report, cpu_ns};
use crate::sinks::ChecksumSink;

/// Emits key and sum so far. What has been broadcast is kept, for the rules are the program's to look at.
#[derive(Clone, Default)]
struct RunningSum {
    rules: BroadcastState<u64, i64>,
    sum: ValueState<i64>,
}

impl KeyedBroadcastProcessFunction<u64, Event, i64, (u64, i64)> for RunningSum {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.rules = context.broadcast_state(MapStateDescriptor::new("rules"))?;
        Ok(())
    }

    fn open(&mut self, context: &mut OpenContext<'_, u64>) -> FnResult {
        self.sum = context.value_state(ValueStateDescriptor::new("sum"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        event: Event,
        context: &mut KeyedReadOnlyContext<'_, u64>,
        out: &mut Collector<'_, (u64, i64)>,
    ) -> FnResult {
        let sum = self.sum.get_or_insert_with(context, || 0)?;
        *sum = sum.wrapping_add(event.value);
        out.collect((event.key, *sum));
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        rule: i64,
        context: &mut KeyedBroadcastContext<'_, u64>,
        _out: &mut Collector<'_, (u64, i64)>,
    ) -> FnResult {
        Ok(self.rules.put(context, 0, rule)?)
    }
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

/// Runs the job, with a broadcast side or without.
fn flott(options: &Options, records: u64, broadcast: bool) -> Result<u64> {
    let keys = options.keys;
    let env = environment(options);
    // An operator with two inputs is a task of its own, so the one without must be, too.
    env.set(&flott_core::config::keys::INLINE_EXCHANGES, false);
    let (sink, sum) = ChecksumSink::new(|(key, sum): &(u64, i64)| checksum(*key, *sum));
    let source = GeneratorSource::new(records, move |index| Event::at(index, keys));
    let events = env.from_source(source, WatermarkStrategy::no_watermarks(), "generator");
    let events = events.key_by(|event| event.key);
    let sums = if broadcast {
        let rules = GeneratorSource::new(100, |index| index as i64).with_rate(1000.0);
        let rules = env
            .from_source(rules, WatermarkStrategy::no_watermarks(), "rules")
            .broadcast_with_state(MapStateDescriptor::<u64, i64>::new("rules"));
        events.connect_broadcast(&rules).process(RunningSum::default())
    } else {
        events.process(RunningSum::default())
    };
    sums.sink_to(sink);
    env.execute()?;
    Ok(sum.load(Ordering::Relaxed))
}

pub(super) fn run(options: &Options) -> Result<Report> {
    let records = options.records.unwrap_or(20_000_000);
    let (mut with, mut without, mut loops) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.runs.max(1) {
        with.push(measure(|| flott(options, records, true))?);
        without.push(measure(|| flott(options, records, false))?);
        if !options.no_limit {
            loops.push(measure(|| Ok(limit(records, options.keys)))?);
        }
    }
    let mut report = summarize("broadcast", options, records, &with, &loops, peak_rss()?)?;
    report.without_broadcast_cpu_ns = median(&without).map(|cost| cpu_ns(&cost, records));
    Ok(report)
}

fn limit(records: u64, keys: u64) -> u64 {
    let mut sums: HashMap<u64, i64> = HashMap::new();
    let mut total = 0_u64;
    for index in 0..records {
        let event = Event::at(index, keys);
        let sum = sums.entry(event.key).or_insert(0);
        *sum = sum.wrapping_add(event.value);
        total = total.wrapping_add(checksum(event.key, *sum));
    }
    total
}
