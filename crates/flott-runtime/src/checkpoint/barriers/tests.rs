mod model;

use super::*;
use crate::checkpoint::options::{Alignment, CheckpointOptions, SnapshotKind};
use BarrierAction::{Abort, Block, Record, RecordingComplete, StopRecording, UnblockAll};

fn barrier(checkpoint: u64, alignment: Alignment) -> Barrier {
    let options = CheckpointOptions { kind: SnapshotKind::Checkpoint { base: None }, alignment };
    Barrier { checkpoint, timestamp_ms: 1_000 * checkpoint, options }
}

fn snapshot(checkpoint: u64, alignment: Alignment) -> BarrierAction {
    BarrierAction::Snapshot { barrier: barrier(checkpoint, alignment) }
}

/// A task whose checkpoints all have the same alignment.
struct Task {
    barriers: Barriers,
    alignment: Alignment,
    now_ms: u64,
}

impl Task {
    fn new(alignment: Alignment, channels: &[ChannelKind]) -> Self {
        let mode = match alignment {
            Alignment::AtLeastOnce => CheckpointingMode::AtLeastOnce,
            _ => CheckpointingMode::ExactlyOnce,
        };
        Self { barriers: Barriers::new(mode, channels), alignment, now_ms: 0 }
    }

    fn of(alignment: Alignment, channels: usize) -> Self {
        Self::new(alignment, &vec![ChannelKind::Overtakable; channels])
    }

    fn handle(&mut self, event: BarrierEvent) -> Vec<BarrierAction> {
        self.barriers.handle(self.now_ms, event)
    }

    fn reached(&mut self, channel: u32, checkpoint: u64) -> Vec<BarrierAction> {
        let barrier = barrier(checkpoint, self.alignment);
        self.handle(BarrierEvent::Reached { channel, barrier })
    }

    fn arrived(&mut self, channel: u32, checkpoint: u64) -> Vec<BarrierAction> {
        let barrier = barrier(checkpoint, self.alignment);
        self.handle(BarrierEvent::Arrived { channel, barrier })
    }

    fn cancelled(&mut self, checkpoint: u64) -> Vec<BarrierAction> {
        self.handle(BarrierEvent::Cancelled { checkpoint })
    }

    fn ended(&mut self, channel: u32) -> Vec<BarrierAction> {
        self.handle(BarrierEvent::ChannelEnded { channel })
    }
}

const ALIGNED: Alignment = Alignment::Aligned;
const AT_LEAST_ONCE: Alignment = Alignment::AtLeastOnce;
const UNALIGNED: Alignment = Alignment::Unaligned;
const TIMEOUT: Alignment = Alignment::AlignedWithTimeout { timeout_ms: 100 };

fn aborted(checkpoint: u64, reason: AbortReason) -> BarrierAction {
    Abort { checkpoint, reason }
}

#[test]
fn v8_7_1_a_task_of_one_channel_snapshots_at_each_barrier_and_blocks_nothing() {
    let mut task = Task::of(ALIGNED, 1);
    for checkpoint in 1..=6 {
        assert_eq!(task.reached(0, checkpoint), [snapshot(checkpoint, ALIGNED)]);
    }
}

#[test]
fn v8_7_2_channels_wait_behind_their_barrier_until_the_last_one_has_delivered_it() {
    let mut task = Task::of(ALIGNED, 3);
    assert_eq!(task.reached(1, 1), [Block { channel: 1 }]);
    assert_eq!(task.reached(2, 1), [Block { channel: 2 }]);
    assert_eq!(task.reached(0, 1), [snapshot(1, ALIGNED), UnblockAll]);
}

#[test]
fn v8_7_3_a_cancellation_ends_the_alignment_and_late_barriers_of_it_are_ignored() {
    let mut task = Task::of(ALIGNED, 3);
    assert_eq!(task.reached(0, 2), [Block { channel: 0 }]);
    assert_eq!(task.reached(2, 2), [Block { channel: 2 }]);
    assert_eq!(task.cancelled(2), [UnblockAll, aborted(2, AbortReason::Cancelled)]);
    assert_eq!(task.reached(1, 2), [], "late");
    assert_eq!(task.cancelled(2), [], "late");
    assert_eq!(task.reached(0, 3), [Block { channel: 0 }]);
    assert_eq!(task.reached(1, 3), [Block { channel: 1 }]);
    assert_eq!(task.reached(2, 3), [snapshot(3, ALIGNED), UnblockAll]);
}

#[test]
fn v8_7_4_a_barrier_of_a_newer_checkpoint_gives_the_older_one_up() {
    let mut task = Task::of(ALIGNED, 3);
    task.reached(0, 1);
    assert_eq!(
        task.reached(1, 2),
        [UnblockAll, aborted(1, AbortReason::NewerCheckpoint), Block { channel: 1 }]
    );
    assert_eq!(task.reached(2, 1), [], "late");
    assert_eq!(task.reached(2, 2), [Block { channel: 2 }]);
    assert_eq!(task.reached(0, 2), [snapshot(2, ALIGNED), UnblockAll]);
}

#[test]
fn a_cancellation_of_a_newer_checkpoint_gives_up_both() {
    let mut task = Task::of(ALIGNED, 2);
    task.reached(0, 1);
    let both = [UnblockAll, aborted(1, AbortReason::NewerCheckpoint), aborted(2, AbortReason::Cancelled)];
    assert_eq!(task.cancelled(2), both);
    assert_eq!(task.reached(0, 2), []);
}

#[test]
fn v8_7_6_a_channel_that_has_ended_counts_as_aligned() {
    let mut task = Task::of(ALIGNED, 3);
    task.reached(0, 1);
    assert_eq!(task.ended(1), []);
    assert_eq!(task.ended(2), [snapshot(1, ALIGNED), UnblockAll]);
    assert_eq!(task.reached(0, 2), [snapshot(2, ALIGNED)], "the one channel that is left");
}

#[test]
fn v8_7_6_at_least_once_too() {
    let mut task = Task::of(AT_LEAST_ONCE, 2);
    assert_eq!(task.reached(0, 1), []);
    assert_eq!(task.reached(0, 2), []);
    let both = [snapshot(1, AT_LEAST_ONCE), snapshot(2, AT_LEAST_ONCE)];
    assert_eq!(task.ended(1), both);
}

#[test]
fn v8_7_7_at_least_once_never_blocks_and_drops_what_was_overtaken() {
    let mut task = Task::of(AT_LEAST_ONCE, 3);
    for (channel, checkpoint) in [(0, 1), (1, 1), (0, 2), (1, 2)] {
        assert_eq!(task.reached(channel, checkpoint), []);
    }
    assert_eq!(task.reached(2, 2), [snapshot(2, AT_LEAST_ONCE)], "channel 2 never delivered 1");
    assert_eq!(task.reached(2, 1), [], "late");
    assert_eq!(task.reached(2, 2), [], "late");
}

#[test]
fn at_least_once_a_cancellation_gives_up_what_can_not_complete_any_more() {
    let mut task = Task::of(AT_LEAST_ONCE, 2);
    task.reached(0, 1);
    task.reached(0, 2);
    let both = [aborted(1, AbortReason::NewerCheckpoint), aborted(2, AbortReason::Cancelled)];
    assert_eq!(task.cancelled(2), both);
    assert_eq!(task.reached(1, 2), []);
    assert_eq!(task.cancelled(2), []);
    assert_eq!(task.cancelled(3), [aborted(3, AbortReason::Cancelled)]);
    assert_eq!(task.reached(0, 3), []);
}

#[test]
fn at_least_once_of_too_many_open_checkpoints_the_oldest_is_forgotten() {
    let mut task = Task::of(AT_LEAST_ONCE, 2);
    for checkpoint in 1..=51 {
        task.reached(0, checkpoint);
    }
    assert_eq!(task.reached(1, 1), []);
    assert_eq!(task.reached(1, 2), [snapshot(2, AT_LEAST_ONCE)]);
}

#[test]
fn v8_7_8_unaligned_snapshots_at_the_first_barrier_and_records_the_other_channels() {
    let mut task = Task::of(UNALIGNED, 3);
    assert_eq!(
        task.arrived(1, 1),
        [
            snapshot(1, UNALIGNED),
            Record { checkpoint: 1, channel: 0 },
            Record { checkpoint: 1, channel: 1 },
            StopRecording { checkpoint: 1, channel: 1 },
            Record { checkpoint: 1, channel: 2 },
        ]
    );
    assert_eq!(task.arrived(0, 1), [StopRecording { checkpoint: 1, channel: 0 }]);
    assert_eq!(task.reached(1, 1), [], "what lies before it was recorded");
    let last = [StopRecording { checkpoint: 1, channel: 2 }, RecordingComplete { checkpoint: 1 }];
    assert_eq!(task.arrived(2, 1), last);
}

#[test]
fn an_unaligned_checkpoint_of_one_channel_overtakes_its_queue() {
    let mut task = Task::of(UNALIGNED, 1);
    let all = [
        snapshot(1, UNALIGNED),
        Record { checkpoint: 1, channel: 0 },
        StopRecording { checkpoint: 1, channel: 0 },
        RecordingComplete { checkpoint: 1 },
    ];
    assert_eq!(task.arrived(0, 1), all);
}

#[test]
fn an_unaligned_checkpoint_that_is_cancelled_stops_its_recordings() {
    let mut task = Task::of(UNALIGNED, 2);
    task.arrived(0, 1);
    let all = [StopRecording { checkpoint: 1, channel: 1 }, aborted(1, AbortReason::Cancelled)];
    assert_eq!(task.cancelled(1), all);
    assert_eq!(task.arrived(1, 1), []);
}

#[test]
fn a_recorded_channel_that_ends_is_recorded() {
    let mut task = Task::of(UNALIGNED, 2);
    task.arrived(0, 1);
    let all = [StopRecording { checkpoint: 1, channel: 1 }, RecordingComplete { checkpoint: 1 }];
    assert_eq!(task.ended(1), all);
}

#[test]
fn v3_2_a_pointwise_or_broadcast_channel_is_aligned_even_when_the_checkpoint_is_not() {
    let mut task = Task::new(UNALIGNED, &[ChannelKind::InOrder, ChannelKind::Overtakable]);
    assert_eq!(task.arrived(1, 1), []);
    assert_eq!(task.reached(1, 1), [Block { channel: 1 }]);
    assert_eq!(task.arrived(0, 1), []);
    assert_eq!(task.reached(0, 1), [snapshot(1, UNALIGNED), UnblockAll, RecordingComplete { checkpoint: 1 }]);
}

#[test]
fn v8_7_9_before_the_timeout_a_checkpoint_completes_aligned() {
    let mut task = Task::of(TIMEOUT, 2);
    task.now_ms = 1_000;
    assert_eq!(task.arrived(0, 1), []);
    assert_eq!(task.barriers.next_wake_up(), Some(1_101));
    assert_eq!(task.reached(0, 1), [Block { channel: 0 }]);
    task.now_ms = 1_100;
    assert_eq!(task.handle(BarrierEvent::TimeAdvanced), []);
    assert_eq!(task.reached(1, 1), [snapshot(1, TIMEOUT), UnblockAll]);
    assert_eq!(task.barriers.next_wake_up(), None);
}

#[test]
fn v8_7_9_after_the_timeout_the_rest_is_unaligned_and_blocked_channels_go_on() {
    let mut task = Task::of(TIMEOUT, 4);
    task.now_ms = 1_050;
    task.reached(0, 1);
    task.arrived(1, 1);
    task.now_ms = 1_101;
    assert_eq!(
        task.handle(BarrierEvent::TimeAdvanced),
        [
            snapshot(1, UNALIGNED),
            UnblockAll,
            Record { checkpoint: 1, channel: 1 },
            StopRecording { checkpoint: 1, channel: 1 },
            Record { checkpoint: 1, channel: 2 },
            Record { checkpoint: 1, channel: 3 },
        ]
    );
    assert_eq!(task.barriers.next_wake_up(), None);
    task.arrived(2, 1);
    let last = [StopRecording { checkpoint: 1, channel: 3 }, RecordingComplete { checkpoint: 1 }];
    assert_eq!(task.arrived(3, 1), last);
}

#[test]
fn v3_2_a_task_whose_senders_have_finished_snapshots_when_it_is_triggered() {
    for alignment in [ALIGNED, AT_LEAST_ONCE] {
        let mut task = Task::of(alignment, 2);
        task.ended(0);
        assert_eq!(task.handle(BarrierEvent::Triggered { barrier: barrier(1, alignment) }), []);
        assert_eq!(task.ended(1), [snapshot(1, alignment)]);
        let again = task.handle(BarrierEvent::Triggered { barrier: barrier(2, alignment) });
        assert_eq!(again, [snapshot(2, alignment)]);
    }
}

#[test]
fn a_channel_that_the_task_does_not_have_changes_nothing() {
    for alignment in [ALIGNED, AT_LEAST_ONCE, UNALIGNED] {
        let mut task = Task::of(alignment, 1);
        assert_eq!(task.reached(1, 1), []);
        assert_eq!(task.arrived(7, 1), []);
        assert_eq!(task.ended(9), []);
        assert!(!task.reached(0, 1).is_empty());
    }
}
