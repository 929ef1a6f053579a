//! flott: a distributed, stateful stream processor with the architecture and the semantics of Apache Flink, as a Rust
//! library and one binary.
//!
//! A program makes a [`StreamExecutionEnvironment`], reads sources, transforms streams and writes sinks; `execute` runs
//! it, in this process, in parallel.
//!
//! ```
//! use flott::prelude::*;
//!
//! let env = StreamExecutionEnvironment::new();
//! let lines = env.from_elements(["to be or".to_owned(), "not to be".to_owned()]);
//! let counts = lines
//!     .flat_map(|line: String, out: &mut Collector<'_, (String, i64)>| {
//!         line.split_whitespace().for_each(|word| out.collect((word.to_owned(), 1)));
//!     })
//!     .key_by_ref(|(word, _)| word)
//!     .sum(|(_, count)| count)
//!     .execute_and_collect()?;
//! assert!(counts.contains(&("be".to_owned(), 2)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * [`environment`] — where a program starts, and its settings;
//! * [`stream`] — streams, keyed streams, windowed streams;
//! * [`function`] — user functions and their contexts;
//! * [`state`] — what functions remember;
//! * [`window`] — windows, triggers;
//! * [`join`] — joins of two streams;
//! * [`async_io`] — calls to the outside for each record;
//! * [`source`], [`sink`] — those that need nothing from outside (`flott-connectors` has the others);
//! * [`testing`] — harnesses for tests of functions and pipelines;
//! * [`options`] — the command line that programs share;
//! * [`error`] — why a program did not run.
//!
//! The engine is in `flott-runtime`; its traits for sources and sinks are re-exported here.

pub mod async_io;
mod backends;
mod builder;
pub mod environment;
pub mod error;
pub mod function;
pub mod join;
mod operators;
pub mod options;
#[cfg(unix)]
mod signals;
pub mod sink;
mod snapshots;
pub mod source;
pub mod state;
pub mod stream;
mod terminal;
pub mod testing;
pub mod window;

pub use environment::StreamExecutionEnvironment;
pub use error::Error;
pub use flott_runtime::error::Unrecoverable;
pub use options::{JobOptions, exit_code};
pub use snapshots::dispose_savepoint;

/// What a program needs most, to be imported at once.
pub mod prelude {
    pub use std::time::Duration;

    pub use flott_core::time::{MAX_WATERMARK, MIN_WATERMARK, NO_TIMESTAMP, TimeDomain, Timestamp};
    pub use flott_core::watermark::{WatermarkGenerator, WatermarkStrategy};
    pub use flott_core::{Data, Key};
    pub use flott_runtime::error::{BoxError, FnResult, JobError};
    pub use flott_runtime::job::{JobHandle, JobResult, JobStatus};
    pub use flott_runtime::operator::{Collector, OutputTag};
    pub use flott_state::{
        AggregatingState, AggregatingStateDescriptor, BroadcastState, HasKeyedState, HasOperatorState,
        HasReadOnlyOperatorState, KeyedStateStore, ListState, ListStateDescriptor, MapState,
        MapStateDescriptor, OperatorListState, OperatorStateStore, ReducingState, ReducingStateDescriptor,
        StateRegistry, StateTtlConfig, StateVisibility, UpdateType, ValueState, ValueStateDescriptor,
    };

    pub use crate::async_io::{
        AsyncDataStream, AsyncFunction, AsyncRetryStrategy, ExponentialBackoffDelayRetryStrategy,
        FixedDelayRetryStrategy,
    };
    pub use crate::environment::StreamExecutionEnvironment;
    pub use crate::error::Error;
    pub use crate::function::{
        AggregateFunction, BroadcastProcessFunction, CoFlatMapFunction, CoMapFunction, CoProcessFunction,
        FilterFunction, FlatMapFunction, FunctionInitializationContext, FunctionSnapshotContext,
        KeyedBroadcastContext, KeyedBroadcastProcessFunction, KeyedCoProcessFunction, KeyedContext,
        KeyedProcessFunction, KeyedReadOnlyContext, KeyedStateContext, MapFunction, OnTimerContext,
        OnTimerReadOnlyContext, OpenContext, ProcessContext, ProcessFunction, ReadOnlyContext,
        RuntimeContext,
    };
    pub use crate::join::{CoGroupFunction, JoinContext, JoinFunction, ProcessJoinFunction, TaggedUnion};
    pub use crate::options::JobOptions;
    pub use crate::source::GeneratorSource;
    pub use crate::stream::{
        BroadcastConnectedStream, BroadcastStream, ConnectedKeyedStreams, ConnectedStreams, DataStream,
        DataStreamSink, KeyedBroadcastConnectedStream, KeyedStream, WindowedStream,
    };
    pub use crate::window::{
        ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger, CountEvictor, CountTrigger,
        DeltaEvictor, DeltaTrigger, EventTimeSessionWindows, EventTimeTrigger, Evictor, EvictorContext,
        GlobalWindow, GlobalWindows, NeverTrigger, OnMergeContext, ProcessWindowFunction,
        ProcessingTimeSessionWindows, ProcessingTimeTrigger, ProcessingTimeoutTrigger, PurgingTrigger,
        SlidingEventTimeWindows, SlidingProcessingTimeWindows, TimeEvictor, TimeWindow, Trigger,
        TriggerContext, TriggerResult, TumblingEventTimeWindows, TumblingProcessingTimeWindows, Window,
        WindowAssigner, WindowAssignerContext, WindowContext, WindowElements, WindowOpenContext,
    };
}
