//! `flott snapshot`: what is in a checkpoint or savepoint.

mod diff;
mod dispose;
mod dump;
mod entries;
mod layers;
mod select;
mod show;
mod tell;
mod verify;

use std::{io::Write, process::ExitCode};

use clap::{Args, Subcommand};
use flott_state::storage::StoredSnapshot;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Tells what a checkpoint or savepoint holds: operators, states, types, sizes
    ///
    /// Of each task its parallelism; of each operator its name, uid and id; of each state its kind, types, entries and bytes, and
    /// how they are spread over the key groups. All state is read and checked for that.
    Show {
        #[command(flatten)]
        at: At,
        /// Lists every key group of each keyed state
        #[arg(long)]
        key_groups: bool,
    },
    /// Writes the entries of a state as JSON, one on each line
    ///
    /// Of keyed state: key group, key, namespace (such as a window; left out if there is none) and value; timers have a
    /// timestamp as their value. Of operator state: each element, with the subtask that has stored it. The types of the job aren't
    /// needed, as a snapshot has their schema. In a state with time to live, each value, element or map entry is a pair: when it
    /// was last accessed, in milliseconds since 1970, and itself. Keys of maps that aren't strings become strings, as JSON knows
    /// no others.
    Dump {
        #[command(flatten)]
        at: At,
        /// The uid, id or name of the operator
        #[arg(long, value_name = "UID|ID")]
        operator: String,
        /// The name of the state
        #[arg(long, value_name = "NAME")]
        state: String,
        /// Only entries of this key group
        #[arg(long, value_name = "N")]
        key_group: Option<u32>,
    },
    /// Tells in what two checkpoints or savepoints differ
    ///
    /// Each operator and state that only one of them has, and each state whose type or entries differ. Exits with 0 if they
    /// hold the same state, with 1 if they don't.
    Diff {
        /// The first: as PATH of show
        a: String,
        /// The second
        b: String,
        /// Writes each entry that differs as JSON, one on each line, instead of their number
        #[arg(long)]
        entries: bool,
    },
    /// Reads all files of a checkpoint or savepoint and checks them
    ///
    /// Writes one line for each file that is missing or damaged, and exits with 1 if there is any.
    Verify {
        #[command(flatten)]
        at: At,
    },
    /// Deletes a savepoint, or a checkpoint of a job that does not run
    ///
    /// Deletes its metadata first, then the state files that no other checkpoint of its job uses. Says what will be deleted and
    /// asks first. Refuses what is no snapshot, or one whose metadata is damaged.
    Dispose {
        #[command(flatten)]
        at: At,
        /// Deletes without asking
        #[arg(long, short)]
        yes: bool,
    },
}

/// Where a snapshot is.
#[derive(Args)]
pub(crate) struct At {
    /// The directory of the checkpoint (chk-7) or savepoint, or the `_metadata` in it, as a path or URL
    path: String,
}

impl Command {
    /// Returns how the process is to end.
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let code = match self {
            Self::Show { at, key_groups } => {
                show::show(&StoredSnapshot::open(&at.path)?, key_groups, out)?;
                ExitCode::SUCCESS
            }
            Self::Dump { at, operator, state, key_group } => {
                let snapshot = StoredSnapshot::open(&at.path)?;
                dump::dump(&snapshot, &operator, &state, key_group, out)?;
                ExitCode::SUCCESS
            }
            Self::Diff { a, b, entries } => {
                let (a, b) = (StoredSnapshot::open(&a)?, StoredSnapshot::open(&b)?);
                diff::diff(&a, &b, entries, out)?
            }
            Self::Dispose { at, yes } => {
                dispose::dispose(&StoredSnapshot::open(&at.path)?, yes, &mut std::io::stdin().lock(), out)?
            }
            Self::Verify { at } => verify::verify(&at.path, out)?,
        };
        out.flush()?;
        Ok(code)
    }
}
