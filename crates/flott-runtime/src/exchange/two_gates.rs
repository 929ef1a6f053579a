//! The receiving side of an operator with two inputs: a gate for each.

use std::time::Duration;

use flott_core::time::Timestamp;
use flott_state::OperatorStateSnapshot;

use crate::checkpoint::barriers::BarrierEvent;
use crate::error::ChainResult;
use crate::graph::OperatorId;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::task::{Head, Step, TaskControl, in_any_case};

/// Serves two gates in turn, one element at a time, so that neither input waits for the other to run dry.
pub(crate) struct TwoGates {
    gates: [Box<dyn Head>; 2],
    /// Which gate is asked first next time.
    next: usize,
    /// How many gates may still bring records.
    with_data: usize,
}

impl TwoGates {
    /// The gates before the two inputs of one operator.
    pub(crate) fn new(first: Box<dyn Head>, second: Box<dyn Head>) -> Self {
        Self { gates: [first, second], next: 0, with_data: 2 }
    }

    /// The channels of the second gate are counted on from those of the first.
    fn renumber(&self, gate: usize, event: BarrierEvent) -> BarrierEvent {
        let offset = if gate == 0 { 0 } else { self.gates[0].channel_count() as u32 };
        match event {
            BarrierEvent::Arrived { channel, barrier } => {
                BarrierEvent::Arrived { channel: channel + offset, barrier }
            }
            BarrierEvent::Reached { channel, barrier } => {
                BarrierEvent::Reached { channel: channel + offset, barrier }
            }
            BarrierEvent::ChannelEnded { channel } => {
                BarrierEvent::ChannelEnded { channel: channel + offset }
            }
            other @ (BarrierEvent::Triggered { .. }
            | BarrierEvent::Cancelled { .. }
            | BarrierEvent::TimeAdvanced) => other,
        }
    }

    /// The gate of a channel, and its number there.
    fn gate_of(&mut self, channel: usize) -> (&mut dyn Head, usize) {
        let first = self.gates[0].channel_count();
        match channel.checked_sub(first) {
            None => (self.gates[0].as_mut(), channel),
            Some(channel) => (self.gates[1].as_mut(), channel),
        }
    }

    fn both(&mut self, mut call: impl FnMut(&mut dyn Head) -> ChainResult) -> ChainResult {
        self.gates.iter_mut().try_for_each(|gate| call(gate.as_mut()))
    }
}

impl Head for TwoGates {
    fn open(&mut self) -> ChainResult {
        self.both(|gate| gate.open())
    }

    fn control(&mut self, control: TaskControl) -> ChainResult {
        self.both(|gate| gate.control(control.clone()))
    }

    fn step(&mut self, now_ns: u64) -> ChainResult<Step> {
        let (mut finished, mut retry_after) = (0, None::<Duration>);
        for _ in 0..self.gates.len() {
            let gate = self.next;
            self.next = 1 - gate;
            match self.gates[gate].step(now_ns)? {
                Step::Progress => return Ok(Step::Progress),
                Step::Barrier(event) => return Ok(Step::Barrier(self.renumber(gate, event))),
                Step::EndOfData => {
                    self.with_data -= 1;
                    return Ok(if self.with_data == 0 { Step::EndOfData } else { Step::Progress });
                }
                Step::Idle { retry_after: after } => retry_after = retry_after.into_iter().chain(after).min(),
                Step::Finished => finished += 1,
            }
        }
        Ok(if finished == self.gates.len() { Step::Finished } else { Step::Idle { retry_after } })
    }

    fn channel_count(&self) -> usize {
        self.gates.iter().map(|gate| gate.channel_count()).sum()
    }

    fn block(&mut self, channel: usize) {
        let (gate, channel) = self.gate_of(channel);
        gate.block(channel);
    }

    fn unblock_all(&mut self) {
        self.gates.iter_mut().for_each(|gate| gate.unblock_all());
    }

    fn is_overtakable(&self) -> bool {
        self.gates.iter().all(|gate| gate.is_overtakable())
    }

    fn arrived(&mut self) -> Option<BarrierEvent> {
        let gate = (0..self.gates.len()).find_map(|gate| Some((gate, self.gates[gate].arrived()?)));
        gate.map(|(gate, event)| self.renumber(gate, event))
    }

    fn record(&mut self, channel: usize) {
        let (gate, channel) = self.gate_of(channel);
        gate.record(channel);
    }

    fn stop_recording(&mut self, checkpoint: u64, channel: usize) -> ChainResult {
        let (gate, channel) = self.gate_of(channel);
        gate.stop_recording(checkpoint, channel)
    }

    fn take_recorded(&mut self, at_least: usize) -> Vec<(OperatorId, OperatorStateSnapshot)> {
        self.gates.iter_mut().flat_map(|gate| gate.take_recorded(at_least)).collect()
    }

    fn forget_recorded(&mut self) {
        self.gates.iter_mut().for_each(|gate| gate.forget_recorded());
    }

    fn received_bytes(&self) -> u64 {
        self.gates.iter().map(|gate| gate.received_bytes()).sum()
    }

    fn flush(&mut self) -> ChainResult {
        self.both(|gate| gate.flush())
    }

    fn processing_time(&mut self, now: Timestamp) -> ChainResult {
        self.both(|gate| gate.processing_time(now))
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.gates.iter().filter_map(|gate| gate.next_timer()).min()
    }

    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult {
        self.both(|gate| gate.snapshot(snapshot))
    }

    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        let [first, second] = &mut self.gates;
        Ok(first.drain_snapshot(work)? && second.drain_snapshot(work)?)
    }

    fn abort_snapshot(&mut self) {
        self.gates.iter_mut().for_each(|gate| gate.abort_snapshot());
    }

    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult {
        self.both(|gate| gate.notify(notice))
    }

    fn finish(&mut self) -> ChainResult {
        self.both(|gate| gate.finish())
    }

    fn end(&mut self) -> ChainResult {
        self.both(|gate| gate.end())
    }

    fn close(&mut self) -> ChainResult {
        let [first, second] = &mut self.gates;
        in_any_case(|| first.close(), || second.close())
    }
}
