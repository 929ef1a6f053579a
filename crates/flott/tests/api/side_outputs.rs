//! Side outputs.

use flott::prelude::*;

use flott::testing::{OneInputHarness, in_both_modes};

use crate::support::{At, Watermark, env, keyed, line, process, script, sorted, stamped};

/// Even numbers go on, odd ones to the side as text.
fn split(numbers: &DataStream<i64>, odd: &OutputTag<String>) -> DataStream<i64> {
    let odd = odd.clone();
    numbers.process(process(move |n: i64, _: &mut ProcessContext, out: &mut Collector<'_, i64>| {
        if n % 2 == 0 {
            out.collect(n);
        } else {
            out.output(&odd, n.to_string());
        }
        Ok(())
    }))
}

#[test]
fn a_side_output_has_what_was_emitted_under_its_tag() {
    for parallelism in [1, 2] {
        let odd = OutputTag::new("odd");
        let even = split(&env(parallelism).from_sequence(1, 5), &odd);
        let all =
            even.map(|n| format!("even {n}")).union(&even.side_output(&odd).map(|n| format!("odd {n}")));
        let want = ["even 2", "even 4", "odd 1", "odd 3", "odd 5"];
        assert_eq!(sorted(all.execute_and_collect().unwrap()), want);
    }
}

#[test]
fn a_side_output_that_nobody_reads_costs_nothing_and_vanishes() {
    let even = split(&env(1).from_sequence(1, 5), &OutputTag::new("odd"));
    assert_eq!(even.execute_and_collect().unwrap(), [2, 4]);
}

#[test]
fn an_unknown_tag_is_an_empty_stream() {
    let even = split(&env(1).from_sequence(1, 5), &OutputTag::new("odd"));
    let unknown = even.side_output(&OutputTag::<String>::new("other"));
    assert!(unknown.execute_and_collect().unwrap().is_empty());
}

/// Flink has an empty stream here, too. That no record will ever come is known, so flott tells it.
#[test]
fn a_side_output_that_the_operator_can_not_emit_is_refused() {
    let odd = OutputTag::<String>::new("odd");
    let none = |operator: &str| {
        format!(
            "the job can't start: operator '{operator}': it has no side output 'odd', it emits to none: read a side output \
             right behind the operator that emits it"
        )
    };
    let env = env(1);
    let mapped = split(&env.from_sequence(1, 5), &odd).map(|n| n).name("plain");
    assert_eq!(line(mapped.side_output(&odd).execute_and_collect()), none("plain"));
    let numbers = || env.from_sequence(1, 5);
    assert_eq!(line(numbers().side_output(&odd).execute_and_collect()), none("Sequence Source"));
    let filtered = numbers().filter(|_| true);
    assert_eq!(line(filtered.side_output(&odd).execute_and_collect()), none("Filter"));
    let sums = numbers().key_by(|_| 0).sum(|n| n);
    assert_eq!(line(sums.side_output(&odd).execute_and_collect()), none("Sum"));
}

#[test]
fn a_side_output_of_what_is_no_operator_is_refused() {
    let odd = OutputTag::<String>::new("odd");
    let even = split(&env(1).from_sequence(1, 5), &odd);
    let text = line(even.rebalance().side_output(&odd).execute_and_collect());
    assert_eq!(
        text,
        "the job can't start: operator 'Process': a uid, name, parallelism or other setting was made, or a side output \
         was asked for, behind a union, a side output or a partitioning, which are no operators: do it right behind the \
         operator it is for"
    );
    let even = split(&env(1).from_sequence(1, 5), &odd);
    let text = line(even.union(&even).side_output(&odd).execute_and_collect());
    assert!(text.contains("operator 'Process': a uid"), "{text}");
}

#[test]
fn two_types_under_one_tag_are_refused() {
    let even = split(&env(1).from_sequence(1, 5), &OutputTag::new("odd"));
    even.side_output(&OutputTag::<String>::new("odd")).discard();
    even.side_output(&OutputTag::<u8>::new("odd")).discard();
    assert_eq!(
        line(even.execute_and_collect()),
        "the job can't start: side output 'odd' of operator 'Process' is used with the types \
         alloc::string::String and u8: a tag has one type"
    );
}

#[test]
fn a_side_output_can_have_side_outputs() {
    let (odd, long) = (OutputTag::new("odd"), OutputTag::new("long"));
    let odds = split(&env(1).from_sequence(1, 12), &odd).side_output(&odd);
    let tag = long.clone();
    let short = odds.process(process(
        move |text: String, _: &mut ProcessContext, out: &mut Collector<'_, String>| {
            if text.len() > 1 {
                out.output(&tag, text.len());
            } else {
                out.collect(text);
            }
            Ok(())
        },
    ));
    assert_eq!(short.side_output(&long).execute_and_collect().unwrap(), [2]);
}

#[test]
fn records_on_side_outputs_keep_their_timestamps() {
    let odd = OutputTag::new("odd");
    let even = split(&script(&env(1), vec![At(1, 10), At(2, 20), At(3, 30)]), &odd);
    let side = stamped(&even.side_output(&odd)).execute_and_collect().unwrap();
    assert_eq!(side, [("1".to_owned(), Some(10)), ("3".to_owned(), Some(30))]);
}

#[test]
fn watermarks_reach_side_outputs() {
    for chaining in [true, false] {
        let env = env(1);
        if !chaining {
            env.disable_operator_chaining();
        }
        let odd = OutputTag::new("odd");
        let even = split(&script(&env, vec![At(1, 10), Watermark(15), At(3, 30)]), &odd);
        let seen =
            even.side_output(&odd).process(process(|text: String, context, out: &mut Collector<'_, _>| {
                out.collect((text, context.current_watermark()));
                Ok(())
            }));
        let want = [("1".to_owned(), MIN_WATERMARK), ("3".to_owned(), 15)];
        assert_eq!(seen.execute_and_collect().unwrap(), want);
    }
}

#[test]
fn operators_share_no_tags_so_one_name_may_have_a_type_in_each() {
    let env = env(1);
    let (text, length) = (OutputTag::<String>::new("odd"), OutputTag::<usize>::new("odd"));
    let texts = split(&env.from_sequence(1, 3), &text).side_output(&text);
    let tag = length.clone();
    let lengths =
        texts.process(process(move |text: String, _: &mut ProcessContext, out: &mut Collector<'_, i64>| {
            out.output(&tag, text.len());
            Ok(())
        }));
    assert_eq!(lengths.side_output(&length).execute_and_collect().unwrap(), [1, 1]);
}

#[test]
fn keyed_functions_and_their_timers_emit_to_the_side_too() {
    in_both_modes(|options| {
        let (records, timers) = (OutputTag::<i64>::new("records"), OutputTag::<String>::new("timers"));
        let (of_record, of_timer) = (records.clone(), timers.clone());
        let function = keyed(
            move |n: i64, context: &mut KeyedContext<'_, i64>, out: &mut Collector<'_, i64>| {
                context.register_event_time_timer(n + 5);
                out.output(&of_record, n);
                Ok(())
            },
            move |time, context: &mut OnTimerContext<'_, i64>, out: &mut Collector<'_, i64>| {
                out.output(&of_timer, format!("{}@{time}", context.current_key()));
            },
        );
        let mut harness =
            OneInputHarness::new(|numbers: DataStream<i64>| numbers.key_by(|n| *n).process(function))
                .with_options(options)
                .with_side_output(&records)
                .with_side_output(&timers);
        harness.process(1, 10).unwrap();
        harness.watermark(6).unwrap();
        assert!(harness.take_records().is_empty());
        assert_eq!(harness.take_side_output(&records), [(1, Some(10))]);
        assert_eq!(harness.take_side_output(&timers), [("1@6".to_owned(), Some(6))]);
    });
}
