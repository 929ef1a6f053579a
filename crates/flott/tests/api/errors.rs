//! A failure is one line: what failed, in which operator and subtask, why.

use flott::prelude::*;

use crate::support::{env, line};

/// The line, without the place in this file.
fn without_place(text: &str) -> String {
    let here = concat!(" at ", file!(), ":");
    match text.split_once(here) {
        Some((before, after)) => format!("{before}{}", &after[after.find(": ").unwrap_or(0)..]),
        None => text.to_owned(),
    }
}

#[test]
fn a_closure_that_panics() {
    let numbers = env(1).from_elements([1, 2]).map(|n| if n == 2 { panic!("two\nis too many") } else { n });
    let text = line(numbers.execute_and_collect());
    assert!(text.contains("errors.rs:"), "{text}");
    assert_eq!(without_place(&text), "operator 'Map' (subtask 1/1) panicked: two is too many");
}

#[test]
fn a_closure_that_returns_an_error() {
    let parsed = env(1)
        .from_elements(["7".to_owned(), "seven".to_owned()])
        .try_map(|text| text.parse::<i32>().map_err(|cause| format!("can't read\n'{text}': {cause}")))
        .name("parse");
    assert_eq!(
        line(parsed.execute_and_collect()),
        "operator 'parse' (subtask 1/1) failed: can't read 'seven': invalid digit found in string"
    );
}

#[test]
fn the_subtask_is_named() {
    let env = env(3);
    let numbers = env.from_sequence(0, 2).rebalance().map(|n| n).name("pass");
    let failing = numbers.global().try_map(|_| Err::<i64, _>("no")).name("refuse");
    assert_eq!(line(failing.execute_and_collect()), "operator 'refuse' (subtask 1/3) failed: no");
}

#[test]
fn a_key_function_that_panics() {
    let sums = env(1).from_elements([1, 2]).key_by(|n| 10 / (n - 2)).sum(|n| n);
    let text = without_place(&line(sums.execute_and_collect()));
    assert_eq!(text, "operator 'Sum (partitioning)' (subtask 1/1) panicked: attempt to divide by zero");
}

#[test]
fn a_panic_in_a_timer() {
    let function = crate::support::keyed(
        |n: i64, context: &mut KeyedContext<'_, i64>, _: &mut Collector<'_, i64>| {
            context.register_event_time_timer(n);
            Ok(())
        },
        |time, _: &mut OnTimerContext<'_, i64>, _: &mut Collector<'_, i64>| assert!(time < 2, "at {time}"),
    );
    let out = env(1).from_elements([1, 2]).key_by(|n| *n).process(function).name("timers");
    let text = without_place(&line(out.execute_and_collect()));
    assert_eq!(text, "operator 'timers' (subtask 1/1) panicked: at 2");
}

#[test]
fn a_failure_in_a_side_branch_fails_the_job() {
    let env = env(1);
    let numbers = env.from_elements([1]);
    numbers.try_map(|_| Err::<i32, _>("no")).name("branch").discard();
    assert_eq!(line(numbers.execute_and_collect()), "operator 'branch' (subtask 1/1) failed: no");
}

#[test]
fn an_iterator_that_panics_is_told_under_the_name_of_its_source() {
    let numbers = env(1).from_iterator(|| (0..5).inspect(|n| assert!(*n < 3, "three")));
    let text = without_place(&line(numbers.execute_and_collect()));
    assert_eq!(text, "operator 'Iterator Source' (subtask 1/1) panicked: three");
}

/// Flink interrupts a source that does not return from `run` every 30 s, and kills the process after 180 s. A source
/// here hands out what it has and returns, so that a cancellation is seen without force.
#[test]
fn s3_an_endless_source_ends_when_the_job_is_cancelled() {
    let env = env(1);
    env.set_name("endless").from_source(
        GeneratorSource::new(u64::MAX, |n| n),
        WatermarkStrategy::no_watermarks(),
        "numbers",
    );
    let handle = env.execute_async().unwrap();
    handle.cancel();
    assert_eq!(handle.wait().unwrap_err().to_string(), "job 'endless' was cancelled");
    assert_eq!(handle.status(), JobStatus::Canceled);
}

#[test]
fn a_setting_behind_what_is_no_operator_is_refused() {
    let numbers = env(1).from_elements([1]).map(|n| n).name("first").rebalance().set_parallelism(2);
    let text = line(numbers.execute_and_collect());
    assert!(text.starts_with("the job can't start: operator 'first': a uid, name, parallelism"), "{text}");
}

#[test]
fn a_side_output_emitted_with_another_type_than_it_is_read_with_fails_the_job() {
    let env = env(1);
    let main = env.from_elements([1_i64]).process(crate::support::process(
        |n: i64, _: &mut ProcessContext, out: &mut Collector<'_, i64>| {
            out.output(&OutputTag::<i64>::new("odd"), n);
            Ok(())
        },
    ));
    let read = main.side_output(&OutputTag::<String>::new("odd"));
    assert_eq!(
        line(read.execute_and_collect()),
        "operator 'Process' (subtask 1/1) failed: it emits i64 to side output 'odd', which the program reads as another \
         type: a tag has one type"
    );
}

#[test]
fn a_watermark_alignment_that_cannot_work_is_refused_before_the_job_starts() {
    let aligned = |group: &str| {
        WatermarkStrategy::for_monotonous_timestamps()
            .with_watermark_alignment(group, std::time::Duration::from_secs(1))
    };
    let job = env(1);
    job.from_source(GeneratorSource::new(3, |n| n), aligned(""), "numbers");
    let text = line(job.execute());
    assert!(text.contains("operator 'numbers': the group of a watermark alignment has no name"), "{text}");

    let numbers = env(1).from_elements([1_u64]).assign_timestamps_and_watermarks(aligned("g"));
    let text = line(numbers.execute_and_collect());
    assert!(text.contains("a watermark alignment works at a source only"), "{text}");
}
