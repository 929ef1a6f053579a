use std::marker::PhantomData;

use flott_core::{Batch, Data};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Operator, Output};

use crate::function::{MapFunction, RuntimeContext};

/// `map`.
pub(crate) struct MapOperator<F, I, O> {
    function: F,
    context: RuntimeContext,
    types: PhantomData<fn(I) -> O>,
}

impl<F, I, O> MapOperator<F, I, O> {
    pub(crate) fn new(function: F, context: RuntimeContext) -> Self {
        Self { function, context, types: PhantomData }
    }
}

impl<F: MapFunction<I, O>, I: Data, O: Data> Operator for MapOperator<F, I, O> {
    type In = I;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.open(&self.context)
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

    fn close(&mut self) -> FnResult {
        self.function.close()
    }
}
