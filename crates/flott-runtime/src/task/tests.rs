//! The task's loop around a head that follows a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flott_core::time::Timestamp;

use super::{FlushPolicy, Head, Mailbox, Step, Task, TaskControl, TaskEnd};
use crate::error::ChainResult;
use crate::seam::Signal;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::test_support::{ManualClock, task};

/// One call of [`Head::step`]: time passes, then this is the outcome.
#[derive(Clone, Copy, Debug)]
enum Scene {
    /// Progress that took so many milliseconds.
    Progress(u64),
    /// Nothing to do; something wakes the task after so many milliseconds.
    Idle(u64),
    /// The task is cancelled while it works.
    Cancel,
    Panic,
}

struct Script {
    scenes: VecDeque<Scene>,
    clock: Arc<ManualClock>,
    signal: Arc<Signal>,
    canceled: Arc<AtomicBool>,
    /// When timers are due, in order.
    timers: VecDeque<Timestamp>,
    log: Rc<RefCell<Vec<String>>>,
}

impl Script {
    fn note(&self, what: impl Into<String>) -> ChainResult {
        self.log.borrow_mut().push(what.into());
        Ok(())
    }
}

impl Head for Script {
    fn open(&mut self) -> ChainResult {
        self.note("open")
    }

    fn control(&mut self, control: TaskControl) -> ChainResult {
        self.note(format!("{control:?}"))
    }

    fn step(&mut self, _now_ns: u64) -> ChainResult<Step> {
        let Some(scene) = self.scenes.pop_front() else { return Ok(Step::EndOfData) };
        self.note("step")?;
        match scene {
            Scene::Progress(ms) => self.clock.advance(Duration::from_millis(ms)),
            Scene::Idle(ms) => {
                self.clock.advance(Duration::from_millis(ms));
                self.signal.wake();
                return Ok(Step::Idle { retry_after: None });
            }
            Scene::Cancel => self.canceled.store(true, Ordering::Release),
            Scene::Panic => panic!("as the script says"),
        }
        Ok(Step::Progress)
    }

    fn flush(&mut self) -> ChainResult {
        self.note("flush")
    }

    fn processing_time(&mut self, now: Timestamp) -> ChainResult {
        while self.timers.front().is_some_and(|due| *due <= now) {
            self.timers.pop_front();
        }
        self.note(format!("time {now}"))
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.timers.front().copied()
    }

    fn snapshot(&mut self, _snapshot: &mut TaskSnapshot) -> ChainResult {
        Ok(())
    }

    fn drain_snapshot(&mut self, _work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        Ok(true)
    }

    fn abort_snapshot(&mut self) {}

    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult {
        self.note(format!("{notice:?}"))
    }

    fn finish(&mut self) -> ChainResult {
        self.note("finish")
    }

    fn end(&mut self) -> ChainResult {
        self.note("end")
    }

    fn close(&mut self) -> ChainResult {
        self.note("close")
    }
}

struct Stage {
    flush: FlushPolicy,
    timers: Vec<Timestamp>,
    controls: Vec<TaskControl>,
}

const NEVER_FLUSH: Stage = Stage { flush: FlushPolicy::WhenFull, timers: Vec::new(), controls: Vec::new() };

fn flush_after(ms: u64) -> Stage {
    Stage { flush: FlushPolicy::Timeout { ns: ms * 1_000_000 }, ..NEVER_FLUSH }
}

impl Stage {
    /// Plays the scenes; returns how the task ended and what it did.
    fn play(self, scenes: &[Scene]) -> (TaskEnd, Vec<String>) {
        let clock = Arc::new(ManualClock::default());
        let surroundings = task(clock.clone());
        let mailbox = Arc::new(Mailbox::new(Arc::clone(&surroundings.signal)));
        self.controls.into_iter().for_each(|control| mailbox.send(control));
        let log = Rc::default();
        let script = Script {
            scenes: scenes.iter().copied().collect(),
            clock,
            signal: Arc::clone(&surroundings.signal),
            canceled: Arc::clone(&surroundings.canceled),
            timers: self.timers.into(),
            log: Rc::clone(&log),
        };
        let task = Task { head: Box::new(script), shared: surroundings.shared, mailbox, flush: self.flush };
        let end = task.live().into_end(0, 1, "script");
        (end, log.take())
    }
}

#[test]
fn a_busy_task_flushes_at_the_buffer_timeout() {
    let (_, log) = flush_after(100).play(&[Scene::Progress(60); 5]);
    // The clock is read before each step: 0, 60, 120, 180, 240.
    assert_eq!(
        log,
        ["open", "step", "step", "step", "flush", "step", "step", "flush", "finish", "end", "close"],
        "at 120 and, 100 later, at 240"
    );
}

#[test]
fn with_timeout_zero_a_task_flushes_after_every_batch() {
    let (_, log) = flush_after(0).play(&[Scene::Progress(0); 2]);
    assert_eq!(log, ["open", "step", "flush", "step", "flush", "finish", "end", "close"]);
}

#[test]
fn a_task_with_nothing_to_read_flushes_at_once() {
    let (_, log) = flush_after(100).play(&[Scene::Progress(1), Scene::Idle(1)]);
    assert_eq!(log, ["open", "step", "step", "flush", "finish", "end", "close"]);
}

#[test]
fn without_timeout_a_task_leaves_flushing_to_full_batches() {
    let (_, log) = NEVER_FLUSH.play(&[Scene::Progress(1_000), Scene::Idle(1_000), Scene::Progress(1_000)]);
    assert_eq!(log, ["open", "step", "step", "step", "finish", "end", "close"]);
}

#[test]
fn timers_fire_when_the_clock_is_due_and_before_the_next_input() {
    let stage = Stage { timers: vec![10, 25, 30], ..NEVER_FLUSH };
    let (_, log) = stage.play(&[Scene::Progress(9), Scene::Progress(1), Scene::Idle(30), Scene::Progress(1)]);
    assert_eq!(log, ["open", "step", "step", "time 10", "step", "time 40", "step", "finish", "end", "close"]);
}

#[test]
fn a_sleeping_task_wakes_up_for_its_timer() {
    // Nobody wakes the task, so only the timer's limit ends its sleep; the clock then shows the same time still.
    struct Sleeper {
        clock: Arc<ManualClock>,
        steps: u32,
    }
    impl Head for Sleeper {
        fn open(&mut self) -> ChainResult {
            Ok(())
        }
        fn control(&mut self, _control: TaskControl) -> ChainResult {
            Ok(())
        }
        fn step(&mut self, _now_ns: u64) -> ChainResult<Step> {
            self.steps += 1;
            self.clock.advance(Duration::from_millis(1));
            Ok(if self.steps == 3 { Step::EndOfData } else { Step::Idle { retry_after: None } })
        }
        fn flush(&mut self) -> ChainResult {
            Ok(())
        }
        fn processing_time(&mut self, _now: Timestamp) -> ChainResult {
            Ok(())
        }
        fn next_timer(&self) -> Option<Timestamp> {
            Some(5)
        }
        fn snapshot(&mut self, _snapshot: &mut TaskSnapshot) -> ChainResult {
            Ok(())
        }
        fn drain_snapshot(&mut self, _work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
            Ok(true)
        }
        fn abort_snapshot(&mut self) {}
        fn notify(&mut self, _notice: CheckpointNotice) -> ChainResult {
            Ok(())
        }
        fn finish(&mut self) -> ChainResult {
            Ok(())
        }
        fn end(&mut self) -> ChainResult {
            Ok(())
        }
        fn close(&mut self) -> ChainResult {
            Ok(())
        }
    }
    let clock = Arc::new(ManualClock::default());
    let surroundings = task(clock.clone());
    let mailbox = Arc::new(Mailbox::new(Arc::clone(&surroundings.signal)));
    let head = Box::new(Sleeper { clock, steps: 0 });
    let task = Task { head, shared: surroundings.shared, mailbox, flush: FlushPolicy::WhenFull };
    assert!(matches!(task.live().into_end(0, 1, "sleeper"), TaskEnd::Finished));
}

#[test]
fn messages_come_before_input() {
    let controls = vec![TaskControl::AddSplits(vec![vec![7]]), TaskControl::NoMoreSplits];
    let (_, log) = Stage { controls, ..NEVER_FLUSH }.play(&[Scene::Progress(1)]);
    assert_eq!(log, ["open", "AddSplits([[7]])", "NoMoreSplits", "step", "finish", "end", "close"]);
}

#[test]
fn a_cancelled_task_stops_before_the_next_batch_and_is_closed_but_not_finished() {
    let (end, log) = NEVER_FLUSH.play(&[Scene::Cancel, Scene::Progress(1)]);
    assert!(matches!(end, TaskEnd::Canceled));
    assert_eq!(log, ["open", "step", "close"]);
}

#[test]
fn a_task_that_panics_is_closed_but_not_finished() {
    let (end, log) = NEVER_FLUSH.play(&[Scene::Panic]);
    let TaskEnd::Failed(failure) = end else { panic!("it should have failed, not {end:?}") };
    let told = failure.to_string();
    assert!(told.starts_with("operator 'script' (subtask 1/1) panicked at "), "{told}");
    assert!(told.ends_with(": as the script says"), "{told}");
    assert_eq!(log, ["open", "step", "close"]);
}
