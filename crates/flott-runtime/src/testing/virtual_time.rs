//! Whole programs in virtual time: threads take turns, and the clock goes where it is waited for.

mod director;
mod scheduler;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

pub use self::director::{Director, Order, Turn};
use self::scheduler::{Interruption, Scheduler, Stopped};
use crate::seam::{Parker, with_parker};

/// Runs whole programs on their real threads, of which only one runs at a time, in an order drawn from a seed, and
/// with a clock that starts at 0 and passes at once whatever everybody waits for.
///
/// A job with windows of an hour ends as soon as its work is done. The same seed gives the same interleaving, the same
/// times and the same output; other seeds try other ones. A thread gives up its turn where it waits and before each
/// batch, for which a moment of virtual time passes.
///
/// It covers what waits, sleeps, starts threads and reads the clock through [`crate::seam`], as the engine does.
/// Programs that wait for the outside world, or whose threads share locks while they wait, don't belong here.
#[derive(Clone, Copy, Debug)]
pub struct VirtualTime {
    seed: u64,
}

/// Nobody could go on: every thread of the program waits for another. The message says who waits for what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("deadlock after {turns} turns with seed {seed}: {}", waiting.join("; "))]
pub struct Deadlock {
    /// The seed.
    pub seed: u64,
    /// How many turns had been taken.
    pub turns: u64,
    /// The threads that wait, each with what it waits for.
    pub waiting: Vec<String>,
}

impl VirtualTime {
    /// Virtual time in which turns are taken as the seed has it.
    pub const fn with_seed(seed: u64) -> Self {
        Self { seed }
    }

    /// Runs `program` on the present thread, in virtual time with all that it starts. What still runs when it returns
    /// is ended.
    ///
    /// # Errors
    /// [`Deadlock`] if nobody can go on. The threads of the program are ended then.
    pub fn run<R>(self, program: impl FnOnce() -> R) -> Result<R, Deadlock> {
        let result = self.run_program(None, program)?;
        // Only a director ends it.
        Ok(result.unwrap_or_else(|| unwind()))
    }

    /// As [`VirtualTime::run`], under a director; `None` if it has ended the simulation before the program returned.
    ///
    /// # Errors
    /// As [`VirtualTime::run`].
    pub fn run_directed<R>(
        self,
        director: Arc<dyn Director>,
        program: impl FnOnce() -> R,
    ) -> Result<Option<R>, Deadlock> {
        self.run_program(Some(director), program)
    }

    fn run_program<R>(
        self,
        director: Option<Arc<dyn Director>>,
        program: impl FnOnce() -> R,
    ) -> Result<Option<R>, Deadlock> {
        let scheduler = Arc::new(Scheduler::new(self.seed, director));
        let main: Arc<dyn Parker> = scheduler.add("the program");
        main.begin();
        // Nothing of the program is seen again after it has unwound.
        let result = catch_unwind(AssertUnwindSafe(|| with_parker(main, program)));
        match (result, scheduler.stop()) {
            (_, Some(Interruption::Deadlock(deadlock))) => Err(deadlock),
            (_, Some(Interruption::Director)) => Ok(None),
            (Ok(result), None) => Ok(Some(result)),
            (Err(panic), None) => resume_unwind(panic),
        }
    }
}

/// Ends a thread of a simulation that is over.
fn unwind() -> ! {
    resume_unwind(Box::new(Stopped))
}
