//! `flott snapshot dispose`.

use std::{
    io::{BufRead, Write},
    process::ExitCode,
};

use anyhow::{Context, Result};
use flott_state::{format::SnapshotForm, storage::StoredSnapshot};

use super::tell;

/// Deletes a snapshot, if `yes` or the answer to a question says so.
pub(super) fn dispose(
    snapshot: &StoredSnapshot,
    yes: bool,
    answers: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let metadata = &snapshot.metadata;
    let form = match metadata.form {
        SnapshotForm::Savepoint => "savepoint",
        SnapshotForm::Checkpoint => "checkpoint",
    };
    let files = snapshot.files_to_dispose().with_context(|| format!("cannot tell what else uses {form}"))?;
    let parts = tell::count(files.len() as u64, "file");
    writeln!(
        out,
        "{form} {} of job '{}', at {}: {parts}",
        metadata.checkpoint,
        metadata.job_name,
        snapshot.location()
    )?;
    if !yes {
        write!(out, "Delete it for good? [y/N] ")?;
        out.flush()?;
        let mut answer = String::new();
        answers.read_line(&mut answer).context("cannot read the answer")?;
        if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
            writeln!(out, "nothing was deleted")?;
            return Ok(ExitCode::FAILURE);
        }
    }
    snapshot.dispose()?;
    writeln!(out, "deleted")?;
    Ok(ExitCode::SUCCESS)
}
