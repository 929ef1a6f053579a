//! How a checkpoint ends: complete, or given up.

use super::trigger::answer;
use super::*;

impl<H: Clone> CheckpointCoordinator<H> {
    pub(super) fn acknowledged(
        &mut self,
        task: TaskId,
        checkpoint: u64,
        state: H,
        actions: &mut Vec<Action<H>>,
    ) {
        let Some(pending) = self.pending.get_mut(&checkpoint) else {
            if self.given_up.late(task, checkpoint) {
                actions.push(Action::DiscardLate { checkpoint, state });
            }
            return;
        };
        if pending.waiting.remove(&task) {
            pending.states.insert(task, state);
            if pending.is_acknowledged() {
                actions.push(Action::WriteMetadata { snapshot: pending.snapshot() });
            }
        }
    }

    pub(super) fn declined(
        &mut self,
        task: TaskId,
        checkpoint: u64,
        reason: FailureReason,
        actions: &mut Vec<Action<H>>,
    ) {
        if self.pending.get(&checkpoint).is_some_and(|pending| pending.waiting.contains(&task)) {
            self.abort(checkpoint, reason, actions);
        }
        self.given_up.late(task, checkpoint);
    }

    pub(super) fn metadata_written(
        &mut self,
        now_ms: u64,
        checkpoint: u64,
        location: String,
        actions: &mut Vec<Action<H>>,
    ) {
        if let Some(states) = self.given_up.written(checkpoint) {
            return actions.push(Action::DiscardPending { checkpoint, states });
        }
        if !self.pending.get(&checkpoint).is_some_and(Pending::is_acknowledged) {
            return;
        }
        let Some(pending) = self.pending.remove(&checkpoint) else { return };
        self.failures.completed(checkpoint);
        self.completed_ms = Some(now_ms);
        match pending.barrier.options.kind.stop() {
            None if pending.is_savepoint() => {
                // Sinks commit with the next checkpoint: a savepoint that the user may move has no side effects.
                answer(pending.request, Ok(location), actions);
            }
            None => {
                self.publish(&pending, location.clone(), Owner::Job, actions);
                answer(pending.request, Ok(location), actions);
            }
            Some(_) => {
                self.publish(&pending, location.clone(), Owner::User, actions);
                if let Some(request) = pending.request {
                    self.life = Life::Finishing { request, location };
                    self.answer_if_stopped(actions);
                }
            }
        }
    }

    /// Makes a checkpoint what the job recovers from, and tells the tasks.
    fn publish(
        &mut self,
        pending: &Pending<H>,
        location: String,
        owner: Owner,
        actions: &mut Vec<Action<H>>,
    ) {
        let checkpoint = pending.id();
        let earlier = self.pending.range(..checkpoint).filter(|(_, earlier)| !earlier.is_savepoint());
        for earlier in earlier.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.abort(earlier, FailureReason::Subsumed, actions);
        }
        let subsumed =
            self.keep(CompletedCheckpoint { snapshot: pending.snapshot(), location, owner }, actions);
        actions.push(Action::NotifyComplete { checkpoint, tasks: pending.tasks(), subsumed });
    }

    /// Adds to the store, deletes what it no longer keeps, and names the newest of that.
    pub(super) fn keep(
        &mut self,
        checkpoint: CompletedCheckpoint<H>,
        actions: &mut Vec<Action<H>>,
    ) -> Option<u64> {
        let subsumed = self.store.add(checkpoint, self.settings.num_retained);
        let newest = subsumed.last().map(|newest| newest.snapshot.checkpoint);
        actions.extend(subsumed.into_iter().map(|checkpoint| Action::DiscardCompleted { checkpoint }));
        newest
    }

    pub(super) fn metadata_failed(&mut self, checkpoint: u64, actions: &mut Vec<Action<H>>) {
        if let Some(states) = self.given_up.written(checkpoint) {
            actions.push(Action::DiscardPending { checkpoint, states });
        } else if self.pending.get(&checkpoint).is_some_and(Pending::is_acknowledged) {
            self.give_up(checkpoint, FailureReason::Finalize, false, actions);
        }
    }

    pub(super) fn expire(&mut self, now_ms: u64, actions: &mut Vec<Action<H>>) {
        let expired = self.pending.iter().filter(|(_, pending)| pending.deadline_ms <= now_ms);
        for checkpoint in expired.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.abort(checkpoint, FailureReason::Expired, actions);
        }
    }

    pub(super) fn abort(&mut self, checkpoint: u64, reason: FailureReason, actions: &mut Vec<Action<H>>) {
        let writing = self.pending.get(&checkpoint).is_some_and(Pending::is_acknowledged);
        self.give_up(checkpoint, reason, writing, actions);
    }

    fn give_up(
        &mut self,
        checkpoint: u64,
        reason: FailureReason,
        writing: bool,
        actions: &mut Vec<Action<H>>,
    ) {
        let Some(pending) = self.pending.remove(&checkpoint) else { return };
        let (request, is_savepoint) = (pending.request, pending.is_savepoint());
        actions.push(Action::NotifyAborted { checkpoint, tasks: pending.tasks(), reason });
        if let Some(states) = self.given_up.add(pending, writing) {
            actions.push(Action::DiscardPending { checkpoint, states });
        }
        answer(request, Err(RequestFailure::Checkpoint(reason)), actions);
        if self.life == (Life::Stopping { checkpoint }) {
            // Sources that have stopped for the savepoint can't go on; only a restart brings them back.
            self.life = Life::NotRunning;
            actions.push(Action::FailJob { reason: JobFailure::StopWithSavepoint(reason) });
        } else if !is_savepoint {
            let failure = self.failures.failed(checkpoint, reason, self.settings.tolerable_failures);
            actions.extend(failure.map(|reason| Action::FailJob { reason }));
        }
    }
}
