//! `flott snapshot show`.

use std::{collections::BTreeMap, io::Write};

use anyhow::Result;
use flott_state::{
    KeyedStateMeta, OperatorStateSnapshot, SnapshotSink, StateError, StateKind,
    format::{SnapshotForm, SnapshotHandle, TaskMetadata},
    storage::StoredSnapshot,
};

use super::{
    select::{Selected, called},
    tell,
};

pub(super) fn show(snapshot: &StoredSnapshot, key_groups: bool, out: &mut dyn Write) -> Result<()> {
    let metadata = &snapshot.metadata;
    let form = match metadata.form {
        SnapshotForm::Checkpoint => "checkpoint",
        SnapshotForm::Savepoint => "savepoint",
    };
    writeln!(out, "{form} {} of job '{}' ({})", metadata.checkpoint, metadata.job_name, metadata.job)?;
    writeln!(out, "  at {}", snapshot.location())?;
    writeln!(
        out,
        "  completed {}, {} ms after its trigger, by flott {}{}",
        tell::time(metadata.completed_ms),
        metadata.completed_ms.saturating_sub(metadata.triggered_ms),
        metadata.flott_version,
        if metadata.aligned { "" } else { ", unaligned" },
    )?;
    let handles = || metadata.tasks.iter().flat_map(TaskMetadata::handles).map(|(_, handle)| handle);
    let total = handles().map(SnapshotHandle::state_bytes).sum();
    let stored = handles().map(|handle| handle.checkpointed_bytes).sum();
    let layers = handles().map(|handle| handle.parts.len() as u64).max().unwrap_or_default();
    let layers =
        if layers > 1 { format!(" in up to {}", tell::count(layers, "layer")) } else { String::new() };
    writeln!(out, "  {} of state{layers}, {} written for it", tell::bytes(total), tell::bytes(stored))?;
    metadata.tasks.iter().try_for_each(|task| show_task(snapshot, task, key_groups, out))
}

fn show_task(
    snapshot: &StoredSnapshot,
    task: &TaskMetadata,
    key_groups: bool,
    out: &mut dyn Write,
) -> Result<()> {
    writeln!(
        out,
        "\ntask '{}': parallelism {}, max parallelism {}",
        task.name,
        task.parallelism(),
        task.max_parallelism
    )?;
    let finished = u64::from(task.parallelism()) - task.handles().count() as u64;
    if finished > 0 {
        writeln!(out, "  {} finished before", tell::count(finished, "subtask"))?;
    }
    for operator in &task.operators {
        writeln!(out, "  operator '{}' ({})", operator.name, called(operator))?;
        if !operator.coordinator_state.is_empty() {
            writeln!(out, "    coordinator: {}", tell::bytes(operator.coordinator_state.len() as u64))?;
        }
        let mut sizes = Sizes::default();
        for stored in (Selected { task, operator }).subtasks(snapshot) {
            sizes.current.clear();
            stored?.1.write(&mut sizes)?;
        }
        sizes.keyed.iter().try_for_each(|state| show_keyed(state, key_groups, out))?;
        sizes.operator.values().try_for_each(|state| show_operator_state(state, out))?;
    }
    Ok(())
}

fn show_keyed(state: &Keyed, key_groups: bool, out: &mut dyn Write) -> Result<()> {
    let KeyedStateMeta { name, kind, ttl, types: [key, namespace, value] } = &state.meta;
    let ttl = if *ttl { " with time to live" } else { "" };
    let (entries, bytes) =
        state.groups.values().fold((0, 0), |(e, b), size| (e + size.entries, b + size.bytes));
    writeln!(out, "    '{name}', {kind}{ttl}: {}, {}", tell::count(entries, "entry"), tell::bytes(bytes))?;
    if state.changes > 0 {
        writeln!(out, "      {} of them in changes, on top of what they change", state.changes)?;
    }
    writeln!(out, "      key       {}", tell::state_type(key))?;
    writeln!(out, "      namespace {}", tell::state_type(namespace))?;
    if !matches!(kind, StateKind::EventTimers | StateKind::ProcessingTimers) {
        writeln!(out, "      value     {}", tell::state_type(value))?;
    }
    let range = |of: fn(&Size) -> u64| {
        let (min, max) = (state.groups.values().map(of).min(), state.groups.values().map(of).max());
        (min.unwrap_or_default(), max.unwrap_or_default())
    };
    let ((fewest, most), (smallest, largest)) = (range(|size| size.entries), range(|size| size.bytes));
    if !state.groups.is_empty() {
        writeln!(
            out,
            "      {} in use, of {fewest} to {most} entries, {} to {}",
            tell::count(state.groups.len() as u64, "key group"),
            tell::bytes(smallest),
            tell::bytes(largest)
        )?;
    }
    for (group, size) in state.groups.iter().filter(|_| key_groups) {
        writeln!(
            out,
            "        {group}: {}, {}",
            tell::count(size.entries, "entry"),
            tell::bytes(size.bytes)
        )?;
    }
    Ok(())
}

fn show_operator_state(state: &OfOperator, out: &mut dyn Write) -> Result<()> {
    let OperatorStateSnapshot { name, mode, element_type, .. } = &state.of;
    let size = (tell::count(state.size.entries, "element"), tell::bytes(state.size.bytes));
    writeln!(out, "    '{name}', {}: {}, {}", tell::mode(*mode), size.0, size.1)?;
    writeln!(out, "      element   {}", tell::state_type(element_type))?;
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Size {
    entries: u64,
    bytes: u64,
}

struct Keyed {
    meta: KeyedStateMeta,
    groups: BTreeMap<u32, Size>,
    /// How many of the entries are changes of a state of whose types nothing is known, so that nobody can tell what they change.
    changes: u64,
}

struct OfOperator {
    /// Without its elements.
    of: OperatorStateSnapshot,
    size: Size,
}

/// Counts what there is, and keeps none of it.
#[derive(Default)]
struct Sizes {
    keyed: Vec<Keyed>,
    /// Which of them each number of the current subtask means, and whether it is about changes.
    current: Vec<(usize, bool)>,
    operator: BTreeMap<String, OfOperator>,
}

impl Sizes {
    fn announce(&mut self, meta: &KeyedStateMeta, is_changes: bool) -> u32 {
        let known = self.keyed.iter().position(|state| state.meta == *meta);
        let at = known.unwrap_or_else(|| {
            self.keyed.push(Keyed { meta: meta.clone(), groups: BTreeMap::new(), changes: 0 });
            self.keyed.len() - 1
        });
        self.current.push((at, is_changes));
        self.current.len() as u32 - 1
    }
}

impl SnapshotSink for Sizes {
    fn keyed_state(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        Ok(self.announce(meta, false))
    }

    fn keyed_changes(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        Ok(self.announce(meta, true))
    }

    fn entries(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError> {
        let Some((at, is_changes)) = self.current.get(state as usize) else { return Ok(()) };
        if let Some(state) = self.keyed.get_mut(*at) {
            state.changes += if *is_changes { count } else { 0 };
            let size = state.groups.entry(group).or_default();
            size.entries += count;
            size.bytes += bytes.len() as u64;
        }
        Ok(())
    }

    fn operator_state(&mut self, state: &OperatorStateSnapshot) -> Result<(), StateError> {
        let known = self.operator.entry(state.name.clone()).or_insert_with(|| OfOperator {
            of: OperatorStateSnapshot { elements: Vec::new(), ..state.clone() },
            size: Size::default(),
        });
        known.size.entries += state.elements.len() as u64;
        known.size.bytes += state.elements.iter().map(|element| element.len() as u64).sum::<u64>();
        Ok(())
    }
}
