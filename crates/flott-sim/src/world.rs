//! All that is outside of the simulated processes and survives them: storage, the databases behind the sinks, and the faults of both.

mod blobs;
mod ledger;
mod log;
mod snapshots;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use flott_runtime::error::FnResult;
use flott_runtime::seam;

use crate::faults::Faults;
use crate::model::Expected;
use crate::random::Random;

pub use blobs::Blobs;
pub use ledger::{Fate, Ledgers};
pub use log::{Count, Log};
pub use snapshots::Snapshots;
pub(crate) use store::open;

/// The outside of one simulation.
#[derive(Debug)]
pub struct World {
    state: Mutex<State>,
}

/// What there is.
#[derive(Debug)]
pub struct State {
    /// The name of the world in URLs.
    pub name: String,
    /// What must come out.
    pub expected: Expected,
    /// What has happened.
    pub log: Log,
    /// Checkpoints and savepoints.
    pub blobs: Blobs,
    /// Rows under transactions.
    pub ledgers: Ledgers,
    /// The last value of each key, by sink.
    pub tables: BTreeMap<(u32, u32), i64>,
    /// The number of the process that lives; what others do has no effect.
    pub process: u64,
    /// What goes wrong in the present process.
    pub faults: Faults,
    /// Decides when.
    pub dice: Random,
    /// How often code of the user was called in the present process.
    pub calls: u64,
    /// The process reads what it starts from.
    pub starting: bool,
    /// The directory of the job that has written last.
    pub job_directory: String,
    /// The time of the last turn.
    pub now_ns: u64,
    /// The user waits for the job to stop with a savepoint.
    pub stopping: bool,
    /// The savepoints with which it was to stop.
    pub stopped_with: BTreeSet<String>,
    /// A checkpoint was damaged, so that what was committed since the one before may come again.
    pub may_repeat: bool,
}

/// The worlds that are in use, by name.
static WORLDS: Mutex<BTreeMap<String, Weak<World>>> = Mutex::new(BTreeMap::new());

impl World {
    /// A world with nothing in it.
    pub fn new(name: &str, seed: u64, expected: Expected) -> Arc<Self> {
        flott_state::storage::url::register("sim", open);
        let state = State {
            name: name.to_owned(),
            expected,
            log: Log::of_world(name),
            blobs: Blobs::default(),
            ledgers: Ledgers::default(),
            tables: BTreeMap::new(),
            process: 0,
            faults: Faults::default(),
            dice: Random::new(seed, 2),
            calls: 0,
            starting: false,
            job_directory: String::new(),
            now_ns: 0,
            stopping: false,
            stopped_with: BTreeSet::new(),
            may_repeat: false,
        };
        let world = Arc::new(Self { state: Mutex::new(state) });
        let mut worlds = WORLDS.lock().unwrap_or_else(PoisonError::into_inner);
        worlds.retain(|_, world| world.strong_count() > 0);
        worlds.insert(name.to_owned(), Arc::downgrade(&world));
        world
    }

    fn named(name: &str) -> Option<Arc<Self>> {
        WORLDS.lock().unwrap_or_else(PoisonError::into_inner).get(name).and_then(Weak::upgrade)
    }

    /// Looks at everything, or changes it. Nobody may wait meanwhile.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new process begins, to which this happens.
    pub fn begin_process(&self, faults: Faults) -> u64 {
        let mut state = self.state();
        state.process += 1;
        state.calls = 0;
        state.faults = faults;
        state.process
    }

    /// The present process is gone.
    pub fn end_process(&self) {
        self.state().process += 1;
    }
}

impl State {
    /// Does harm to a file of the newest checkpoint, if the job has another one to go on from. Its sinks may have committed what
    /// came between the two.
    pub fn damage_newest(&mut self) {
        let of_job = format!("{}/", self.job_directory);
        let present = self.blobs.snapshots.present();
        let checkpoints = present.iter().filter(|(_, snapshot)| !snapshot.is_savepoint);
        let mut checkpoints: Vec<_> = checkpoints.collect();
        checkpoints.sort_by_key(|(_, snapshot)| snapshot.order);
        let is_newest = |order: u64| present.values().all(|snapshot| snapshot.order <= order);
        let [.., (before, _), (directory, newest)] = checkpoints.as_slice() else { return };
        if !(before.starts_with(&of_job) && directory.starts_with(&of_job) && is_newest(newest.order)) {
            return;
        }
        let mut files: Vec<String> = newest.files.iter().cloned().collect();
        files.push(format!("{directory}/_metadata"));
        let file = self.dice.pick(&files);
        let random = self.dice.any();
        self.log.count(Count::CheckpointDamaged);
        self.log.note(format!("{file} is damaged"));
        self.blobs.damage(&file, random);
        self.may_repeat = true;
    }
}

/// What user code of one process does to the world.
#[derive(Clone, Debug)]
pub struct Hands {
    /// The world.
    pub world: Arc<World>,
    /// The process.
    pub process: u64,
}

impl Hands {
    /// Code of the user is called: it may fail, or panic.
    ///
    /// # Errors
    /// When it fails.
    pub fn tick(&self) -> FnResult {
        let mut state = self.world.state();
        if state.process != self.process {
            return Ok(());
        }
        state.calls += 1;
        let call = state.calls;
        if !state.faults.user.contains(&call) {
            return Ok(());
        }
        let panics = call.is_multiple_of(2);
        state.log.count(if panics { Count::UserPanic } else { Count::UserError });
        state.log.note(format!("call {call} of user code {}", if panics { "panics" } else { "fails" }));
        drop(state);
        if panics {
            std::panic::resume_unwind(Box::new(format!("a fault in call {call}")));
        }
        Err(format!("a fault in call {call}").into())
    }

    /// Waits in virtual time, as long as the process lives.
    pub fn pause(ms: u64) {
        let (clock, pause) = (seam::clock(), seam::Signal::new());
        pause.adopt();
        let until_ns = clock.monotonic_ns() + ms * 1_000_000;
        while clock.monotonic_ns() < until_ns {
            pause.wait(Some(std::time::Duration::from_nanos(until_ns - clock.monotonic_ns())));
        }
    }
}
