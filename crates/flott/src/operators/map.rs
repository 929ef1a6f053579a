use std::marker::PhantomData;

use flott_core::{Batch, Data};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Operator, OperatorSetup, Output};
use flott_state::{OperatorSnapshot, SnapshotRequest};

use crate::function::life_cycle::notify_function;
use crate::function::{Host, MapFunction};

/// `map`.
pub(crate) struct MapOperator<F, I, O> {
    function: F,
    host: Host,
    types: PhantomData<fn(I) -> O>,
}

impl<F, I, O> MapOperator<F, I, O> {
    pub(crate) fn new(function: F, setup: &OperatorSetup) -> Self {
        Self { function, host: Host::new(setup), types: PhantomData }
    }
}

impl<F: MapFunction<I, O>, I: Data, O: Data> Operator for MapOperator<F, I, O> {
    type In = I;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.initialize_state(&mut self.host.initialization())?;
        self.function.open(&self.host.runtime)
    }

    fn process(&mut self, batch: &mut Batch<I>, out: &mut Output<O>) -> FnResult {
        let made = out.buffer();
        made.records.reserve(batch.len());
        for record in batch.records.drain(..) {
            made.records.push(self.function.map(record)?);
        }
        std::mem::swap(&mut made.timestamps, &mut batch.timestamps);
        Ok(())
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        let Self { function, host, .. } = self;
        host.snapshot(request.checkpoint, |context| function.snapshot_state(context))
    }

    notify_function!();

    fn close(&mut self) -> FnResult {
        self.function.close()
    }
}
