//! Random events, whatever their order, against what must always hold.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// What is known of one checkpoint from outside.
#[derive(Default)]
struct Seen {
    savepoint: bool,
    acknowledged: BTreeSet<TaskId>,
    written: bool,
    notified: bool,
    aborted: bool,
    discards: u32,
}

#[derive(Default)]
struct Model {
    checkpoints: BTreeMap<u64, Seen>,
    open_requests: BTreeSet<RequestId>,
    deleted: BTreeSet<String>,
}

impl Model {
    fn watch(&mut self, actions: Actions) -> Result<(), TestCaseError> {
        for action in actions {
            match action {
                Action::Trigger { barrier, tasks, .. } => {
                    prop_assert!(!tasks.is_empty());
                    let newer = self.checkpoints.keys().all(|id| *id < barrier.checkpoint);
                    prop_assert!(newer, "ids only increase");
                    let savepoint = barrier.options.kind.is_savepoint();
                    self.checkpoints.insert(barrier.checkpoint, Seen { savepoint, ..Seen::default() });
                }
                Action::WriteMetadata { snapshot } => {
                    let seen = &self.checkpoints[&snapshot.checkpoint];
                    prop_assert!(!seen.aborted);
                    let acknowledged: BTreeSet<TaskId> = snapshot.states.keys().copied().collect();
                    prop_assert!(acknowledged.is_subset(&seen.acknowledged));
                    let all: BTreeSet<TaskId> = acknowledged.union(&snapshot.finished).copied().collect();
                    prop_assert_eq!(all, all_tasks().into_iter().collect::<BTreeSet<_>>());
                }
                Action::NotifyComplete { checkpoint, .. } => {
                    let seen = self.checkpoints.get_mut(&checkpoint).unwrap();
                    prop_assert!(seen.written && !seen.notified && !seen.aborted);
                    seen.notified = true;
                }
                Action::NotifyAborted { checkpoint, .. } => {
                    let seen = self.checkpoints.get_mut(&checkpoint).unwrap();
                    prop_assert!(!seen.aborted && !seen.notified);
                    seen.aborted = true;
                }
                Action::DiscardCompleted { checkpoint } => {
                    prop_assert_eq!(checkpoint.owner, Owner::Job);
                    let seen = self.checkpoints.get_mut(&checkpoint.snapshot.checkpoint).unwrap();
                    prop_assert!(seen.notified && !seen.savepoint);
                    seen.discards += 1;
                    self.delete(checkpoint.snapshot.states.into_values())?;
                }
                Action::DiscardPending { checkpoint, states } => {
                    let seen = self.checkpoints.get_mut(&checkpoint).unwrap();
                    prop_assert!(seen.aborted);
                    seen.discards += 1;
                    self.delete(states)?;
                }
                Action::DiscardLate { checkpoint, state } => {
                    prop_assert!(self.checkpoints[&checkpoint].aborted);
                    self.delete([state])?;
                }
                Action::Answer { request, .. } => prop_assert!(self.open_requests.remove(&request)),
                Action::FailJob { .. } => {}
            }
        }
        Ok(())
    }

    fn delete(&mut self, states: impl IntoIterator<Item = String>) -> Result<(), TestCaseError> {
        for state in states {
            prop_assert!(self.deleted.insert(state.clone()), "{state} is deleted twice");
        }
        Ok(())
    }
}

fn event(what: u8, number: u64, model: &mut Model) -> Event<String> {
    let task = all_tasks()[number as usize % 4];
    // One of the last checkpoints, or one that does not exist.
    let newest = model.checkpoints.last_key_value().map_or(0, |(id, _)| *id);
    let checkpoint = (newest + 1).saturating_sub(number / 4 % 4);
    let request = 1_000_000 + model.checkpoints.len() as u64 * 1_000 + number + u64::from(what);
    match what {
        0..=12 => {
            if let Some(seen) = model.checkpoints.get_mut(&newest) {
                seen.acknowledged.insert(task);
            }
            Event::Acknowledged { task, checkpoint: newest, state: state(task, newest) }
        }
        13..=15 => Event::MetadataWritten { checkpoint, location: format!("chk-{checkpoint}") },
        16 => Event::MetadataFailed { checkpoint },
        17 => Event::Declined { task, checkpoint, reason: FailureReason::TaskSnapshot },
        18..=20 => Event::TimeAdvanced,
        21..=24 => Event::TaskRunning(task),
        25 => Event::TaskFinished(task),
        26 => Event::TaskFailed(task),
        27 => Event::TasksRestarting(vec![task]),
        28 => Event::JobSuspended,
        29 | 30 => Event::JobRunning { start_delay_ms: number },
        31 => Event::EndOfData(task),
        32 => Event::TriggerFailed { checkpoint },
        33 | 34 if model.open_requests.insert(request) => {
            let stop = [None, None, Some(StopMode::Suspend), Some(StopMode::Drain)][number as usize % 4];
            Event::SavepointRequested { request, format: SavepointFormat::Native, stop }
        }
        35 if model.open_requests.insert(request) => Event::CheckpointRequested { request },
        _ => Event::TimeAdvanced,
    }
}

/// Mostly what lets checkpoints complete, and now and then anything.
fn kind() -> impl Strategy<Value = u8> {
    prop_oneof![12 => 0..13u8, 6 => 13..16u8, 2 => 18..21u8, 4 => 21..25u8, 1 => 29..31u8, 1 => 0..36u8]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_the_order_of_events(
        steps in prop::collection::vec((kind(), any::<u16>(), 0..200u64), 1..300),
        max_concurrent in 1..4u32,
        num_retained in 1..3u32,
        unaligned in any::<bool>(),
    ) {
        let max_concurrent = if unaligned { 1 } else { max_concurrent };
        let mut job = Job::running(CheckpointSettings {
            interval_ms: Some(300), timeout_ms: 2_000, max_concurrent, num_retained, unaligned,
            tolerable_failures: 2, ..settings()
        });
        let mut model = Model::default();
        for (what, number, by_ms) in steps {
            job.now_ms += by_ms;
            let event = event(what, u64::from(number), &mut model);
            if let Event::MetadataWritten { checkpoint, .. } = &event
                && let Some(seen) = model.checkpoints.get_mut(checkpoint) {
                    seen.written = true;
                }
            let actions = job.handle(event);
            model.watch(actions)?;
            let checkpoints = model.checkpoints.values().filter(|seen| !seen.savepoint);
            let ended = checkpoints.clone().filter(|seen| seen.notified || seen.aborted).count();
            prop_assert!(checkpoints.count() - ended <= max_concurrent as usize);
            prop_assert!(job.kept().len() <= num_retained as usize + 1);
            if let Some(wake_up_ms) = job.coordinator.next_wake_up() {
                prop_assert!(wake_up_ms > job.now_ms, "nothing is left undone");
            }
        }
        let kept: BTreeSet<u64> = job.kept().into_iter().collect();
        for (id, seen) in &model.checkpoints {
            if seen.notified && !seen.savepoint {
                prop_assert_eq!(seen.discards, u32::from(!kept.contains(id)), "complete and subsumed: deleted once");
            }
            prop_assert!(seen.discards <= 1);
        }
        let actions = job.handle(Event::JobEnded { status: TerminalStatus::Finished });
        model.watch(actions)?;
        prop_assert!(model.open_requests.is_empty(), "every request is answered");
        prop_assert_eq!(job.coordinator.pending_count(), 0);
        let undeleted = model.checkpoints.values().filter(|seen| seen.notified && !seen.savepoint && seen.discards != 1);
        prop_assert_eq!(undeleted.count(), 0);
    }
}
