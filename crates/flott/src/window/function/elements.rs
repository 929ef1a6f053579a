//! Windows that keep all of their records.

use std::marker::PhantomData;

use flott_core::time::Timestamp;
use flott_core::{Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;

use super::{OverElements, ProcessWindowFunction, WindowContext, WindowOpenContext, Work};
use crate::window::{Evictor, Window, WindowElements};

/// A function over all records of a window.
pub(crate) struct AllElements<F, O> {
    function: F,
    output: PhantomData<fn() -> O>,
}

impl<F, O> AllElements<F, O> {
    pub(crate) fn new(function: F) -> Self {
        Self { function, output: PhantomData }
    }
}

impl<F: Clone, O> Clone for AllElements<F, O> {
    fn clone(&self) -> Self {
        Self::new(self.function.clone())
    }
}

impl<K, T, W, F, O> Work<K, T, W> for AllElements<F, O>
where
    K: Key,
    T: Data,
    W: Window,
    F: for<'e> ProcessWindowFunction<K, W, &'e [T], O>,
    O: Data,
{
    type Kept = Vec<T>;
    type Out = O;
    const COMBINES: bool = false;
    const CLEARS: bool = <F as ProcessWindowFunction<K, W, &'static [T], O>>::CLEARS;

    fn open(&mut self, context: &mut WindowOpenContext<'_, K, W>) -> FnResult {
        ProcessWindowFunction::<K, W, &'static [T], O>::open(&mut self.function, context)
    }

    fn start(&mut self, record: T, _: Timestamp) -> Vec<T> {
        vec![record]
    }

    #[inline]
    fn add(&mut self, kept: &mut Vec<T>, record: T, _: Timestamp) {
        kept.push(record);
    }

    fn merge(&mut self, kept: &mut Vec<T>, mut later: Vec<T>) {
        kept.append(&mut later);
    }

    fn emit(
        &mut self,
        kept: &mut Vec<T>,
        context: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self.emit_all(kept, context, out)
    }

    fn clear(&mut self, context: &mut WindowContext<'_, K, W>) -> FnResult {
        ProcessWindowFunction::<K, W, &'static [T], O>::clear(&mut self.function, context)
    }

    fn close(&mut self) -> FnResult {
        ProcessWindowFunction::<K, W, &'static [T], O>::close(&mut self.function)
    }
}

impl<K, T, W, F, O> OverElements<K, T, W> for AllElements<F, O>
where
    K: Key,
    T: Data,
    W: Window,
    F: for<'e> ProcessWindowFunction<K, W, &'e [T], O>,
    O: Data,
{
    fn emit_all(
        &mut self,
        elements: &[T],
        context: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self.function.process(elements, context, out)
    }
}

/// Work on what an evictor has left.
#[derive(Clone)]
pub(crate) struct Evicting<V, X> {
    evictor: V,
    work: X,
}

impl<V, X> Evicting<V, X> {
    pub(crate) fn new(evictor: V, work: X) -> Self {
        Self { evictor, work }
    }
}

impl<K, T, W, V, X> Work<K, T, W> for Evicting<V, X>
where
    K: Key,
    T: Data,
    W: Window,
    V: Evictor<T, W>,
    X: OverElements<K, T, W>,
{
    type Kept = WindowElements<T>;
    type Out = X::Out;
    const COMBINES: bool = false;
    const CLEARS: bool = X::CLEARS;
    const EVICTS: bool = true;

    fn open(&mut self, context: &mut WindowOpenContext<'_, K, W>) -> FnResult {
        self.work.open(context)
    }

    fn start(&mut self, record: T, timestamp: Timestamp) -> WindowElements<T> {
        WindowElements::of(record, timestamp)
    }

    fn add(&mut self, kept: &mut WindowElements<T>, record: T, timestamp: Timestamp) {
        kept.push(record, timestamp);
    }

    fn merge(&mut self, kept: &mut WindowElements<T>, later: WindowElements<T>) {
        kept.append(later);
    }

    fn is_empty(kept: &WindowElements<T>) -> bool {
        kept.is_empty()
    }

    fn emit(
        &mut self,
        kept: &mut WindowElements<T>,
        context: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, X::Out>,
    ) -> FnResult {
        let times = context.times.into();
        self.evictor.evict_before(kept, context.window, &times)?;
        self.work.emit_all(kept.values(), context, out)?;
        self.evictor.evict_after(kept, context.window, &times)
    }

    fn clear(&mut self, context: &mut WindowContext<'_, K, W>) -> FnResult {
        self.work.clear(context)
    }

    fn close(&mut self) -> FnResult {
        self.work.close()
    }
}
