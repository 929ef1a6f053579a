//! `flott snapshot verify`.

use std::{collections::BTreeSet, io::Write, process::ExitCode};

use anyhow::Result;
use flott_state::{
    format::{SnapshotHandle, StatePart, TaskMetadata},
    storage::{StorageError, StoredSnapshot},
};

use super::tell;

pub(super) fn verify(url: &str, out: &mut dyn Write) -> Result<ExitCode> {
    let snapshot = match StoredSnapshot::open(url) {
        Ok(snapshot) => snapshot,
        Err(error @ StorageError::Damaged { .. }) => {
            writeln!(out, "{error}")?;
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    let mut seen = BTreeSet::new();
    let (mut files, mut bytes, mut damaged) = (0, 0, 0);
    for (_, handle) in snapshot.metadata.tasks.iter().flat_map(TaskMetadata::handles) {
        for part in &handle.parts {
            // Subtasks that were rescaled may share files.
            if let StatePart::File(file) = part
                && !seen.insert(&file.path)
            {
                continue;
            }
            files += 1;
            bytes += part.size();
            let alone = SnapshotHandle { parts: vec![part.clone()], checkpointed_bytes: 0 };
            if let Err(error) = snapshot.source.verify(&alone) {
                damaged += 1;
                writeln!(out, "{error}")?;
            }
        }
    }
    if damaged > 0 {
        return Ok(ExitCode::FAILURE);
    }
    let parts = tell::count(files, "state file");
    writeln!(out, "{} is whole: its metadata and {parts}, {}", snapshot.location(), tell::bytes(bytes))?;
    Ok(ExitCode::SUCCESS)
}
