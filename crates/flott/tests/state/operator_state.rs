//! Operator state of functions: initialised, snapshotted, restored.

use std::sync::Arc;

use flott::prelude::*;
use flott::testing::{HarnessOptions, OneInputHarness, in_both_modes};
use flott_state::{BackendScope, KeyedStorage, StateBackend, StateError, StateErrorKind};

use crate::support::{env, line};

/// Buffers records in a field until there are three, which go out together; what is buffered is operator state.
#[derive(Clone, Default)]
struct InThrees {
    buffer: Vec<i64>,
    stored: OperatorListState<i64>,
    starts: String,
}

impl FlatMapFunction<i64, String> for InThrees {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.stored = context.list_state(ListStateDescriptor::new("buffer"))?;
        self.buffer = self.stored.get(context)?.to_vec();
        self.starts = if context.is_restored() { "restored".to_owned() } else { "new".to_owned() };
        assert_eq!(context.number_of_parallel_subtasks(), 1);
        Ok(())
    }

    fn open(&mut self, _: &RuntimeContext) -> FnResult {
        self.starts += ", opened";
        Ok(())
    }

    fn flat_map(&mut self, record: i64, out: &mut Collector<'_, String>) -> FnResult {
        self.buffer.push(record);
        if self.buffer.len() == 3 {
            out.collect(format!("{:?}", std::mem::take(&mut self.buffer)));
        }
        Ok(())
    }

    fn snapshot_state(&mut self, context: &mut FunctionSnapshotContext<'_>) -> FnResult {
        assert!(context.checkpoint_id() > 0);
        Ok(self.stored.update(context, self.buffer.clone())?)
    }

    fn finish(&mut self, out: &mut Collector<'_, String>) -> FnResult {
        out.collect(format!("{:?} ({})", self.buffer, self.starts));
        Ok(())
    }
}

#[test]
fn s37_what_a_function_writes_at_a_snapshot_comes_back_before_it_is_opened() {
    in_both_modes(|options| {
        let in_threes = |numbers: DataStream<i64>| numbers.flat_map_with(InThrees::default());
        let mut harness = OneInputHarness::new(in_threes).with_options(options);
        for n in 1..=7 {
            harness.process(n, n).unwrap();
        }
        assert_eq!(harness.take_records(), ["[1, 2, 3]", "[4, 5, 6]"]);
    });
}

#[test]
fn s37_is_restored_tells_a_restore_from_a_first_start() {
    let in_threes = |numbers: DataStream<i64>| numbers.flat_map_with(InThrees::default());
    let mut first = OneInputHarness::new(in_threes).with_options(HarnessOptions::plain());
    first.process(1, 1).unwrap();
    let snapshot = first.snapshot().unwrap();
    first.finish().unwrap();
    assert_eq!(first.take_records(), ["[1] (new, opened)"]);

    let mut second = OneInputHarness::new(in_threes);
    second.restore(&snapshot, 1).unwrap();
    second.finish().unwrap();
    assert_eq!(second.take_records(), ["[1] (restored, opened)"]);
}

#[test]
fn a_function_without_checkpoints_has_operator_state_too() {
    let seen = env(1).from_elements([1, 2]).flat_map_with(InThrees::default()).execute_and_collect().unwrap();
    assert_eq!(seen, ["[1, 2] (new, opened)"]);
}

/// A backend that can't be reached.
struct Unreachable;

impl StateBackend for Unreachable {
    fn name(&self) -> &str {
        "unreachable"
    }

    fn open(&self, _: &BackendScope) -> Result<KeyedStorage, StateError> {
        Err(StateErrorKind::UnknownBackend { name: "it".to_owned(), nearest: None, known: Vec::new() }.into())
    }
}

#[test]
fn s47_operator_state_is_on_the_heap_whatever_the_backend() {
    let unreachable = || {
        let env = env(1);
        env.register_state_backend(Arc::new(Unreachable)).set_state_backend("unreachable");
        env.from_elements([1, 2, 3])
    };
    let seen = unreachable().flat_map_with(InThrees::default()).execute_and_collect().unwrap();
    assert_eq!(seen, ["[1, 2, 3]", "[] (new, opened)"]);
    let text = line(unreachable().key_by(|n| *n).sum(|n| n).execute_and_collect());
    assert!(text.starts_with("operator 'Sum' (subtask 1/1) failed: "), "{text}");
}

/// Counts its records in operator state, whatever their key.
#[derive(Clone, Default)]
struct CountAll {
    count: OperatorListState<u64>,
}

impl CountAll {
    fn register(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.count = context.list_state(ListStateDescriptor::new("count"))?;
        Ok(())
    }

    fn count<C: HasOperatorState>(&self, context: &mut C) -> FnResult<u64> {
        let count = self.count.get(context)?.first().copied().unwrap_or(0) + 1;
        self.count.update(context, vec![count])?;
        Ok(count)
    }
}

impl KeyedProcessFunction<i64, i64, u64> for CountAll {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.register(context)
    }

    fn process_element(
        &mut self,
        _: i64,
        context: &mut KeyedContext<'_, i64>,
        out: &mut Collector<'_, u64>,
    ) -> FnResult {
        out.collect(self.count(context)?);
        Ok(())
    }
}

impl ProcessFunction<i64, u64> for CountAll {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.register(context)
    }

    fn process_element(
        &mut self,
        _: i64,
        context: &mut ProcessContext,
        out: &mut Collector<'_, u64>,
    ) -> FnResult {
        out.collect(self.count(context)?);
        Ok(())
    }
}

#[test]
fn s36_records_of_different_keys_see_the_same_operator_state() {
    for is_keyed in [true, false] {
        in_both_modes(|options| {
            let count = |numbers: DataStream<i64>| match is_keyed {
                true => numbers.key_by(|n| *n).process(CountAll::default()),
                false => numbers.process(CountAll::default()),
            };
            let mut harness = OneInputHarness::new(count).with_options(options);
            for key in [1, 2, 3, 1] {
                harness.process(key, 0).unwrap();
            }
            assert_eq!(harness.take_records(), [1, 2, 3, 4]);
        });
    }
}

/// Asks for one name as a list of two kinds.
#[derive(Clone)]
struct TwoKinds;

impl MapFunction<i64, i64> for TwoKinds {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        let _: OperatorListState<i64> = context.list_state(ListStateDescriptor::new("s"))?;
        let _: OperatorListState<i64> = context.union_list_state(ListStateDescriptor::new("s"))?;
        Ok(())
    }

    fn map(&mut self, record: i64) -> FnResult<i64> {
        Ok(record)
    }
}

#[test]
fn s46_one_name_for_two_kinds_of_operator_state_is_refused() {
    assert_eq!(
        line(env(1).from_elements([1]).map_with(TwoKinds).execute_and_collect()),
        "operator 'Map' (subtask 1/1) failed: state 's' is already registered as list state of i64, \
         asked for as union list state of i64; give each state its own name"
    );
}
