//! Threads that meet in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use flott_core::seam::Clock;

use super::{Deadlock, VirtualTime};
use crate::seam::{Monitor, Signal, clock, spawn};

/// What threads do, in order, with the time in milliseconds.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(String, i64)>>>);

impl Log {
    fn note(&self, what: impl Into<String>, clock: &Arc<dyn Clock>) {
        self.0.lock().unwrap().push((what.into(), clock.wall_ms()));
    }
}

/// Three threads that take four turns each.
fn interleaved(seed: u64) -> Vec<(String, i64)> {
    let log = Log::default();
    let body = |name: &'static str| {
        let log = log.clone();
        move || {
            let (clock, signal) = (clock(), Signal::new());
            signal.adopt();
            for _ in 0..4 {
                log.note(name, &clock);
                signal.yield_now();
            }
        }
    };
    let run = || {
        let threads = ["a", "b", "c"].map(|name| spawn(name.to_owned(), body(name)).unwrap());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    };
    VirtualTime::with_seed(seed).run(run).unwrap();
    log.0.lock().unwrap().clone()
}

#[test]
fn the_same_seed_gives_the_same_turns_and_times() {
    let orders: Vec<_> = (0..20).map(interleaved).collect();
    assert_eq!(orders, (0..20).map(interleaved).collect::<Vec<_>>());
    assert!(orders.iter().any(|order| order != &orders[0]), "another seed gives another order");
    assert!(orders.iter().all(|order| order.len() == 12));
}

#[test]
fn sleepers_wake_in_the_order_of_their_times_and_nobody_really_sleeps() {
    let log = Log::default();
    let run = || {
        let sleeper = |hours: u64| {
            let log = log.clone();
            let body = move || {
                let (clock, signal) = (clock(), Signal::new());
                signal.adopt();
                signal.wait(Some(Duration::from_secs(hours * 3600)));
                log.note(hours.to_string(), &clock);
            };
            spawn(format!("sleeper {hours}"), body).unwrap()
        };
        [5, 1, 3].map(sleeper).into_iter().for_each(|thread| thread.join().unwrap());
    };
    VirtualTime::with_seed(1).run(run).unwrap();
    let want = [1, 3, 5].map(|hours: i64| (hours.to_string(), hours * 3_600_000));
    assert_eq!(*log.0.lock().unwrap(), want);
}

#[test]
fn a_wake_up_ends_a_sleep_before_its_time() {
    let run = || {
        let signal = Arc::new(Signal::new());
        let (woken, clock) = (Arc::clone(&signal), clock());
        let sleeper = spawn("sleeper".to_owned(), move || {
            woken.adopt();
            woken.wait(Some(Duration::from_secs(60)));
        });
        let pause = Signal::new();
        pause.adopt();
        pause.wait(Some(Duration::from_secs(2)));
        signal.wake();
        sleeper.unwrap().join().unwrap();
        clock.wall_ms()
    };
    assert_eq!(VirtualTime::with_seed(3).run(run), Ok(2_000));
}

#[test]
fn a_limited_wait_for_a_value_ends_at_its_limit() {
    let run = || {
        let value = Monitor::new("a value", 0);
        let found = value.wait(Some(Duration::from_millis(40)), |value| (*value > 0).then_some(*value));
        (found, clock().wall_ms())
    };
    assert_eq!(VirtualTime::with_seed(3).run(run), Ok((None, 40)));
}

#[test]
fn changes_of_the_value_do_not_make_a_limited_wait_longer() {
    let run = || {
        let value = Arc::new(Monitor::new("a value", 0));
        let changed = Arc::clone(&value);
        let changer = spawn("changer".to_owned(), move || {
            let pause = Signal::new();
            pause.adopt();
            for _ in 0..10 {
                pause.wait(Some(Duration::from_millis(15)));
                changed.change(|value| *value += 1);
            }
        });
        let found = value.wait(Some(Duration::from_millis(40)), |value| (*value > 9).then_some(*value));
        let waited = clock().wall_ms();
        changer.unwrap().join().unwrap();
        (found, waited)
    };
    assert_eq!(VirtualTime::with_seed(3).run(run), Ok((None, 40)));
}

#[test]
fn a_deadlock_is_reported_with_who_waits_for_what() {
    let run = || {
        let value = Arc::new(Monitor::new("the answer", None::<u8>));
        let asked = Arc::clone(&value);
        let thread = spawn("asker".to_owned(), move || asked.wait(None, |value| *value)).unwrap();
        thread.join().unwrap()
    };
    let Deadlock { seed, mut waiting, .. } = VirtualTime::with_seed(9).run(run).unwrap_err();
    waiting.sort();
    assert_eq!(seed, 9);
    assert_eq!(waiting, ["'asker' waits for the answer", "'the program' waits for the end of a thread"]);
}

#[test]
fn work_of_threads_outside_is_waited_for_in_real_time() {
    let signal = Arc::new(Signal::new());
    let (asks, asked) = std::sync::mpsc::sync_channel::<()>(1);
    let waker = Arc::clone(&signal);
    let outside = spawn("outside".to_owned(), move || {
        asked.recv().unwrap();
        waker.wake();
    });
    let run = move || {
        signal.adopt();
        asks.send(()).unwrap();
        signal.wait_for_outside(None);
        clock().wall_ms()
    };
    assert_eq!(VirtualTime::with_seed(1).run(run), Ok(0), "no deadlock, and no virtual time");
    outside.unwrap().join().unwrap();
}

#[test]
fn a_panic_of_the_program_comes_through() {
    let caught = std::panic::catch_unwind(|| {
        VirtualTime::with_seed(1).run(|| std::panic::resume_unwind(Box::new("as the test says")))
    });
    let message = caught.map(|_: Result<(), _>| ()).unwrap_err();
    assert_eq!(message.downcast_ref::<&str>(), Some(&"as the test says"));
}

#[test]
fn what_still_sleeps_when_the_program_returns_is_ended() {
    struct Alive(Arc<()>);
    let token = Arc::new(());
    let alive = Alive(Arc::clone(&token));
    VirtualTime::with_seed(1)
        .run(move || {
            let sleeper = move || {
                let Alive(_token) = &alive;
                let signal = Signal::new();
                signal.adopt();
                loop {
                    signal.wait(Some(Duration::from_secs(1)));
                }
            };
            drop(spawn("sleeper".to_owned(), sleeper).unwrap());
        })
        .unwrap();
    while Arc::strong_count(&token) > 1 {
        std::thread::yield_now();
    }
}
