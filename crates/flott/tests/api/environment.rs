//! Settings, their layers, and programs that can't run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use clap::Parser;
use flott::prelude::*;
use flott::window::{SlidingEventTimeWindows, TumblingEventTimeWindows};

use crate::support::{env, line};

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    job: JobOptions,
}

fn from_arguments(arguments: &[&str]) -> Result<StreamExecutionEnvironment, Error> {
    let arguments = ["program", "-q"].iter().chain(arguments);
    StreamExecutionEnvironment::from_options(&Options::try_parse_from(arguments).unwrap().job)
}

fn job_name(env: &StreamExecutionEnvironment) -> String {
    env.from_elements([1]).discard();
    env.execute().unwrap().job_name
}

fn parallelism(env: &StreamExecutionEnvironment) -> u32 {
    env.stream_graph().unwrap().defaults.parallelism
}

#[test]
fn code_wins_over_the_command_line_over_the_file_over_the_default() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "pipeline:\n  name: from the file\nparallelism.default: 7\n").unwrap();
    let path = file.path().to_str().unwrap();

    assert_eq!(job_name(&from_arguments(&[]).unwrap()), "flott job");
    assert_eq!(job_name(&from_arguments(&["--config", path]).unwrap()), "from the file");
    let both = from_arguments(&["-D", "pipeline.name=from the line", "--config", path]).unwrap();
    assert_eq!(parallelism(&both), 7);
    assert_eq!(job_name(&both), "from the line");
    both.set_name("from the code");
    assert_eq!(job_name(&both), "from the code");
}

#[test]
fn a_file_that_is_loaded_by_the_code_does_not_win_over_the_code() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "parallelism.default: 7").unwrap();
    let env = env(3);
    env.load_config_file(file.path()).unwrap();
    assert_eq!(parallelism(&env), 3);
}

#[test]
fn s2_the_short_option_for_parallelism_wins_over_the_key() {
    let env = from_arguments(&["-p", "3", "-D", "parallelism.default=2"]).unwrap();
    assert_eq!(parallelism(&env), 3);
}

#[test]
fn s2_the_operator_wins_over_the_environment_over_the_command_line_over_the_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "parallelism.default: 5").unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(parallelism(&from_arguments(&["--config", path]).unwrap()), 5);
    let env = from_arguments(&["--config", path, "-p", "4"]).unwrap();
    assert_eq!(parallelism(&env), 4);
    env.set_parallelism(3);
    env.from_sequence(1, 9).map(|n| n).set_parallelism(2).discard();
    let vertices = env.execute().unwrap().vertices;
    let subtasks: Vec<_> = vertices.iter().map(|vertex| vertex.subtasks.len()).collect();
    assert_eq!(subtasks, [3, 2, 3]);
}

/// As in Flink's local environment. Where a job is submitted to a cluster, `parallelism.default` is 1 there.
#[test]
fn s2_without_a_setting_the_parallelism_is_the_number_of_cores() {
    let cores = std::thread::available_parallelism().unwrap().get() as u32;
    assert_eq!(parallelism(&StreamExecutionEnvironment::new()), cores);
}

#[test]
fn s1_s10_nothing_runs_before_execute_which_runs_the_job_here_and_waits_for_its_end() {
    let seen = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&seen);
    let env = env(2);
    let count = move |n| {
        counter.fetch_add(1, Ordering::SeqCst);
        n
    };
    env.from_sequence(1, 100).map(count).discard();
    assert_eq!(seen.load(Ordering::SeqCst), 0);
    env.execute().unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 100);
}

/// Flink would call it "Flink Streaming Job".
#[test]
fn s10_a_job_without_a_name_is_called_flott_job() {
    assert_eq!(job_name(&env(1)), "flott job");
    assert_eq!(job_name(env(1).set_name("mine")), "mine");
}

#[test]
fn an_unknown_key_is_refused_with_a_suggestion() {
    assert_eq!(
        line(from_arguments(&["-D", "paralelism.default=2"]).map(drop)),
        "unknown configuration key 'paralelism.default' on the command line; did you mean 'parallelism.default'?"
    );
}

#[test]
fn a_missing_configuration_file_is_named() {
    let text = line(from_arguments(&["--config", "/does/not/exist.yaml"]).map(drop));
    assert!(text.starts_with("can't read the configuration file /does/not/exist.yaml: "), "{text}");
}

#[test]
fn an_unknown_state_backend_is_refused_with_the_known_ones() {
    let env = env(1);
    env.set_state_backend("hashmapp").from_elements([1]).discard();
    let known =
        if cfg!(feature = "rocksdb") { "hashmap, rocksdb, sorted-map" } else { "hashmap, sorted-map" };
    assert_eq!(
        line(env.execute()),
        format!("there is no state backend 'hashmapp' (did you mean 'hashmap'?); known are: {known}")
    );
}

#[test]
fn a_default_parallelism_of_zero_is_refused() {
    let env = env(0);
    env.from_elements([1]).discard();
    assert_eq!(
        line(env.execute()),
        "invalid value '0' of configuration key 'parallelism.default' in code: \
         expected a parallelism between 1 and 32768"
    );
}

#[test]
fn an_operator_of_parallelism_zero_is_refused() {
    let env = env(1);
    env.from_elements([1]).map(|n| n).set_parallelism(0).discard();
    assert_eq!(
        line(env.execute()),
        "the job can't start: operator 'Map' has parallelism 0: it must be at least 1"
    );
}

#[test]
fn a_parallelism_above_the_number_of_key_groups_is_refused() {
    let env = env(1);
    env.from_elements([1]).map(|n| n).name("wide").set_parallelism(5).set_max_parallelism(4).discard();
    assert_eq!(
        line(env.execute()),
        "the job can't start: operator 'wide' has parallelism 5, above its max parallelism 4: \
         lower the one or raise the other (at most 32768)"
    );
}

#[test]
fn a_collection_is_not_read_in_parallel() {
    let env = env(4);
    env.from_elements([1]).set_parallelism(2).discard();
    assert_eq!(
        line(env.execute()),
        "the job can't start: operator 'Collection Source' can't run in parallel, but its parallelism was set to 2"
    );
}

#[test]
fn forward_between_different_parallelisms_is_refused() {
    let env = env(1);
    env.from_sequence(1, 3).set_parallelism(1).forward().map(|n| n).set_parallelism(2).discard();
    assert_eq!(
        line(env.execute()),
        "the job can't start: forward from 'Sequence Source' (parallelism 1) to 'Map' (parallelism 2) \
         needs equal parallelism: use rebalance or rescale"
    );
}

#[test]
fn two_operators_of_one_uid_are_refused() {
    let env = env(1);
    let numbers = env.from_elements([1]);
    numbers.map(|n| n).uid("same").name("one").discard();
    numbers.map(|n| n).uid("same").name("two").discard();
    assert_eq!(
        line(env.execute()),
        "the job can't start: operators 'one' and 'two' have the same uid 'same': state could not be told apart"
    );
}

#[test]
fn an_empty_program_is_refused() {
    assert_eq!(
        line(env(1).execute()),
        "the job can't start: the program defines no operators: add a source and a sink before execute()"
    );
}

#[test]
fn the_environment_is_empty_after_it_was_executed_and_takes_a_new_program() {
    let env = env(1);
    assert_eq!(env.from_elements([1, 2]).execute_and_collect().unwrap(), [1, 2]);
    assert!(env.stream_graph().unwrap().nodes.is_empty());
    assert_eq!(env.from_elements([3]).execute_and_collect().unwrap(), [3]);
}

#[test]
fn a_stream_of_an_executed_program_is_refused() {
    let env = env(1);
    let numbers = env.from_elements([1]);
    numbers.execute_and_collect().unwrap();
    assert_eq!(
        line(numbers.execute_and_collect()),
        "the job can't start: operator '(executed)': \
         the stream belongs to a program that was executed already: build it anew"
    );
}

#[test]
fn streams_of_two_environments_are_not_merged() {
    let (one, other) = (env(1), env(1));
    let numbers = one.from_elements([1]);
    other.from_elements([0]).map(|n| n).discard();
    let strange = other.from_elements([2]).union(&numbers).union(&numbers);
    assert_eq!(
        line(strange.execute_and_collect()),
        "the job can't start: operator 'Union': the streams belong to different environments: build both in one"
    );
}

#[test]
fn a_zero_idleness_is_refused_under_the_name_of_the_source() {
    let env = env(1);
    let strategy = WatermarkStrategy::no_watermarks().with_idleness(Duration::ZERO);
    env.from_source(GeneratorSource::new(1, |n| n), strategy, "numbers").discard();
    assert_eq!(
        line(env.execute()),
        "the job can't start: operator 'numbers': the idleness timeout of a watermark strategy must be greater \
         than zero: leave with_idleness out to wait for ever"
    );
}

/// The error of a program with these windows.
macro_rules! refused {
    ($windows:expr) => {{
        let env = env(1);
        env.from_elements([1]).key_by(|n| *n).window($windows).reduce(|a, b| a + b).discard();
        line(env.execute())
    }};
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn v8_3_18_windows_that_make_no_sense_are_refused() {
    assert_eq!(
        refused!(TumblingEventTimeWindows::of(Duration::ZERO)),
        "the job can't start: operator 'Window': tumbling windows need a size of at least 1 ms"
    );
    assert_eq!(
        refused!(TumblingEventTimeWindows::of(SECOND).with_offset_ms(1000)),
        "the job can't start: operator 'Window': \
         tumbling windows need abs(offset) < size, but the offset is 1000 ms of 1000 ms"
    );
    assert_eq!(
        refused!(TumblingEventTimeWindows::of(SECOND).with_offset_ms(-1000)),
        "the job can't start: operator 'Window': \
         tumbling windows need abs(offset) < size, but the offset is -1000 ms of 1000 ms"
    );
    assert_eq!(
        refused!(SlidingEventTimeWindows::of(SECOND, Duration::ZERO)),
        "the job can't start: operator 'Window': sliding windows need a slide of at least 1 ms"
    );
    assert_eq!(
        refused!(SlidingEventTimeWindows::of(Duration::ZERO, SECOND)),
        "the job can't start: operator 'Window': sliding windows need a size of at least 1 ms"
    );
    assert_eq!(
        refused!(SlidingEventTimeWindows::of(5 * SECOND, SECOND).with_offset_ms(1000)),
        "the job can't start: operator 'Window': \
         sliding windows need abs(offset) < slide, but the offset is 1000 ms of 1000 ms"
    );
}

#[test]
fn chains_show_in_the_names_of_the_vertices() {
    let names = |env: &StreamExecutionEnvironment| -> Vec<String> {
        env.execute().unwrap().vertices.into_iter().map(|vertex| vertex.name).collect()
    };
    let build = |env: &StreamExecutionEnvironment| {
        let words = env.from_elements([1]).map(|n: i32| n).name("double");
        words.key_by(|n| *n).sum(|n| n).discard().name("nowhere");
    };
    let env = env(1);
    build(&env);
    assert_eq!(names(&env), ["Source: Collection Source -> double", "Sum -> Sink: nowhere"]);
    env.disable_operator_chaining();
    build(&env);
    assert_eq!(names(&env), ["Source: Collection Source", "double", "Sum", "Sink: nowhere"]);
}

#[test]
fn an_operator_can_leave_its_chain() {
    let env = env(1);
    let numbers = env.from_elements([1]);
    numbers.map(|n: i32| n).start_new_chain().map(|n| n).disable_chaining().filter(|_| true).discard();
    let vertices = env.execute().unwrap().vertices;
    let names: Vec<_> = vertices.iter().map(|vertex| vertex.name.as_str()).collect();
    assert_eq!(names, ["Source: Collection Source", "Map", "Map", "Filter -> Sink: Discard"]);
}
