//! What an operator's subtask puts into a checkpoint, as plain data: independent of backend, parallelism and the user's
//! types.
//!
//! Keys, values and elements are in [format 1](flott_core::encoding). Keyed state is cut into key groups and operator
//! state into elements, which are what moves when a job is restored at another parallelism.

use std::{collections::BTreeMap, fmt};

use flott_core::schema::Incompatible;
use serde::{Deserialize, Serialize};

use crate::{
    Reading, StateError, StateErrorKind, StateType,
    disk::{LocalFiles, StoreImage},
};
pub use budget::SnapshotBudget;
pub use request::{SnapshotExtent, SnapshotRequest};

mod budget;
mod layers;
mod request;

/// All state of one operator subtask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorSnapshot {
    /// Its keyed states and timers.
    pub keyed: Vec<KeyedStateSnapshot>,
    /// Its operator states.
    pub operator: Vec<OperatorStateSnapshot>,
    /// Stores of bytes that hold the entries of keyed states which are in `keyed` without any.
    pub stores: Vec<StoreImage>,
}

impl OperatorSnapshot {
    /// Whether there is no state at all.
    pub fn is_empty(&self) -> bool {
        self.keyed.is_empty() && self.operator.is_empty() && self.stores.is_empty()
    }
}

/// What a keyed state holds for each key and namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StateKind {
    /// One value.
    Value,
    /// A list.
    List,
    /// A map.
    Map,
    /// The combination of all values added.
    Reducing,
    /// The accumulator of all values added.
    Aggregating,
    /// Timers that wait for the watermark.
    EventTimers,
    /// Timers that wait for the clock.
    ProcessingTimers,
}

impl fmt::Display for StateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "a value state",
            Self::List => "a list state",
            Self::Map => "a map state",
            Self::Reducing => "a reducing state",
            Self::Aggregating => "an aggregating state",
            Self::EventTimers => "event-time timers",
            Self::ProcessingTimers => "processing-time timers",
        })
    }
}

/// What is known of a keyed state beside its entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedStateMeta {
    /// Its name, unique among the operator's keyed states and timers.
    pub name: String,
    /// What it holds.
    pub kind: StateKind,
    /// Whether each value, element or map entry comes with the time of its last access.
    pub ttl: bool,
    /// The types of key, namespace and value; of timers, the value is the timestamp.
    pub types: [StateType; 3],
}

impl KeyedStateMeta {
    /// How the namespaces and values of the state are read as these types of key, namespace and value. Keys are read as
    /// they are, for their bytes decide the key group.
    ///
    /// # Errors
    /// When they can't be.
    pub fn read_as(&self, types: &[StateType; 3]) -> Result<[Reading<'_>; 2], StateError> {
        let differs = |at: usize, cause| {
            let (name, part) = (self.name.clone(), ["key", "namespace", "value"][at]);
            let (written, asked) = (self.types[at].to_string(), types[at].to_string());
            StateError::from(StateErrorKind::TypeDiffers { name, part, written, asked, cause })
        };
        let reading = |at: usize| self.types[at].read_as(&types[at]).map_err(|cause| differs(at, cause));
        let [key, namespace, value] = [reading(0)?, reading(1)?, reading(2)?];
        if key.is_same() {
            return Ok([namespace, value]);
        }
        let [written, wanted] = [&self.types[0], &types[0]].map(|key| key.schema.short(0));
        let because =
            Some("the bytes of a key decide where it belongs, so its type must not change".to_owned());
        Err(differs(0, Incompatible { path: String::new(), written, wanted, because }))
    }
}

/// One keyed state of one subtask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedStateSnapshot {
    /// What it is.
    pub meta: KeyedStateMeta,
    /// Its entries by key group. A group without entries is left out.
    pub groups: BTreeMap<u32, GroupEntries>,
    /// `None` if these are all entries. Otherwise they are those that have changed since an older snapshot, and this is what was removed
    /// since, by key group: key and namespace of each, some of which the older snapshot may not have, and of which `groups` may have a new
    /// entry.
    pub removed: Option<BTreeMap<u32, GroupEntries>>,
}

/// The entries of one key group of one state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEntries {
    /// How many there are.
    pub count: u64,
    /// Key, namespace and value of each, one after the other. Of a timer: key, namespace and timestamp.
    pub bytes: Vec<u8>,
}

impl GroupEntries {
    fn add(&mut self, count: u64, bytes: &[u8]) {
        self.count += count;
        self.bytes.extend_from_slice(bytes);
    }
}

/// How the elements of an operator state are spread over the subtasks when it is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RedistributionMode {
    /// Each element goes to one subtask (Flink: `ListState`, even-split).
    SplitDistribute,
    /// Every subtask gets all elements (Flink: `UnionListState`).
    Union,
    /// All subtasks hold the same, and each gets one copy (Flink: `BroadcastState`).
    Broadcast,
}

/// One operator state of one subtask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorStateSnapshot {
    /// Its name, unique among the operator's operator states.
    pub name: String,
    /// How it is spread when it is restored.
    pub mode: RedistributionMode,
    /// The type of the elements.
    pub element_type: StateType,
    /// The encoded elements; of a broadcast state, pairs of key and value.
    pub elements: Vec<Vec<u8>>,
}

/// Appends encoded entries and returns how many.
pub type WriteEntries<'a> = dyn FnMut(&mut Vec<u8>) -> Result<u64, StateError> + 'a;

/// Takes the state of one operator subtask piece by piece, so that no one needs to hold all of it at once.
pub trait SnapshotSink {
    /// Announces a keyed state, and returns the number by which its entries name it: 0 for the first, then 1 and so on.
    ///
    /// # Errors
    /// When the state can't be stored; the checkpoint then fails.
    fn keyed_state(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError>;

    /// Takes `count` entries of a key group, encoded as in [`GroupEntries`]. A group may come in several pieces, between those of
    /// other groups and states.
    ///
    /// # Errors
    /// As [`SnapshotSink::keyed_state`].
    fn entries(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError>;

    /// Lets `write` append entries of a key group to a buffer and say how many; they need not be copied if it is the sink's own. Otherwise as
    /// [`SnapshotSink::entries`].
    ///
    /// # Errors
    /// As [`SnapshotSink::keyed_state`], and what `write` says; what it has appended then does not count.
    fn write_entries(
        &mut self,
        state: u32,
        group: u32,
        write: &mut WriteEntries<'_>,
    ) -> Result<(), StateError> {
        let mut bytes = Vec::new();
        match write(&mut bytes)? {
            0 => Ok(()),
            count => self.entries(state, group, count, &bytes),
        }
    }

    /// Announces a keyed state of which only what has changed since the base of the snapshot is about to come. Otherwise as
    /// [`SnapshotSink::keyed_state`].
    ///
    /// # Errors
    /// As [`SnapshotSink::keyed_state`], and if the sink takes whole states only, as it does by default.
    fn keyed_changes(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        Err(StateErrorKind::ChangesNotTaken { name: meta.name.clone() }.into())
    }

    /// Takes keys of a key group that were removed since the base of the snapshot, encoded as in [`KeyedStateSnapshot::removed`]. They are removed
    /// before entries are added, whichever comes first here.
    ///
    /// # Errors
    /// As [`SnapshotSink::keyed_changes`].
    fn removed(&mut self, _state: u32, _group: u32, _count: u64, _bytes: &[u8]) -> Result<(), StateError> {
        Ok(())
    }

    /// Takes the files of a store of bytes, which hold the entries of those keyed states that get none here. Asked for only by requests that
    /// allow them ([`SnapshotRequest::or_files`]).
    ///
    /// # Errors
    /// As [`SnapshotSink::keyed_state`], and if the sink takes entries only, as it does by default.
    fn files(&mut self, files: LocalFiles) -> Result<(), StateError> {
        Err(StateErrorKind::FilesNotTaken { backend: files.backend }.into())
    }

    /// Takes an operator state.
    ///
    /// # Errors
    /// As [`SnapshotSink::keyed_state`].
    fn operator_state(&mut self, state: &OperatorStateSnapshot) -> Result<(), StateError>;
}

impl OperatorSnapshot {
    /// Gives all of it to `sink`.
    ///
    /// # Errors
    /// What `sink` says.
    pub fn write(&self, mut sink: impl SnapshotSink) -> Result<(), StateError> {
        for keyed in &self.keyed {
            let number = match &keyed.removed {
                None => sink.keyed_state(&keyed.meta)?,
                Some(_) => sink.keyed_changes(&keyed.meta)?,
            };
            for (group, lost) in keyed.removed.iter().flatten() {
                sink.removed(number, *group, lost.count, &lost.bytes)?;
            }
            for (group, entries) in &keyed.groups {
                sink.entries(number, *group, entries.count, &entries.bytes)?;
            }
        }
        self.operator.iter().try_for_each(|state| sink.operator_state(state))
    }

    fn add(&mut self, meta: &KeyedStateMeta, removed: Option<BTreeMap<u32, GroupEntries>>) -> u32 {
        self.keyed.push(KeyedStateSnapshot { meta: meta.clone(), groups: BTreeMap::new(), removed });
        (self.keyed.len() - 1) as u32
    }
}

impl<S: SnapshotSink + ?Sized> SnapshotSink for &mut S {
    fn keyed_state(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        (**self).keyed_state(meta)
    }

    fn entries(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError> {
        (**self).entries(state, group, count, bytes)
    }

    fn write_entries(
        &mut self,
        state: u32,
        group: u32,
        write: &mut WriteEntries<'_>,
    ) -> Result<(), StateError> {
        (**self).write_entries(state, group, write)
    }

    fn keyed_changes(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        (**self).keyed_changes(meta)
    }

    fn removed(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError> {
        (**self).removed(state, group, count, bytes)
    }

    fn files(&mut self, files: LocalFiles) -> Result<(), StateError> {
        (**self).files(files)
    }

    fn operator_state(&mut self, state: &OperatorStateSnapshot) -> Result<(), StateError> {
        (**self).operator_state(state)
    }
}

impl SnapshotSink for OperatorSnapshot {
    fn keyed_state(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        Ok(self.add(meta, None))
    }

    fn entries(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError> {
        if let Some(state) = self.keyed.get_mut(state as usize) {
            state.groups.entry(group).or_default().add(count, bytes);
        }
        Ok(())
    }

    fn keyed_changes(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        Ok(self.add(meta, Some(BTreeMap::new())))
    }

    fn removed(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError> {
        if let Some(KeyedStateSnapshot { removed: Some(removed), .. }) = self.keyed.get_mut(state as usize) {
            removed.entry(group).or_default().add(count, bytes);
        }
        Ok(())
    }

    fn operator_state(&mut self, state: &OperatorStateSnapshot) -> Result<(), StateError> {
        self.operator.push(state.clone());
        Ok(())
    }
}
