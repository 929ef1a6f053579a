//! Performs what the coordinators want, in the order in which they have decided it.

use std::collections::VecDeque;

use super::*;

/// What has happened and no coordinator has heard of yet.
///
/// Much happens while actions are performed: a checkpoint finds no place to be written to, an enumerator fails. A coordinator that heard
/// of it at once could take back what it has decided before that is done, and then it would be done after all: a checkpoint would begin
/// that was given up before, and nobody would give it up again.
#[derive(Default)]
pub(super) struct Occurrences {
    waiting: VecDeque<Occurrence>,
    /// Whether actions are being performed.
    acting: bool,
}

enum Occurrence {
    OfJob(Event),
    OfCheckpoints(checkpoint::Event<SnapshotHandle>),
}

impl Shell {
    /// Tells the coordinator of the job, and does what it wants.
    pub(super) fn event(&mut self, event: Event) {
        self.occur(Occurrence::OfJob(event));
    }

    /// Tells the coordinator of checkpoints, and does what it wants.
    pub(super) fn checkpoint_event(&mut self, event: checkpoint::Event<SnapshotHandle>) {
        self.occur(Occurrence::OfCheckpoints(event));
    }

    /// What happens while actions are performed waits until all of them are.
    fn occur(&mut self, occurrence: Occurrence) {
        self.occurrences.waiting.push_back(occurrence);
        if std::mem::replace(&mut self.occurrences.acting, true) {
            return;
        }
        while let Some(occurrence) = self.occurrences.waiting.pop_front() {
            let now_ms = self.now_ms();
            match occurrence {
                Occurrence::OfJob(event) => {
                    let actions = self.coordinator.handle(now_ms, random(), event);
                    actions.into_iter().for_each(|action| self.act(action));
                }
                Occurrence::OfCheckpoints(event) => {
                    let actions = self.checkpoints.handle(now_ms, event);
                    actions.into_iter().for_each(|action| self.act_on_checkpoint(action));
                }
            }
        }
        self.occurrences.acting = false;
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Cancel(Part::Whole) => {
                self.tasks.values().for_each(RunningTask::cancel);
                self.checkpoint_event(checkpoint::Event::JobSuspended);
            }
            Action::Cancel(Part::Region(tasks)) => self.cancel_region(&tasks),
            Action::Restart { part, at_ms, failure } => self.wait_for_restart(&part, at_ms, &failure),
            Action::Start(part) => self.start_again(&part),
            Action::EndJob(outcome) => {
                let status = match outcome {
                    Outcome::Finished => TerminalStatus::Finished,
                    Outcome::Canceled => TerminalStatus::Canceled,
                    Outcome::Failed(_) => TerminalStatus::Failed,
                };
                self.checkpoint_event(checkpoint::Event::JobEnded { status });
                self.outcome = Some(outcome);
            }
        }
    }

    fn act_on_checkpoint(&mut self, action: checkpoint::Action<SnapshotHandle>) {
        match action {
            checkpoint::Action::Trigger { barrier, tasks, request } => {
                self.trigger(&barrier, &tasks, request);
            }
            checkpoint::Action::WriteMetadata { snapshot } => {
                let enumerators = self.checkpoints.take_enumerators(snapshot.checkpoint);
                let in_flight = self.checkpoints.take_in_flight(snapshot.checkpoint);
                let (plan, job) = (&self.launcher.plan, &self.identity);
                let metadata = metadata(plan, job, &snapshot, &enumerators, &in_flight);
                self.undecided.write(snapshot.checkpoint);
                self.launcher.storage.send(StorageWork::WriteMetadata(metadata));
            }
            checkpoint::Action::NotifyComplete { checkpoint, tasks, .. } => {
                self.sources.completed(checkpoint);
                self.notify(&tasks, CheckpointNotice::Complete(checkpoint));
            }
            checkpoint::Action::NotifyAborted { checkpoint, tasks, reason } => {
                if reason.is_of_normal_life() {
                    tracing::info!("checkpoint {checkpoint} was given up: {reason}");
                } else {
                    tracing::warn!("checkpoint {checkpoint} was given up: {reason}");
                }
                self.statistics.failed(checkpoint, reason.to_string());
                self.tell_statistics();
                self.checkpoints.forget(checkpoint);
                self.notify(&tasks, CheckpointNotice::Aborted(checkpoint));
            }
            checkpoint::Action::DiscardCompleted { checkpoint } => {
                self.checkpoints.forget(checkpoint.snapshot.checkpoint);
                self.launcher.storage.send(StorageWork::Discard { location: checkpoint.location });
            }
            checkpoint::Action::DiscardPending { checkpoint, .. } => {
                self.checkpoints.forget(checkpoint);
                self.undecided.discard(checkpoint);
                self.launcher.storage.send(StorageWork::DiscardPending { checkpoint });
            }
            checkpoint::Action::DiscardLate { checkpoint, state } => {
                self.launcher.storage.send(StorageWork::DiscardLate { checkpoint, state });
            }
            checkpoint::Action::Answer { request, result } => self.checkpoints.answer(request, result),
            checkpoint::Action::FailJob { reason } => {
                let failure = self.checkpoints.failure(&reason);
                self.event(Event::JobFailed(job_failure(failure)));
            }
        }
    }
}
