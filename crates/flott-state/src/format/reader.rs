//! The key groups that one wants from a state file.

mod target;

use std::ops::Range;
use std::sync::Arc;

use flott_core::key_group::KeyGroupRange;

use super::Damage;
use super::frame::{self, HEADER_BYTES, STATE_FILE, TRAILER_BYTES, Trailer};
use super::handle::StateFile;
use super::index::{Chunk, ChunkKind, Index};
use crate::snapshot::{OperatorSnapshot, SnapshotSink};
use crate::storage::{BlobStore, StorageError, blob};

use target::{Failure, Target, elements_of};

#[cfg(test)]
mod tests;

/// Chunks that lie side by side are read together up to this many bytes.
const READ_BYTES: u64 = 4 << 20;

/// Where the first chunk begins.
const FIRST_CHUNK_AT: u64 = HEADER_BYTES as u64;

/// An open state file whose index is checked. Chunks are checked when they are read.
#[derive(Debug)]
pub struct StateFileReader {
    source: Source,
    index: Index,
}

/// Where the bytes are.
#[derive(Debug)]
enum Source {
    Bytes { bytes: Vec<u8>, place: String },
    Blob { store: Arc<dyn BlobStore>, path: String },
}

impl StateFileReader {
    /// Opens a file in storage. `root` is what the path of the file starts from.
    ///
    /// # Errors
    /// When it isn't there, is damaged, or is another file than the one meant.
    pub fn open(store: Arc<dyn BlobStore>, root: &str, file: &StateFile) -> Result<Self, StorageError> {
        let path = blob::join(root, &file.path);
        let found = store.size(&path)?;
        let source = Source::Blob { store, path };
        if found != file.size {
            return Err(source.damaged(Damage::Length { found, expected: file.size }));
        }
        let (reader, checksum) = Self::of(source, found)?;
        if checksum != file.checksum {
            return Err(reader
                .source
                .damaged(Damage::OtherFile { found: checksum, expected: file.checksum }));
        }
        Ok(reader)
    }

    /// Opens a file that is in memory; `place` names it in errors.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of_bytes(bytes: Vec<u8>, place: impl Into<String>) -> Result<Self, StorageError> {
        let size = bytes.len() as u64;
        Self::of(Source::Bytes { bytes, place: place.into() }, size).map(|(reader, _)| reader)
    }

    fn of(source: Source, size: u64) -> Result<(Self, u64), StorageError> {
        if size < (HEADER_BYTES + TRAILER_BYTES) as u64 {
            return Err(source.damaged(STATE_FILE.refused()));
        }
        let header = source.read(0..HEADER_BYTES as u64)?;
        STATE_FILE.check_header(&header).map_err(|damage| source.damaged(damage))?;
        let trailer_at = size - TRAILER_BYTES as u64;
        let trailer = source.read(trailer_at..size)?;
        let trailer = Trailer::read(STATE_FILE, &trailer, size).map_err(|damage| source.damaged(damage))?;
        let index_at = trailer_at - trailer.body_len;
        let index = source.read(index_at..trailer_at)?;
        let index = read_index(&index, trailer, index_at).map_err(|damage| source.damaged(damage))?;
        Ok((Self { source, index }, trailer.checksum))
    }

    /// The operators that have state in the file.
    pub fn operators(&self) -> impl Iterator<Item = u128> {
        self.index.sections.iter().map(|section| section.operator)
    }

    /// Gives the state of an operator to `sink`: of keyed states what is in these key groups, of operator states everything.
    /// States that have nothing there are announced all the same.
    ///
    /// # Errors
    /// When a chunk is damaged or can't be read, and what `sink` says.
    pub fn read(
        &self,
        operator: u128,
        groups: KeyGroupRange,
        sink: &mut dyn SnapshotSink,
    ) -> Result<(), StorageError> {
        let section = self.index.sections.iter().position(|section| section.operator == operator);
        let Some(number) = section else { return Ok(()) };
        let mut target =
            Target::begin(&self.index.sections[number], sink).map_err(|error| self.state(error))?;
        let wanted = |chunk: &Chunk| {
            chunk.section as usize == number
                && match chunk.kind {
                    ChunkKind::Entries { group, .. } | ChunkKind::Removed { group, .. } => {
                        groups.contains(group)
                    }
                    ChunkKind::Elements { .. } => true,
                }
        };
        self.chunks(wanted, |chunk, bytes| {
            target.take(chunk, bytes).map_err(|failure| self.failure(failure))
        })?;
        target.end().map_err(|error| self.state(error))
    }

    /// The state of an operator in these key groups, as [`StateFileReader::read`] gives it.
    ///
    /// # Errors
    /// When a chunk is damaged or can't be read.
    pub fn operator(&self, operator: u128, groups: KeyGroupRange) -> Result<OperatorSnapshot, StorageError> {
        let mut snapshot = OperatorSnapshot::default();
        self.read(operator, groups, &mut snapshot)?;
        Ok(snapshot)
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    /// When a chunk is damaged or can't be read.
    pub fn verify(&self) -> Result<(), StorageError> {
        self.chunks(
            |_| true,
            |chunk, bytes| elements_of(chunk, bytes).map(drop).map_err(|damage| self.source.damaged(damage)),
        )
    }

    /// Visits the chunks that are wanted, checked, in the order of the file.
    fn chunks(
        &self,
        wanted: impl Fn(&Chunk) -> bool,
        mut visit: impl FnMut(&Chunk, &[u8]) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        for run in self.runs(wanted) {
            let bytes = self.source.read(run.bytes)?;
            let mut rest = bytes.as_slice();
            for chunk in &self.index.chunks[run.chunks] {
                // The run is as long as its chunks.
                let Some((own, behind)) = rest.split_at_checked(chunk.len as usize) else { break };
                rest = behind;
                frame::check(part(chunk), own, chunk.checksum)
                    .map_err(|damage| self.source.damaged(damage))?;
                visit(chunk, own)?;
            }
        }
        Ok(())
    }

    /// The wanted chunks, those side by side together.
    fn runs(&self, wanted: impl Fn(&Chunk) -> bool) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut at = FIRST_CHUNK_AT;
        for (number, chunk) in self.index.chunks.iter().enumerate() {
            let end = at + chunk.len;
            if wanted(chunk) {
                match runs.last_mut() {
                    Some(run)
                        if run.bytes.end == at
                            && end - run.bytes.start <= READ_BYTES
                            && run.chunks.end == number =>
                    {
                        run.bytes.end = end;
                        run.chunks.end = number + 1;
                    }
                    _ => runs.push(Run { bytes: at..end, chunks: number..number + 1 }),
                }
            }
            at = end;
        }
        runs
    }

    fn state(&self, error: crate::StateError) -> StorageError {
        StorageError::State { place: self.source.place(), error }
    }

    fn failure(&self, failure: Failure) -> StorageError {
        match failure {
            Failure::Damage(damage) => self.source.damaged(damage),
            Failure::State(error) => self.state(error),
        }
    }
}

/// Chunks that are read at once.
struct Run {
    bytes: Range<u64>,
    chunks: Range<usize>,
}

fn read_index(bytes: &[u8], trailer: Trailer, index_at: u64) -> Result<Index, Damage> {
    frame::check("index", bytes, trailer.checksum)?;
    let index: Index = frame::decode("index", bytes)?;
    index.check(index_at - FIRST_CHUNK_AT)?;
    Ok(index)
}

fn part(chunk: &Chunk) -> &'static str {
    match chunk.kind {
        ChunkKind::Entries { .. } => "entries of a key group",
        ChunkKind::Removed { .. } => "removed keys of a key group",
        ChunkKind::Elements { .. } => "elements of an operator state",
    }
}

impl Source {
    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        match self {
            Self::Bytes { bytes, .. } => {
                let range = range.start as usize..range.end as usize;
                Ok(bytes.get(range).unwrap_or_default().to_vec())
            }
            Self::Blob { store, path } => store.get_range(path, range),
        }
    }

    fn place(&self) -> String {
        match self {
            Self::Bytes { place, .. } => place.clone(),
            Self::Blob { store, path } => blob::place(store.as_ref(), path),
        }
    }

    fn damaged(&self, damage: Damage) -> StorageError {
        StorageError::Damaged { place: self.place(), damage }
    }
}
