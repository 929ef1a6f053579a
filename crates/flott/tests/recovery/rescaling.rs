//! Savepoints that are restored at another parallelism (S106, S115, S116).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use flott::prelude::*;
use flott_core::config::keys;
use flott_runtime::checkpoint::options::{SavepointFormat, StopMode};

use crate::support::{Log, Table, digit_sums, env, expected_sums, go_on, in_virtual_time, memory, numbers};

/// What the subtasks were given back: the elements of the list that is split, and of the union list.
type Given = Arc<Mutex<BTreeMap<u32, [Vec<String>; 2]>>>;

/// A function with two lists. The two subtasks that begin fill both with five elements.
#[derive(Clone, Default)]
struct Lists {
    split: OperatorListState<String>,
    union: OperatorListState<String>,
    elements: [Vec<String>; 2],
    is_restored: bool,
    given: Given,
}

impl MapFunction<i64, i64> for Lists {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.split = context.list_state(ListStateDescriptor::new("split"))?;
        self.union = context.union_list_state(ListStateDescriptor::new("union"))?;
        self.is_restored = context.is_restored();
        self.elements = [self.split.get(context)?.to_vec(), self.union.get(context)?.to_vec()];
        Ok(())
    }

    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        let subtask = context.index_of_this_subtask();
        self.given.lock().unwrap().insert(subtask, self.elements.clone());
        if !self.is_restored {
            let own: Vec<_> = (0..5).map(|n| format!("{}{n}", ["a", "b"][subtask as usize])).collect();
            self.elements = [own.clone(), own];
        }
        Ok(())
    }

    fn map(&mut self, record: i64) -> FnResult<i64> {
        Ok(record)
    }

    fn snapshot_state(&mut self, context: &mut FunctionSnapshotContext<'_>) -> FnResult {
        let [split, union] = self.elements.clone();
        self.split.update(context, split)?;
        Ok(self.union.update(context, union)?)
    }
}

/// Runs a program up to a savepoint with which it is stopped, or from one to the end.
fn run(env: &StreamExecutionEnvironment, from: Option<&str>) -> Option<String> {
    from.map(|from| env.set(&keys::RESTORE_PATH, from.to_owned()));
    in_virtual_time(7, || {
        let handle = env.execute_async().unwrap();
        if from.is_some() {
            handle.wait().unwrap();
            return None;
        }
        Some(stop(&handle))
    })
}

fn stop(handle: &flott_runtime::job::JobHandle) -> String {
    go_on(handle, 3_000);
    handle
        .stop_with_savepoint(Some(&memory("rescaling")), SavepointFormat::Canonical, StopMode::Suspend)
        .unwrap()
}

/// Sums of digits behind the lists.
fn lists(parallelism: u32, from: Option<&str>) -> (Vec<[Vec<String>; 2]>, Table, Option<String>) {
    let (env, lists, table) = (env(parallelism), Lists::default(), Table::default());
    let given = Arc::clone(&lists.given);
    digit_sums(&numbers(&env).map_with(lists).uid("lists")).sink_to(table.clone());
    let savepoint = run(&env, from);
    let given = given.lock().unwrap().values().cloned().collect();
    (given, table, savepoint)
}

#[test]
fn s106_a_savepoint_of_two_subtasks_is_restored_into_one_two_three_and_four() {
    let (_, table, savepoint) = lists(2, None);
    let before = table.rows();
    let (a, b) = (["a0", "a1", "a2", "a3", "a4"], ["b0", "b1", "b2", "b3", "b4"]);
    let all = [a, b].concat();
    let shares: [Vec<Vec<&str>>; 4] = [
        vec![all.clone()],
        vec![a.to_vec(), b.to_vec()],
        vec![vec!["a0", "a1", "a2", "a3"], vec!["a4", "b0", "b1"], vec!["b2", "b3", "b4"]],
        vec![vec!["a0", "a1", "a2"], vec!["a3", "a4", "b0"], vec!["b1", "b2"], vec!["b3", "b4"]],
    ];
    for (parallelism, shares) in (1..).zip(shares) {
        let (given, table, _) = lists(parallelism, savepoint.as_deref());
        let [split, union] = [0, 1].map(|of| given.iter().map(|given| given[of].clone()).collect::<Vec<_>>());
        assert_eq!(split, shares, "parallelism {parallelism}");
        // S116.
        assert_eq!(union, vec![all.clone(); parallelism as usize], "parallelism {parallelism}");
        assert_eq!(
            table.rows().into_iter().collect::<Vec<_>>(),
            expected_sums(),
            "parallelism {parallelism}"
        );
        assert_ne!(table.rows(), before, "the savepoint was taken before the end");
    }
}

/// Tells with each number which rules its subtask knows.
#[derive(Clone, Default)]
struct Rules {
    rules: BroadcastState<String, i64>,
    subtask: u32,
}

type Known = (u32, BTreeMap<String, i64>);

impl BroadcastProcessFunction<i64, (String, i64), Known> for Rules {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.rules = context.broadcast_state(MapStateDescriptor::new("rules"))?;
        Ok(())
    }

    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.subtask = context.index_of_this_subtask();
        Ok(())
    }

    fn process_element(
        &mut self,
        _number: i64,
        context: &mut ReadOnlyContext<'_>,
        out: &mut Collector<'_, Known>,
    ) -> FnResult {
        let rules = self.rules.iter(context)?.map(|(name, limit)| (name.clone(), *limit));
        out.collect((self.subtask, rules.collect()));
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        (name, limit): (String, i64),
        context: &mut ProcessContext,
        _: &mut Collector<'_, Known>,
    ) -> FnResult {
        Ok(self.rules.put(context, name, limit)?)
    }
}

#[test]
fn s115_rules_that_are_broadcast_to_four_subtasks_are_known_to_two_and_to_six_after_a_restore() {
    let rules = BTreeMap::from([("high".to_owned(), 90), ("low".to_owned(), 10), ("middle".to_owned(), 50)]);
    let mut savepoint: Option<String> = None;
    for parallelism in [4, 2, 6] {
        let (env, log) = (env(parallelism), Log::<Known>::default());
        // The stream of rules has ended long before the savepoint: the state alone knows them.
        let told = env.from_elements(rules.clone()).uid("rules");
        let told = told.broadcast_with_state(MapStateDescriptor::<String, i64>::new("rules"));
        let known = numbers(&env).rebalance().connect_broadcast(&told).process(Rules::default()).uid("judge");
        known.sink_to(log.clone());
        if let Some(savepoint) = &savepoint {
            env.set(&keys::RESTORE_PATH, savepoint.clone());
        }
        let before = savepoint.take();
        savepoint = Some(in_virtual_time(7, || stop(&env.execute_async().unwrap())));
        let mut last = BTreeMap::new();
        for (subtask, known) in log.records() {
            assert!(before.is_none() || known == rules, "subtask {subtask} of {parallelism}: {known:?}");
            last.insert(subtask, known);
        }
        let wanted = (0..parallelism).map(|subtask| (subtask, rules.clone())).collect();
        assert_eq!(last, wanted, "parallelism {parallelism}");
    }
}
