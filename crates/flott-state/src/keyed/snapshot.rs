//! Snapshots of all states of a subtask: frozen at an instant, written while the states go on changing.

use std::sync::Arc;

use flott_core::Key;

use super::{KeyedState, disk::OnDisk, restored_column::RestoredColumn};
use crate::{
    disk::LocalFiles,
    erased::ErasedStore,
    error::{StateError, StateErrorKind},
    snapshot::{
        KeyedStateSnapshot, OperatorSnapshot, SnapshotBudget, SnapshotExtent, SnapshotRequest, SnapshotSink,
    },
    state_store::{Draining, Freeze},
};

/// A snapshot that has begun.
pub(super) struct Snapshot {
    /// What the states give that there were. Those registered since hold nothing that belongs to it.
    stores: Vec<Freeze>,
    /// The files of the store beneath the states, if these are taken instead of what is in it.
    files: Option<LocalFiles>,
    /// What had been restored and not registered.
    restored: Vec<Arc<KeyedStateSnapshot>>,
    /// The columns of those parts whose entries are in the store.
    scans: Vec<Option<RestoredColumn>>,
    /// `None` before the first call that writes.
    progress: Option<Progress>,
}

/// How far a snapshot has been written.
struct Progress {
    /// Of the states that there were.
    stores: Vec<Draining>,
    /// States before this one are written.
    store: usize,
    /// What the sink calls the restored parts.
    numbers: Vec<u32>,
    /// Restored parts before this one are written.
    part: usize,
    /// Key groups of that part before this one are written.
    group: u32,
}

impl<K: Key> KeyedState<K> {
    /// Begins a snapshot of all states as they are now, without the timers, which are the operator's
    /// ([`TimerQueue::begin_snapshot`](crate::TimerQueue::begin_snapshot)). Takes time in proportion to the number of key groups, not of keys; the
    /// entries are written by [`drain_snapshot`](Self::drain_snapshot).
    ///
    /// Meanwhile states may be changed: an entry of the snapshot that is about to change is encoded first.
    ///
    /// Where changes are asked for, each state decides for itself: it gives all it has where that is not much more, where it has lost so
    /// many keys that it has stopped noting which, and where the base is unknown or `None`. The sink is told which it gets
    /// ([`SnapshotSink::keyed_changes`]).
    ///
    /// What was restored and has not been registered is part of it: the state of a function that is gone for a while
    /// is not lost (Flink keeps it likewise).
    ///
    /// # Errors
    /// When the snapshot begun before is not finished; that one is not touched.
    pub fn begin_snapshot(&mut self, request: SnapshotRequest) -> Result<(), StateError> {
        if self.snapshot.is_some() {
            return Err(StateErrorKind::SnapshotInProgress.into());
        }
        let epoch = self.epoch.checked_add(1).ok_or(StateErrorKind::TooManySnapshots)?;
        self.epoch = epoch;
        let since = match request.extent {
            SnapshotExtent::Whole => None,
            SnapshotExtent::Changes { base } => {
                let since = base.and_then(|base| self.bases.since(base));
                self.bases.add(request.checkpoint, epoch);
                since
            }
        };
        let by_files = request.files && self.disk.as_ref().is_some_and(|disk| disk.store.has_files());
        let asked = Freeze { epoch, since, keep: self.bases.oldest(), now: self.now, by_files };
        let frozen = self.stores.iter_mut().map(|store| store.any_mut().freeze(asked));
        let stores = frozen.collect::<Result<_, _>>().inspect_err(|_| self.thaw())?;
        // All states have been written back.
        let files = by_files.then(|| self.files()).flatten().transpose()?;
        let scans = if by_files { Vec::new() } else { self.scan_restored()? };
        self.snapshot =
            Some(Snapshot { stores, files, restored: self.restored.clone(), scans, progress: None });
        Ok(())
    }

    /// Goes on with the snapshot until the budget is spent; `true` when all is written, and when there is no snapshot. A
    /// snapshot gets the same `sink` each time.
    ///
    /// # Errors
    /// When a key or value can't be encoded, or the sink fails. The snapshot is then given up.
    pub fn drain_snapshot(
        &mut self,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        let Some(mut snapshot) = self.snapshot.take() else { return Ok(true) };
        let result = self.drain(&mut snapshot, budget, sink);
        match result {
            Ok(true) => {}
            Ok(false) => self.snapshot = Some(snapshot),
            Err(_) => self.thaw(),
        }
        result
    }

    /// Gives the snapshot up, if there is one.
    pub fn abort_snapshot(&mut self) {
        if self.snapshot.take().is_some() {
            self.thaw();
        }
    }

    /// All states as they are now, at once: [`begin_snapshot`](Self::begin_snapshot), drained to the end.
    ///
    /// # Errors
    /// As the two.
    pub fn snapshot(&mut self) -> Result<Vec<KeyedStateSnapshot>, StateError> {
        let mut taken = OperatorSnapshot::default();
        self.begin_snapshot(SnapshotRequest::whole(0))?;
        self.drain_snapshot(&mut SnapshotBudget::unlimited(), &mut taken)?;
        Ok(taken.keyed)
    }

    fn files(&self) -> Option<Result<LocalFiles, StateError>> {
        Some(self.disk.as_ref()?.store.files())
    }

    /// Begins to read what the store has of states that were restored with its files and have not been registered.
    fn scan_restored(&self) -> Result<Vec<Option<RestoredColumn>>, StateError> {
        let Some(OnDisk { store, .. }) = &self.disk else { return Ok(Vec::new()) };
        let first = |at: usize| {
            let name = &self.restored[at].meta.name;
            self.restored[..at].iter().all(|part| part.meta.name != *name).then_some(name)
        };
        let columns = (0..self.restored.len()).map(|at| store.find_column(first(at)?, None));
        let scans = columns.map(|column| column.map(|column| store.scan(column, &[])).transpose());
        scans.map(|scan| Ok(scan?.map(RestoredColumn::new))).collect()
    }

    fn thaw(&mut self) {
        self.stores.iter_mut().for_each(|store| store.any_mut().thaw());
    }

    fn drain(
        &mut self,
        snapshot: &mut Snapshot,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        let mut progress = match snapshot.progress.take() {
            Some(progress) => progress,
            None => {
                let progress = self.announce(snapshot, sink)?;
                snapshot.files.take().map_or(Ok(()), |files| sink.files(files))?;
                progress
            }
        };
        let is_done =
            self.write(&mut progress, budget, sink)? && progress.write_restored(snapshot, budget, sink)?;
        snapshot.progress = Some(progress);
        Ok(is_done)
    }

    /// Writes what the states owe.
    fn write(
        &mut self,
        progress: &mut Progress,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        let stores = self.stores.iter_mut().map(ErasedStore::any_mut);
        let names = self.registrations.iter().map(|registration| registration.name.as_str());
        let owing = stores.zip(names).zip(&mut progress.stores).skip(progress.store);
        for ((store, name), at) in owing {
            store.drain_changed(name, at, sink)?;
            if !budget.is_spent() && store.drain(name, at, budget, sink)? {
                progress.store += 1;
            }
        }
        Ok(progress.store == progress.stores.len())
    }

    /// Tells the sink what states there are.
    fn announce(&self, snapshot: &Snapshot, sink: &mut dyn SnapshotSink) -> Result<Progress, StateError> {
        let known = self.stores.iter().zip(&self.registrations).zip(&snapshot.stores);
        let stores = known.map(|((store, registration), freeze)| {
            Draining::new(*freeze, &store.any().meta(&registration.name), sink)
        });
        let stores = stores.collect::<Result<_, StateError>>()?;
        let numbers = snapshot.restored.iter().map(|part| match &part.removed {
            None => sink.keyed_state(&part.meta),
            Some(_) => sink.keyed_changes(&part.meta),
        });
        Ok(Progress { stores, store: 0, numbers: numbers.collect::<Result<_, _>>()?, part: 0, group: 0 })
    }
}

impl Progress {
    /// Hands on what was restored and not registered, a key group at a time.
    fn write_restored(
        &mut self,
        Snapshot { restored, scans, .. }: &mut Snapshot,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        for (at, part) in restored.iter().enumerate().skip(self.part) {
            let number = &self.numbers[at];
            if self.group == 0 {
                for (&group, lost) in part.removed.iter().flatten() {
                    sink.removed(*number, group, lost.count, &lost.bytes)?;
                }
            }
            for (&group, entries) in part.groups.range(self.group..) {
                if budget.is_spent() {
                    return Ok(false);
                }
                sink.entries(*number, group, entries.count, &entries.bytes)?;
                budget.spend(1, entries.bytes.len());
                self.group = group + 1;
            }
            if let Some(Some(column)) = scans.get_mut(at)
                && !column.write(*number, budget, sink)?
            {
                return Ok(false);
            }
            (self.part, self.group) = (self.part + 1, 0);
        }
        Ok(true)
    }
}
