//! The window operator for any assigner, trigger and function: contents and timers for each key and window.

use std::rc::Rc;
use std::sync::Arc;

use flott_core::time::{NO_TIMESTAMP, TimeDomain, Timestamp};
use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Operator, OperatorSetup, Output};
use flott_runtime::task::TaskShared;
use flott_state::{OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink, StateRegistry};

use super::windows::Windows;
use super::{WindowSettings, no_timestamp};
use crate::function::{KeySelector, RuntimeContext};
use crate::operators::KeyedBatch;
use crate::window::{Trigger, WindowAssigner, WindowAssignerContext, WindowOpenContext, Work};

/// Windows on a keyed stream.
pub(crate) struct WindowOperator<K, T, A: WindowAssigner<T>, R, X: Work<K, T, A::Window>>
where
    K: Key,
    T: Data,
{
    assigner: A,
    context: RuntimeContext,
    task: Rc<TaskShared>,
    batch: KeyedBatch<T, K>,
    assigned: Vec<A::Window>,
    windows: Windows<K, T, A::Window, R, X>,
}

impl<K, T, A, R, X> WindowOperator<K, T, A, R, X>
where
    K: Key,
    T: Data,
    A: WindowAssigner<T>,
    R: Trigger<T, A::Window>,
    X: Work<K, T, A::Window>,
{
    pub(crate) fn new(
        (assigner, trigger, work): (A, R, X),
        selector: Arc<dyn KeySelector<T, K>>,
        settings: WindowSettings<T>,
        setup: &OperatorSetup,
    ) -> FnResult<Self> {
        Ok(Self {
            windows: Windows::new((trigger, work), (assigner.is_event_time(), A::MERGES), settings, setup)?,
            assigner,
            context: RuntimeContext::of(setup),
            task: Rc::clone(&setup.task),
            batch: KeyedBatch::new(selector),
            assigned: Vec::new(),
        })
    }

    /// Adds a record to the windows in `self.assigned`.
    #[inline]
    fn add(&mut self, index: usize, record: T, timestamp: Timestamp, out: &mut Output<X::Out>) -> FnResult {
        let (key, hash) = (&self.batch.keys()[index], self.batch.hashes()[index]);
        // A single window gets the record itself, each of several a clone.
        let not_taken = match self.assigned.as_slice() {
            [] => Some(record),
            [window] => self.windows.add((key, hash), window, record, timestamp, out)?,
            many => {
                let mut taken = false;
                for window in many {
                    let late = self.windows.add((key, hash), window, record.clone(), timestamp, out)?;
                    taken |= late.is_none();
                }
                (!taken).then_some(record)
            }
        };
        if let Some(record) = not_taken {
            self.windows.late.not_taken(record, timestamp, self.windows.timers.times.watermark, out);
        }
        Ok(())
    }
}

impl<K, T, A, R, X> Operator for WindowOperator<K, T, A, R, X>
where
    K: Key,
    T: Data,
    A: WindowAssigner<T>,
    R: Trigger<T, A::Window>,
    X: Work<K, T, A::Window>,
{
    type In = T;
    type Out = X::Out;

    fn open(&mut self) -> FnResult {
        let Windows { state, trigger, work, .. } = &mut self.windows;
        trigger.open(&mut StateRegistry::new(state))?;
        work.open(&mut WindowOpenContext::new(&self.context, state))
    }

    fn process(&mut self, batch: &mut Batch<T>, out: &mut Output<X::Out>) -> FnResult {
        self.windows.set_processing_time(self.task.processing_time());
        let context = WindowAssignerContext::at(self.task.processing_time());
        self.batch.extract(batch)?;
        self.windows.state.records_processed(batch.len());
        let Batch { records, timestamps, .. } = batch;
        let event_time = self.assigner.is_event_time();
        for (index, record) in records.drain(..).enumerate() {
            let timestamp = timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP);
            if event_time && timestamp == NO_TIMESTAMP {
                return Err(no_timestamp());
            }
            self.assigner.assign(&record, timestamp, &context, &mut self.assigned)?;
            // The records ahead are most likely in the window of this one.
            if let (Some(ahead), Some(window)) = (self.batch.ahead(index), self.assigned.last()) {
                if index == 0 {
                    self.windows.load(self.batch.keys(), self.batch.hashes(), window)?;
                }
                self.windows.prefetch(ahead, window);
            }
            self.add(index, record, timestamp, out)?;
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, out: &mut Output<X::Out>) -> FnResult {
        self.windows.set_processing_time(self.task.processing_time());
        let watermark = watermark.max(self.windows.timers.times.watermark);
        self.windows.advance(watermark);
        while let Some(timer) = self.windows.timers.event.pop_due(watermark) {
            self.windows.timers.fired.watermark = timer.timestamp;
            self.windows.on_timer(&timer, TimeDomain::EventTime, out)?;
        }
        self.windows.timers.fired.watermark = watermark;
        Ok(())
    }

    fn on_processing_time(&mut self, now: Timestamp, out: &mut Output<X::Out>) -> FnResult {
        self.windows.set_processing_time(now);
        while let Some(timer) = self.windows.timers.processing.pop_due(now) {
            self.windows.timers.fired.now = timer.timestamp;
            self.windows.on_timer(&timer, TimeDomain::ProcessingTime, out)?;
        }
        self.windows.timers.fired.now = now;
        Ok(())
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.windows.timers.processing.next_due()
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        self.windows.begin_snapshot(request)
    }

    fn drain_snapshot(&mut self, budget: &mut SnapshotBudget, sink: &mut dyn SnapshotSink) -> FnResult<bool> {
        self.windows.drain_snapshot(budget, sink)
    }

    fn abort_snapshot(&mut self) {
        self.windows.abort_snapshot();
    }

    fn close(&mut self) -> FnResult {
        self.windows.work.close()
    }
}
