use std::sync::Arc;

use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Operator, OperatorSetup, Output};
use flott_state::{
    CurrentKey, KeyedState, KeyedStateStore, OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink,
    StateError, ValueState, ValueStateDescriptor,
};

use super::KeyedBatch;
use crate::function::KeySelector;
use crate::state::keyed_state;

/// Folds a record into what its key has stored: the stored value becomes the new result.
pub(crate) trait Fold<T>: Clone + Send + 'static {
    fn fold(&mut self, stored: &mut T, record: T);
}

/// Rolling `reduce`, `sum`, `min`, … on a keyed stream: stores a record per key and emits it after each update.
pub(crate) struct ReduceOperator<F, K, T> {
    fold: F,
    batch: KeyedBatch<T, K>,
    state: KeyedState<K>,
    stored: ValueState<T>,
}

impl<F, K: Key, T: Data> ReduceOperator<F, K, T> {
    pub(crate) fn new(
        fold: F,
        selector: Arc<dyn KeySelector<T, K>>,
        setup: &OperatorSetup,
    ) -> Result<Self, StateError> {
        let mut state = keyed_state(setup)?;
        let stored = state.value_state(ValueStateDescriptor::new("reduced"))?;
        Ok(Self { fold, batch: KeyedBatch::new(selector), state, stored })
    }
}

impl<F: Fold<T>, K: Key, T: Data> Operator for ReduceOperator<F, K, T> {
    type In = T;
    type Out = T;

    fn process(&mut self, batch: &mut Batch<T>, out: &mut Output<T>) -> FnResult {
        self.batch.extract(batch)?;
        self.state.load(self.batch.keys(), self.batch.hashes())?;
        let keyed = self.batch.keys().iter().zip(self.batch.hashes());
        let made = out.buffer();
        made.records.reserve(batch.len());
        for (index, (record, (key, &hash))) in batch.records.drain(..).zip(keyed).enumerate() {
            if let Some(ahead) = self.batch.ahead(index) {
                self.state.prefetch(ahead);
            }
            let mut current = CurrentKey::new(&mut self.state, key, hash);
            if let Some(stored) = self.stored.get_mut(&mut current)? {
                self.fold.fold(stored, record);
                made.records.push(stored.clone());
            } else {
                made.records.push(record.clone());
                self.stored.update(&mut current, record)?;
            }
        }
        std::mem::swap(&mut made.timestamps, &mut batch.timestamps);
        Ok(())
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        self.state.begin_snapshot(request)?;
        Ok(OperatorSnapshot::default())
    }

    fn drain_snapshot(&mut self, budget: &mut SnapshotBudget, sink: &mut dyn SnapshotSink) -> FnResult<bool> {
        Ok(self.state.drain_snapshot(budget, sink)?)
    }

    fn abort_snapshot(&mut self) {
        self.state.abort_snapshot();
    }
}
