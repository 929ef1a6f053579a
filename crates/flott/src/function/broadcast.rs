//! Functions on a stream that is connected with a broadcast one.

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;

use super::life_cycle::{delegate_life_cycle, life_cycle};
use super::{
    CoProcessFunction, FunctionInitializationContext, FunctionSnapshotContext, KeyedBroadcastContext,
    KeyedReadOnlyContext, OnTimerReadOnlyContext, OpenContext, ProcessContext, ReadOnlyContext,
    RuntimeContext,
};

/// Processes the records of a stream by what a broadcast stream has said (Flink: `BroadcastProcessFunction`). The states
/// that the stream was broadcast with are obtained in `initialize_state`.
///
/// All subtasks get all broadcast records, but each in an order of its own: what is done with one must not depend on which
/// came before, and must be the same in each subtask.
///
/// ```
/// use flott::prelude::*;
///
/// /// Lets through the words that are not banned.
/// #[derive(Clone, Default)]
/// struct Ban {
///     banned: BroadcastState<String, ()>,
/// }
///
/// impl BroadcastProcessFunction<String, String, String> for Ban {
///     fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
///         self.banned = context.broadcast_state(MapStateDescriptor::new("banned"))?;
///         Ok(())
///     }
///
///     fn process_element(
///         &mut self,
///         word: String,
///         context: &mut ReadOnlyContext<'_>,
///         out: &mut Collector<'_, String>,
///     ) -> FnResult {
///         if !self.banned.contains(context, &word)? {
///             out.collect(word);
///         }
///         Ok(())
///     }
///
///     fn process_broadcast_element(
///         &mut self,
///         word: String,
///         context: &mut ProcessContext,
///         _: &mut Collector<'_, String>,
///     ) -> FnResult {
///         Ok(self.banned.put(context, word, ())?)
///     }
/// }
///
/// let env = StreamExecutionEnvironment::new();
/// let words = env.from_elements(["a".to_owned(), "b".to_owned()]);
/// let bans = env.from_elements(["c".to_owned()]);
/// let bans = bans.broadcast_with_state(MapStateDescriptor::<String, ()>::new("banned"));
/// let mut passed = words.connect_broadcast(&bans).process(Ban::default()).execute_and_collect()?;
/// passed.sort();
/// assert_eq!(passed, ["a", "b"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait BroadcastProcessFunction<I, B, O>: Clone + Send + 'static {
    life_cycle!(open(&RuntimeContext), finish(O));

    /// Processes a record of the side that is not broadcast, which may only read the broadcast state. Emitted records keep
    /// its timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_element(
        &mut self,
        record: I,
        context: &mut ReadOnlyContext<'_>,
        out: &mut Collector<'_, O>,
    ) -> FnResult;

    /// Processes a broadcast record, which may write the broadcast state. Emitted records keep its timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_broadcast_element(
        &mut self,
        record: B,
        context: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult;
}

/// Processes the records of a keyed stream by what a broadcast stream has said, with state and timers for each key
/// (Flink: `KeyedBroadcastProcessFunction`). What holds for a [`BroadcastProcessFunction`] holds here.
pub trait KeyedBroadcastProcessFunction<K: Key, I, B, O>: Clone + Send + 'static {
    life_cycle!(open(&mut OpenContext<'_, K>), finish(O));

    /// Processes a record of the keyed side, with state and timers of its key. It may only read the broadcast state.
    /// Emitted records keep its timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_element(
        &mut self,
        record: I,
        context: &mut KeyedReadOnlyContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult;

    /// Processes a broadcast record, which may write the broadcast state and visit the state of all keys. Emitted records
    /// keep its timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_broadcast_element(
        &mut self,
        record: B,
        context: &mut KeyedBroadcastContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult;

    /// A timer of the key has fired; as [`KeyedProcessFunction::on_timer`](super::KeyedProcessFunction::on_timer). It may
    /// only read the broadcast state.
    ///
    /// # Errors
    /// An error fails the job.
    fn on_timer(
        &mut self,
        _time: Timestamp,
        _context: &mut OnTimerReadOnlyContext<'_, K>,
        _out: &mut Collector<'_, O>,
    ) -> FnResult {
        Ok(())
    }
}

/// A broadcast function as what the engine runs on connected streams.
#[derive(Clone)]
pub(crate) struct BroadcastProcess<F>(pub(crate) F);

impl<I, B, O, F: BroadcastProcessFunction<I, B, O>> CoProcessFunction<I, B, O> for BroadcastProcess<F> {
    delegate_life_cycle!(
        |this| &mut this.0;
        F as BroadcastProcessFunction<I, B, O>, open(&RuntimeContext), finish(O)
    );

    #[inline]
    fn process_element1(
        &mut self,
        record: I,
        context: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self.0.process_element(record, &mut ReadOnlyContext::new(context), out)
    }

    #[inline]
    fn process_element2(
        &mut self,
        record: B,
        context: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self.0.process_broadcast_element(record, context, out)
    }
}
