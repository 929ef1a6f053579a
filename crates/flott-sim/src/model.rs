//! What a program must bring out, computed without any of flott: every stream is a function of what its inputs hold, whatever the
//! order in which that comes.

use std::collections::BTreeMap;

use crate::program::{Event, FINAL, Program, Sink, Stream, TOTAL, Windows};

/// What the sinks hold at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The rows of each ledger, by sink, with how often each comes.
    pub ledgers: BTreeMap<u32, BTreeMap<Event, u64>>,
    /// The last sum of each key, by sink.
    pub tables: BTreeMap<(u32, u32), i64>,
}

/// Computes it.
pub fn expected(program: &Program) -> Expected {
    let streams = streams(program);
    let mut expected = Expected::default();
    for (sink, (of, kind)) in program.sinks.iter().enumerate() {
        let sink = sink as u32;
        match kind {
            Sink::Ledger => {
                let rows = expected.ledgers.entry(sink).or_default();
                streams[*of].iter().for_each(|event| *rows.entry(event.clone()).or_insert(0) += 1);
            }
            Sink::Table => {
                let sums = sums(&streams[*of], |event| event.key);
                expected.tables.extend(sums.into_iter().map(|(key, sum)| ((sink, key), sum)));
            }
        }
    }
    expected
}

/// All streams of a program.
pub fn streams(program: &Program) -> Vec<Vec<Event>> {
    let mut streams: Vec<Vec<Event>> = Vec::new();
    for stream in &program.streams {
        let events = events(stream, &streams);
        streams.push(events);
    }
    streams
}

fn events(stream: &Stream, streams: &[Vec<Event>]) -> Vec<Event> {
    match stream {
        Stream::Source(plan) => {
            let splits = plan.splits.iter().enumerate();
            splits
                .flat_map(|(split, splits)| (0..splits.count).map(move |index| plan.event(split, index)))
                .collect()
        }
        Stream::Map { of, factor, keys } => {
            streams[*of].iter().map(|event| map(event.clone(), *factor, *keys)).collect()
        }
        Stream::Filter { of, multiple } => {
            streams[*of].iter().filter(|event| event.value % multiple != 0).cloned().collect()
        }
        Stream::Copies { of, count } => {
            streams[*of].iter().flat_map(|event| (0..*count).map(|copy| copied(event, copy))).collect()
        }
        Stream::Spread { of, .. } | Stream::Hoard { of, .. } => streams[*of].clone(),
        Stream::Window { of, windows, .. } => window(&streams[*of], *windows),
        Stream::Tally { of, width } => tally(&streams[*of], *width),
        Stream::Couple { first, second, width } => {
            let weighed = |event: &Event| Event { value: event.value.wrapping_mul(SECOND), ..event.clone() };
            let both: Vec<_> =
                streams[*first].iter().cloned().chain(streams[*second].iter().map(weighed)).collect();
            spans(&both, *width)
        }
        Stream::Ruled { of, rules, width } => {
            let mut sums = spans(&streams[*of], *width);
            for sum in &mut sums {
                let rules = streams[*rules].iter().filter(|rule| rule.at <= sum.at);
                sum.value = ruled(sum.value, rules.map(|rule| rule.value));
            }
            sums
        }
        Stream::Union { first, second } => [streams[*first].as_slice(), &streams[*second]].concat(),
        Stream::Patience { of, .. } => {
            let sums = sums(&streams[*of], |event| event.key);
            sums.into_iter().map(|(key, value)| Event { key, value, at: FINAL }).collect()
        }
        Stream::Census { of } => {
            let counted = Event { key: TOTAL, value: streams[*of].len() as i64, at: FINAL };
            streams[*of].iter().cloned().chain([counted]).collect()
        }
    }
}

/// What the second of two connected streams weighs.
pub(crate) const SECOND: i64 = 1_000_003;

pub(crate) fn map(event: Event, factor: i64, keys: u32) -> Event {
    let key = (u64::from(event.key).wrapping_add(event.value.unsigned_abs()) % u64::from(keys)) as u32;
    Event { key, value: event.value.wrapping_mul(factor).wrapping_add(1), at: event.at }
}

pub(crate) fn copied(event: &Event, copy: u32) -> Event {
    Event { key: event.key + 100 * copy, value: event.value.wrapping_add(i64::from(copy)), at: event.at }
}

/// The last moment of the span of time of an event.
pub(crate) fn span_end(at: i64, width: i64) -> i64 {
    at.div_euclid(width) * width + width - 1
}

pub(crate) fn ruled(sum: i64, rules: impl Iterator<Item = i64>) -> i64 {
    sum.wrapping_mul(1 + rules.fold(0, i64::wrapping_add))
}

/// What all kinds of state have of a key: count, all values, greatest value, and sum.
pub(crate) fn digest(count: i64, mut values: Vec<i64>, greatest: i64, sum: i64) -> i64 {
    values.sort_unstable();
    let values = values.iter().fold(7_i64, |hash, value| hash.wrapping_mul(31).wrapping_add(*value));
    count.wrapping_mul(1_000_003).wrapping_add(values).wrapping_mul(31).wrapping_add(greatest) ^ sum
}

fn sums<K: Ord>(events: &[Event], key: impl Fn(&Event) -> K) -> BTreeMap<K, i64> {
    let mut sums = BTreeMap::new();
    for event in events {
        let sum = sums.entry(key(event)).or_insert(0_i64);
        *sum = sum.wrapping_add(event.value);
    }
    sums
}

fn spans(events: &[Event], width: i64) -> Vec<Event> {
    let sums = sums(events, |event| (event.key, span_end(event.at, width)));
    sums.into_iter().map(|((key, at), value)| Event { key, value, at }).collect()
}

fn tally(events: &[Event], width: i64) -> Vec<Event> {
    let mut found = spans(events, width);
    let mut values: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    events.iter().for_each(|event| values.entry(event.key).or_default().push(event.value));
    found.extend(values.into_iter().map(|(key, values)| {
        let greatest = values.iter().copied().max().unwrap_or_default();
        let sum = values.iter().copied().fold(0, i64::wrapping_add);
        Event { key, value: digest(values.len() as i64, values, greatest, sum), at: FINAL }
    }));
    found
}

fn window(events: &[Event], windows: Windows) -> Vec<Event> {
    match windows {
        Windows::Tumbling(size) => spans(events, size),
        Windows::Sliding(size, slide) => {
            let in_windows = events.iter().flat_map(|event| {
                let last = event.at.div_euclid(slide) * slide;
                let starts = (0..).map(move |back| last - back * slide);
                let starts = starts.take_while(move |start| start + size > event.at);
                starts.map(move |start| Event { at: start + size - 1, ..event.clone() })
            });
            let sums = sums(&in_windows.collect::<Vec<_>>(), |event| (event.key, event.at));
            sums.into_iter().map(|((key, at), value)| Event { key, value, at }).collect()
        }
        Windows::Session(gap) => sessions(events, gap),
    }
}

fn sessions(events: &[Event], gap: i64) -> Vec<Event> {
    let mut events = events.to_vec();
    events.sort_by_key(|event| (event.key, event.at));
    let mut sessions: Vec<Event> = Vec::new();
    for event in events {
        match sessions.last_mut() {
            // Windows that touch are one. The time of a session is its last moment.
            Some(last) if last.key == event.key && event.at <= last.at + 1 => {
                last.value = last.value.wrapping_add(event.value);
                last.at = last.at.max(event.at + gap - 1);
            }
            _ => sessions.push(Event { at: event.at + gap - 1, ..event }),
        }
    }
    sessions
}
