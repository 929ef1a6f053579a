//! Writes a program with the DataStream API, as a user would.

use std::time::Duration;

use flott::prelude::*;

use crate::functions::{Census, Change, Copies, Couple, Hoard, Keep, Patience, Ruled, Tally};
use crate::program::{Event, Program, Sink, SourcePlan, Spreading, Stream, Windows};
use crate::settings::Settings;
use crate::sinks::{Ledger, Table};
use crate::source::Splits;
use crate::world::Hands;

/// Writes the program for one process.
pub(crate) fn build(program: &Program, settings: &Settings, hands: &Hands) -> StreamExecutionEnvironment {
    let env = settings.environment(program.max_parallelism);
    let builder = Builder { env, settings, hands };
    let mut streams: Vec<DataStream<Event>> = Vec::new();
    for (number, stream) in program.streams.iter().enumerate() {
        let added = builder.stream(stream, &streams);
        let added = match stream {
            // No operators.
            Stream::Union { .. } | Stream::Spread { .. } => added,
            _ => added
                .uid(format!("s{number}"))
                .name(format!("s{number}"))
                .set_parallelism(settings.parallelism_of(number as u64)),
        };
        streams.push(added);
    }
    for (number, (of, sink)) in program.sinks.iter().enumerate() {
        builder.sink(number as u32, &streams[*of], *sink);
    }
    builder.env
}

struct Builder<'a> {
    env: StreamExecutionEnvironment,
    settings: &'a Settings,
    hands: &'a Hands,
}

fn key(event: &Event) -> u32 {
    event.key
}

fn add(sum: &Event, next: Event) -> Event {
    Event { value: next.value.wrapping_add(sum.value), ..next }
}

impl Builder<'_> {
    fn stream(&self, stream: &Stream, streams: &[DataStream<Event>]) -> DataStream<Event> {
        let hands = || self.hands.clone();
        let keyed = |of: usize| streams[of].key_by(key);
        match *stream {
            Stream::Source(ref plan) => self.source(plan),
            Stream::Map { of, factor, keys } => streams[of].map_with(Change { factor, keys, hands: hands() }),
            Stream::Filter { of, multiple } => streams[of].filter_with(Keep { multiple, hands: hands() }),
            Stream::Copies { of, count } => streams[of].flat_map_with(Copies { count, hands: hands() }),
            Stream::Spread { of, how } => match how {
                Spreading::Rebalance => streams[of].rebalance(),
                Spreading::Rescale => streams[of].rescale(),
                Spreading::Shuffle => streams[of].shuffle(),
            },
            Stream::Window { of, windows, keeps_all } => {
                let ms = |ms: i64| Duration::from_millis(ms.unsigned_abs());
                let keyed = keyed(of);
                match windows {
                    Windows::Tumbling(size) => {
                        sums(keyed.window(TumblingEventTimeWindows::of(ms(size))), keeps_all)
                    }
                    Windows::Sliding(size, slide) => {
                        sums(keyed.window(SlidingEventTimeWindows::of(ms(size), ms(slide))), keeps_all)
                    }
                    Windows::Session(gap) => {
                        sums(keyed.window(EventTimeSessionWindows::with_gap(ms(gap))), keeps_all)
                    }
                }
            }
            Stream::Tally { of, width } => keyed(of).process(Tally::new(width, hands())),
            Stream::Couple { first, second, width } => {
                keyed(first).connect(&keyed(second)).process(Couple::new(width, hands()))
            }
            Stream::Ruled { of, rules, width } => {
                let rules = streams[rules].broadcast_with_state(Ruled::rules());
                keyed(of).connect_broadcast(&rules).process(Ruled::new(width, hands()))
            }
            Stream::Union { first, second } => streams[first].union(&streams[second]),
            Stream::Patience { of, wait_ms } => keyed(of).process(Patience::new(wait_ms, hands())),
            Stream::Hoard { of, dozen } => streams[of].flat_map_with(Hoard::new(dozen, hands())),
            Stream::Census { of } => streams[of].flat_map_with(Census::new(hands())),
        }
    }

    fn source(&self, plan: &SourcePlan) -> DataStream<Event> {
        let disorder = Duration::from_millis(plan.disorder.unsigned_abs());
        let watermarks = WatermarkStrategy::for_bounded_out_of_orderness(disorder);
        self.env.from_source(Splits { plan: plan.clone(), hands: self.hands.clone() }, watermarks, "source")
    }

    fn sink(&self, number: u32, stream: &DataStream<Event>, sink: Sink) {
        let hands = self.hands.clone();
        let parallelism = self.settings.parallelism_of(1_000 + u64::from(number));
        let (uid, name) = (format!("sink{number}"), format!("sink{number}"));
        let _ = match sink {
            Sink::Ledger => {
                stream.sink_to(Ledger { number, hands }).uid(uid).name(name).set_parallelism(parallelism)
            }
            Sink::Table => {
                // In the same subtask, so that the last sum is written last.
                let sums = stream.key_by(key).reduce(add).uid(format!("sums{number}"));
                let sums = sums.name(format!("sums{number}")).set_parallelism(parallelism);
                sums.sink_to(Table { number, hands }).uid(uid).name(name).set_parallelism(parallelism)
            }
        };
    }
}

/// The sum of each window, at its last moment.
fn sums<A>(windowed: WindowedStream<u32, Event, A>, keeps_all: bool) -> DataStream<Event>
where
    A: WindowAssigner<Event, Window = TimeWindow>,
{
    let at = |window: &TimeWindow| window.max_timestamp();
    if keeps_all {
        return windowed.apply(
            move |key: &u32, window: &TimeWindow, events: &[Event], out: &mut Collector<'_, Event>| {
                let value = events.iter().fold(0_i64, |sum, event| sum.wrapping_add(event.value));
                out.collect(Event { key: *key, value, at: at(window) });
            },
        );
    }
    windowed.reduce_with(
        add,
        move |_: &u32, window: &TimeWindow, sum: Event, out: &mut Collector<'_, Event>| {
            out.collect(Event { at: at(window), ..sum });
        },
    )
}
