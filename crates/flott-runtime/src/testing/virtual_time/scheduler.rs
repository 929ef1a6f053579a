//! Who runs next, and what time it is.

use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use flott_core::hash::mix64;
use flott_core::seam::Clock;

use super::super::ManualClock;
use super::director::{Director, Order, Turn};
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
    director: Option<Arc<dyn Director>>,
}

struct State {
    seed: u64,
    threads: Vec<Thread>,
    /// The threads that have not ended.
    alive: Vec<usize>,
    running: Option<usize>,
    random: u64,
    turns: u64,
    /// Nobody waits for a turn any more: threads unwind when they would.
    stopped: bool,
    /// The director has ended the simulation.
    ended: bool,
    deadlock: Option<Deadlock>,
}

/// How a simulation was stopped before its program has returned.
pub(super) enum Interruption {
    Deadlock(Deadlock),
    Director,
}

struct Thread {
    name: String,
    doing: Doing,
    /// Wakes the thread when its turn has come.
    turn: Arc<Condvar>,
    /// It was woken while it did not sleep, or while it waits for its turn.
    woken: bool,
    /// It gets no turn before.
    held_until_ns: u64,
    /// What it panics with in its next turn.
    panic: Option<String>,
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
    /// From when on it can run, if nobody wakes it.
    fn due_ns(&self) -> Option<u64> {
        let due_ns = match self.doing {
            Doing::Work => 0,
            Doing::Sleep { .. } if self.woken => 0,
            Doing::Sleep { until_ns, .. } => until_ns?,
            Doing::Ended => return None,
        };
        Some(due_ns.max(self.held_until_ns))
    }

    fn can_run(&self, now_ns: u64) -> bool {
        self.due_ns().is_some_and(|due| due <= now_ns)
    }
}

impl Scheduler {
    pub(super) fn new(seed: u64, director: Option<Arc<dyn Director>>) -> Self {
        let state = State {
            seed,
            threads: Vec::new(),
            alive: Vec::new(),
            running: None,
            random: mix64(seed),
            turns: 0,
            stopped: false,
            ended: false,
            deadlock: None,
        };
        Self { state: Mutex::new(state), clock: Arc::default(), director }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a thread that could run. The first one does.
    pub(super) fn add(self: &Arc<Self>, name: &str) -> Arc<dyn Parker> {
        let mut state = self.lock();
        let id = state.threads.len();
        state.running.get_or_insert(id);
        state.alive.push(id);
        let (name, turn) = (name.to_owned(), Arc::default());
        let (doing, woken, held_until_ns, panic) = (Doing::Work, false, 0, None);
        state.threads.push(Thread { name, doing, turn, woken, held_until_ns, panic });
        Arc::new(Place { scheduler: Arc::clone(self), id, thread: OnceLock::new() })
    }

    /// Ends the simulation; tells why, if it had ended before.
    pub(super) fn stop(&self) -> Option<Interruption> {
        let mut state = self.lock();
        state.stop();
        let deadlock = state.deadlock.take().map(Interruption::Deadlock);
        deadlock.or_else(|| state.ended.then_some(Interruption::Director))
    }

    /// Gives the turn to the next thread, and waits until it comes back to `id`.
    fn pass(&self, mut state: MutexGuard<'_, State>, id: usize) -> Parked {
        state.choose(&self.clock, self.director.as_deref());
        state = Self::await_turn(state, id);
        let thread = &mut state.threads[id];
        let slept = matches!(std::mem::replace(&mut thread.doing, Doing::Work), Doing::Sleep { .. });
        let parked =
            if slept && !std::mem::take(&mut thread.woken) { Parked::TimedOut } else { Parked::Woken };
        if let Some(message) = thread.panic.take().filter(|_| !std::thread::panicking()) {
            drop(state);
            resume_unwind(Box::new(message));
        }
        parked
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
    fn choose(&mut self, clock: &ManualClock, director: Option<&dyn Director>) {
        self.running = None;
        while !self.stopped {
            let dues = self.alive.iter().filter_map(|id| self.threads[*id].due_ns());
            let Some(due_ns) = dues.min() else { return self.give_up() };
            clock.advance_to_ns(due_ns);
            let now_ns = clock.monotonic_ns();
            let able = self.alive.iter().copied().filter(|id| self.threads[*id].can_run(now_ns));
            let able: Vec<usize> = able.collect();
            let next = able[self.draw(able.len() as u64) as usize];
            self.turns += 1;
            if self.obey(next, now_ns, director) {
                self.running = Some(next);
                return self.threads[next].turn.notify_one();
            }
        }
    }

    /// Asks the director about a turn; whether it takes place.
    fn obey(&mut self, next: usize, now_ns: u64, director: Option<&dyn Director>) -> bool {
        let Some(director) = director else { return true };
        let thread = &mut self.threads[next];
        match director.turn(&Turn { number: self.turns, thread: next, name: &thread.name, now_ns }) {
            Order::GoOn => true,
            Order::Panic(message) => {
                thread.panic = Some(message);
                true
            }
            Order::Hold(time) => {
                thread.held_until_ns = now_ns.saturating_add(ns(time));
                false
            }
            Order::End => {
                self.ended = true;
                self.stop();
                false
            }
        }
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
        state.alive.retain(|id| *id != self.id);
        if state.running == Some(self.id) {
            state.choose(&self.scheduler.clock, self.scheduler.director.as_deref());
        }
    }

    fn random(&self) -> Option<u64> {
        Some(self.scheduler.lock().draw(u64::MAX))
    }

    fn arrivals(&self) -> u32 {
        self.scheduler.director.as_ref().map_or(1, |director| director.arrivals())
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::clone(&self.scheduler.clock) as Arc<dyn Clock>)
    }
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
