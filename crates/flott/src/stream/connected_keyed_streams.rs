//! Two keyed streams that one function processes together.

use std::sync::Arc;

use flott_core::{Data, Key};
use flott_runtime::program::Prototype;

use super::{DataStream, KeyedStream};
use crate::function::{
    KeyedCoFlatMapFunction, KeyedCoFlatMapProcess, KeyedCoMapFunction, KeyedCoMapProcess,
    KeyedCoProcessFunction,
};
use crate::operators::KeyedCoProcessOperator;

/// Two streams grouped by keys of one type, with state and timers for each key that both share (Flink: a
/// `ConnectedStreams` of keyed streams).
pub struct ConnectedKeyedStreams<K, A, B> {
    first: KeyedStream<K, A>,
    second: KeyedStream<K, B>,
}

impl<K: Key, A: Data> KeyedStream<K, A> {
    /// Connects with a stream that has keys of the same type, to be processed by one function which has state for each
    /// key. To connect without keys, dereference the stream: `(*keyed).connect(&other)`.
    pub fn connect<B: Data>(&self, second: &KeyedStream<K, B>) -> ConnectedKeyedStreams<K, A, B> {
        ConnectedKeyedStreams { first: self.clone(), second: second.clone() }
    }
}

impl<K: Key, A: Data, B: Data> ConnectedKeyedStreams<K, A, B> {
    /// Turns each record into one of the new stream, with a function that has state for each key. Timestamps are kept.
    pub fn map_with<O: Data>(&self, function: impl KeyedCoMapFunction<K, A, B, O>) -> DataStream<O> {
        self.add("Co-Map", KeyedCoMapProcess(function)).emits_only(None)
    }

    /// Turns each record into any number of the new stream, with a function that has state for each key.
    pub fn flat_map_with<O: Data>(&self, function: impl KeyedCoFlatMapFunction<K, A, B, O>) -> DataStream<O> {
        self.add("Co-Flat Map", KeyedCoFlatMapProcess(function))
    }

    /// Processes each record with a function that has state and timers for each key.
    pub fn process<O: Data>(&self, function: impl KeyedCoProcessFunction<K, A, B, O>) -> DataStream<O> {
        self.add("Co-Keyed-Process", function)
    }

    fn add<O: Data>(&self, name: &str, function: impl KeyedCoProcessFunction<K, A, B, O>) -> DataStream<O> {
        let function = Prototype::new(function);
        let (selector1, selector2) = (Arc::clone(&self.first.selector), Arc::clone(&self.second.selector));
        self.first.stream.add_with(&self.second.stream, name, move |setup| {
            let (selector1, selector2) = (Arc::clone(&selector1), Arc::clone(&selector2));
            Ok(KeyedCoProcessOperator::new(function.get(), selector1, selector2, setup)?)
        })
    }
}
