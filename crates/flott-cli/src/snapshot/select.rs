//! The operator that the user means.

use anyhow::{Result, bail};
use flott_core::key_group::KeyGroupRange;
use flott_state::{
    OperatorSnapshot,
    format::{OperatorMetadata, SnapshotHandle, TaskMetadata},
    storage::StoredSnapshot,
};

use super::layers::flattened;

/// An operator and the task that it is in.
#[derive(Clone, Copy)]
pub(super) struct Selected<'a> {
    pub(super) task: &'a TaskMetadata,
    pub(super) operator: &'a OperatorMetadata,
}

/// All operators, in the order of the metadata.
pub(super) fn operators(snapshot: &StoredSnapshot) -> impl Iterator<Item = Selected<'_>> {
    let tasks = snapshot.metadata.tasks.iter();
    tasks.flat_map(|task| task.operators.iter().map(move |operator| Selected { task, operator }))
}

/// The operator with this uid or id or, if there is one only, with this name.
pub(super) fn operator<'a>(snapshot: &'a StoredSnapshot, wanted: &str) -> Result<Selected<'a>> {
    let all: Vec<_> = operators(snapshot).collect();
    let by_uid = |one: &&Selected<'_>| {
        one.operator.uid.as_deref() == Some(wanted) || format!("{:032x}", one.operator.id) == wanted
    };
    if let Some(found) = all.iter().find(by_uid) {
        return Ok(*found);
    }
    match all.iter().filter(|one| one.operator.name == wanted).collect::<Vec<_>>().as_slice() {
        [found] => Ok(**found),
        [] => bail!(
            "there is no operator '{wanted}' in {}; {}",
            snapshot.location(),
            instead(wanted, all.iter().map(|one| called(one.operator)))
        ),
        several => bail!(
            "{} operators in {} have the name '{wanted}'; give the uid or id of one: {}",
            several.len(),
            snapshot.location(),
            several.iter().map(|one| called(one.operator)).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// What one writes for `--operator`.
pub(super) fn called(operator: &OperatorMetadata) -> String {
    operator.uid.clone().unwrap_or_else(|| format!("{:032x}", operator.id))
}

/// What is there instead of something that is not, the most similar name first.
pub(super) fn instead(wanted: &str, names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<_> = names.collect();
    names.sort_by_key(|name| strsim::damerau_levenshtein(name, wanted));
    names.dedup();
    if names.is_empty() {
        "there is none at all".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    }
}

impl Selected<'_> {
    /// The state that each subtask has stored of the operator.
    pub(super) fn subtasks<'s>(
        &'s self,
        snapshot: &'s StoredSnapshot,
    ) -> impl Iterator<Item = Result<(u32, OperatorSnapshot)>> + 's {
        self.task.handles().map(|(subtask, handle)| Ok((subtask, self.of_subtask(snapshot, handle)?)))
    }

    fn of_subtask(&self, snapshot: &StoredSnapshot, handle: &SnapshotHandle) -> Result<OperatorSnapshot> {
        let mut stored = snapshot.source.operator(handle, self.operator.id, self.all_groups())?;
        stored.keyed = flattened(stored.keyed)?;
        Ok(stored)
    }

    pub(super) fn all_groups(&self) -> KeyGroupRange {
        KeyGroupRange { start: 0, end: self.task.max_parallelism }
    }
}
