//! When a checkpoint begins.

use super::*;

impl<H: Clone> CheckpointCoordinator<H> {
    /// Queues a request, or answers that it can't be.
    pub(super) fn request(&mut self, request: Request, actions: &mut Vec<Action<H>>) {
        let refused = match self.life {
            Life::Running => (!self.requests.add(request))
                .then_some(RequestFailure::Checkpoint(FailureReason::TooManyRequests)),
            Life::Stopping { .. } | Life::Finishing { .. } => Some(RequestFailure::Stopping),
            Life::NotRunning => Some(RequestFailure::Checkpoint(FailureReason::NotAllTasksRunning)),
            Life::Ended => Some(RequestFailure::Checkpoint(FailureReason::CoordinatorShutdown)),
        };
        if let Some(failure) = refused {
            answer(request.id(), Err(failure), actions);
        }
    }

    pub(super) fn savepoint_requested(
        &mut self,
        now_ms: u64,
        request: RequestId,
        format: SavepointFormat,
        stop: Option<StopMode>,
        actions: &mut Vec<Action<H>>,
    ) {
        let savepoint = Request::Savepoint { request, format, stop };
        // A job that can't take a savepoint now goes on as it was.
        let can_stop =
            self.life == Life::Running && self.tasks.plan(self.settings.after_tasks_finish).is_ok();
        if stop.is_none() || self.life != Life::Running {
            return self.request(savepoint, actions);
        }
        if !can_stop {
            let failure = RequestFailure::Checkpoint(FailureReason::NotAllTasksRunning);
            return answer(Some(request), Err(failure), actions);
        }
        self.stop_scheduling(FailureReason::CoordinatorSuspended, actions);
        let checkpoint = self.next_id;
        self.trigger(now_ms, savepoint, actions);
        self.life = Life::Stopping { checkpoint };
    }

    /// Begins whatever may begin.
    pub(super) fn serve(&mut self, now_ms: u64, actions: &mut Vec<Action<H>>) {
        if self.life != Life::Running {
            return;
        }
        if let (Some(due_ms), Some(period_ms)) = (self.next_periodic_ms, self.settings.period_ms())
            && due_ms <= now_ms
        {
            self.requests.add(Request::Periodic);
            let missed = (now_ms - due_ms) / period_ms.max(1);
            self.next_periodic_ms =
                Some(due_ms.saturating_add(period_ms.saturating_mul(missed.saturating_add(1))));
        }
        loop {
            match self.requests.choose(&self.settings, self.pending.len(), now_ms, self.completed_ms) {
                Choice::Serve(request) => self.trigger(now_ms, request, actions),
                Choice::TooEarly { until_ms } => return self.next_periodic_ms = Some(until_ms),
                Choice::Wait => return,
            }
        }
    }

    fn trigger(&mut self, now_ms: u64, request: Request, actions: &mut Vec<Action<H>>) {
        let plan = match self.tasks.plan(self.settings.after_tasks_finish) {
            Ok(plan) => plan,
            Err(reason) => return answer(request.id(), Err(RequestFailure::Checkpoint(reason)), actions),
        };
        let kind = match request {
            Request::Savepoint { format, stop, .. } => SnapshotKind::Savepoint { format, stop },
            Request::Checkpoint { .. } | Request::Periodic => {
                // What belongs to the user may vanish, and a savepoint may be moved, so nothing is built on them.
                let of_job = |latest: &&CompletedCheckpoint<H>| {
                    latest.owner == Owner::Job && !latest.snapshot.kind.is_savepoint()
                };
                let base = self.store.latest().filter(of_job);
                SnapshotKind::Checkpoint { base: base.map(|base| base.snapshot.checkpoint) }
            }
        };
        let options = CheckpointOptions { alignment: Alignment::of(&self.settings, &kind), kind };
        let barrier = Barrier { checkpoint: self.next_id, timestamp_ms: now_ms, options };
        self.next_id = self.next_id.saturating_add(1);
        let deadline_ms = now_ms.saturating_add(self.settings.timeout_ms);
        actions.push(Action::Trigger {
            barrier: barrier.clone(),
            tasks: plan.trigger,
            request: request.id(),
        });
        let pending = Pending::new(barrier, request.id(), deadline_ms, plan.acknowledge, plan.finished);
        self.pending.insert(pending.id(), pending);
    }
}

pub(super) fn answer<H>(
    request: Option<RequestId>,
    result: Result<String, RequestFailure>,
    actions: &mut Vec<Action<H>>,
) {
    actions.extend(request.map(|request| Action::Answer { request, result }));
}
