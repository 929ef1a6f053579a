//! The life of a job: one process after the other, until the last one finishes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use flott::prelude::*;
use flott::testing::VirtualTime;
use flott_core::config::keys;
use flott_runtime::checkpoint::options::{SavepointFormat, StopMode};

use crate::build::build;
use crate::director::Fate;
use crate::faults::Faults;
use crate::generate::generate;
use crate::model;
use crate::program::Program;
use crate::random::Random;
use crate::settings::Settings;
use crate::world::{Count, Hands, Log, World};

/// What a seed has drawn.
#[derive(Clone, Debug)]
pub struct Life {
    /// The seed.
    pub seed: u64,
    /// The program.
    pub program: Program,
    /// Draws the processes.
    random: Random,
    /// How many processes die or are stopped before the last one.
    deaths: u64,
}

/// What has become of it.
#[derive(Clone, Debug)]
pub struct Told {
    /// What has happened.
    pub log: Log,
    /// The processes, in words.
    pub processes: Vec<String>,
}

/// How a process has ended.
#[derive(Debug)]
enum End {
    /// All input is processed.
    Finished,
    /// It is to be started again.
    Gone,
}

/// What a user does to a running job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Checkpoint,
    Savepoint,
    StopWithSavepoint,
    Cancel,
}

/// One process of a life.
struct Process {
    settings: Settings,
    faults: Faults,
    commands: Vec<(u64, Command)>,
    seed: u64,
    begins_ms: u64,
}

impl Process {
    /// The last process is left in peace by what it could not survive.
    fn draw(random: &mut Random, begins_ms: u64, is_last: bool) -> Self {
        let settings = Settings::draw(random);
        let mut faults =
            if is_last { Faults::draw_mild(random) } else { Faults::draw(random, begins_ms as i64) };
        let mut commands = Vec::new();
        for _ in 0..random.pick(&[0, 0, 1, 2]) {
            let all = [Command::Checkpoint, Command::Savepoint, Command::StopWithSavepoint, Command::Cancel];
            let command = random.pick(if is_last { &all[..2] } else { &all });
            commands.push((random.below(200), command));
        }
        // Nobody repeats the notice of the savepoint that a job stops with.
        if commands.iter().any(|(_, command)| *command == Command::StopWithSavepoint) {
            faults.lost_notices = 0;
        }
        Self { settings, faults, commands, seed: random.any(), begins_ms }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.settings, self.faults)?;
        self.commands.iter().try_for_each(|(ms, command)| write!(f, "; {command:?} after {ms} ms"))
    }
}

impl Life {
    /// The life of a seed.
    pub fn of_seed(seed: u64) -> Self {
        let mut random = Random::new(seed, 3);
        // Some have nothing to suffer: they show that the model is right.
        let deaths = random.pick(&[0, 1, 1, 2, 3]);
        Self { seed, program: generate(seed), random, deaths }
    }

    /// Lives it.
    pub fn live(mut self) -> Told {
        let world = World::new(&unique_name(self.seed), self.seed, model::expected(&self.program));
        let (mut processes, mut begins_ms) = (Vec::new(), 0);
        for number in 0.. {
            let is_last = number >= self.deaths;
            let process = Process::draw(&mut self.random, begins_ms, is_last);
            processes.push(process.to_string());
            world.state().log.count(Count::Process);
            let end = self.run(&world, &process, &mut begins_ms);
            let mut state = world.state();
            if state.log.violated().is_some() {
                break;
            }
            match end {
                End::Gone if self.random.happens(80) => state.damage_newest(),
                End::Finished => {
                    state.check_end();
                    break;
                }
                End::Gone if number > self.deaths + 20 => {
                    state.log.violation("it never finishes");
                    break;
                }
                End::Gone => {}
            }
        }
        let log = world.state().log.clone();
        Told { log, processes }
    }

    /// Runs one process to its end, and moves `now_ms` there.
    fn run(&self, world: &Arc<World>, process: &Process, now_ms: &mut u64) -> End {
        let start = start_of(world);
        let number = world.begin_process(process.faults.clone());
        let hands = Hands { world: Arc::clone(world), process: number };
        let (begins_ms, name) = (process.begins_ms, world.state().name.clone());
        {
            let mut state = world.state();
            state.log.note(format!("{begins_ms} ms: a process begins from {start:?}: {process}"));
            if start.is_some() {
                state.log.count(Count::Resume);
            }
        }
        let director = Arc::new(Fate::new(Arc::clone(world)));
        let ended = VirtualTime::with_seed(process.seed).run_directed(director, || {
            // Time goes on where it stopped.
            Hands::pause(begins_ms);
            let env = build(&self.program, &process.settings, &hands);
            env.set(&keys::CHECKPOINT_DIRECTORY, format!("sim://{name}/checkpoints"));
            env.set(&keys::SAVEPOINT_DIRECTORY, format!("sim://{name}/savepoints"));
            if let Some(start) = &start {
                env.set(&keys::RESTORE_PATH, start.clone());
            }
            world.state().starting = true;
            let started = env.execute_async();
            world.state().starting = false;
            let end = started.map(|handle| look_after(&handle, &process.commands, world));
            // Whatever still runs does so without effect.
            world.end_process();
            end
        });
        *now_ms = world.state().now_ns / 1_000_000 + 1;
        match ended {
            Err(deadlock) => {
                world.state().log.violation(deadlock.to_string());
                End::Gone
            }
            // It has finished although nobody has learned of it: a job deletes its checkpoints behind its last commit.
            Ok(None) if start_of(world).is_none() && world.state().wrong_in_the_end().is_none() => {
                End::Finished
            }
            Ok(None) => End::Gone,
            Ok(Some(end)) => end.unwrap_or_else(|error| {
                let mut state = world.state();
                state.log.count(Count::StartRefused);
                state.log.note(format!("start refused: {error}"));
                if state.faults.storage.read == 0 {
                    state.log.violation(format!("start refused: {error}"));
                }
                End::Gone
            }),
        }
    }
}

/// Names of worlds differ even where the same seed lives twice at once.
fn unique_name(seed: u64) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("seed-{seed}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What a careful user starts from: the newest checkpoint, or the savepoint that the job has stopped with, if that is newer.
fn start_of(world: &World) -> Option<String> {
    let state = world.state();
    let present = state.blobs.snapshots.present();
    let newest = present
        .iter()
        .filter(|(directory, snapshot)| !snapshot.is_savepoint || state.stopped_with.contains(*directory))
        .max_by_key(|(_, snapshot)| snapshot.order)?;
    let (directory, snapshot) = newest;
    Some(match snapshot.is_savepoint {
        true => format!("sim://{}/{directory}", state.name),
        false => "latest".to_owned(),
    })
}

/// Does to a running job what is to be done, and waits for its end.
fn look_after(handle: &JobHandle, commands: &[(u64, Command)], world: &Arc<World>) -> End {
    for (ms, command) in commands {
        if let Some(result) = handle.wait_for(Duration::from_millis(*ms)) {
            return ended(handle, result, world);
        }
        let result = match command {
            Command::Checkpoint => handle.trigger_checkpoint(),
            Command::Savepoint => handle.trigger_savepoint(None, SavepointFormat::Canonical),
            Command::StopWithSavepoint => {
                world.state().stopping = true;
                let stopped = handle.stop_with_savepoint(None, SavepointFormat::Canonical, StopMode::Suspend);
                world.state().stopping = false;
                stopped
            }
            Command::Cancel => {
                handle.cancel();
                world.state().log.count(Count::Cancel);
                return match handle.wait() {
                    // It has come too late.
                    result @ Ok(_) => ended(handle, result, world),
                    Err(_) => End::Gone,
                };
            }
        };
        let mut state = world.state();
        state.log.note(format!("{command:?}: {result:?}"));
        if *command == Command::StopWithSavepoint && result.is_ok() {
            state.log.count(Count::StopWithSavepoint);
            return End::Gone;
        }
    }
    let result = handle.wait_for(LONG).unwrap_or_else(|| {
        world.state().log.note(figures(handle));
        handle.wait()
    });
    ended(handle, result, world)
}

/// Few jobs take so long in virtual time. What their tasks have done by then is told.
const LONG: Duration = Duration::from_secs(5);

fn figures(handle: &JobHandle) -> String {
    let vertices = handle.vertices().iter().map(|vertex| {
        let tasks = vertex.subtasks.iter().map(|task| {
            let operators = task.operators();
            let figures = operators
                .iter()
                .map(|(_, metrics)| format!("{}>{}", metrics.records_in.get(), metrics.records_out.get()));
            format!("{} wm {:?}", figures.collect::<Vec<_>>().join(" "), task.watermark.get())
        });
        format!("{}: {}", vertex.name, tasks.collect::<Vec<_>>().join("; "))
    });
    format!("after {LONG:?}: {}", vertices.collect::<Vec<_>>().join(" | "))
}

fn ended(handle: &JobHandle, result: Result<JobResult, JobError>, world: &World) -> End {
    let mut state = world.state();
    (0..handle.restarts()).for_each(|_| state.log.count(Count::Restart));
    match result {
        Ok(_) => {
            state.check_storage();
            End::Finished
        }
        Err(error) => {
            state.log.violation(format!("the job failed: {error}"));
            End::Gone
        }
    }
}
