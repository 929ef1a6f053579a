//! Async I/O, against an outside that answers when the test says so. No test waits for time to pass.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use flott::prelude::*;
use flott::testing::OneInputHarness;
use tokio::sync::oneshot;

use crate::support::{At, ManualClock, Step, Watermark, env, line, process, script};

/// Long enough that only a test that would hang forever gets there.
const PATIENCE: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_millis(10);
const NO_TIMEOUT: Duration = Duration::ZERO;

type Answer = Result<Vec<i64>, String>;
type Numbers = DataStream<i64>;

/// Passes on each question with the way to answer it.
#[derive(Clone)]
struct Outside {
    asked: SyncSender<(i64, oneshot::Sender<Answer>)>,
    on_timeout: Option<i64>,
}

impl AsyncFunction<i64, i64> for Outside {
    async fn async_invoke(&self, record: i64) -> FnResult<Vec<i64>> {
        let (answer, answered) = oneshot::channel();
        self.asked.send((record, answer))?;
        Ok(answered.await??)
    }

    fn timeout(&self, record: i64) -> FnResult<Vec<i64>> {
        match self.on_timeout {
            Some(instead) => Ok(vec![instead, record]),
            None => Err("it took too long".into()),
        }
    }
}

/// A running job, and the outside that its calls ask.
struct Job {
    handle: JobHandle,
    asked: Receiver<(i64, oneshot::Sender<Answer>)>,
    results: Receiver<(i64, Timestamp)>,
    open: HashMap<i64, oneshot::Sender<Answer>>,
}

impl Job {
    /// Runs what `build` makes of a stream and the outside.
    fn of(
        env: &StreamExecutionEnvironment,
        numbers: &Numbers,
        build: impl FnOnce(&Numbers, Outside) -> Numbers,
    ) -> Self {
        let (ask, asked) = sync_channel(100);
        let (emit, results) = sync_channel(100);
        let outside = Outside { asked: ask, on_timeout: None };
        let seen = process(move |number: i64, context: &mut ProcessContext, _: &mut Collector<'_, ()>| {
            emit.send((number, context.current_watermark()))?;
            Ok(())
        });
        build(numbers, outside).process(seen).start_new_chain().discard();
        Self { handle: env.execute_async().unwrap(), asked, results, open: HashMap::new() }
    }

    /// A job over these numbers, all in one batch.
    fn on(numbers: &[i64], build: impl FnOnce(&Numbers, Outside) -> Numbers) -> Self {
        let env = env(1);
        let numbers = env.from_elements(numbers.to_vec());
        Self::of(&env, &numbers, build)
    }

    /// A job over these numbers whose clock stands at 1,000 until the test sets it.
    fn at_1000(
        numbers: &[i64],
        build: impl FnOnce(&Numbers, Outside) -> Numbers,
    ) -> (Self, Arc<ManualClock>) {
        let (env, clock) = (env(1), ManualClock::at(1000));
        env.set_clock(Arc::clone(&clock) as Arc<_>);
        let numbers = env.from_elements(numbers.to_vec());
        (Self::of(&env, &numbers, build), clock)
    }

    /// Waits until these questions have been asked, in any order.
    fn asked(&mut self, mut numbers: Vec<i64>) -> &mut Self {
        while !numbers.is_empty() {
            let (number, answer) = self.asked.recv_timeout(PATIENCE).expect("another question");
            let at = numbers.iter().position(|expected| *expected == number);
            numbers.swap_remove(at.unwrap_or_else(|| panic!("{number} was asked, not one of {numbers:?}")));
            self.open.insert(number, answer);
        }
        self
    }

    /// Answers a question that was asked.
    fn answer(&mut self, number: i64, answer: Answer) -> &mut Self {
        let question = self.open.remove(&number).expect("it was asked");
        question.send(answer).expect("somebody waits for it");
        self
    }

    /// The next result, with the watermark before it.
    fn next(&mut self) -> (i64, Timestamp) {
        self.results.recv_timeout(PATIENCE).expect("another result")
    }

    /// Waits until the job has ended well; the results that are left.
    fn rest(self) -> Vec<i64> {
        self.handle.wait().unwrap();
        self.results.iter().map(|(number, _)| number).collect()
    }
}

fn ordered(numbers: &Numbers, outside: Outside) -> Numbers {
    AsyncDataStream::ordered_wait(numbers, outside, NO_TIMEOUT, 100)
}

fn unordered(numbers: &Numbers, outside: Outside) -> Numbers {
    AsyncDataStream::unordered_wait(numbers, outside, NO_TIMEOUT, 100)
}

#[test]
fn v8_11_ordered_results_come_in_the_order_of_the_input() {
    let mut job = Job::on(&[1, 2, 3], ordered);
    job.asked(vec![1, 2, 3]).answer(3, Ok(vec![30, 31])).answer(1, Ok(vec![10]));
    assert_eq!(job.next().0, 10);
    job.answer(2, Ok(vec![]));
    assert_eq!(job.rest(), [30, 31]);
}

#[test]
fn v8_11_unordered_results_come_as_the_calls_end() {
    let mut job = Job::on(&[1, 2, 3], unordered);
    job.asked(vec![1, 2, 3]).answer(3, Ok(vec![30, 31]));
    assert_eq!([job.next().0, job.next().0], [30, 31]);
    assert_eq!(job.answer(1, Ok(vec![10])).next().0, 10);
    job.answer(2, Ok(vec![20]));
    assert_eq!(job.rest(), [20]);
}

fn with_watermarks() -> Vec<Step<i64>> {
    vec![At(1, 1), At(2, 2), Watermark(5), At(3, 6), Watermark(7)]
}

#[test]
fn v8_11_watermarks_overtake_no_result_and_are_overtaken_by_none() {
    let env = env(1);
    let numbers = script(&env, with_watermarks());
    let mut job = Job::of(&env, &numbers, unordered);
    job.asked(vec![1, 2, 3]).answer(3, Ok(vec![30])).answer(2, Ok(vec![20]));
    assert_eq!(job.next(), (20, MIN_WATERMARK));
    job.answer(1, Ok(vec![10]));
    assert_eq!([job.next(), job.next()], [(10, MIN_WATERMARK), (30, 5)]);
    assert!(job.rest().is_empty());
}

#[test]
fn results_keep_the_timestamps_of_their_records() {
    let env = env(1);
    let double = |n: i64| async move { Ok::<_, BoxError>(vec![n, 2 * n]) };
    let doubled = AsyncDataStream::ordered_wait(&script(&env, with_watermarks()), double, NO_TIMEOUT, 100);
    let seen = crate::support::stamped(&doubled).execute_and_collect().unwrap();
    assert_eq!(seen, [1, 2, 2, 4, 3, 6].into_iter().zip([1, 1, 2, 2, 6, 6].map(Some)).collect::<Vec<_>>());
}

#[test]
fn v8_11_a_call_that_takes_too_long_fails_the_job() {
    let (mut job, clock) = Job::at_1000(&[7], |numbers, outside| {
        AsyncDataStream::ordered_wait(numbers, outside, TIMEOUT, 100).name("look up")
    });
    job.asked(vec![7]);
    clock.set(1010);
    let told = job.handle.wait().unwrap_err().to_string();
    let want = "operator 'look up' (subtask 1/1) failed: the asynchronous call for record 7 failed: it took too long";
    assert_eq!(told, want);
    // Its runtime drops the call when it comes to it.
    let mut answer = job.open.remove(&7).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let dropped = runtime.block_on(async { tokio::time::timeout(PATIENCE, answer.closed()).await });
    assert!(dropped.is_ok(), "the call is dropped");
}

#[test]
fn v8_11_a_function_may_emit_something_for_a_call_that_takes_too_long() {
    let (mut job, clock) = Job::at_1000(&[7, 8], |numbers, outside| {
        let outside = Outside { on_timeout: Some(-1), ..outside };
        AsyncDataStream::ordered_wait(numbers, outside, TIMEOUT, 100)
    });
    job.asked(vec![7, 8]);
    clock.set(1010);
    assert_eq!(job.rest(), [-1, 7, -1, 8]);
}

#[test]
fn what_the_default_of_the_timeout_hook_says() {
    let (env, clock) = (env(1), ManualClock::at(0));
    env.set_clock(Arc::clone(&clock) as Arc<_>);
    let never = move |n: i64| {
        clock.set(10);
        async move {
            std::future::pending::<()>().await;
            Ok::<_, BoxError>(vec![n])
        }
    };
    let out = AsyncDataStream::unordered_wait(&env.from_elements([1]), never, TIMEOUT, 1).name("ask");
    assert_eq!(
        line(out.execute_and_collect()),
        "operator 'ask' (subtask 1/1) failed: the asynchronous call for record 1 failed: it has timed out: give it \
         more time, or implement AsyncFunction::timeout to emit something instead"
    );
}

/// Two retries after 5 ms each, of errors and empty results. `taken` hears of each attempt that is to be tried again.
fn three_times(capacity: usize, taken: SyncSender<()>) -> impl FnOnce(&Numbers, Outside) -> Numbers {
    let on_result = taken.clone();
    let strategy = FixedDelayRetryStrategy::new(2, Duration::from_millis(5))
        .if_error(move |error| error.to_string() == "busy" && taken.send(()).is_ok())
        .if_result(move |results: &[i64]| results.is_empty() && on_result.send(()).is_ok());
    let timeout = Duration::from_secs(60);
    move |numbers, outside| {
        AsyncDataStream::unordered_wait_with_retry(numbers, outside, timeout, capacity, strategy)
    }
}

fn busy() -> Answer {
    Err("busy".to_owned())
}

#[test]
fn v8_11_a_call_is_tried_again_when_its_delay_is_over() {
    let (taken, was_taken) = sync_channel(9);
    // The second number waits for room, so that the input has not ended.
    let (mut job, clock) = Job::at_1000(&[1, 2], three_times(1, taken));
    for (answer, time) in [(busy(), 1005), (Ok(vec![]), 1010)] {
        job.asked(vec![1]).answer(1, answer);
        was_taken.recv_timeout(PATIENCE).unwrap();
        clock.set(time);
    }
    job.asked(vec![1]).answer(1, Ok(vec![11]));
    job.asked(vec![2]).answer(2, Ok(vec![22]));
    assert_eq!(job.rest(), [11, 22]);
}

#[test]
fn v8_11_after_the_last_retry_an_error_fails_the_job_and_a_result_is_emitted() {
    for (last, want) in [
        (busy(), Err("the asynchronous call for record 1 failed: busy")),
        (Ok(vec![]), Ok(vec![22])),
        (Err("broken".to_owned()), Err("the asynchronous call for record 1 failed: broken")),
    ] {
        let (taken, was_taken) = sync_channel(9);
        let (mut job, clock) = Job::at_1000(&[1, 2], three_times(1, taken));
        for time in [1005, 1010] {
            job.asked(vec![1]).answer(1, busy());
            was_taken.recv_timeout(PATIENCE).unwrap();
            clock.set(time);
        }
        job.asked(vec![1]).answer(1, last);
        match want {
            Ok(results) => {
                job.asked(vec![2]).answer(2, Ok(vec![22]));
                assert_eq!(job.rest(), results);
            }
            Err(told) => {
                let error = job.handle.wait().unwrap_err().to_string();
                assert_eq!(error, format!("operator 'async wait operator' (subtask 1/1) failed: {told}"));
            }
        }
    }
}

#[test]
fn v8_11_at_the_end_of_the_input_nothing_waits_for_its_next_attempt() {
    let (taken, was_taken) = sync_channel(9);
    let (mut job, _clock) = Job::at_1000(&[1, 2, 3], three_times(2, taken));
    job.asked(vec![1, 2]).answer(1, busy());
    was_taken.recv_timeout(PATIENCE).unwrap();
    // The third number comes in, and the input ends. The clock stands still.
    job.answer(2, Ok(vec![22])).asked(vec![1, 3]).answer(1, Ok(vec![11])).answer(3, Ok(vec![33]));
    assert_eq!(crate::support::sorted(job.rest()), [11, 22, 33]);
}

#[test]
fn the_timeout_is_for_all_attempts_together() {
    let (taken, was_taken) = sync_channel(9);
    let strategy =
        FixedDelayRetryStrategy::new(9, Duration::from_millis(8)).if_error(move |_| taken.send(()).is_ok());
    let (mut job, clock) = Job::at_1000(&[1, 2], |numbers, outside| {
        let outside = Outside { on_timeout: Some(-1), ..outside };
        AsyncDataStream::ordered_wait_with_retry(numbers, outside, TIMEOUT, 1, strategy)
    });
    job.asked(vec![1]).answer(1, busy());
    was_taken.recv_timeout(PATIENCE).unwrap();
    clock.set(1008);
    job.asked(vec![1]);
    clock.set(1010);
    assert_eq!([job.next().0, job.next().0], [-1, 1]);
    job.asked(vec![2]).answer(2, Ok(vec![22]));
    assert_eq!(job.rest(), [22]);
}

fn two_at_a_time(numbers: &Numbers, outside: Outside) -> Numbers {
    AsyncDataStream::unordered_wait(numbers, outside, NO_TIMEOUT, 2)
}

#[test]
fn v8_11_a_full_queue_waits_for_room_and_lets_results_go_meanwhile() {
    let mut job = Job::on(&[1, 2, 3, 4], two_at_a_time);
    // Any other question than these would be told as a failure.
    job.asked(vec![1, 2]).answer(2, Ok(vec![20]));
    // The result is in the next task while the batch that it came with is still being taken in.
    assert_eq!(job.next().0, 20);
    job.asked(vec![3]).answer(1, Ok(vec![10]));
    assert_eq!(job.next().0, 10);
    job.asked(vec![4]).answer(3, Ok(vec![30])).answer(4, Ok(vec![40]));
    assert_eq!(crate::support::sorted(job.rest()), [30, 40]);
}

#[test]
fn a_job_is_cancelled_while_the_queue_is_full() {
    let mut job = Job::on(&[1, 2, 3, 4], two_at_a_time);
    job.asked(vec![1, 2]);
    job.handle.cancel();
    assert_eq!(job.handle.wait().unwrap_err().to_string(), "job 'flott job' was cancelled");
}

#[test]
fn a_job_is_cancelled_while_the_last_calls_run() {
    let mut job = Job::on(&[1], two_at_a_time);
    job.asked(vec![1]);
    job.handle.cancel();
    assert_eq!(job.handle.wait().unwrap_err().to_string(), "job 'flott job' was cancelled");
}

#[test]
fn a_failure_downstream_ends_the_wait_for_room() {
    let mut job = Job::on(&[1, 2, 3], |numbers, outside| {
        two_at_a_time(numbers, outside).try_map(|n| Err::<i64, _>(format!("no {n}"))).name("refuse")
    });
    job.asked(vec![1, 2]).answer(1, Ok(vec![10]));
    let told = job.handle.wait().unwrap_err().to_string();
    assert_eq!(told, "operator 'refuse' (subtask 1/1) failed: no 10");
}

#[test]
fn an_error_of_a_call_is_told_with_its_record() {
    let env = env(1);
    let fail = |word: String| async move { Err::<Vec<i64>, _>(format!("no {word}")) };
    let words = env.from_elements(["x".repeat(1000)]);
    let out = AsyncDataStream::unordered_wait(&words, fail, NO_TIMEOUT, 1).name("ask");
    let told = line(out.execute_and_collect());
    let shown = format!("\"{}…", "x".repeat(199));
    let want = format!(
        "operator 'ask' (subtask 1/1) failed: the asynchronous call for record {shown} failed: no {}",
        "x".repeat(1000)
    );
    assert_eq!(told, want);
}

#[test]
fn a_panic_of_a_call_is_told_with_its_place_and_record() {
    for before in [true, false] {
        let panics = move |n: i64| {
            assert!(!before, "no number");
            async move {
                assert!(before, "no number");
                Ok::<_, BoxError>(vec![n])
            }
        };
        let out = AsyncDataStream::ordered_wait(&env(1).from_elements([7_i64]), panics, NO_TIMEOUT, 1);
        let told = line(out.execute_and_collect());
        let place = concat!("the asynchronous call for record 7 panicked at ", file!(), ":");
        assert!(told.contains(place) && told.ends_with(": no number"), "{told}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let same = |n: i64| async move { Ok::<_, BoxError>(vec![n]) };
    let out = AsyncDataStream::ordered_wait(&env(1).from_elements([7]), same, NO_TIMEOUT, 0);
    assert_eq!(
        line(out.execute_and_collect()),
        "the job can't start: operator 'async wait operator': its capacity is 0, so no call could ever start: give it \
         at least 1"
    );
    let strategy = FixedDelayRetryStrategy::new(1, TIMEOUT);
    let numbers = env(1).from_elements([7]);
    let out = AsyncDataStream::unordered_wait_with_retry(&numbers, same, NO_TIMEOUT, 1, strategy);
    assert_eq!(
        line(out.execute_and_collect()),
        "the job can't start: operator 'async wait operator': with retries it needs a timeout above zero, for \
         attempts could go on for ever"
    );
}

/// Connects when it is opened, and says when it is closed.
#[derive(Clone)]
struct Rich {
    connected: Option<i64>,
    closed: Arc<std::sync::Mutex<u32>>,
}

impl AsyncFunction<i64, i64> for Rich {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.connected = Some(i64::from(context.number_of_parallel_subtasks()));
        Ok(())
    }

    async fn async_invoke(&self, record: i64) -> FnResult<Vec<i64>> {
        Ok(vec![record * self.connected.ok_or("not connected")?])
    }

    fn close(&self) -> FnResult {
        *self.closed.lock().unwrap() += 1;
        Ok(())
    }
}

#[test]
fn each_subtask_opens_and_closes_a_function_of_its_own() {
    let env = env(3);
    let function = Rich { connected: None, closed: Arc::default() };
    let closed = Arc::clone(&function.closed);
    let out = AsyncDataStream::unordered_wait(&env.from_sequence(1, 2000), function, NO_TIMEOUT, 100);
    let mut out = out.execute_and_collect().unwrap();
    out.sort_unstable();
    assert_eq!(out, (1..=2000).map(|n| 3 * n).collect::<Vec<_>>());
    assert_eq!(*closed.lock().unwrap(), 3);
}

#[test]
fn the_end_of_a_call_that_a_test_waits_for_is_not_the_end_of_the_time_for_others() {
    let mut harness = OneInputHarness::new(|numbers: Numbers| {
        let call = |n: i64| async move { Ok::<_, BoxError>(vec![10 * n]) };
        AsyncDataStream::ordered_wait(&numbers, call, PATIENCE, 2)
    });
    for n in 0..100 {
        harness.process(n, n).unwrap();
    }
    harness.finish().unwrap();
    assert_eq!(harness.take_records(), (0..100).map(|n| 10 * n).collect::<Vec<_>>());
    assert_eq!(harness.processing_time(), 0, "only the test moves the clock");
}

/// A harness with at most so many calls under way, of which that for 1 never ends.
fn stuck_at_1(capacity: usize, stuck: bool) -> OneInputHarness<i64, i64> {
    OneInputHarness::new(move |numbers: Numbers| {
        let call = move |n: i64| async move {
            if stuck && n == 1 {
                std::future::pending::<()>().await;
            }
            Ok::<_, BoxError>(vec![10 * n])
        };
        AsyncDataStream::ordered_wait(&numbers, call, NO_TIMEOUT, capacity)
    })
}

#[test]
fn v8_11_records_under_way_are_called_for_again_after_a_restore() {
    // Restored with as much room as before, and with less.
    for capacity in [2, 1] {
        let mut first = stuck_at_1(2, true);
        first.process(1, 1).unwrap();
        // Whether the call for 2 has ended or not, its result waits for that of 1.
        first.process(2, 2).unwrap();
        let snapshot = first.snapshot().unwrap();
        assert_eq!(first.take_records(), []);
        // Restored records are state again before their calls have ended.
        let mut second = stuck_at_1(capacity, true);
        second.restore(&snapshot, 1).unwrap();
        let snapshot = second.snapshot().unwrap();
        let mut third = stuck_at_1(capacity, false);
        third.restore(&snapshot, 1).unwrap();
        let mut results = Vec::new();
        while results.len() < 2 {
            // The step at which the task sees the end of a call depends on the threads.
            third.set_processing_time(0).unwrap();
            results.extend(third.take_stamped());
            std::thread::yield_now();
        }
        assert_eq!(crate::support::sorted(results), [(10, Some(1)), (20, Some(2))]);
        assert!(third.snapshot().unwrap() != snapshot);
    }
}
