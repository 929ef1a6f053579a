//! What a program is: windows, what fires them, what is made of them, and what happens.

use std::fmt;

use flott::prelude::*;
use serde::{Deserialize, Serialize};

/// A record. `gap` is that of a session whose gap depends on the record; `count` is 1, and more once records are reduced to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) key: u8,
    pub(crate) value: i64,
    pub(crate) gap: u8,
    pub(crate) count: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Windows {
    Tumbling { size: i64, offset: i64 },
    Sliding { size: i64, slide: i64, offset: i64 },
    Sessions { gap: i64 },
    DynamicSessions,
    Global,
}

impl Windows {
    pub(crate) fn merge(self) -> bool {
        matches!(self, Self::Sessions { .. } | Self::DynamicSessions)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fires {
    /// As the windows say.
    Default,
    EventTime,
    ProcessingTime,
    Count(u64),
    ContinuousEventTime(i64),
    ContinuousProcessingTime(i64),
    /// When a value is more than this above the last that fired.
    Delta(i64),
    Never,
    /// See [`triggers::Moody`](crate::triggers::Moody).
    Moody,
    Purging(Box<Self>),
    Timeout {
        nested: Box<Self>,
        after: i64,
        reset: bool,
        clear: bool,
    },
}

impl Fires {
    pub(crate) fn can_merge(&self) -> bool {
        match self {
            Self::Delta(_) | Self::Never | Self::Timeout { .. } => false,
            Self::Purging(nested) => nested.can_merge(),
            _ => true,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evicts {
    Count(usize),
    Time(i64),
    Delta(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// Sum and count, combined record by record.
    Reduce,
    /// The same by an accumulator, and a function with state.
    Aggregate,
    /// A function over all records, with state.
    Process,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A record, and its timestamp if it has one.
    Record(Event, Option<Timestamp>),
    Watermark(Timestamp),
    /// The clock advances by so many milliseconds.
    Wait(i64),
    /// Everything is rebuilt from a snapshot, in so many subtasks, and told how far time has come.
    Restart(u32),
    /// A snapshot begins, which is written while the program goes on.
    Snapshot,
    /// The same as after a failure: the state is that of the snapshot that has begun, or that of now, and event time starts
    /// anew.
    Restore(u32),
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) windows: Windows,
    pub(crate) event_time: bool,
    pub(crate) lateness: i64,
    pub(crate) late_output: bool,
    pub(crate) fires: Fires,
    pub(crate) evicts: Option<(Evicts, bool)>,
    pub(crate) function: Function,
    pub(crate) steps: Vec<Step>,
}

impl Program {
    /// Whether windows are of event time, which global ones never are.
    pub(crate) fn is_event_time(&self) -> bool {
        self.event_time && self.windows != Windows::Global
    }

    /// Makes a program of it that flott accepts, and of which Flink says what it does.
    pub(crate) fn fitted(mut self) -> Self {
        let merge = self.windows.merge();
        if merge && !self.fires.can_merge() {
            self.fires = Fires::Count(2);
        }
        // In which order merged windows hold their records is not said, so nothing may depend on it.
        if merge && let Some((evicts @ (Evicts::Count(_) | Evicts::Delta(_)), _)) = &mut self.evicts {
            *evicts = Evicts::Time(9);
        }
        let timed = self.is_event_time() || self.needs_timestamps() || merge && self.evicts.is_some();
        for step in &mut self.steps {
            if let Step::Record(_, time @ None) = step
                && timed
            {
                *time = Some(0);
            }
        }
        self
    }

    fn needs_timestamps(&self) -> bool {
        fn of(fires: &Fires) -> bool {
            match fires {
                Fires::ContinuousEventTime(_) => true,
                Fires::Purging(nested) | Fires::Timeout { nested, .. } => of(nested),
                _ => false,
            }
        }
        of(&self.fires)
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = if self.is_event_time() { "event time" } else { "processing time" };
        write!(f, "{:?} of {time}", self.windows)?;
        if self.lateness > 0 {
            write!(f, ", {} ms late allowed", self.lateness)?;
        }
        if self.late_output {
            write!(f, ", late records aside")?;
        }
        if self.fires != Fires::Default {
            write!(f, ", fired by {:?}", self.fires)?;
        }
        if let Some((evicts, after)) = self.evicts {
            write!(f, ", evicted by {evicts:?} {}", if after { "after" } else { "before" })?;
        }
        writeln!(f, ", {:?}:", self.function)?;
        for (at, step) in self.steps.iter().enumerate() {
            write!(f, "{:>4}. ", at + 1)?;
            match step {
                Step::Record(Event { key, value, gap, .. }, time) => {
                    write!(f, "key {key} value {value}")?;
                    if self.windows == Windows::DynamicSessions {
                        write!(f, " gap {gap}")?;
                    }
                    match time {
                        Some(time) => writeln!(f, " at {time}")?,
                        None => writeln!(f, " without timestamp")?,
                    }
                }
                Step::Watermark(watermark) => writeln!(f, "watermark {watermark}")?,
                Step::Wait(ms) => writeln!(f, "wait {ms} ms")?,
                Step::Restart(parallelism) => writeln!(f, "restart in {parallelism} subtasks")?,
                Step::Snapshot => writeln!(f, "begin a snapshot")?,
                Step::Restore(parallelism) => writeln!(f, "fail, and restore in {parallelism} subtasks")?,
            }
        }
        writeln!(f, "{:>4}. end of input", self.steps.len() + 1)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a step has made a program do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Results, sorted.
    pub(crate) results: Vec<(Firing, Option<Timestamp>)>,
    /// For each firing its key, and how many firings that key has had: state of the key, told aside. Sorted.
    pub(crate) firings: Vec<(u8, u32)>,
    /// Late records, sorted.
    pub(crate) late: Vec<(Event, Option<Timestamp>)>,
    /// How many late records were dropped so far.
    pub(crate) dropped: u64,
}

/// A result of a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Firing {
    pub(crate) key: u8,
    /// Start and end, where there are such.
    pub(crate) window: Option<(Timestamp, Timestamp)>,
    /// How often this window has fired: state of the window, where there is such.
    pub(crate) firing: u32,
    /// Sum and count, or all values.
    pub(crate) values: Vec<i64>,
}

impl Outcome {
    pub(crate) fn sorted(mut self) -> Self {
        self.results.sort();
        self.firings.sort_unstable();
        self.late.sort_unstable();
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (Firing { key, window, firing, values }, time) in &self.results {
            write!(f, "        key {key}: {values:?} ")?;
            if let Some((start, end)) = window {
                write!(f, "of [{start}, {end}) ")?;
            }
            writeln!(f, "firing {firing} at {time:?}")?;
        }
        let told = self.firings.iter().map(|(key, n)| format!("{n} of key {key}"));
        writeln!(f, "        firings told: {}", told.collect::<Vec<_>>().join(", "))?;
        let late = self.late.iter().map(|(event, _)| format!("{} of key {}", event.value, event.key));
        writeln!(f, "        late: {}; {} dropped", late.collect::<Vec<_>>().join(", "), self.dropped)
    }
}
