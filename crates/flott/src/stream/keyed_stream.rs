//! Streams grouped by key.

use std::ops::Deref;
use std::sync::Arc;

use flott_core::{Data, Key};
use flott_runtime::exchange::{KeyHasher, Partitioner, Partitioning};
use flott_runtime::program::Prototype;

use super::{DataStream, WindowedStream};
use crate::function::{
    FilterProcess, FlatMapProcess, KeySelector, KeyedFilterFunction, KeyedFlatMapFunction, KeyedMapFunction,
    KeyedProcessFunction, MapProcess,
};
use crate::operators::KeyedProcessOperator;
use crate::window::WindowAssigner;

/// A stream whose records are grouped by a key of type `K` (Flink: `KeyedStream`). Its operators have state and
/// timers for each key. It is a [`DataStream`] as well, spread by key.
pub struct KeyedStream<K, T> {
    pub(crate) stream: DataStream<T>,
    pub(crate) selector: Arc<dyn KeySelector<T, K>>,
}

impl<K, T> Clone for KeyedStream<K, T> {
    fn clone(&self) -> Self {
        Self { stream: self.stream.clone(), selector: Arc::clone(&self.selector) }
    }
}

impl<K, T> Deref for KeyedStream<K, T> {
    type Target = DataStream<T>;

    fn deref(&self) -> &DataStream<T> {
        &self.stream
    }
}

impl<K: Key, T: Data> KeyedStream<K, T> {
    pub(super) fn new<S: KeySelector<T, K> + 'static>(stream: &DataStream<T>, selector: Arc<S>) -> Self {
        let hasher: Arc<dyn KeyHasher<T>> = Arc::clone(&selector) as Arc<dyn KeyHasher<T>>;
        Self { stream: stream.partitioned(Partitioning::Hash, Partitioner::Hash(hasher)), selector }
    }

    /// Turns each record into another, with a function that has state for each key. Timestamps are kept.
    pub fn map_with<O: Data>(&self, function: impl KeyedMapFunction<K, T, O>) -> DataStream<O> {
        self.add_keyed("Map", MapProcess(function)).emits_only(None)
    }

    /// Turns each record into any number of others, with a function that has state for each key.
    pub fn flat_map_with<O: Data>(&self, function: impl KeyedFlatMapFunction<K, T, O>) -> DataStream<O> {
        self.add_keyed("Flat Map", FlatMapProcess(function))
    }

    /// Keeps the records that a function which has state for each key chooses. What is kept is no longer a keyed stream.
    pub fn filter_with(&self, function: impl KeyedFilterFunction<K, T>) -> DataStream<T> {
        self.add_keyed("Filter", FilterProcess(function)).emits_only(None)
    }

    /// Processes each record with a function that has state and timers for each key.
    pub fn process<O: Data>(&self, function: impl KeyedProcessFunction<K, T, O>) -> DataStream<O> {
        self.add_keyed("KeyedProcess", function)
    }

    fn add_keyed<O: Data>(&self, name: &str, function: impl KeyedProcessFunction<K, T, O>) -> DataStream<O> {
        let (function, selector) = (Prototype::new(function), Arc::clone(&self.selector));
        self.stream.add(name, move |setup| {
            Ok(KeyedProcessOperator::new(function.get(), Arc::clone(&selector), setup)?)
        })
    }

    /// Collects the records of each key into windows.
    pub fn window<A: WindowAssigner<T>>(&self, assigner: A) -> WindowedStream<K, T, A> {
        WindowedStream::new(self.clone(), assigner)
    }
}
