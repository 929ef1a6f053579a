//! Streams without keys.

use std::rc::Rc;
use std::sync::Arc;

use flott_core::watermark::WatermarkStrategy;
use flott_core::{Data, Key};
use flott_runtime::error::{BoxError, FnResult};
use flott_runtime::exchange::{Partitioner, Partitioning};
use flott_runtime::graph::NodeKind;
use flott_runtime::operator::{Collector, Operator, OperatorSetup, OutputTag};
use flott_runtime::program::{OperatorFactory, Prototype, operator_factory};

use super::KeyedStream;
use super::settings::operator_settings;
use crate::builder::{At, Feed, NewNode};
use crate::environment::StreamExecutionEnvironment;
use crate::function::{
    ByReference, ByValue, FilterClosure, FilterFunction, FlatMapClosure, FlatMapFunction, MapClosure,
    MapFunction, ProcessFunction, TryMapClosure,
};
use crate::operators::{
    FilterOperator, FlatMapOperator, MapOperator, ProcessOperator, TimestampsAndWatermarksOperator,
};

/// A stream of records of type `T` (Flink: `DataStream`).
pub struct DataStream<T> {
    pub(crate) env: StreamExecutionEnvironment,
    pub(crate) at: At,
    pub(crate) feeds: Vec<Feed<T>>,
    /// Whether the stream is what an operator emits, so that it has the operator's settings.
    pub(super) is_output: bool,
}

impl<T> Clone for DataStream<T> {
    fn clone(&self) -> Self {
        Self { env: self.env.clone(), at: self.at, feeds: self.feeds.clone(), is_output: self.is_output }
    }
}

impl<T: Data> DataStream<T> {
    pub(crate) fn new(env: StreamExecutionEnvironment, at: At) -> Self {
        let feed = Feed { at, tag: None, partitioning: None, partitioner: Partitioner::Plain };
        Self { env, at, feeds: vec![feed], is_output: true }
    }

    operator_settings!();

    /// Turns each record into another. Timestamps are kept.
    pub fn map<O: Data>(&self, function: impl FnMut(T) -> O + Clone + Send + 'static) -> DataStream<O> {
        self.map_with(MapClosure(function))
    }

    /// As [`DataStream::map`], with a function that may fail; an error fails the job.
    pub fn try_map<O, E, F>(&self, function: F) -> DataStream<O>
    where
        O: Data,
        E: Into<BoxError> + 'static,
        F: FnMut(T) -> Result<O, E> + Clone + Send + 'static,
    {
        self.map_with(TryMapClosure(function))
    }

    /// As [`DataStream::map`], with a function that has a life cycle.
    pub fn map_with<O: Data>(&self, function: impl MapFunction<T, O>) -> DataStream<O> {
        let function = Prototype::new(function);
        self.add("Map", move |setup| Ok(MapOperator::new(function.get(), setup))).emits_only(None)
    }

    /// Turns each record into any number of others, which the function gives to the collector.
    pub fn flat_map<O, F>(&self, function: F) -> DataStream<O>
    where
        O: Data,
        F: FnMut(T, &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.flat_map_with(FlatMapClosure(function))
    }

    /// As [`DataStream::flat_map`], with a function that may fail or has a life cycle.
    pub fn flat_map_with<O: Data>(&self, function: impl FlatMapFunction<T, O>) -> DataStream<O> {
        let function = Prototype::new(function);
        self.add("Flat Map", move |setup| Ok(FlatMapOperator::new(function.get(), setup)))
    }

    /// Keeps the records for which the function is true.
    pub fn filter(&self, function: impl FnMut(&T) -> bool + Clone + Send + 'static) -> Self {
        self.filter_with(FilterClosure(function))
    }

    /// As [`DataStream::filter`], with a function that may fail or has a life cycle.
    pub fn filter_with(&self, function: impl FilterFunction<T>) -> Self {
        let function = Prototype::new(function);
        self.add("Filter", move |setup| Ok(FilterOperator::new(function.get(), setup))).emits_only(None)
    }

    /// Processes each record with a function that knows the time and can emit to side outputs.
    pub fn process<O: Data>(&self, function: impl ProcessFunction<T, O>) -> DataStream<O> {
        let function = Prototype::new(function);
        self.add("Process", move |setup| Ok(ProcessOperator::new(function.get(), setup)))
    }

    /// Gives the records new timestamps and the stream new watermarks. Those that came from before are dropped. Prefer
    /// the strategy of the source, which works on each split by itself.
    pub fn assign_timestamps_and_watermarks(&self, strategy: WatermarkStrategy<T>) -> Self {
        if let Err(error) = strategy.validate() {
            self.env.builder.borrow_mut().invalid("Timestamps/Watermarks", error.to_string());
        }
        if strategy.alignment().is_some() {
            let problem = "a watermark alignment works at a source only: give the strategy to from_source";
            self.env.builder.borrow_mut().invalid("Timestamps/Watermarks", problem.to_owned());
        }
        self.add("Timestamps/Watermarks", move |setup| {
            Ok(TimestampsAndWatermarksOperator::new(strategy.clone(), setup))
        })
        .emits_only(None)
    }

    /// Groups the stream by a key that the function makes of each record. Records of equal keys meet in one subtask,
    /// in order. A key that is part of the record is better pointed to, with [`DataStream::key_by_ref`].
    pub fn key_by<K: Key>(&self, select: impl Fn(&T) -> K + Send + Sync + 'static) -> KeyedStream<K, T> {
        KeyedStream::new(self, Arc::new(ByValue::new(select)))
    }

    /// Groups the stream by a key inside the record. No key is cloned on the way, so this is the one for strings.
    pub fn key_by_ref<K: Key>(&self, select: impl Fn(&T) -> &K + Send + Sync + 'static) -> KeyedStream<K, T> {
        KeyedStream::new(self, Arc::new(ByReference::new(select)))
    }

    /// Merges with another stream of the same type, in no particular order. A stream merged with itself comes twice.
    pub fn union(&self, other: &Self) -> Self {
        if !Rc::ptr_eq(&self.env.builder, &other.env.builder) {
            let problem = "the streams belong to different environments: build both in one".to_owned();
            self.env.builder.borrow_mut().invalid("Union", problem);
            return self.clone();
        }
        let feeds = self.feeds.iter().chain(&other.feeds).cloned().collect();
        Self { env: self.env.clone(), at: self.at, feeds, is_output: false }
    }

    /// The side output of the operator under this tag; empty if it never emits to it. Behind an operator whose function can't emit
    /// to it, such as `map`, and behind a union or a partitioning, which are no operators, it is a mistake that
    /// `execute` tells.
    pub fn side_output<X: Data>(&self, tag: &OutputTag<X>) -> DataStream<X> {
        if !self.is_output {
            self.env.builder.borrow_mut().no_operator(self.at);
        }
        let tag = Some(tag.id().to_owned());
        let feed = Feed { at: self.at, tag, partitioning: None, partitioner: Partitioner::Plain };
        DataStream { env: self.env.clone(), at: self.at, feeds: vec![feed], is_output: false }
    }

    /// Says that the operator can emit to these side outputs only.
    pub(crate) fn emits_only(self, tags: impl IntoIterator<Item = String>) -> Self {
        self.env.builder.borrow_mut().emits_only(self.at, tags.into_iter().collect());
        self
    }

    /// Adds an operator of this name behind the stream.
    pub(crate) fn add<O, F>(&self, name: &str, make: F) -> DataStream<O::Out>
    where
        O: Operator<In = T>,
        O::Out: Data,
        F: Fn(&OperatorSetup) -> FnResult<O> + Send + Sync + 'static,
    {
        let at = self.add_node(NodeKind::Operator, name, make);
        DataStream::new(self.env.clone(), at)
    }

    pub(super) fn add_node<O, F>(&self, kind: NodeKind, name: &str, make: F) -> At
    where
        O: Operator<In = T>,
        F: Fn(&OperatorSetup) -> FnResult<O> + Send + Sync + 'static,
    {
        self.add_factory(kind, name, operator_factory(make))
    }

    /// Adds an operator of any kind behind the stream.
    pub(super) fn add_factory(&self, kind: NodeKind, name: &str, factory: Arc<dyn OperatorFactory>) -> At {
        let mut builder = self.env.builder.borrow_mut();
        let node = NewNode { kind, name: name.to_owned(), non_parallel: false };
        let id = builder.add_node(node, factory);
        for feed in &self.feeds {
            builder.add_edge(feed.clone(), id, 0);
        }
        builder.at(id)
    }

    /// The same stream with another way of spreading its records.
    pub(super) fn partitioned(&self, partitioning: Partitioning, partitioner: Partitioner<T>) -> Self {
        let mut stream = self.clone();
        stream.is_output = false;
        for feed in &mut stream.feeds {
            feed.partitioning = Some(partitioning);
            feed.partitioner = partitioner.clone();
        }
        stream
    }
}

impl<T> Clone for Feed<T> {
    fn clone(&self) -> Self {
        let Self { at, tag, partitioning, partitioner } = self;
        Self { at: *at, tag: tag.clone(), partitioning: *partitioning, partitioner: partitioner.clone() }
    }
}
