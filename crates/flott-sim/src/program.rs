//! Programs as plain data: what a seed has drawn, what the engine runs, and what the oracle computes by itself.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What flows through all simulated programs. Its event time is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Event {
    /// What it is keyed by.
    pub key: u32,
    /// What is added up.
    pub value: i64,
    /// Its event time in milliseconds.
    pub at: i64,
}

/// The time at which functions tell what they have at the end: after all events, before the last watermark.
pub const FINAL: i64 = 1 << 40;

/// The key of what is told about a whole stream.
pub const TOTAL: u32 = 1_000_000;

/// A program: streams, each made from earlier ones, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The streams.
    pub streams: Vec<Stream>,
    /// The sinks, of streams by number.
    pub sinks: Vec<(usize, Sink)>,
    /// The number of key groups.
    pub max_parallelism: u32,
}

/// A sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Rows that are seen when their transaction is committed.
    Ledger,
    /// The last sum of each key.
    Table,
}

/// How a stream is made. Streams are named by their number in [`Program::streams`]; times are in milliseconds.
#[allow(missing_docs, reason = "the fields are explained by what the stream is")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Events from splits.
    Source(SourcePlan),
    /// Other values, under keys below `keys`.
    Map { of: usize, factor: i64, keys: u32 },
    /// Those whose value is not a multiple.
    Filter { of: usize, multiple: i64 },
    /// Each event `count` times, under as many keys.
    Copies { of: usize, count: u32 },
    /// The same events in other subtasks.
    Spread { of: usize, how: Spreading },
    /// Sums of windows.
    Window { of: usize, windows: Windows, keeps_all: bool },
    /// Sums of spans of time by timers, and all kinds of state told at the end.
    Tally { of: usize, width: i64 },
    /// Sums of spans of time over two streams.
    Couple { first: usize, second: usize, width: i64 },
    /// Sums of spans of time, multiplied by what the rules of a broadcast stream say until then.
    Ruled { of: usize, rules: usize, width: i64 },
    /// Two streams as one.
    Union { first: usize, second: usize },
    /// Sums that pass through processing-time timers.
    Patience { of: usize, wait_ms: i64 },
    /// Passed on by the dozen, from a list in operator state. Without time from here on.
    Hoard { of: usize, dozen: usize },
    /// Passed on, and counted in union list state. Without time from here on.
    Census { of: usize },
}

/// How events are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spreading {
    /// In turn.
    Rebalance,
    /// In turn among some.
    Rescale,
    /// By chance.
    Shuffle,
}

/// Which windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// Of this size.
    Tumbling(i64),
    /// Of a size, one each so many milliseconds.
    Sliding(i64, i64),
    /// With gaps of this size between them.
    Session(i64),
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePlan {
    /// Its splits.
    pub splits: Vec<SplitPlan>,
    /// Keys are below.
    pub keys: u32,
    /// How many milliseconds an event may come behind later ones.
    pub disorder: i64,
    /// How many events a poll reads at most.
    pub poll: usize,
    /// How long the reader has nothing after a poll.
    pub pause_ms: u64,
}

/// A split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitPlan {
    /// How many events.
    pub count: u64,
    /// The time of the first.
    pub start: i64,
    /// The time between two.
    pub step: i64,
    /// What makes keys and values.
    pub seed: u64,
}

impl SourcePlan {
    /// An event of a split.
    pub fn event(&self, split: usize, index: u64) -> Event {
        let plan = &self.splits[split];
        let random = flott_core::hash::mix64(plan.seed.wrapping_add(index));
        let late = if self.disorder == 0 { 0 } else { (random >> 40) as i64 % (self.disorder + 1) };
        Event {
            key: (random % u64::from(self.keys)) as u32,
            value: (random >> 20) as i64 % 1_000,
            at: plan.start + plan.step * index as i64 - late,
        }
    }
}

impl Stream {
    /// The streams that it is made from.
    pub fn inputs(&self) -> Vec<usize> {
        match self {
            Self::Source(_) => Vec::new(),
            Self::Map { of, .. }
            | Self::Filter { of, .. }
            | Self::Copies { of, .. }
            | Self::Spread { of, .. }
            | Self::Window { of, .. }
            | Self::Tally { of, .. }
            | Self::Patience { of, .. }
            | Self::Hoard { of, .. }
            | Self::Census { of } => vec![*of],
            Self::Couple { first, second, .. } | Self::Union { first, second } => vec![*first, *second],
            Self::Ruled { of, rules, .. } => vec![*of, *rules],
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, stream) in self.streams.iter().enumerate() {
            writeln!(f, "  s{number} = {stream}")?;
        }
        for (of, sink) in &self.sinks {
            writeln!(f, "  s{of} -> {sink:?}")?;
        }
        write!(f, "  {} key groups", self.max_parallelism)
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(plan) => {
                let counts: Vec<_> = plan.splits.iter().map(|split| split.count.to_string()).collect();
                let SourcePlan { keys, disorder, poll, pause_ms, .. } = plan;
                write!(f, "source of splits [{}], {keys} keys, ", counts.join(" "))?;
                write!(f, "disorder {disorder} ms, {poll} events each {pause_ms} ms")
            }
            Self::Map { of, factor, keys } => write!(f, "s{of}.map(x{factor}, {keys} keys)"),
            Self::Filter { of, multiple } => write!(f, "s{of}.filter(not a multiple of {multiple})"),
            Self::Copies { of, count } => write!(f, "s{of}.flat_map({count} copies)"),
            Self::Spread { of, how } => write!(f, "s{of}.{how:?}"),
            Self::Window { of, windows, keeps_all } => {
                write!(f, "s{of}.window({windows:?}{})", if *keeps_all { ", all elements" } else { "" })
            }
            Self::Tally { of, width } => write!(f, "s{of}.tally({width})"),
            Self::Couple { first, second, width } => write!(f, "s{first}.connect(s{second}, {width})"),
            Self::Ruled { of, rules, width } => write!(f, "s{of}.connect_broadcast(s{rules}, {width})"),
            Self::Union { first, second } => write!(f, "s{first}.union(s{second})"),
            Self::Patience { of, wait_ms } => write!(f, "s{of}.patience({wait_ms})"),
            Self::Hoard { of, dozen } => write!(f, "s{of}.hoard({dozen})"),
            Self::Census { of } => write!(f, "s{of}.census()"),
        }
    }
}
