//! Lets the faults of a process happen, turn by turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flott_runtime::testing::{Director, Order, Turn};

use crate::world::{Count, World};

/// No process takes more turns, or it will never end.
const MOST_TURNS: u64 = 150_000;

/// Of a process that does not end, so many turns are told.
const LAST_TURNS: u64 = 200;

/// Directs one process.
#[derive(Debug)]
pub(crate) struct Fate {
    world: Arc<World>,
    left: Mutex<Left>,
}

/// The faults that have not happened yet.
#[derive(Debug)]
struct Left {
    /// Who had the last turns.
    last: VecDeque<String>,
    crash: Option<u64>,
    task_crashes: BTreeSet<u64>,
    holds: BTreeMap<u64, u64>,
}

impl Fate {
    /// The fate of the present process of a world.
    pub(crate) fn new(world: Arc<World>) -> Self {
        let faults = world.state().faults.clone();
        let left = Left {
            last: VecDeque::new(),
            crash: faults.crash,
            task_crashes: faults.task_crashes,
            holds: faults.holds,
        };
        Self { world, left: Mutex::new(left) }
    }
}

/// Whether a thread is that of a task, whose name begins with the number of its vertex.
fn is_task(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_digit())
}

impl Director for Fate {
    fn turn(&self, turn: &Turn<'_>) -> Order {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.world.state();
        state.log.add_to_trace(turn.thread as u64);
        state.log.add_to_trace(turn.now_ns);
        state.now_ns = turn.now_ns;
        if turn.number + LAST_TURNS > MOST_TURNS {
            left.last.push_back(turn.name.to_owned());
        }
        if turn.number >= MOST_TURNS {
            state.log.violation(format!("no end after {MOST_TURNS} turns"));
            let last = std::mem::take(&mut left.last);
            state.log.note(format!("the last turns: {}", last.into_iter().collect::<Vec<_>>().join(", ")));
        }
        if state.log.violated().is_some() {
            state.process += 1;
            return Order::End;
        }
        if left.crash.is_some_and(|at| at <= turn.number) {
            state.log.count(Count::ProcessCrash);
            state.log.note(format!("turn {}: the process is gone", turn.number));
            state.process += 1;
            return Order::End;
        }
        if let Some(entry) = left.holds.first_entry().filter(|entry| *entry.key() <= turn.number) {
            let ms = entry.remove();
            state.log.count(Count::Hold);
            state.log.note(format!("turn {}: '{}' is held for {ms} ms", turn.number, turn.name));
            return Order::Hold(Duration::from_millis(ms));
        }
        if is_task(turn.name) && left.task_crashes.first().is_some_and(|at| *at <= turn.number) {
            left.task_crashes.pop_first();
            state.log.count(Count::TaskCrash);
            state.log.note(format!("turn {}: '{}' dies", turn.number, turn.name));
            return Order::Panic(format!("a fault in turn {}", turn.number));
        }
        Order::GoOn
    }

    fn arrivals(&self) -> u32 {
        let mut state = self.world.state();
        let (lost, doubled) = (state.faults.lost_notices, state.faults.doubled_notices);
        if state.dice.happens(lost) {
            state.log.count(Count::NoticeLost);
            return 0;
        }
        if state.dice.happens(doubled) {
            state.log.count(Count::NoticeDoubled);
            return 2;
        }
        1
    }
}
