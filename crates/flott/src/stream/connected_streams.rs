//! Two streams of different types that one function processes together.

use std::rc::Rc;

use flott_core::{Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::graph::NodeKind;
use flott_runtime::operator::{Collector, OperatorSetup, TwoInputOperator};
use flott_runtime::program::{Prototype, two_input_factory};

use super::{ConnectedKeyedStreams, DataStream};
use crate::builder::NewNode;
use crate::function::{
    CoFlatMapClosures, CoFlatMapFunction, CoFlatMapProcess, CoMapClosures, CoMapFunction, CoMapProcess,
    CoProcessFunction,
};
use crate::operators::CoProcessOperator;

/// Two streams, the records of which one function gets, each by a method of its own (Flink: `ConnectedStreams`). In which
/// order the records of one come among those of the other is not defined; event time is the lesser of both.
pub struct ConnectedStreams<A, B> {
    first: DataStream<A>,
    second: DataStream<B>,
}

impl<A: Data> DataStream<A> {
    /// Connects with a stream of any type, to be processed by one function.
    pub fn connect<B: Data>(&self, second: &DataStream<B>) -> ConnectedStreams<A, B> {
        ConnectedStreams { first: self.clone(), second: second.clone() }
    }

    /// Adds an operator of this name behind this stream, as its first input, and another.
    pub(crate) fn add_with<B, O, F>(&self, second: &DataStream<B>, name: &str, make: F) -> DataStream<O::Out>
    where
        B: Data,
        O: TwoInputOperator<In1 = A, In2 = B>,
        O::Out: Data,
        F: Fn(&OperatorSetup) -> FnResult<O> + Send + Sync + 'static,
    {
        let mut builder = self.env.builder.borrow_mut();
        let node = NewNode { kind: NodeKind::Operator, name: name.to_owned(), non_parallel: false };
        let id = builder.add_node(node, two_input_factory(make));
        for feed in &self.feeds {
            builder.add_edge(feed.clone(), id, 0);
        }
        if Rc::ptr_eq(&self.env.builder, &second.env.builder) {
            for feed in &second.feeds {
                builder.add_edge(feed.clone(), id, 1);
            }
        } else {
            let problem = "the connected streams belong to different environments: build both in one";
            builder.invalid(name, problem.to_owned());
        }
        let at = builder.at(id);
        drop(builder);
        DataStream::new(self.env.clone(), at)
    }
}

impl<A: Data, B: Data> ConnectedStreams<A, B> {
    /// Turns each record into one of the new stream, with a function for each input. Timestamps are kept.
    ///
    /// ```
    /// # use flott::prelude::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let (numbers, words) = (env.from_elements([1, 2]), env.from_elements(["a".to_owned()]));
    /// let mut lengths = numbers.connect(&words).map(|number| number, |word| word.len()).execute_and_collect()?;
    /// lengths.sort();
    /// assert_eq!(lengths, [1, 1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<O: Data>(
        &self,
        map1: impl FnMut(A) -> O + Clone + Send + 'static,
        map2: impl FnMut(B) -> O + Clone + Send + 'static,
    ) -> DataStream<O> {
        self.map_with(CoMapClosures(map1, map2))
    }

    /// As [`ConnectedStreams::map`], with a function that may fail or has a life cycle.
    pub fn map_with<O: Data>(&self, function: impl CoMapFunction<A, B, O>) -> DataStream<O> {
        self.add("Co-Map", CoMapProcess(function)).emits_only(None)
    }

    /// Turns each record into any number of the new stream, with a function for each input.
    pub fn flat_map<O: Data>(
        &self,
        flat_map1: impl FnMut(A, &mut Collector<'_, O>) + Clone + Send + 'static,
        flat_map2: impl FnMut(B, &mut Collector<'_, O>) + Clone + Send + 'static,
    ) -> DataStream<O> {
        self.flat_map_with(CoFlatMapClosures(flat_map1, flat_map2))
    }

    /// As [`ConnectedStreams::flat_map`], with a function that may fail or has a life cycle.
    pub fn flat_map_with<O: Data>(&self, function: impl CoFlatMapFunction<A, B, O>) -> DataStream<O> {
        self.add("Co-Flat Map", CoFlatMapProcess(function))
    }

    /// Processes each record with a function that knows the time and can emit to side outputs.
    pub fn process<O: Data>(&self, function: impl CoProcessFunction<A, B, O>) -> DataStream<O> {
        self.add("Co-Process", function)
    }

    /// Groups both streams by keys of one type, so that a function has state and timers for each key, which both share.
    pub fn key_by<K: Key>(
        &self,
        select1: impl Fn(&A) -> K + Send + Sync + 'static,
        select2: impl Fn(&B) -> K + Send + Sync + 'static,
    ) -> ConnectedKeyedStreams<K, A, B> {
        self.first.key_by(select1).connect(&self.second.key_by(select2))
    }

    /// As [`ConnectedStreams::key_by`], by keys inside the records, of which none is cloned on the way.
    pub fn key_by_ref<K: Key>(
        &self,
        select1: impl Fn(&A) -> &K + Send + Sync + 'static,
        select2: impl Fn(&B) -> &K + Send + Sync + 'static,
    ) -> ConnectedKeyedStreams<K, A, B> {
        self.first.key_by_ref(select1).connect(&self.second.key_by_ref(select2))
    }

    fn add<O: Data>(&self, name: &str, function: impl CoProcessFunction<A, B, O>) -> DataStream<O> {
        let function = Prototype::new(function);
        self.first
            .add_with(&self.second, name, move |setup| Ok(CoProcessOperator::new(function.get(), setup)))
    }
}
