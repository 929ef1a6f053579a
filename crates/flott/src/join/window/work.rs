//! What a window keeps of two streams: the records of each by themselves, so that a function gets them as they are kept.

use std::marker::PhantomData;

use flott_core::time::Timestamp;
use flott_core::{Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;
use serde::{Deserialize, Serialize};

use super::{CoGroupFunction, TaggedUnion};
use crate::window::{OverElements, Window, WindowContext, WindowOpenContext, Work};

/// The records of a key and window, in the order in which they came.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Sides<A, B> {
    lefts: Vec<A>,
    rights: Vec<B>,
}

impl<A, B> Sides<A, B> {
    fn of(records: impl IntoIterator<Item = TaggedUnion<A, B>>) -> Self {
        let mut sides = Self { lefts: Vec::new(), rights: Vec::new() };
        records.into_iter().for_each(|record| sides.push(record));
        sides
    }

    #[inline]
    fn push(&mut self, record: TaggedUnion<A, B>) {
        match record {
            TaggedUnion::One(left) => self.lefts.push(left),
            TaggedUnion::Two(right) => self.rights.push(right),
        }
    }
}

/// A co-group function over both sides of a window.
pub(super) struct BothSides<F, O> {
    function: F,
    output: PhantomData<fn() -> O>,
}

impl<F, O> BothSides<F, O> {
    pub(super) fn new(function: F) -> Self {
        Self { function, output: PhantomData }
    }
}

impl<F: Clone, O> Clone for BothSides<F, O> {
    fn clone(&self) -> Self {
        Self::new(self.function.clone())
    }
}

impl<K, A, B, W, F, O> Work<K, TaggedUnion<A, B>, W> for BothSides<F, O>
where
    K: Key,
    A: Data,
    B: Data,
    W: Window,
    F: CoGroupFunction<A, B, O>,
    O: Data,
{
    type Kept = Sides<A, B>;
    type Out = O;
    const COMBINES: bool = false;
    const CLEARS: bool = false;

    fn open(&mut self, context: &mut WindowOpenContext<'_, K, W>) -> FnResult {
        self.function.open(context)
    }

    fn start(&mut self, record: TaggedUnion<A, B>, _: Timestamp) -> Sides<A, B> {
        Sides::of([record])
    }

    #[inline]
    fn add(&mut self, kept: &mut Sides<A, B>, record: TaggedUnion<A, B>, _: Timestamp) {
        kept.push(record);
    }

    fn merge(&mut self, kept: &mut Sides<A, B>, mut later: Sides<A, B>) {
        kept.lefts.append(&mut later.lefts);
        kept.rights.append(&mut later.rights);
    }

    fn emit(
        &mut self,
        kept: &mut Sides<A, B>,
        _: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self.function.co_group(&kept.lefts, &kept.rights, out)
    }

    fn clear(&mut self, _: &mut WindowContext<'_, K, W>) -> FnResult {
        Ok(())
    }

    fn close(&mut self) -> FnResult {
        self.function.close()
    }
}

impl<K, A, B, W, F, O> OverElements<K, TaggedUnion<A, B>, W> for BothSides<F, O>
where
    K: Key,
    A: Data,
    B: Data,
    W: Window,
    F: CoGroupFunction<A, B, O>,
    O: Data,
{
    fn emit_all(
        &mut self,
        elements: &[TaggedUnion<A, B>],
        _: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        let sides = Sides::of(elements.iter().cloned());
        self.function.co_group(&sides.lefts, &sides.rights, out)
    }
}
