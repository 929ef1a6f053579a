//! State as the bytes of a state file, without I/O: a task can encode while another thread writes.

use flott_core::encoding::EncodeError;
use xxhash_rust::xxh3::Xxh3Default;

use super::frame::{self, STATE_FILE};
use super::index::{Chunk, ChunkKind, Extent, Index, KeyedSection, OperatorStateSection, Section};
use crate::disk::LocalFiles;
use crate::error::{StateError, StateErrorKind};
use crate::snapshot::{KeyedStateMeta, OperatorStateSnapshot, SnapshotSink, WriteEntries};

#[cfg(test)]
mod tests;

/// A chunk takes no more pieces from this length on, so that little needs to be in memory to check and read one.
const CHUNK_BYTES: u64 = 1 << 20;

/// Encodes the state of one subtask, which may be that of several chained operators. What is encoded so far is taken out with
/// [`StateFileEncoder::take`] at any time.
pub struct StateFileEncoder {
    index: Index,
    open: Option<OpenChunk>,
    /// What was not taken yet.
    bytes: Vec<u8>,
    /// The bytes that were taken.
    taken: u64,
    /// What goes beside the file, with the operators.
    files: Vec<(u128, LocalFiles)>,
}

struct OpenChunk {
    chunk: Chunk,
    hasher: Xxh3Default,
}

/// The last bytes of a state file, and what is known of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedEnd {
    /// What was not taken yet.
    pub bytes: Vec<u8>,
    /// The length of the whole file in bytes.
    pub size: u64,
    /// What tells the file from every other: the checksum of its index, which has those of all chunks.
    pub checksum: u64,
    /// Whether it has only what has changed of some state, so that it is nothing without what lies below it.
    pub has_changes: bool,
    /// The files of stores of bytes, which belong to the state but not into the state file, with the ids of the operators.
    pub files: Vec<(u128, LocalFiles)>,
}

impl Default for StateFileEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl StateFileEncoder {
    /// A file without state.
    pub fn new() -> Self {
        Self {
            index: Index::default(),
            open: None,
            bytes: STATE_FILE.header().to_vec(),
            taken: 0,
            files: Vec::new(),
        }
    }

    /// Where the state of an operator goes. Operators may take turns.
    pub fn operator(&mut self, operator: u128) -> OperatorSection<'_> {
        let sections = &mut self.index.sections;
        let known = sections.iter().position(|section| section.operator == operator);
        let section = known.unwrap_or_else(|| {
            sections.push(Section { operator, keyed: Vec::new(), operator_states: Vec::new() });
            sections.len() - 1
        });
        OperatorSection { encoder: self, section }
    }

    /// Whether there is no state.
    pub fn is_empty(&self) -> bool {
        self.index
            .sections
            .iter()
            .all(|section| section.keyed.is_empty() && section.operator_states.is_empty())
    }

    /// How many bytes can be taken.
    pub fn buffered(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the bytes that were encoded since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        self.taken += self.bytes.len() as u64;
        // A little more than it takes each time, as to grow in the middle is to copy everything.
        let room = self.bytes.len() + self.bytes.len() / 2;
        std::mem::replace(&mut self.bytes, Vec::with_capacity(room))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When there is more state than a file can list.
    pub fn finish(mut self) -> Result<EncodedEnd, EncodeError> {
        self.close_chunk();
        let index = frame::encode(&self.index)?;
        let checksum = frame::close(STATE_FILE, &index, &mut self.bytes);
        let (size, has_changes) = (self.taken + self.bytes.len() as u64, self.index.has_changes());
        Ok(EncodedEnd { size, bytes: self.bytes, checksum, has_changes, files: self.files })
    }

    /// Adds bytes to the open chunk, if it is of their kind and not full, or else to a new one.
    fn push(&mut self, section: usize, kind: ChunkKind, count: u64, parts: &[&[u8]]) {
        let start = self.bytes.len();
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.add(section, kind, count, start);
    }

    /// Adds what was appended from `start` on likewise.
    fn add(&mut self, section: usize, kind: ChunkKind, count: u64, start: usize) {
        let section = section as u32;
        let fits = |open: &OpenChunk| {
            (open.chunk.section, open.chunk.kind) == (section, kind) && open.chunk.len < CHUNK_BYTES
        };
        if !self.open.as_ref().is_some_and(fits) {
            self.close_chunk();
        }
        let open = self.open.get_or_insert_with(|| OpenChunk {
            chunk: Chunk { section, kind, count: 0, len: 0, checksum: 0 },
            hasher: Xxh3Default::new(),
        });
        let added = &self.bytes[start..];
        open.chunk.count += count;
        open.chunk.len += added.len() as u64;
        open.hasher.update(added);
    }

    fn close_chunk(&mut self) {
        if let Some(OpenChunk { chunk, hasher }) = self.open.take() {
            self.index.chunks.push(Chunk { checksum: hasher.digest(), ..chunk });
        }
    }
}

/// Takes the state of one operator into a state file.
pub struct OperatorSection<'a> {
    encoder: &'a mut StateFileEncoder,
    section: usize,
}

impl OperatorSection<'_> {
    fn section(&mut self) -> &mut Section {
        &mut self.encoder.index.sections[self.section]
    }

    fn announce(&mut self, meta: &KeyedStateMeta, extent: Extent) -> u32 {
        let keyed = &mut self.section().keyed;
        keyed.push(KeyedSection { meta: meta.clone(), extent });
        (keyed.len() - 1) as u32
    }
}

impl SnapshotSink for OperatorSection<'_> {
    fn keyed_state(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        Ok(self.announce(meta, Extent::Whole))
    }

    fn entries(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError> {
        if count > 0 {
            let kind = ChunkKind::Entries { state, group };
            self.encoder.push(self.section, kind, count, &[bytes]);
        }
        Ok(())
    }

    fn write_entries(
        &mut self,
        state: u32,
        group: u32,
        write: &mut WriteEntries<'_>,
    ) -> Result<(), StateError> {
        let start = self.encoder.bytes.len();
        match write(&mut self.encoder.bytes) {
            Ok(count) if count > 0 => {
                self.encoder.add(self.section, ChunkKind::Entries { state, group }, count, start);
                Ok(())
            }
            nothing => {
                self.encoder.bytes.truncate(start);
                nothing.map(|_| ())
            }
        }
    }

    fn keyed_changes(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        Ok(self.announce(meta, Extent::Changes))
    }

    fn removed(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError> {
        if count > 0 {
            let kind = ChunkKind::Removed { state, group };
            self.encoder.push(self.section, kind, count, &[bytes]);
        }
        Ok(())
    }

    fn files(&mut self, files: LocalFiles) -> Result<(), StateError> {
        let operator = self.section().operator;
        self.encoder.files.push((operator, files));
        Ok(())
    }

    fn operator_state(&mut self, state: &OperatorStateSnapshot) -> Result<(), StateError> {
        let OperatorStateSnapshot { name, mode, element_type, elements } = state;
        let states = &mut self.section().operator_states;
        let kind = ChunkKind::Elements { state: states.len() as u32 };
        states.push(OperatorStateSection {
            name: name.clone(),
            mode: *mode,
            element_type: element_type.clone(),
        });
        for element in elements {
            let len = u32::try_from(element.len())
                .map_err(|_| StateErrorKind::ElementTooLong { name: name.clone(), len: element.len() })?;
            self.encoder.push(self.section, kind, 1, &[&len.to_le_bytes(), element]);
        }
        Ok(())
    }
}
