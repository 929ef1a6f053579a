use std::marker::PhantomData;

use flott_core::{Batch, Data};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Operator, OperatorSetup, Output};
use flott_state::{OperatorSnapshot, SnapshotRequest};

use crate::function::life_cycle::notify_function;
use crate::function::{FilterFunction, Host};

/// `filter`: the batch itself goes on, without what was dropped.
pub(crate) struct FilterOperator<F, T> {
    function: F,
    host: Host,
    records: PhantomData<fn(T)>,
}

impl<F, T> FilterOperator<F, T> {
    pub(crate) fn new(function: F, setup: &OperatorSetup) -> Self {
        Self { function, host: Host::new(setup), records: PhantomData }
    }
}

impl<F: FilterFunction<T>, T: Data> Operator for FilterOperator<F, T> {
    type In = T;
    type Out = T;

    fn open(&mut self) -> FnResult {
        self.function.initialize_state(&mut self.host.initialization())?;
        self.function.open(&self.host.runtime)
    }

    fn process(&mut self, batch: &mut Batch<T>, out: &mut Output<T>) -> FnResult {
        let Batch { records, timestamps, hashes } = batch;
        hashes.clear();
        let mut failed = None;
        let function = &mut self.function;
        let mut keep = |record: &T| {
            // What has failed is not called again.
            failed.is_none()
                && function.filter(record).unwrap_or_else(|error| {
                    failed = Some(error);
                    false
                })
        };
        if timestamps.is_empty() {
            records.retain(keep);
        } else {
            let mut kept = 0;
            let mut index = 0;
            records.retain(|record| {
                let keep = keep(record);
                timestamps[kept] = timestamps[index];
                kept += usize::from(keep);
                index += 1;
                keep
            });
            timestamps.truncate(kept);
        }
        match failed {
            Some(error) => Err(error),
            None => {
                out.forward(batch);
                Ok(())
            }
        }
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
