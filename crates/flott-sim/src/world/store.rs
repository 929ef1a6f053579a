//! Checkpoint storage that fails.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use flott_runtime::seam;
use flott_state::storage::{BlobInfo, BlobStore, BlobWriter, StorageError};

use super::{Count, Hands, State, World};

/// A part of the storage of a world, as one process sees it.
#[derive(Clone, Debug)]
struct SimStore {
    url: String,
    root: String,
    hands: Hands,
}

/// Opens `sim://WORLD/ROOT` for the process that lives.
pub(crate) fn open(rest: &str) -> Result<Arc<dyn BlobStore>, StorageError> {
    let (name, root) = rest.split_once('/').unwrap_or((rest, ""));
    let unknown =
        || StorageError::BadUrl { url: format!("sim://{rest}"), reason: "no such world".to_owned() };
    let world = World::named(name).ok_or_else(unknown)?;
    let process = world.state().process;
    let root = root.trim_end_matches('/').to_owned();
    let url = format!("sim://{name}/{root}").trim_end_matches('/').to_owned();
    Ok(Arc::new(SimStore { url, root, hands: Hands { world, process } }))
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    Succeeds,
    Fails,
    /// A part of it stays.
    Tears,
    /// It succeeds, and nobody learns of it.
    IsLost,
}

impl SimStore {
    fn path(&self, path: &str) -> String {
        if self.root.is_empty() { path.to_owned() } else { format!("{}/{path}", self.root) }
    }

    fn place(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }

    fn io(&self, action: &'static str, path: &str, reason: &str) -> StorageError {
        StorageError::Io { action, place: self.place(path), reason: reason.to_owned() }
    }

    /// What is in storage, unless the process is dead.
    fn with<R>(&self, look: impl FnOnce(&mut State) -> Result<R, StorageError>) -> Result<R, StorageError> {
        let mut state = self.hands.world.state();
        if state.process != self.hands.process {
            return Err(self.io("reach", "", "the process is dead"));
        }
        look(&mut state)
    }

    /// Some calls take their time.
    fn take_time(&self) -> Result<(), StorageError> {
        let pause_ms = self.with(|state| {
            let slow = state.faults.storage.slow;
            if state.faults.storage.slow_left == 0 || !state.dice.happens(slow) {
                return Ok(None);
            }
            state.faults.storage.slow_left -= 1;
            state.log.count(Count::WriteSlow);
            Ok(Some(state.dice.within(1..=state.faults.storage.slowest_ms)))
        })?;
        pause_ms.into_iter().for_each(Hands::pause);
        Ok(())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.take_time()?;
        let now_ms = seam::clock().wall_ms();
        self.with(|state| {
            let full = state.faults.storage.full_ms.iter().any(|full| full.contains(&now_ms));
            if full {
                state.log.count(Count::DiskFull);
                state.log.note(format!("{now_ms} ms: no space for {path}"));
                return Err(self.io("write", path, "no space left on device"));
            }
            let outcome = state.draw_write();
            let whole = self.path(path);
            match outcome {
                Write::Succeeds | Write::IsLost => state.blobs.store(&whole, bytes),
                Write::Tears => {
                    let rest = state.dice.below(bytes.len() as u64 + 1) as usize;
                    state.blobs.store(&whole, &bytes[..rest]);
                }
                Write::Fails => {}
            }
            state.log.note(format!("{now_ms} ms: write {whole}: {outcome:?}"));
            if let Some((job, _)) = whole.split_once("/chk-") {
                state.job_directory = job.to_owned();
            }
            if let Some(directory) = whole.strip_suffix("/_metadata").filter(|_| outcome != Write::Fails) {
                let is_savepoint = directory.starts_with("savepoints/");
                if state.stopping && is_savepoint {
                    state.stopped_with.insert(directory.to_owned());
                }
                state.log.count(if is_savepoint { Count::Savepoint } else { Count::Checkpoint });
            }
            if outcome == Write::Succeeds { Ok(()) } else { Err(self.io("write", path, "a fault")) }
        })
    }

    fn read(&self, path: &str) -> Result<Arc<[u8]>, StorageError> {
        self.take_time()?;
        self.with(|state| {
            let found = state.blobs.bytes.get(&self.path(path)).cloned();
            let not_found = || StorageError::NotFound { place: self.place(path), near: Vec::new() };
            let bytes = found.ok_or_else(not_found)?;
            let failed = state.faults.storage.read;
            if state.happens(failed) {
                state.log.count(Count::ReadFailed);
                state.log.note(format!("read of {path} fails"));
                return Err(self.io("read", path, "a fault"));
            }
            let damaged = state.faults.storage.damaged;
            if !state.starting && !bytes.is_empty() && state.happens(damaged) {
                state.log.count(Count::ReadDamaged);
                state.log.note(format!("read of {path} is damaged"));
                let (at, mut bytes) = (state.dice.below(bytes.len() as u64) as usize, bytes.to_vec());
                bytes[at] ^= 4;
                return Ok(bytes.into());
            }
            Ok(bytes)
        })
    }
}

impl State {
    /// Whether a fault happens, of those that are left.
    fn happens(&mut self, thousandths: u64) -> bool {
        let happens = self.faults.storage.left > 0 && self.dice.happens(thousandths);
        self.faults.storage.left -= u64::from(happens);
        happens
    }

    fn draw_write(&mut self) -> Write {
        let faults = self.faults.storage.clone();
        if self.happens(faults.failed) {
            self.log.count(Count::WriteFailed);
            return Write::Fails;
        }
        if self.happens(faults.torn) {
            self.log.count(Count::WriteTorn);
            return Write::Tears;
        }
        if self.happens(faults.lost) {
            self.log.count(Count::AcknowledgementLost);
            return Write::IsLost;
        }
        Write::Succeeds
    }
}

impl BlobStore for SimStore {
    fn url(&self) -> &str {
        &self.url
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let exists = self.with(|state| Ok(state.blobs.bytes.contains_key(&self.path(path))))?;
        if exists {
            return Err(StorageError::AlreadyExists { place: self.place(path) });
        }
        self.write(path, bytes)
    }

    fn writer(&self, path: &str) -> Result<Box<dyn BlobWriter>, StorageError> {
        Ok(Box::new(SimWriter { store: self.clone(), path: path.to_owned(), bytes: Vec::new() }))
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        Ok(self.read(path)?.to_vec())
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        let bytes = self.read(path)?;
        let part = bytes.get(range.start as usize..range.end as usize);
        part.map(<[u8]>::to_vec).ok_or_else(|| self.io("read", path, "it ends before"))
    }

    fn size(&self, path: &str) -> Result<u64, StorageError> {
        Ok(self.read(path)?.len() as u64)
    }

    fn list(&self, directory: &str) -> Result<Vec<BlobInfo>, StorageError> {
        let directory = self.path(directory);
        let skip = if self.root.is_empty() { 0 } else { self.root.len() + 1 };
        self.with(|state| {
            let found = state.blobs.below(directory.trim_end_matches('/'));
            Ok(found
                .map(|(path, bytes)| BlobInfo { path: path[skip..].to_owned(), size: bytes.len() as u64 })
                .collect())
        })
    }

    fn children(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        let skip = if directory.is_empty() { 0 } else { directory.len() + 1 };
        let names = self.list(directory)?.into_iter().filter_map(|blob| {
            let rest = blob.path.get(skip..)?;
            rest.split('/').next().map(str::to_owned)
        });
        Ok(names.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn delete(&self, path: &str) -> Result<(), StorageError> {
        self.take_time()?;
        let whole = self.path(path);
        self.with(|state| {
            let failed = state.faults.storage.delete;
            if state.happens(failed) {
                state.log.count(Count::DeleteFailed);
                state.log.note(format!("delete {whole} fails"));
                state.blobs.undeleted.insert(whole);
                return Err(self.io("delete", path, "a fault"));
            }
            state.log.note(format!("delete {whole}"));
            if let Some(snapshot) = state.blobs.delete(&whole) {
                state.log.violation(format!("{whole} was deleted, which {snapshot} needs"));
            }
            Ok(())
        })
    }
}

struct SimWriter {
    store: SimStore,
    path: String,
    bytes: Vec<u8>,
}

impl BlobWriter for SimWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), StorageError> {
        self.store.write(&self.path, &self.bytes)
    }
}
