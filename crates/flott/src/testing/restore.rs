//! Whether a savepoint still fits a program.

use flott_core::config::keys;
use flott_runtime::job::{self, RestoreReport};

use crate::environment::StreamExecutionEnvironment;
use crate::error::Error;

/// Checks that a program can start from a checkpoint or savepoint, in one line of a test that keeps an old savepoint beside
/// the program (Flink: a `SavepointReader` or a migration test of each serializer).
///
/// All state is read and migrated as a restore does it: unmatched uids, changed types and kinds of state, timers, windows,
/// positions of sources and what sinks have to commit, at the environment's parallelism and max parallelism. Functions are
/// initialized, opened and closed, as that is where they name their state; no record is processed, and neither sources nor
/// sinks are created. The environment is empty afterwards, as after `execute`.
///
/// # Errors
/// The one line that the job would fail with.
///
/// ```no_run
/// # use flott::prelude::*;
/// # fn build(_env: &StreamExecutionEnvironment) {}
/// use flott::testing::check_restore;
///
/// # fn main() -> Result<(), flott::Error> {
/// let env = StreamExecutionEnvironment::new();
/// build(&env); // What main() calls, too.
/// let report = check_restore(&env, "tests/savepoints/release-3")?;
/// assert!(report.new.is_empty(), "{report}");
/// # Ok(())
/// # }
/// ```
pub fn check_restore(env: &StreamExecutionEnvironment, snapshot: &str) -> Result<RestoreReport, Error> {
    env.set(&keys::RESTORE_PATH, snapshot.to_owned());
    let (program, options) = env.take_program()?;
    Ok(job::check_restore(program, &options)?)
}
