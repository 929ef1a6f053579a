//! The operator: keeps the records of both sides and calls the function for each pair.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_core::time::{MIN_WATERMARK, NO_TIMESTAMP, TimeDomain, Timestamp};
use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::metrics::OperatorMetrics;
use flott_runtime::operator::{Collector, OperatorSetup, Output, OutputTag, TwoInputOperator};
use flott_state::{
    CurrentKey, KeyedState, KeyedStateStore, MapState, MapStateDescriptor, OperatorSnapshot, SnapshotBudget,
    SnapshotRequest, SnapshotSink, StateError, TimerQueue,
};

use super::bounds::{Interval, IntervalBounds, Side};
use super::{JoinContext, ProcessJoinFunction};
use crate::function::life_cycle::notify_function;
use crate::function::{Host, KeySelector};
use crate::operators::KeyedBatch;
use crate::state::keyed_state;

/// The name of the timers.
const CLEANUP_TIMERS: &str = "CLEANUP_TIMER";

/// What timers of the left side are for; those of the right side are for [`CLEANUP_RIGHT`].
const CLEANUP_LEFT: i64 = 0;
const CLEANUP_RIGHT: i64 = 1;

/// Where late records of each side go, if not away.
pub(super) struct LateTags<L, R> {
    pub(super) left: Option<OutputTag<L>>,
    pub(super) right: Option<OutputTag<R>>,
}

impl<L, R> Default for LateTags<L, R> {
    fn default() -> Self {
        Self { left: None, right: None }
    }
}

impl<L, R> Clone for LateTags<L, R> {
    fn clone(&self) -> Self {
        Self { left: self.left.clone(), right: self.right.clone() }
    }
}

/// The selectors of both sides.
type Selectors<K, L, R> = (Arc<dyn KeySelector<L, K>>, Arc<dyn KeySelector<R, K>>);

/// The records of one side, for each key by their timestamps.
type Buffer<T> = MapState<Timestamp, Vec<T>>;

/// Joins two keyed streams by intervals of event time (Flink: `IntervalJoinOperator`).
pub(super) struct IntervalJoinOperator<F, K, L, R, O> {
    function: F,
    host: Host,
    left_batch: KeyedBatch<L, K>,
    right_batch: KeyedBatch<R, K>,
    left: Buffer<L>,
    right: Buffer<R>,
    late: LateTags<L, R>,
    join: Join<K>,
    output: PhantomData<fn() -> O>,
}

/// What both sides share.
struct Join<K> {
    interval: Interval,
    state: KeyedState<K>,
    timers: TimerQueue<K, i64>,
    watermark: Timestamp,
    max_parallelism: u32,
    metrics: Arc<OperatorMetrics>,
}

impl<F, K, L, R, O> IntervalJoinOperator<F, K, L, R, O>
where
    F: ProcessJoinFunction<L, R, O>,
    K: Key,
    L: Data,
    R: Data,
{
    pub(super) fn new(
        function: F,
        bounds: IntervalBounds,
        (left_selector, right_selector): Selectors<K, L, R>,
        late: LateTags<L, R>,
        setup: &OperatorSetup,
    ) -> Result<Self, StateError> {
        let mut state = keyed_state(setup)?;
        let interval = bounds.inclusive();
        Ok(Self {
            function,
            host: Host::new(setup),
            left_batch: KeyedBatch::new(left_selector),
            right_batch: KeyedBatch::new(right_selector),
            left: state.map_state(MapStateDescriptor::new("LEFT_BUFFER"))?,
            right: state.map_state(MapStateDescriptor::new("RIGHT_BUFFER"))?,
            late,
            join: Join {
                interval,
                timers: state.restore_timers(CLEANUP_TIMERS, TimeDomain::EventTime)?,
                state,
                watermark: MIN_WATERMARK,
                max_parallelism: setup.max_parallelism,
                metrics: Arc::clone(&setup.metrics),
            },
            output: PhantomData,
        })
    }
}

impl<K: Key> Join<K> {
    /// Takes in the records of one side: `each` gets each pair with the times of the record and of its match.
    fn process<T: Data, U: Data, O: Data>(
        &mut self,
        side: Side,
        batch: &mut Batch<T>,
        (keyed, own, other): (&mut KeyedBatch<T, K>, Buffer<T>, Buffer<U>),
        late: Option<&OutputTag<T>>,
        out: &mut Output<O>,
        mut each: impl FnMut(&T, &U, [Timestamp; 2], &mut Output<O>) -> FnResult,
    ) -> FnResult {
        keyed.extract(batch)?;
        self.state.load(keyed.keys(), keyed.hashes())?;
        let keys = keyed.keys().iter().zip(keyed.hashes());
        for (index, (record, (key, &hash))) in batch.records.drain(..).zip(keys).enumerate() {
            if let Some(ahead) = keyed.ahead(index) {
                self.state.prefetch(ahead);
            }
            let time = batch.timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP);
            if time == NO_TIMESTAMP {
                return Err(no_timestamp());
            }
            if time < self.watermark {
                match late {
                    Some(tag) => out.side().emit(tag, record, time),
                    None => self.metrics.late_records_dropped.add(1),
                }
                continue;
            }
            let matches = self.interval.matches(side, time);
            let mut current = CurrentKey::new(&mut self.state, key, hash);
            for (other_time, others) in other.iter(&mut current)? {
                if matches.contains(&other_time) {
                    others.iter().try_for_each(|other| each(&record, other, [time, *other_time], out))?;
                }
            }
            own.get_or_insert_with(&mut current, time, Vec::new)?.push(record);
            let cleanup = match side {
                Side::Left => CLEANUP_LEFT,
                Side::Right => CLEANUP_RIGHT,
            };
            self.timers.register(self.interval.expiry(side, time), hash, key.clone(), cleanup);
        }
        Ok(())
    }
}

impl<F, K, L, R, O> TwoInputOperator for IntervalJoinOperator<F, K, L, R, O>
where
    F: ProcessJoinFunction<L, R, O>,
    K: Key,
    L: Data,
    R: Data,
    O: Data,
{
    type In1 = L;
    type In2 = R;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.initialize_state(&mut self.host.initialization())?;
        self.function.open(&self.host.runtime)
    }

    fn process1(&mut self, batch: &mut Batch<L>, out: &mut Output<O>) -> FnResult {
        let Self { function, left_batch, left, right, late, join, .. } = self;
        let each = |record: &L, other: &R, [left, right]: [Timestamp; 2], out: &mut Output<O>| {
            let context = JoinContext { left, right };
            function.process_element(record, other, &context, &mut Collector::new(out, context.timestamp()))
        };
        join.process(Side::Left, batch, (left_batch, *left, *right), late.left.as_ref(), out, each)
    }

    fn process2(&mut self, batch: &mut Batch<R>, out: &mut Output<O>) -> FnResult {
        let Self { function, right_batch, left, right, late, join, .. } = self;
        let each = |record: &R, other: &L, [right, left]: [Timestamp; 2], out: &mut Output<O>| {
            let context = JoinContext { left, right };
            function.process_element(other, record, &context, &mut Collector::new(out, context.timestamp()))
        };
        join.process(Side::Right, batch, (right_batch, *right, *left), late.right.as_ref(), out, each)
    }

    fn on_watermark(&mut self, combined: Timestamp, _out: &mut Output<O>) -> FnResult {
        let Self { left, right, join, .. } = self;
        join.watermark = combined;
        while let Some(timer) = join.timers.pop_due(combined) {
            let mut current = CurrentKey::new(&mut join.state, &timer.key, timer.hash);
            if timer.namespace == CLEANUP_LEFT {
                left.remove(&mut current, &join.interval.expired(Side::Left, timer.timestamp))?;
            } else {
                right.remove(&mut current, &join.interval.expired(Side::Right, timer.timestamp))?;
            }
        }
        Ok(())
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        let Self { function, host, join, .. } = self;
        let snapshot = host.snapshot(request.checkpoint, |context| function.snapshot_state(context))?;
        join.state.begin_snapshot(request)?;
        join.timers.begin_snapshot(CLEANUP_TIMERS, TimeDomain::EventTime, join.max_parallelism)?;
        Ok(snapshot)
    }

    notify_function!();

    fn drain_snapshot(&mut self, budget: &mut SnapshotBudget, sink: &mut dyn SnapshotSink) -> FnResult<bool> {
        let Join { state, timers, .. } = &mut self.join;
        Ok(state.drain_snapshot(budget, sink)? && timers.drain_snapshot(budget, sink)?)
    }

    fn abort_snapshot(&mut self) {
        self.join.state.abort_snapshot();
        self.join.timers.abort_snapshot();
    }

    fn finish(&mut self, out: &mut Output<O>) -> FnResult {
        self.function.finish(&mut Collector::new(out, NO_TIMESTAMP))
    }

    fn close(&mut self) -> FnResult {
        self.function.close()
    }
}

#[cold]
fn no_timestamp() -> flott_runtime::error::BoxError {
    "a record has no timestamp, which an interval join needs: give the source a WatermarkStrategy with a timestamp \
     assigner, or call assign_timestamps_and_watermarks"
        .into()
}
