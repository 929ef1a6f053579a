//! A sink at the end of a chain.

use flott_core::Batch;
use flott_core::time::{MIN_WATERMARK, Timestamp};
use flott_state::{
    ListStateDescriptor, OperatorListState, OperatorSnapshot, OperatorState, OperatorStateStore,
    SnapshotRequest,
};

use super::commits::Commits;
use super::{BoxWriter, Sink, SinkContext, WriteContext};
use crate::checkpoint::two_phase::CommittablesState;
use crate::error::FnResult;
use crate::operator::{Operator, OperatorSetup, Output};

/// How often a writer hears of processing time, in milliseconds.
const TIME_TICK_MS: i64 = 1_000;

/// The name of the state of what is to be committed (Flink: `CommitterOperator`).
const COMMITTABLES: &str = "streaming_committer_raw_states";

/// The name of the writers' state (Flink: `SinkWriterOperator`).
const WRITER: &str = "writer_raw_states";

/// Stands for the end of input of a job that takes no checkpoints: what it has prepared is due at once.
const END_OF_INPUT: u64 = u64::MAX;

/// What is to be committed, and what the writer knows of itself.
type States<T, S> = (
    OperatorListState<CommittablesState<<S as Sink<T>>::Committable>>,
    OperatorListState<<S as Sink<T>>::WriterState>,
);

/// Writes the records of a subtask. Commits what was written by a checkpoint when that is complete, or, in a job that takes
/// none, at the end of input.
pub struct SinkOperator<T, S: Sink<T>> {
    writer: BoxWriter<T, S>,
    /// `None` if the sink has no committer.
    commits: Option<Commits<S::Committable>>,
    state: OperatorState,
    committables: OperatorListState<CommittablesState<S::Committable>>,
    writer_state: OperatorListState<S::WriterState>,
    setup: OperatorSetup,
    watermark: Timestamp,
    next_tick: Timestamp,
    /// No record will come, so the task may wait for commits.
    finished: bool,
}

impl<T: 'static, S: Sink<T>> SinkOperator<T, S> {
    /// Creates writer and committer of a subtask, with what they get back of an earlier run if there was one.
    ///
    /// # Errors
    /// When the sink can't be written, or can't read the state.
    pub fn new(sink: &S, setup: OperatorSetup) -> FnResult<Self> {
        let context = SinkContext {
            operator_id: setup.operator_id,
            subtask: setup.subtask,
            parallelism: setup.parallelism,
            clock: setup.task.clock().clone(),
            metrics: setup.metrics.clone(),
        };
        let restored = setup.restored.as_ref().map(|restored| restored.operator.clone());
        let mut state = OperatorState::new(restored);
        let (committables, writer_state) = Self::states(sink, &mut state)?;
        let writer = match setup.restored {
            Some(_) => sink.restore_writer(&context, writer_state.get(&state)?.to_vec())?,
            None => sink.create_writer(&context)?,
        };
        let waiting = committables.get(&state)?.to_vec();
        let commits = sink.create_committer(&context)?.map(|committer| Commits::new(committer, waiting));
        let next_tick = setup.task.processing_time().saturating_add(TIME_TICK_MS);
        Ok(Self {
            writer,
            commits,
            state,
            committables,
            writer_state,
            setup,
            watermark: MIN_WATERMARK,
            next_tick,
            finished: false,
        })
    }

    /// Reads what a snapshot holds of the sink, without creating anything.
    pub(crate) fn read_state(sink: &S, restored: &OperatorSnapshot) -> FnResult {
        let mut state = OperatorState::new(Some(restored.operator.clone()));
        Self::states(sink, &mut state)?;
        Ok(())
    }

    fn states(sink: &S, state: &mut OperatorState) -> FnResult<States<T, S>> {
        let committables = state.list_state(ListStateDescriptor::new(COMMITTABLES))?;
        let writer = match sink.restores_all_states() {
            true => state.union_list_state(ListStateDescriptor::new(WRITER))?,
            false => state.list_state(ListStateDescriptor::new(WRITER))?,
        };
        Ok((committables, writer))
    }

    /// Takes over what the writer has finished, for a checkpoint.
    fn prepare(&mut self, checkpoint: u64) -> FnResult {
        let prepared = self.writer.prepare_commit()?;
        if let Some(commits) = &mut self.commits {
            commits.add(checkpoint, prepared);
        }
        Ok(())
    }

    fn commit(&mut self) -> FnResult {
        let task = &self.setup.task;
        match &mut self.commits {
            // What is committed later than this would be committed by the next run only, from the savepoint.
            Some(commits) if self.finished || task.is_stopping() => commits.commit_all(task),
            Some(commits) => commits.commit(task.processing_time()),
            None => Ok(()),
        }
    }

    fn retry_at(&self) -> Option<Timestamp> {
        self.commits.as_ref().and_then(Commits::retry_at)
    }
}

impl<T: 'static, S: Sink<T>> Operator for SinkOperator<T, S> {
    type In = T;
    type Out = ();

    /// Commits what was restored.
    fn open(&mut self) -> FnResult {
        self.commit()
    }

    fn process(&mut self, batch: &mut Batch<T>, _out: &mut Output<()>) -> FnResult {
        self.setup.metrics.records_out.add(batch.len() as u64);
        self.writer.write(batch, WriteContext { current_watermark: self.watermark })
    }

    fn on_watermark(&mut self, watermark: Timestamp, _out: &mut Output<()>) -> FnResult {
        self.watermark = watermark;
        Ok(())
    }

    fn on_processing_time(&mut self, now: Timestamp, _out: &mut Output<()>) -> FnResult {
        if self.retry_at().is_some_and(|due| due <= now) {
            self.commit()?;
        }
        if self.next_tick <= now {
            self.next_tick = now.saturating_add(TIME_TICK_MS);
            self.writer.on_processing_time(now)?;
        }
        Ok(())
    }

    fn next_timer(&self) -> Option<Timestamp> {
        let tick = (!self.finished).then_some(self.next_tick);
        tick.into_iter().chain(self.retry_at()).min()
    }

    fn works_after_finish(&self) -> bool {
        true
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        self.writer.flush(self.finished)?;
        self.prepare(request.checkpoint)?;
        let own = self.writer.snapshot_state(request.checkpoint)?;
        self.writer_state.update(&mut self.state, own)?;
        let waiting = self.commits.as_ref().and_then(Commits::snapshot);
        self.committables.update(&mut self.state, waiting.into_iter().collect())?;
        let mut operator = self.state.snapshot()?;
        // A sink without state leaves no trace, so that it can be taken out of a program.
        operator.retain(|state| !state.elements.is_empty());
        Ok(OperatorSnapshot { operator, ..OperatorSnapshot::default() })
    }

    fn on_checkpoint_complete(&mut self, checkpoint_id: u64, _out: &mut Output<()>) -> FnResult {
        if let Some(commits) = &mut self.commits {
            commits.complete(checkpoint_id);
        }
        self.commit()
    }

    fn finish(&mut self, _out: &mut Output<()>) -> FnResult {
        self.finished = true;
        self.writer.flush(true)?;
        if self.setup.task.takes_checkpoints() {
            return Ok(());
        }
        self.prepare(END_OF_INPUT)?;
        if let Some(commits) = &mut self.commits {
            commits.complete(END_OF_INPUT);
        }
        self.commit()
    }

    fn close(&mut self) -> FnResult {
        self.writer.close()
    }
}

#[cfg(test)]
mod tests;
