//! The sinks: one with transactions, and one that keeps the last value of each key.

use flott::sink::{
    BoxWriter, CommitError, Committer, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter,
    WriteContext,
};
use flott_core::Batch;
use flott_runtime::error::FnResult;
use serde::{Deserialize, Serialize};

use crate::program::Event;
use crate::world::{Count, Fate, Hands};

/// A sink with transactions.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) number: u32,
    pub(crate) hands: Hands,
}

/// At which checkpoint a writer's state was taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TakenAt(u64);

impl Ledger {
    fn writer(&self, context: &SinkContext, after: u64) -> FnResult<BoxWriter<Event, Self>> {
        self.hands.tick()?;
        let mut state = self.hands.world.state();
        if state.process == self.hands.process {
            let (number, subtask) = (self.number, context.subtask());
            let aborted = state.ledgers.fence(number, subtask, context.parallelism(), after);
            state.log.note(format!("sink {number}/{subtask} goes on after {after}, aborts {aborted:?}"));
        }
        Ok(Box::new(LedgerWriter {
            ledger: self.clone(),
            subtask: context.subtask(),
            open: None,
            prepared: Vec::new(),
        }))
    }
}

impl Sink<Event> for Ledger {
    type Committable = u64;
    type WriterState = TakenAt;

    fn create_writer(&self, context: &SinkContext) -> FnResult<BoxWriter<Event, Self>> {
        self.writer(context, 0)
    }

    fn restore_writer(
        &self,
        context: &SinkContext,
        states: Vec<TakenAt>,
    ) -> FnResult<BoxWriter<Event, Self>> {
        self.writer(context, states.iter().map(|TakenAt(checkpoint)| *checkpoint).max().unwrap_or(0))
    }

    fn restores_all_states(&self) -> bool {
        true
    }

    fn create_committer(&self, _context: &SinkContext) -> FnResult<Option<Box<dyn Committer<u64>>>> {
        Ok(Some(Box::new(self.clone())))
    }
}

struct LedgerWriter {
    ledger: Ledger,
    subtask: u32,
    open: Option<u64>,
    prepared: Vec<u64>,
}

impl SinkWriter<Event> for LedgerWriter {
    type Committable = u64;
    type State = TakenAt;

    fn write(&mut self, batch: &mut Batch<Event>, _context: WriteContext) -> FnResult {
        self.ledger.hands.tick()?;
        let mut state = self.ledger.hands.world.state();
        if state.process == self.ledger.hands.process {
            let open =
                *self.open.get_or_insert_with(|| state.ledgers.begin(self.ledger.number, self.subtask));
            state.ledgers.write(open, &mut batch.records);
        }
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        self.ledger.hands.tick()
    }

    fn prepare_commit(&mut self) -> FnResult<Vec<u64>> {
        let mut state = self.ledger.hands.world.state();
        self.prepared = self.open.take().into_iter().collect();
        if state.process == self.ledger.hands.process {
            self.prepared.iter().for_each(|transaction| state.ledgers.prepare(*transaction));
        }
        Ok(self.prepared.clone())
    }

    fn snapshot_state(&mut self, checkpoint_id: u64) -> FnResult<Vec<TakenAt>> {
        self.ledger.hands.tick()?;
        let mut state = self.ledger.hands.world.state();
        if state.process == self.ledger.hands.process {
            state.ledgers.prepared_at(&self.prepared, checkpoint_id);
        }
        Ok(vec![TakenAt(checkpoint_id)])
    }
}

impl Committer<u64> for Ledger {
    fn commit(&mut self, transaction: &u64) -> Result<(), CommitError> {
        let mut state = self.hands.world.state();
        if state.process != self.hands.process {
            return Err(CommitError::RetryLater("the process is dead".into()));
        }
        let failing = state.faults.commits;
        if state.dice.happens(failing) {
            state.log.count(Count::CommitRetried);
            return Err(CommitError::RetryLater("a fault".into()));
        }
        let (checkpoint, fate) = state.ledgers.fate(*transaction);
        let completed = checkpoint.is_some_and(|checkpoint| state.blobs.snapshots.is_completed(checkpoint));
        match fate {
            Fate::Committed => return Err(CommitError::AlreadyCommitted),
            Fate::Aborted => {
                let lost =
                    format!("transaction {transaction} of checkpoint {checkpoint:?} is lost: it was aborted");
                state.log.violation(lost.clone());
                return Err(CommitError::Failed(lost.into()));
            }
            Fate::Open | Fate::Prepared if !completed || fate == Fate::Open => {
                let early =
                    format!("transaction {transaction} is committed before checkpoint {checkpoint:?}");
                state.log.violation(early);
            }
            Fate::Open | Fate::Prepared => {}
        }
        state.log.note(format!("commit {transaction} of checkpoint {checkpoint:?}"));
        state.ledgers.commit(*transaction);
        state.check_ledger(self.number);
        if state.dice.happens(failing) {
            state.log.count(Count::CommitUnanswered);
            return Err(CommitError::RetryLater("the answer was lost".into()));
        }
        Ok(())
    }
}

/// A sink that keeps the last value of each key.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) number: u32,
    pub(crate) hands: Hands,
}

impl Sink<Event> for Table {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<Event, Self>> {
        Ok(Box::new(self.clone()))
    }
}

impl SinkWriter<Event> for Table {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<Event>, _context: WriteContext) -> FnResult {
        self.hands.tick()?;
        let mut state = self.hands.world.state();
        if state.process == self.hands.process {
            let rows = batch.records.drain(..).map(|event| ((self.number, event.key), event.value));
            state.tables.extend(rows);
        }
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        self.hands.tick()
    }
}
