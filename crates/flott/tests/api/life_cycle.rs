//! What happens around the records of a function: open, close, its place, its counters.

use std::sync::{Arc, Mutex};

use flott::prelude::*;

use crate::support::{env, line};

/// Where calls are written down: what, subtask, parallelism.
type Log = Arc<Mutex<Vec<(&'static str, u32, u32)>>>;

/// Counts its records, and fails at one of them.
#[derive(Clone)]
struct Rich {
    log: Log,
    place: (u32, u32),
    fails_at: i64,
    counter: Option<flott_runtime::metrics::Counter>,
}

impl Rich {
    fn new(log: &Log) -> Self {
        Self { log: Arc::clone(log), place: (0, 0), fails_at: -1, counter: None }
    }

    fn opened(&mut self, context: &RuntimeContext) {
        self.place = (context.index_of_this_subtask(), context.number_of_parallel_subtasks());
        self.counter = Some(context.counter(context.operator_name()));
        assert_eq!((context.attempt_number(), context.max_number_of_parallel_subtasks()), (0, 128));
        self.note("open");
    }

    fn note(&self, what: &'static str) {
        self.log.lock().unwrap().push((what, self.place.0, self.place.1));
    }

    fn count(&self, record: i64) -> FnResult {
        self.counter.as_ref().ok_or("not opened")?.add(1);
        if record == self.fails_at { Err("it was told to".into()) } else { Ok(()) }
    }
}

impl MapFunction<i64, i64> for Rich {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.opened(context);
        Ok(())
    }

    fn map(&mut self, record: i64) -> FnResult<i64> {
        self.count(record)?;
        Ok(record)
    }

    fn close(&mut self) -> FnResult {
        self.note("close");
        Ok(())
    }
}

impl FlatMapFunction<i64, i64> for Rich {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.opened(context);
        Ok(())
    }

    fn flat_map(&mut self, record: i64, out: &mut Collector<'_, i64>) -> FnResult {
        out.collect(record);
        self.count(record)
    }

    fn close(&mut self) -> FnResult {
        self.note("close");
        Ok(())
    }
}

impl FilterFunction<i64> for Rich {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.opened(context);
        Ok(())
    }

    fn filter(&mut self, record: &i64) -> FnResult<bool> {
        self.count(*record)?;
        Ok(true)
    }

    fn close(&mut self) -> FnResult {
        self.note("close");
        Ok(())
    }
}

impl KeyedProcessFunction<i64, i64, i64> for Rich {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.opened(context);
        Ok(())
    }

    fn process_element(
        &mut self,
        record: i64,
        _: &mut KeyedContext<'_, i64>,
        out: &mut Collector<'_, i64>,
    ) -> FnResult {
        out.collect(record);
        self.count(record)
    }

    fn close(&mut self) -> FnResult {
        self.note("close");
        Ok(())
    }
}

/// The calls of one kind, by subtask.
fn calls(log: &Log, what: &str) -> Vec<(u32, u32)> {
    let log = log.lock().unwrap();
    let calls = log.iter().filter(|call| call.0 == what).map(|call| (call.1, call.2));
    crate::support::sorted(calls.collect())
}

#[test]
fn each_subtask_opens_and_closes_its_own_clone_and_the_counters_add_up() {
    type Build = fn(&DataStream<i64>, Rich) -> DataStream<i64>;
    let kinds: [Build; 4] = [
        |numbers, rich| numbers.map_with(rich),
        |numbers, rich| numbers.flat_map_with(rich),
        |numbers, rich| numbers.filter_with(rich),
        |numbers, rich| numbers.key_by(|n| *n).process(rich),
    ];
    for build in kinds {
        let (env, log) = (env(3), Log::default());
        build(&env.from_sequence(1, 3000), Rich::new(&log)).name("rich").discard();
        let result = env.execute().unwrap();
        assert_eq!(calls(&log, "open"), [(0, 3), (1, 3), (2, 3)]);
        assert_eq!(calls(&log, "close"), [(0, 3), (1, 3), (2, 3)]);
        assert_eq!(result.counters().into_iter().collect::<Vec<_>>(), [("rich".to_owned(), 3000)]);
    }
}

#[test]
fn a_function_is_closed_after_a_failure_too() {
    let log = Log::default();
    let rich = Rich { fails_at: 10, ..Rich::new(&log) };
    let failed = env(1).from_sequence(1, 3000).map_with(rich).execute_and_collect();
    assert_eq!(line(failed), "operator 'Map' (subtask 1/1) failed: it was told to");
    assert_eq!(calls(&log, "close"), [(0, 1)]);
}

#[test]
fn a_filter_that_has_failed_is_not_asked_again() {
    let (env, log) = (env(1), Log::default());
    let rich = Rich { fails_at: 10, ..Rich::new(&log) };
    let asked = Arc::new(Mutex::new(0));
    let counted = CountingFilter { rich, asked: Arc::clone(&asked) };
    let failed = env.from_sequence(1, 3000).filter_with(counted).execute_and_collect();
    assert_eq!(line(failed), "operator 'Filter' (subtask 1/1) failed: it was told to");
    assert_eq!(*asked.lock().unwrap(), 10);
}

#[derive(Clone)]
struct CountingFilter {
    rich: Rich,
    asked: Arc<Mutex<u32>>,
}

impl FilterFunction<i64> for CountingFilter {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        FilterFunction::open(&mut self.rich, context)
    }

    fn filter(&mut self, record: &i64) -> FnResult<bool> {
        *self.asked.lock().unwrap() += 1;
        self.rich.filter(record)
    }
}

/// Writes down what the engine calls, under the function's name.
#[derive(Clone)]
struct Told {
    name: &'static str,
    calls: Arc<Mutex<Vec<String>>>,
    fails: bool,
}

impl Told {
    fn tell(&self, what: &str) {
        self.calls.lock().unwrap().push(format!("{} {what}", self.name));
    }
}

impl FlatMapFunction<i64, i64> for Told {
    fn initialize_state(&mut self, _: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.tell("initialize_state");
        Ok(())
    }

    fn open(&mut self, _: &RuntimeContext) -> FnResult {
        self.tell("open");
        Ok(())
    }

    fn flat_map(&mut self, record: i64, out: &mut Collector<'_, i64>) -> FnResult {
        self.tell(&record.to_string());
        if self.fails {
            return Err("it was told to".into());
        }
        out.collect(record);
        Ok(())
    }

    fn finish(&mut self, out: &mut Collector<'_, i64>) -> FnResult {
        self.tell("finish");
        out.collect(-1);
        Ok(())
    }

    fn close(&mut self) -> FnResult {
        self.tell("close");
        Ok(())
    }
}

/// What the engine calls in a chain of two functions, of which the second may fail.
fn calls_of_a_chain(fails: bool) -> (Vec<String>, Result<Vec<i64>, Error>) {
    let calls = Arc::<Mutex<Vec<String>>>::default();
    let told = |name, fails| Told { name, calls: Arc::clone(&calls), fails };
    let numbers = env(1).from_elements([7]);
    let ended = numbers.flat_map_with(told("head", false)).flat_map_with(told("tail", fails));
    let ended = ended.execute_and_collect();
    let calls = calls.lock().unwrap().clone();
    (calls, ended)
}

#[test]
fn a_chain_is_opened_from_its_tail_and_finished_from_its_head_and_what_finishes_may_emit() {
    let (calls, ended) = calls_of_a_chain(false);
    let want = [
        "tail initialize_state",
        "tail open",
        "head initialize_state",
        "head open",
        "head 7",
        "tail 7",
        "head finish",
        "tail -1",
        "tail finish",
    ];
    assert_eq!(calls[..9], want);
    assert_eq!(crate::support::sorted(calls[9..].to_vec()), ["head close", "tail close"]);
    assert_eq!(ended.unwrap(), [7, -1, -1]);
}

#[test]
fn after_a_failure_functions_are_closed_and_not_finished() {
    let (calls, ended) = calls_of_a_chain(true);
    assert_eq!(line(ended), "operator 'Flat Map' (subtask 1/1) failed: it was told to");
    assert!(!calls.iter().any(|call| call.ends_with("finish")), "{calls:?}");
    assert_eq!(crate::support::sorted(calls[6..].to_vec()), ["head close", "tail close"]);
}
