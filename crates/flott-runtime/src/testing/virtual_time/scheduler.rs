//! Who runs next, and what time it is.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use flott_core::hash::mix64;
use flott_core::seam::Clock;

use super::super::ManualClock;
use super::{Deadlock, unwind};
use crate::seam::{Parked, Parker, really_park, really_park_for_all_of};

/// At most this long takes a turn that does not wait.
const TURN_NS_MAX: u64 = 200_000;

/// With this, the threads of a simulation that is over unwind.
pub(super) struct Stopped;

/// Lets one thread run at a time.
pub(super) struct Scheduler {
    state: Mutex<State>,
    clock: Arc<ManualClock>,
}

struct State {
    seed: u64,
    threads: Vec<Thread>,
    running: Option<usize>,
    random: u64,
    turns: u64,
    /// Nobody waits for a turn any more: threads unwind when they would.
    stopped: bool,
    deadlock: Option<Deadlock>,
}

struct Thread {
    name: String,
    doing: Doing,
    /// Wakes the thread when its turn has come.
    turn: Arc<Condvar>,
    /// It was woken while it did not sleep, or while it waits for its turn.
    woken: bool,
}

enum Doing {
    /// It runs, or could run.
    Work,
    /// It sleeps.
    Sleep { what: &'static str, until_ns: Option<u64> },
    /// Nothing any more.
    Ended,
}

impl Thread {
    fn can_run(&self, now_ns: u64) -> bool {
        match self.doing {
            Doing::Work => true,
            Doing::Sleep { until_ns, .. } => self.woken || until_ns.is_some_and(|until| until <= now_ns),
            Doing::Ended => false,
        }
    }
}

impl Scheduler {
    pub(super) fn new(seed: u64) -> Self {
        let state = State {
            seed,
            threads: Vec::new(),
            running: None,
            random: mix64(seed),
            turns: 0,
            stopped: false,
            deadlock: None,
        };
        Self { state: Mutex::new(state), clock: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a thread that could run. The first one does.
    pub(super) fn add(self: &Arc<Self>, name: &str) -> Arc<dyn Parker> {
        let mut state = self.lock();
        let id = state.threads.len();
        state.running.get_or_insert(id);
        let (name, turn) = (name.to_owned(), Arc::default());
        state.threads.push(Thread { name, doing: Doing::Work, turn, woken: false });
        Arc::new(Place { scheduler: Arc::clone(self), id, thread: OnceLock::new() })
    }

    /// Ends the simulation; tells the deadlock if there was one.
    pub(super) fn stop(&self) -> Option<Deadlock> {
        let mut state = self.lock();
        state.stop();
        state.deadlock.take()
    }

    /// Gives the turn to the next thread, and waits until it comes back to `id`.
    fn pass(&self, mut state: MutexGuard<'_, State>, id: usize) -> Parked {
        state.choose(&self.clock);
        state = Self::await_turn(state, id);
        let thread = &mut state.threads[id];
        let slept = matches!(std::mem::replace(&mut thread.doing, Doing::Work), Doing::Sleep { .. });
        if slept && !std::mem::take(&mut thread.woken) { Parked::TimedOut } else { Parked::Woken }
    }

    fn await_turn(mut state: MutexGuard<'_, State>, id: usize) -> MutexGuard<'_, State> {
        while state.running != Some(id) {
            if state.stopped {
                drop(state);
                unwind();
            }
            let turn = Arc::clone(&state.threads[id].turn);
            state = turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }
}

impl State {
    /// A number below `end`.
    fn draw(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        ((u128::from(mix64(self.random)) * u128::from(end)) >> 64) as u64
    }

    /// Chooses who runs next. If nobody can, time passes until somebody can.
    fn choose(&mut self, clock: &ManualClock) {
        self.running = None;
        if self.stopped {
            return;
        }
        if !self.threads.iter().any(|thread| thread.can_run(clock.monotonic_ns())) {
            let sleeps = self.threads.iter().filter_map(|thread| match thread.doing {
                Doing::Sleep { until_ns, .. } => until_ns,
                Doing::Work | Doing::Ended => None,
            });
            match sleeps.min() {
                Some(until) => clock.advance_to_ns(until),
                None => return self.give_up(),
            }
        }
        let now_ns = clock.monotonic_ns();
        let able = self.threads.iter().enumerate().filter(|(_, thread)| thread.can_run(now_ns));
        let able: Vec<usize> = able.map(|(id, _)| id).collect();
        let next = able[self.draw(able.len() as u64) as usize];
        self.turns += 1;
        self.running = Some(next);
        self.threads[next].turn.notify_one();
    }

    /// Nobody can run: a deadlock, unless all have ended.
    fn give_up(&mut self) {
        let waiting = self.threads.iter().filter_map(|thread| match thread.doing {
            Doing::Sleep { what, .. } => Some(format!("'{}' waits for {what}", thread.name)),
            Doing::Work | Doing::Ended => None,
        });
        let waiting: Vec<_> = waiting.collect();
        if !waiting.is_empty() {
            self.deadlock = Some(Deadlock { seed: self.seed, turns: self.turns, waiting });
            self.stop();
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
        self.running = None;
        self.threads.iter().for_each(|thread| thread.turn.notify_one());
    }
}

/// The place of one thread among the others.
struct Place {
    scheduler: Arc<Scheduler>,
    id: usize,
    /// The thread itself, once it has begun.
    thread: OnceLock<std::thread::Thread>,
}

impl Place {
    /// The state, unless the simulation is over. A thread that unwinds already must not unwind again.
    fn enter(&self) -> Option<MutexGuard<'_, State>> {
        let state = self.scheduler.lock();
        if !state.stopped {
            return Some(state);
        }
        drop(state);
        if !std::thread::panicking() {
            unwind();
        }
        None
    }
}

impl Parker for Place {
    fn park(&self, what: &'static str, timeout: Option<Duration>) -> Parked {
        let Some(mut state) = self.enter() else { return Parked::TimedOut };
        let now_ns = self.scheduler.clock.monotonic_ns();
        let ns = |timeout: Duration| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let until_ns = timeout.map(|timeout| now_ns.saturating_add(ns(timeout)));
        state.threads[self.id].doing = Doing::Sleep { what, until_ns };
        self.scheduler.pass(state, self.id)
    }

    fn park_for_outside(&self, timeout: Option<Duration>) {
        // The turn is kept: what goes on outside must not depend on the order of turns.
        let Some(timeout) = timeout else { return really_park(None) };
        if really_park_for_all_of(timeout) {
            self.scheduler.clock.advance(timeout);
        }
    }

    fn unpark(&self) {
        self.scheduler.lock().threads[self.id].woken = true;
        self.thread.get().into_iter().for_each(std::thread::Thread::unpark);
    }

    fn yield_now(&self) {
        let Some(mut state) = self.enter() else { return };
        let took_ns = state.draw(TURN_NS_MAX);
        self.scheduler.clock.advance(Duration::from_nanos(took_ns));
        let _ = self.scheduler.pass(state, self.id);
    }

    fn child(&self, name: &str) -> Option<Arc<dyn Parker>> {
        Some(self.scheduler.add(name))
    }

    fn begin(&self) {
        self.thread.get_or_init(std::thread::current);
        drop(Scheduler::await_turn(self.scheduler.lock(), self.id));
    }

    fn end(&self) {
        let mut state = self.scheduler.lock();
        state.threads[self.id].doing = Doing::Ended;
        if state.running == Some(self.id) {
            state.choose(&self.scheduler.clock);
        }
    }

    fn random(&self) -> Option<u64> {
        Some(self.scheduler.lock().draw(u64::MAX))
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::clone(&self.scheduler.clock) as Arc<dyn Clock>)
    }
}
