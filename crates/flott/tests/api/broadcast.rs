//! Broadcast state: written on one side, read on the other.

use flott::prelude::*;
use flott::testing::{TwoInputHarness, in_both_modes};

use crate::support::{env, line, sorted};

fn limits() -> MapStateDescriptor<String, i64> {
    MapStateDescriptor::new("limits")
}

/// Lets through what is not above the limit of its name; a negative limit takes the limit back.
#[derive(Clone, Default)]
struct Limit {
    limits: BroadcastState<String, i64>,
    name: &'static str,
}

impl Limit {
    fn new() -> Self {
        Self { name: "limits", ..Self::default() }
    }
}

type Named = (String, i64);

impl BroadcastProcessFunction<Named, Named, i64> for Limit {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.limits = context.broadcast_state(MapStateDescriptor::new(self.name))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (name, n): Named,
        context: &mut ReadOnlyContext<'_>,
        out: &mut Collector<'_, i64>,
    ) -> FnResult {
        if self.limits.get(context, &name)?.is_none_or(|limit| n <= *limit) {
            out.collect(n);
        }
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        (name, limit): Named,
        context: &mut ProcessContext,
        _: &mut Collector<'_, i64>,
    ) -> FnResult {
        if limit < 0 {
            self.limits.remove(context, &name)?;
        } else {
            self.limits.put(context, name, limit)?;
        }
        Ok(())
    }
}

fn limited(numbers: DataStream<Named>, limits_of: DataStream<Named>) -> DataStream<i64> {
    numbers.connect_broadcast(&limits_of.broadcast_with_state(limits())).process(Limit::new())
}

fn named(name: &str, n: i64) -> Named {
    (name.to_owned(), n)
}

#[test]
fn s44_what_the_broadcast_side_writes_the_other_side_reads() {
    in_both_modes(|options| {
        let mut harness = TwoInputHarness::new(limited).with_options(options);
        harness.process1(named("a", 100), 0).unwrap();
        harness.process2(named("a", 10), 1).unwrap();
        for n in [9, 10, 11] {
            harness.process1(named("a", n), 2).unwrap();
        }
        harness.process1(named("b", 12), 2).unwrap();
        harness.process2(named("a", -1), 3).unwrap();
        harness.process1(named("a", 13), 4).unwrap();
        assert_eq!(harness.take_records(), [100, 9, 10, 12, 13]);
    });
}

#[test]
fn s44_every_subtask_has_the_same_broadcast_state() {
    let mut harness = TwoInputHarness::new(limited).with_parallelism(3);
    harness.process2(named("a", 10), 0).unwrap();
    for n in 1..=30 {
        harness.process1(named("a", n), 1).unwrap();
    }
    assert_eq!(sorted(harness.take_records()), (1..=10).collect::<Vec<_>>());
}

#[test]
fn a_broadcast_state_that_was_not_declared_is_refused() {
    let env = env(1);
    let rules = env.from_elements([named("a", 1)]).broadcast_with_state(limits());
    let rules = rules.with_state(MapStateDescriptor::<String, ()>::new("bans"));
    let stream = env.from_elements([named("a", 1)]).connect_broadcast(&rules);
    let typo = Limit { name: "limit", ..Limit::default() };
    assert_eq!(
        line(stream.process(typo).execute_and_collect()),
        "operator 'Co-Process-Broadcast' (subtask 1/1) failed: there is no broadcast state 'limit': the stream was \
         broadcast with limits, bans; check the name, or give its descriptor to broadcast_with_state"
    );
}

/// Adds up each key as long as it is below the limit that was broadcast; a broadcast of 0 tells and clears all sums. A
/// timer at a record's time tells limit and sum.
#[derive(Clone, Default)]
struct LimitedSum {
    limit: BroadcastState<(), i64>,
    sum: ValueState<i64>,
}

impl KeyedBroadcastProcessFunction<String, Named, i64, String> for LimitedSum {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.limit = context.broadcast_state(MapStateDescriptor::new("limit"))?;
        Ok(())
    }

    fn open(&mut self, context: &mut OpenContext<'_, String>) -> FnResult {
        self.sum = context.value_state(ValueStateDescriptor::new("sum"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (_, n): Named,
        context: &mut KeyedReadOnlyContext<'_, String>,
        _: &mut Collector<'_, String>,
    ) -> FnResult {
        if let Some(time) = context.timestamp() {
            context.register_event_time_timer(time);
        }
        let limit = self.limit.get(context, &())?.copied().unwrap_or(i64::MAX);
        let sum = self.sum.get_or_insert_with(context, || 0)?;
        *sum = (*sum + n).min(limit);
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        limit: i64,
        context: &mut KeyedBroadcastContext<'_, String>,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        if limit > 0 {
            return Ok(self.limit.put(context, (), limit)?);
        }
        let sum = self.sum;
        let at = context.timestamp();
        context.apply_to_keyed_state(sum, |key, state| {
            out.collect(format!("{key}={:?} at {at:?}", sum.value(state)?));
            Ok(sum.clear(state)?)
        })
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerReadOnlyContext<'_, String>,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        let (limit, sum) = (self.limit.get(context, &())?.copied(), self.sum.value(context)?);
        out.collect(format!("{}@{time}: {sum:?} of {limit:?}", context.current_key()));
        Ok(())
    }
}

fn limited_sum(numbers: DataStream<Named>, limit: DataStream<i64>) -> DataStream<String> {
    let limit = limit.broadcast_with_state(MapStateDescriptor::<(), i64>::new("limit"));
    numbers.key_by_ref(|(name, _)| name).connect_broadcast(&limit).process(LimitedSum::default())
}

#[test]
fn s44_keyed_state_timers_and_broadcast_state_meet_in_one_function() {
    in_both_modes(|options| {
        let mut harness = TwoInputHarness::new(limited_sum).with_options(options);
        harness.process1(named("a", 3), 5).unwrap();
        harness.process2(4, 6).unwrap();
        harness.process1(named("a", 3), 7).unwrap();
        harness.process1(named("b", 2), 8).unwrap();
        harness.watermark1(7).unwrap();
        assert!(harness.take_records().is_empty(), "event time is the lesser of both inputs");
        harness.watermark2(7).unwrap();
        let fired = ["a@5: Some(4) of Some(4)", "a@7: Some(4) of Some(4)"].map(str::to_owned);
        assert_eq!(harness.take_stamped(), [(fired[0].clone(), Some(5)), (fired[1].clone(), Some(7))]);

        harness.process2(0, 9).unwrap();
        assert_eq!(sorted(harness.take_records()), ["a=Some(4) at Some(9)", "b=Some(2) at Some(9)"]);
        harness.process2(0, 10).unwrap();
        assert!(harness.take_records().is_empty(), "all keys were cleared");
        harness.process1(named("b", 1), 8).unwrap();
        harness.finish1().unwrap();
        harness.finish2().unwrap();
        assert_eq!(harness.take_records(), ["b@8: Some(1) of Some(4)"]);
    });
}

#[test]
fn a_visit_of_all_keys_reaches_those_of_every_subtask() {
    let mut harness = TwoInputHarness::new(limited_sum).with_parallelism(3);
    for key in 0..20 {
        harness.process1(named(&format!("{key:02}"), key), 0).unwrap();
    }
    harness.process2(0, 1).unwrap();
    let want: Vec<_> = (0..20).map(|key| format!("{key:02}=Some({key}) at Some(1)")).collect();
    assert_eq!(sorted(harness.take_records()), want);
}

#[test]
fn an_error_in_a_visit_fails_the_job() {
    #[derive(Clone, Default)]
    struct Unbound(ValueState<i64>);
    impl KeyedBroadcastProcessFunction<i64, i64, i64, i64> for Unbound {
        fn process_element(
            &mut self,
            _: i64,
            _: &mut KeyedReadOnlyContext<'_, i64>,
            _: &mut Collector<'_, i64>,
        ) -> FnResult {
            Ok(())
        }

        fn process_broadcast_element(
            &mut self,
            _: i64,
            context: &mut KeyedBroadcastContext<'_, i64>,
            _: &mut Collector<'_, i64>,
        ) -> FnResult {
            context.apply_to_keyed_state(self.0, |_, _| Ok(()))
        }
    }
    let env = env(1);
    let rules = env.from_elements([1]).broadcast_with_state(MapStateDescriptor::<i64, i64>::new("rules"));
    let stream = env.from_elements([1]).key_by(|n| *n).connect_broadcast(&rules).process(Unbound::default());
    assert_eq!(
        line(stream.execute_and_collect()),
        "operator 'Co-Process-Broadcast-Keyed' (subtask 1/1) failed: ValueState<i64> is bound to no state; \
         obtain it in open() from its descriptor before using it"
    );
}
