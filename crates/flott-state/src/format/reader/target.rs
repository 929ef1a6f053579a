//! Gives checked chunks to a sink.

use crate::error::StateError;
use crate::format::Damage;
use crate::format::index::{Chunk, ChunkKind, Extent, Section};
use crate::snapshot::{OperatorStateSnapshot, SnapshotSink};

/// One operator's states on their way into a sink.
pub(super) struct Target<'a> {
    sink: &'a mut dyn SnapshotSink,
    /// The sink's number of each keyed state.
    keyed: Vec<u32>,
    /// Complete when all chunks are read.
    operator_states: Vec<OperatorStateSnapshot>,
}

/// Why a chunk could not be given on.
pub(super) enum Failure {
    Damage(Damage),
    State(StateError),
}

impl<'a> Target<'a> {
    pub(super) fn begin(section: &Section, sink: &'a mut dyn SnapshotSink) -> Result<Self, StateError> {
        let announced = section.keyed.iter().map(|state| match state.extent {
            Extent::Whole => sink.keyed_state(&state.meta),
            Extent::Changes => sink.keyed_changes(&state.meta),
        });
        let keyed = announced.collect::<Result<_, _>>()?;
        let empty = section.operator_states.iter().map(|state| OperatorStateSnapshot {
            name: state.name.clone(),
            mode: state.mode,
            element_type: state.element_type.clone(),
            elements: Vec::new(),
        });
        Ok(Self { sink, keyed, operator_states: empty.collect() })
    }

    pub(super) fn take(&mut self, chunk: &Chunk, bytes: &[u8]) -> Result<(), Failure> {
        match chunk.kind {
            ChunkKind::Entries { state, group } => {
                let state = self.keyed[state as usize];
                self.sink.entries(state, group, chunk.count, bytes).map_err(Failure::State)
            }
            ChunkKind::Removed { state, group } => {
                let state = self.keyed[state as usize];
                self.sink.removed(state, group, chunk.count, bytes).map_err(Failure::State)
            }
            ChunkKind::Elements { state } => {
                let elements = elements_of(chunk, bytes).map_err(Failure::Damage)?;
                let own = &mut self.operator_states[state as usize].elements;
                own.extend(elements.into_iter().map(<[u8]>::to_vec));
                Ok(())
            }
        }
    }

    pub(super) fn end(self) -> Result<(), StateError> {
        self.operator_states.iter().try_for_each(|state| self.sink.operator_state(state))
    }
}

/// The elements in a chunk; none if it holds something else.
pub(super) fn elements_of<'b>(chunk: &Chunk, bytes: &'b [u8]) -> Result<Vec<&'b [u8]>, Damage> {
    let ChunkKind::Elements { .. } = chunk.kind else { return Ok(Vec::new()) };
    let wrong = Damage::Inconsistent {
        what: "the elements of an operator state are longer or shorter than they say",
    };
    let mut elements = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let element = rest
            .split_first_chunk()
            .and_then(|(len, behind)| behind.split_at_checked(u32::from_le_bytes(*len) as usize));
        let Some((element, behind)) = element else { return Err(wrong) };
        elements.push(element);
        rest = behind;
    }
    if elements.len() as u64 == chunk.count { Ok(elements) } else { Err(wrong) }
}
