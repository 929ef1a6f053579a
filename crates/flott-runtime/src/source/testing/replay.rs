//! Whether a source is replayable: it is read with checkpoints and failures in between, and nothing may be lost or doubled.

use std::collections::VecDeque;
use std::sync::Arc;

use flott_core::encoding;
use flott_core::seam::Clock;
use flott_state::{OperatorSnapshot, redistribute};

use super::{EnumeratorHarness, ReaderHarness};
use crate::error::FnResult;
use crate::job::Assigned;
use crate::source::head::splits;
use crate::source::{InputStatus, Source};

/// What happens to a source that is read. A subtask that there is not is taken modulo the parallelism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayStep {
    /// A reader takes over what it was sent, and polls.
    Poll(u32),
    /// The enumerator answers what a reader has asked for.
    Serve(u32),
    /// The enumerator is called because its time has come.
    Tick,
    /// A checkpoint of the enumerator and of all readers.
    Checkpoint,
    /// All fail and start again from the last checkpoint, or afresh if there was none, with so many readers (at least one).
    Restore(u32),
    /// A reader fails alone and starts again from the last checkpoint, or afresh if there was none.
    RestoreReader(u32),
}

/// A source with its enumerator and readers, and all records that were read and not taken back.
pub struct Replay<'a, S: Source> {
    source: &'a S,
    clock: Arc<dyn Clock>,
    enumerator: EnumeratorHarness<S::Split, S::EnumeratorState>,
    readers: Vec<Reader<S>>,
    /// Each with its reader.
    records: Vec<(u32, S::Out)>,
    assigned: Assigned,
    checkpoint: Option<Checkpoint>,
}

struct Reader<S: Source> {
    harness: ReaderHarness<S::Out, S::Split>,
    /// Sent and not yet taken over; `None`: no more splits will come.
    mailbox: VecDeque<Option<S::Split>>,
}

/// As a checkpoint stores it, and how many records came before.
struct Checkpoint {
    enumerator: Vec<u8>,
    readers: Vec<OperatorSnapshot>,
    records: usize,
}

impl<'a, S: Source> Replay<'a, S> {
    /// Starts a source with so many readers.
    ///
    /// # Errors
    /// Those of the source, here and below.
    pub fn start(source: &'a S, parallelism: u32, clock: Arc<dyn Clock>) -> FnResult<Self> {
        let enumerator = EnumeratorHarness::new(source.create_enumerator()?, parallelism);
        let mut replay = Self {
            source,
            clock,
            enumerator,
            readers: Vec::new(),
            records: Vec::new(),
            assigned: Assigned::default(),
            checkpoint: None,
        };
        replay.open(vec![None; parallelism as usize])?;
        Ok(replay)
    }

    /// Lets something happen.
    ///
    /// # Errors
    /// Those of the source.
    pub fn step(&mut self, step: ReplayStep) -> FnResult {
        match step {
            ReplayStep::Poll(subtask) => self.poll(subtask).map(drop),
            ReplayStep::Serve(subtask) => self.serve(subtask),
            ReplayStep::Tick => self.decide(EnumeratorHarness::tick),
            ReplayStep::Checkpoint => self.take_checkpoint(),
            ReplayStep::Restore(parallelism) => self.restore(parallelism.max(1)),
            ReplayStep::RestoreReader(subtask) => self.restore_reader(subtask % self.readers.len() as u32),
        }
    }

    /// Reads until all readers have ended or have nothing to read.
    ///
    /// # Errors
    /// Those of the source.
    pub fn finish(mut self) -> FnResult<Vec<S::Out>> {
        let mut idle = 0;
        for subtask in (0..self.readers.len() as u32).cycle() {
            if idle > 2 * self.readers.len() {
                break;
            }
            self.serve(subtask)?;
            idle = if self.poll(subtask)? == InputStatus::MoreAvailable { 0 } else { idle + 1 };
        }
        Ok(self.records.into_iter().map(|(_, record)| record).collect())
    }

    /// Opens as many readers as there are states.
    fn open(&mut self, states: Vec<Option<OperatorSnapshot>>) -> FnResult {
        self.readers.clear();
        self.assigned = Assigned::default();
        let parallelism = states.len() as u32;
        for (subtask, state) in (0..).zip(states) {
            let reader = self.new_reader(subtask, parallelism, state.as_ref())?;
            self.readers.push(reader);
        }
        self.decide(EnumeratorHarness::start)?;
        self.readers.iter_mut().try_for_each(|reader| reader.harness.reader().start())
    }

    fn new_reader(
        &self,
        subtask: u32,
        parallelism: u32,
        state: Option<&OperatorSnapshot>,
    ) -> FnResult<Reader<S>> {
        let mut harness = ReaderHarness::new(self.source, subtask, parallelism, Arc::clone(&self.clock))?;
        if let Some(state) = state {
            harness.reader().add_splits(splits::restore(state)?)?;
        }
        Ok(Reader { harness, mailbox: VecDeque::new() })
    }

    fn reader(&mut self, subtask: u32) -> &mut Reader<S> {
        let count = self.readers.len();
        &mut self.readers[subtask as usize % count]
    }

    fn poll(&mut self, subtask: u32) -> FnResult<InputStatus> {
        let reader = self.reader(subtask);
        reader.take_mail()?;
        let (records, status) = reader.harness.poll()?;
        let subtask = subtask % self.readers.len() as u32;
        self.records.extend(records.into_iter().map(|record| (subtask, record)));
        Ok(status)
    }

    fn serve(&mut self, subtask: u32) -> FnResult {
        let subtask = subtask % self.readers.len() as u32;
        for _ in 0..self.reader(subtask).harness.take_requests() {
            self.decide(|enumerator| enumerator.request_split(subtask))?;
        }
        Ok(())
    }

    /// Sends the readers what the enumerator decides.
    fn decide(
        &mut self,
        act: impl FnOnce(
            &mut EnumeratorHarness<S::Split, S::EnumeratorState>,
        ) -> FnResult<super::Decided<S::Split>>,
    ) -> FnResult {
        let decided = act(&mut self.enumerator)?;
        for (subtask, split) in decided.assigned {
            self.assigned.note(&[(subtask, encoding::to_vec(&split)?)]);
            self.reader(subtask).mailbox.push_back(Some(split));
        }
        for subtask in decided.no_more_splits {
            self.reader(subtask).mailbox.push_back(None);
        }
        Ok(())
    }

    /// A barrier comes to a reader behind all that it was sent before.
    fn take_checkpoint(&mut self) -> FnResult {
        let enumerator = encoding::to_vec(&self.enumerator.snapshot()?)?;
        let mut readers = Vec::new();
        for reader in &mut self.readers {
            reader.take_mail()?;
            let splits = reader.harness.reader().snapshot_state(1)?;
            readers.push(splits::snapshot(&splits)?.unwrap_or_default());
        }
        self.assigned.checkpoint(1);
        self.assigned.completed(1);
        self.checkpoint = Some(Checkpoint { enumerator, readers, records: self.records.len() });
        Ok(())
    }

    fn restore_reader(&mut self, subtask: u32) -> FnResult {
        let parallelism = self.readers.len() as u32;
        let checkpoint = self.checkpoint.as_ref();
        let kept = checkpoint.map_or(0, |checkpoint| checkpoint.records);
        let state = checkpoint.and_then(|checkpoint| checkpoint.readers.get(subtask as usize));
        let reader = self.new_reader(subtask, parallelism, state)?;
        let later = self.records.split_off(kept);
        self.records.extend(later.into_iter().filter(|(of, _)| *of != subtask));
        self.readers[subtask as usize] = reader;
        let splits = self.assigned.take_back(subtask);
        let splits: Result<Vec<S::Split>, _> = splits.iter().map(|split| encoding::decode(split)).collect();
        self.enumerator.add_splits_back(splits?, subtask)?;
        self.decide(|enumerator| enumerator.restart_reader(subtask))?;
        self.reader(subtask).harness.reader().start()
    }

    fn restore(&mut self, parallelism: u32) -> FnResult {
        let Some(checkpoint) = &self.checkpoint else {
            self.records.clear();
            self.enumerator = EnumeratorHarness::new(self.source.create_enumerator()?, parallelism);
            return self.open(vec![None; parallelism as usize]);
        };
        self.records.truncate(checkpoint.records);
        let enumerator = self.source.restore_enumerator(encoding::decode(&checkpoint.enumerator)?)?;
        self.enumerator = EnumeratorHarness::new(enumerator, parallelism);
        let states = redistribute(&checkpoint.readers, parallelism, 128);
        if let Some(checkpoint) = &mut self.checkpoint {
            checkpoint.readers.clone_from(&states);
        }
        self.open(states.into_iter().map(Some).collect())
    }
}

impl<S: Source> Reader<S> {
    fn take_mail(&mut self) -> FnResult {
        for mail in self.mailbox.drain(..) {
            match mail {
                Some(split) => self.harness.reader().add_splits(vec![split])?,
                None => self.harness.reader().notify_no_more_splits(),
            }
        }
        Ok(())
    }
}
