//! Streams of which every subtask gets all records, to keep them as broadcast state.

use std::hash::Hash;
use std::sync::Arc;

use flott_core::{Data, Key};
use flott_runtime::program::Prototype;
use flott_state::MapStateDescriptor;

use super::{DataStream, KeyedStream};
use crate::function::{BroadcastProcess, BroadcastProcessFunction, KeyedBroadcastProcessFunction};
use crate::operators::{CoProcessOperator, KeyedBroadcastProcessOperator};

/// A stream that goes to all subtasks, with the names of the states that it is kept in (Flink: `BroadcastStream`).
#[derive(Clone)]
pub struct BroadcastStream<B> {
    stream: DataStream<B>,
    declared: Vec<String>,
}

impl<B: Data> DataStream<B> {
    /// Sends every record to every subtask of the operator that the result is connected with, which keeps what it needs
    /// of it in a broadcast state of this descriptor (Flink: `broadcast(descriptors…)`). More states are added with
    /// [`BroadcastStream::with_state`].
    pub fn broadcast_with_state<K: Data + Eq + Hash, V: Data>(
        &self,
        descriptor: MapStateDescriptor<K, V>,
    ) -> BroadcastStream<B> {
        BroadcastStream { stream: self.broadcast(), declared: Vec::new() }.with_state(descriptor)
    }

    /// Connects with a broadcast stream, to be processed by one function.
    pub fn connect_broadcast<C: Data>(&self, second: &BroadcastStream<C>) -> BroadcastConnectedStream<B, C> {
        BroadcastConnectedStream { first: self.clone(), second: second.clone() }
    }
}

impl<B> BroadcastStream<B> {
    /// Adds a broadcast state.
    #[must_use]
    pub fn with_state<K: Data + Eq + Hash, V: Data>(mut self, descriptor: MapStateDescriptor<K, V>) -> Self {
        self.declared.push(descriptor.name().to_owned());
        self
    }
}

/// A stream and a broadcast stream (Flink: `BroadcastConnectedStream`).
pub struct BroadcastConnectedStream<A, B> {
    first: DataStream<A>,
    second: BroadcastStream<B>,
}

impl<A: Data, B: Data> BroadcastConnectedStream<A, B> {
    /// Processes the records of both with a function that has broadcast state.
    pub fn process<O: Data>(&self, function: impl BroadcastProcessFunction<A, B, O>) -> DataStream<O> {
        let (function, declared) = (Prototype::new(BroadcastProcess(function)), self.second.declared.clone());
        self.first.add_with(&self.second.stream, "Co-Process-Broadcast", move |setup| {
            let mut operator = CoProcessOperator::new(function.get(), setup);
            operator.declare(declared.clone());
            Ok(operator)
        })
    }
}

impl<K: Key, A: Data> KeyedStream<K, A> {
    /// Connects with a broadcast stream, to be processed by one function which has state and timers for each key.
    pub fn connect_broadcast<B: Data>(
        &self,
        second: &BroadcastStream<B>,
    ) -> KeyedBroadcastConnectedStream<K, A, B> {
        KeyedBroadcastConnectedStream { first: self.clone(), second: second.clone() }
    }
}

/// A keyed stream and a broadcast stream (Flink: a `BroadcastConnectedStream` of a keyed stream).
pub struct KeyedBroadcastConnectedStream<K, A, B> {
    first: KeyedStream<K, A>,
    second: BroadcastStream<B>,
}

impl<K: Key, A: Data, B: Data> KeyedBroadcastConnectedStream<K, A, B> {
    /// Processes the records of both with a function that has broadcast state, and state and timers for each key.
    pub fn process<O: Data>(
        &self,
        function: impl KeyedBroadcastProcessFunction<K, A, B, O>,
    ) -> DataStream<O> {
        let (function, declared) = (Prototype::new(function), self.second.declared.clone());
        let selector = Arc::clone(&self.first.selector);
        self.first.stream.add_with(&self.second.stream, "Co-Process-Broadcast-Keyed", move |setup| {
            let (selector, declared) = (Arc::clone(&selector), declared.clone());
            Ok(KeyedBroadcastProcessOperator::new(function.get(), selector, declared, setup)?)
        })
    }
}
