//! What has happened in a simulation.

use std::collections::{BTreeMap, VecDeque};

/// How many lines are kept.
const LINES: usize = 300;

/// What is counted, to see that a simulation does what it is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Count {
    Process,
    ProcessCrash,
    TaskCrash,
    Hold,
    UserPanic,
    UserError,
    Restart,
    Checkpoint,
    Savepoint,
    StopWithSavepoint,
    Cancel,
    Resume,
    WriteFailed,
    WriteTorn,
    AcknowledgementLost,
    WriteSlow,
    DiskFull,
    ReadFailed,
    ReadDamaged,
    DeleteFailed,
    CheckpointDamaged,
    NoticeLost,
    NoticeDoubled,
    CommitRetried,
    CommitUnanswered,
    StartRefused,
}

/// The lines of the last moments, the counts, and what must never happen.
#[derive(Clone, Debug, Default)]
pub struct Log {
    lines: VecDeque<String>,
    counts: BTreeMap<Count, u64>,
    violation: Option<String>,
    /// The name of the world, which is another one when the same seed lives again.
    world: String,
    /// Sums up every turn and every line.
    trace: u64,
}

impl Log {
    /// The log of a world.
    pub fn of_world(name: &str) -> Self {
        Self { world: name.to_owned(), ..Self::default() }
    }

    /// Notes what has happened.
    pub fn note(&mut self, line: impl Into<String>) {
        let line = line.into().replace(&self.world, "world");
        line.bytes().for_each(|byte| self.add_to_trace(u64::from(byte)));
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Counts what has happened.
    pub fn count(&mut self, what: Count) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    /// What must never happen has. The first of it is kept.
    pub fn violation(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.note(format!("VIOLATION: {what}"));
        self.violation.get_or_insert(what);
    }

    /// What must never happen, if it has.
    pub fn violated(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// Makes a number part of the trace.
    pub fn add_to_trace(&mut self, number: u64) {
        self.trace = (self.trace ^ number).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
    }

    /// Two runs with the same trace were the same, turn by turn.
    pub fn trace(&self) -> u64 {
        self.trace
    }

    /// The counts.
    pub fn counts(&self) -> &BTreeMap<Count, u64> {
        &self.counts
    }

    /// The last lines.
    pub fn lines(&self) -> impl Iterator<Item = &String> {
        self.lines.iter()
    }
}
