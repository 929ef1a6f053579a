//! Draws programs.

use crate::model;
use crate::program::{Program, Sink, SourcePlan, SplitPlan, Spreading, Stream, Windows};
use crate::random::Random;

/// No stream holds more, so that a run stays cheap.
const MOST_EVENTS: usize = 600;

/// What is known of the streams drawn so far.
struct Draft {
    random: Random,
    streams: Vec<Stream>,
    /// Streams whose events have the time that they say.
    timed: Vec<bool>,
}

/// The program of a seed.
pub fn generate(seed: u64) -> Program {
    let mut draft = Draft { random: Random::new(seed, 1), streams: Vec::new(), timed: Vec::new() };
    for _ in 0..draft.random.within(1..=2) {
        let plan = source(&mut draft.random);
        draft.add(Stream::Source(plan));
    }
    for _ in 0..draft.random.within(1..=5) {
        let stream = draft.stream();
        draft.add(stream);
        if draft.largest() > MOST_EVENTS || draft.is_undecided() {
            draft.streams.pop();
            draft.timed.pop();
        }
    }
    let sinks = draft.sinks();
    let max_parallelism = draft.random.pick(&[4, 7, 16, 128]);
    Program { streams: draft.streams, sinks, max_parallelism }
}

fn source(random: &mut Random) -> SourcePlan {
    let step = random.pick(&[1, 3, 10]);
    let splits = (0..random.within(1..=4)).map(|_| SplitPlan {
        count: random.pick(&[0, 7, 20, 20, 40, 60]),
        start: random.below(100) as i64,
        step,
        seed: random.any(),
    });
    SourcePlan {
        splits: splits.collect(),
        keys: random.pick(&[1, 3, 10, 40]),
        disorder: random.pick(&[0, 0, 5, 30]),
        poll: random.pick(&[1, 3, 3, 10]),
        pause_ms: random.pick(&[0, 1, 5, 20]),
    }
}

impl Draft {
    fn add(&mut self, stream: Stream) {
        let timeless = matches!(stream, Stream::Hoard { .. } | Stream::Census { .. });
        let timed = !timeless && stream.inputs().iter().all(|input| self.timed[*input]);
        self.streams.push(stream);
        self.timed.push(timed);
    }

    /// How many events the largest stream holds.
    fn largest(&self) -> usize {
        let program = Program { streams: self.streams.clone(), sinks: Vec::new(), max_parallelism: 1 };
        model::streams(&program).iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Whether sessions touch without overlapping: whether these become one depends on how soon the watermark comes.
    fn is_undecided(&self) -> bool {
        let Some(Stream::Window { of, windows: Windows::Session(gap), .. }) = self.streams.last() else {
            return false;
        };
        let program = Program { streams: self.streams.clone(), sinks: Vec::new(), max_parallelism: 1 };
        let mut events = model::streams(&program).swap_remove(*of);
        events.sort_by_key(|event| (event.key, event.at));
        events.windows(2).any(|two| two[0].key == two[1].key && two[1].at - two[0].at == *gap)
    }

    /// A stream to go on from, rather one that nobody reads yet; with time if need be. Nothing goes on from a census.
    fn any(&mut self, timed: bool) -> usize {
        let is_able = |stream: &usize| {
            (!timed || self.timed[*stream]) && !matches!(self.streams[*stream], Stream::Census { .. })
        };
        let able: Vec<usize> = (0..self.streams.len()).filter(is_able).collect();
        let unread: Vec<usize> = able.iter().copied().filter(|stream| self.is_unread(*stream)).collect();
        if unread.is_empty() || self.random.happens(200) {
            self.random.pick(&able)
        } else {
            self.random.pick(&unread)
        }
    }

    fn is_unread(&self, stream: usize) -> bool {
        !self.streams.iter().any(|other| other.inputs().contains(&stream))
    }

    fn stream(&mut self) -> Stream {
        let width = self.random.pick(&[7, 50, 200]);
        match self.random.below(15) {
            0 => {
                let (factor, keys) = (self.random.pick(&[1, 3, -5]), self.random.pick(&[1, 5, 20]));
                Stream::Map { of: self.any(false), factor, keys }
            }
            1 => Stream::Filter { of: self.any(false), multiple: self.random.pick(&[2, 3, 7]) },
            2 => Stream::Copies { of: self.any(false), count: 2 },
            3 => {
                let how = [Spreading::Rebalance, Spreading::Rescale, Spreading::Shuffle];
                Stream::Spread { of: self.any(false), how: self.random.pick(&how) }
            }
            4..=6 => {
                let windows =
                    [Windows::Tumbling(width), Windows::Sliding(2 * width, width), Windows::Session(width)];
                let windows = self.random.pick(&windows);
                Stream::Window { of: self.any(true), windows, keeps_all: self.random.happens(300) }
            }
            7 | 8 => Stream::Tally { of: self.any(true), width },
            9 => Stream::Couple { first: self.any(true), second: self.any(true), width },
            10 => Stream::Ruled { of: self.any(true), rules: self.any(true), width },
            11 => Stream::Union { first: self.any(false), second: self.any(false) },
            12 => Stream::Patience { of: self.any(true), wait_ms: self.random.pick(&[1, 20, 300]) },
            13 => Stream::Hoard { of: self.any(false), dozen: self.random.pick(&[2, 12]) },
            _ => Stream::Census { of: self.any(false) },
        }
    }

    /// Every stream that nobody reads goes somewhere. How a census divides its count among its subtasks is not decided: only
    /// the sum is the same each time.
    fn sinks(&mut self) -> Vec<(usize, Sink)> {
        let mut sinks = Vec::new();
        for stream in (0..self.streams.len()).rev() {
            if !self.is_unread(stream) && !self.random.happens(150) {
                continue;
            }
            let is_counted = matches!(self.streams[stream], Stream::Census { .. });
            if !is_counted && self.random.happens(750) {
                sinks.push((stream, Sink::Ledger));
            }
            let has_none = sinks.iter().all(|(of, _)| *of != stream);
            if has_none || self.random.happens(300) {
                sinks.push((stream, Sink::Table));
            }
        }
        sinks
    }
}
