//! What the life of the job and its tasks means for checkpoints.

use super::trigger::answer;
use super::*;

impl<H: Clone> CheckpointCoordinator<H> {
    pub(super) fn job_running(&mut self, now_ms: u64, start_delay_ms: u64) {
        if self.life != Life::NotRunning {
            return;
        }
        self.life = Life::Running;
        let (pause_ms, period_ms) = (self.settings.min_pause_ms, self.settings.period_ms());
        let delay_ms = period_ms.map(|period_ms| start_delay_ms.max(pause_ms).min(period_ms));
        self.next_periodic_ms = delay_ms.map(|delay_ms| now_ms.saturating_add(delay_ms));
    }

    pub(super) fn job_suspended(&mut self, life: Life, actions: &mut Vec<Action<H>>) {
        if self.life == Life::Ended {
            return;
        }
        let before = std::mem::replace(&mut self.life, life);
        let reason = match self.life {
            Life::Ended => FailureReason::CoordinatorShutdown,
            _ => FailureReason::CoordinatorSuspended,
        };
        self.stop_scheduling(reason, actions);
        self.tasks.all_stopped();
        if let Life::Finishing { request, location } = before {
            answer(Some(request), Err(RequestFailure::Incomplete { location }), actions);
        }
    }

    pub(super) fn job_ended(&mut self, status: TerminalStatus, actions: &mut Vec<Action<H>>) {
        self.job_suspended(Life::Ended, actions);
        let discarded = self.store.end(status, self.settings.retention);
        actions.extend(discarded.into_iter().map(|checkpoint| Action::DiscardCompleted { checkpoint }));
    }

    /// Nothing is begun any more, and what is under way or waits is given up.
    pub(super) fn stop_scheduling(&mut self, reason: FailureReason, actions: &mut Vec<Action<H>>) {
        self.next_periodic_ms = None;
        self.abort_where(reason, actions, |_| true);
        for request in self.requests.take_all() {
            answer(request.id(), Err(RequestFailure::Checkpoint(reason)), actions);
        }
    }

    pub(super) fn end_of_data(&mut self, task: TaskId) {
        if self.tasks.end_of_data(task) {
            self.request_last();
        }
    }

    /// All input is processed.
    fn request_last(&mut self) {
        let wanted = self.settings.after_tasks_finish && self.settings.interval_ms.is_some();
        if wanted && self.life == Life::Running {
            self.requests.add(Request::Checkpoint { request: None });
        }
    }

    pub(super) fn task_finished(&mut self, task: TaskId, actions: &mut Vec<Action<H>>) {
        // A task that had finished before the job was restored says nothing of its input.
        if self.tasks.finished(task) {
            self.request_last();
        }
        self.abort_where(FailureReason::TaskClosing, actions, |pending| pending.waiting.contains(&task));
        self.answer_if_stopped(actions);
    }

    pub(super) fn answer_if_stopped(&mut self, actions: &mut Vec<Action<H>>) {
        if let Life::Finishing { request, location } = &self.life
            && self.tasks.all_finished()
        {
            answer(Some(*request), Ok(location.clone()), actions);
            self.life = Life::NotRunning;
        }
    }

    pub(super) fn task_failed(&mut self, task: TaskId, actions: &mut Vec<Action<H>>) {
        self.tasks.stopped(task);
        self.abort_where(FailureReason::TaskFailure, actions, |pending| pending.waiting.contains(&task));
        self.answer_incomplete(actions);
    }

    pub(super) fn tasks_restarting(&mut self, tasks: &[TaskId], actions: &mut Vec<Action<H>>) {
        for task in tasks {
            self.tasks.stopped(*task);
        }
        self.abort_where(FailureReason::FailoverRegion, actions, |_| true);
        self.answer_incomplete(actions);
    }

    /// The savepoint to stop with is there, but the job has not stopped: all of it starts again from there.
    fn answer_incomplete(&mut self, actions: &mut Vec<Action<H>>) {
        if let Life::Finishing { request, location } = &self.life {
            let failure = RequestFailure::Incomplete { location: location.clone() };
            answer(Some(*request), Err(failure), actions);
            self.life = Life::NotRunning;
            actions.push(Action::FailJob { reason: JobFailure::StopIncomplete });
        }
    }

    fn abort_where(
        &mut self,
        reason: FailureReason,
        actions: &mut Vec<Action<H>>,
        condition: impl Fn(&Pending<H>) -> bool,
    ) {
        let aborted = self.pending.values().filter(|pending| condition(pending)).map(Pending::id);
        for checkpoint in aborted.collect::<Vec<_>>() {
            self.abort(checkpoint, reason, actions);
        }
    }
}
