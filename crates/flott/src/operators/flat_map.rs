use std::marker::PhantomData;

use flott_core::time::NO_TIMESTAMP;
use flott_core::{Batch, Data};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, Operator, OperatorSetup, Output};
use flott_state::{OperatorSnapshot, SnapshotRequest};

use crate::function::life_cycle::notify_function;
use crate::function::{FlatMapFunction, Host};

/// `flat_map`.
pub(crate) struct FlatMapOperator<F, I, O> {
    function: F,
    host: Host,
    types: PhantomData<fn(I) -> O>,
}

impl<F, I, O> FlatMapOperator<F, I, O> {
    pub(crate) fn new(function: F, setup: &OperatorSetup) -> Self {
        Self { function, host: Host::new(setup), types: PhantomData }
    }
}

impl<F: FlatMapFunction<I, O>, I: Data, O: Data> Operator for FlatMapOperator<F, I, O> {
    type In = I;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.initialize_state(&mut self.host.initialization())?;
        self.function.open(&self.host.runtime)
    }

    fn process(&mut self, batch: &mut Batch<I>, out: &mut Output<O>) -> FnResult {
        let mut out = Collector::new(out, NO_TIMESTAMP);
        let timestamps = &batch.timestamps;
        for (index, record) in batch.records.drain(..).enumerate() {
            out.set_timestamp(timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP));
            self.function.flat_map(record, &mut out)?;
        }
        Ok(())
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        let Self { function, host, .. } = self;
        host.snapshot(request.checkpoint, |context| function.snapshot_state(context))
    }

    notify_function!();

    fn finish(&mut self, out: &mut Output<O>) -> FnResult {
        self.function.finish(&mut Collector::new(out, NO_TIMESTAMP))
    }

    fn close(&mut self) -> FnResult {
        self.function.close()
    }
}
