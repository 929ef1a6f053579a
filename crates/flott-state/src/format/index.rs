//! What a state file says of its chunks.

use flott_core::encoding::MAX_WEIGHTLESS;
use flott_core::key_group::MAX_PARALLELISM_LIMIT;
use serde::{Deserialize, Serialize};

use super::Damage;
use crate::{
    snapshot::{KeyedStateMeta, RedistributionMode},
    state_type::StateType,
};

/// The body at the end of a state file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) sections: Vec<Section>,
    /// In the order of the file, from the end of the header to the beginning of the index without a gap.
    pub(super) chunks: Vec<Chunk>,
}

/// The state of one operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Section {
    pub(super) operator: u128,
    pub(super) keyed: Vec<KeyedSection>,
    pub(super) operator_states: Vec<OperatorStateSection>,
}

/// A keyed state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyedSection {
    pub(super) meta: KeyedStateMeta,
    pub(super) extent: Extent,
}

/// How much of a keyed state is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Extent {
    /// Everything.
    Whole,
    /// What has changed since the file before in the handle.
    Changes,
}

/// An operator state without its elements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OperatorStateSection {
    pub(super) name: String,
    pub(super) mode: RedistributionMode,
    pub(super) element_type: StateType,
}

/// What is in a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ChunkKind {
    /// Entries of one key group of a keyed state.
    Entries { state: u32, group: u32 },
    /// Elements of an operator state, each behind its length as `u32`.
    Elements { state: u32 },
    /// Keys and namespaces of one key group that the file before may have, and that are gone.
    Removed { state: u32, group: u32 },
}

/// Bytes of the file that are checked and read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chunk {
    pub(super) section: u32,
    pub(super) kind: ChunkKind,
    /// How many entries or elements.
    pub(super) count: u64,
    pub(super) len: u64,
    pub(super) checksum: u64,
}

impl Index {
    /// Whether there are changes of a state that is not in the file as a whole: one that was restored and not taken over may be there
    /// with its changes behind it.
    pub(super) fn has_changes(&self) -> bool {
        let first_is_changes = |section: &Section, at: usize| {
            let (before, behind) = section.keyed.split_at(at);
            let is_first =
                |state: &KeyedSection| before.iter().all(|other| other.meta.name != state.meta.name);
            behind.first().is_some_and(|state| state.extent == Extent::Changes && is_first(state))
        };
        let of_section = |section: &Section| (0..section.keyed.len()).any(|at| first_is_changes(section, at));
        self.sections.iter().any(of_section)
    }

    /// Checks that the chunks are of states that are listed and fill `room` bytes.
    pub(super) fn check(&self, room: u64) -> Result<(), Damage> {
        self.chunks.iter().try_for_each(|chunk| self.check_chunk(chunk))?;
        let total = self.chunks.iter().try_fold(0, |sum: u64, chunk| sum.checked_add(chunk.len));
        match total {
            Some(total) if total == room => Ok(()),
            total => Err(Damage::Length { found: room, expected: total.unwrap_or(u64::MAX) }),
        }
    }

    fn check_chunk(&self, chunk: &Chunk) -> Result<(), Damage> {
        let wrong = |what| Err(Damage::Inconsistent { what });
        let Some(section) = self.sections.get(chunk.section as usize) else {
            return wrong("a chunk is of an operator that is not listed");
        };
        match chunk.kind {
            ChunkKind::Entries { state, .. } | ChunkKind::Removed { state, .. }
                if state as usize >= section.keyed.len() =>
            {
                wrong("a chunk is of a keyed state that is not listed")
            }
            ChunkKind::Removed { state, .. } if section.keyed[state as usize].extent == Extent::Whole => {
                wrong("a chunk removes keys of a state that is there as a whole")
            }
            ChunkKind::Entries { group, .. } | ChunkKind::Removed { group, .. }
                if group >= MAX_PARALLELISM_LIMIT =>
            {
                wrong("a chunk is of a key group that can't be")
            }
            // Of entries without bytes there is one: their keys are all the same.
            ChunkKind::Entries { .. } if chunk.count > chunk.len.max(1) => {
                wrong("a chunk has more entries than bytes")
            }
            // The same key may be removed several times.
            ChunkKind::Removed { .. } if chunk.count > chunk.len.saturating_add(MAX_WEIGHTLESS as u64) => {
                wrong("a chunk has more removed keys than bytes")
            }
            ChunkKind::Elements { state } if state as usize >= section.operator_states.len() => {
                wrong("a chunk is of an operator state that is not listed")
            }
            ChunkKind::Elements { .. } if chunk.count > chunk.len / 4 => {
                wrong("a chunk has more elements than bytes for their lengths")
            }
            _ => Ok(()),
        }
    }
}
