//! State backends: where keyed state is kept.
//!
//! A backend is chosen by name when a job is configured, and opened once for each operator subtask. It does not see
//! single accesses: [`KeyedStorage`] tells [`KeyedState`](crate::KeyedState) what kind of storage lies beneath, and
//! the access path for that kind is compiled into each state handle.

use std::sync::Arc;

use flott_core::{
    config::{ConfigError, Configuration},
    key_group::KeyGroupRange,
};

use crate::{
    disk::{ByteStore, StoreImage},
    error::{StateError, StateErrorKind},
};

#[cfg(test)]
mod tests;

/// Whose state a backend is asked to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendScope {
    /// The stable id of the operator.
    pub operator: String,
    /// The index of the subtask.
    pub subtask: u32,
    /// The key groups that the subtask owns.
    pub key_groups: KeyGroupRange,
    /// The number of key groups of the operator in all.
    pub max_parallelism: u32,
}

/// A way of keeping keyed state (Flink: `StateBackend`).
pub trait StateBackend: Send + Sync {
    /// The name by which jobs choose it (`state.backend.type`).
    fn name(&self) -> &str;

    /// The backend that takes its place with the settings of a job; `None` if it has none.
    ///
    /// # Errors
    /// When a setting is invalid.
    fn configured(
        &self,
        _configuration: &Configuration,
    ) -> Result<Option<Arc<dyn StateBackend>>, ConfigError> {
        Ok(None)
    }

    /// Whether it keeps state on disk. Operators then keep all they can in it, instead of in tables of their own in memory.
    fn is_on_disk(&self) -> bool {
        false
    }

    /// Prepares the storage for one operator subtask.
    ///
    /// # Errors
    /// When it can't be.
    fn open(&self, scope: &BackendScope) -> Result<KeyedStorage, StateError>;

    /// Prepares the storage for one operator subtask with what stores of bytes held at a checkpoint: those of all subtasks then that had key groups which
    /// it owns now.
    ///
    /// # Errors
    /// When it can't be, or the files are another backend's.
    fn open_from(&self, _scope: &BackendScope, images: &[StoreImage]) -> Result<KeyedStorage, StateError> {
        let written = images.first().map_or_else(String::new, |image| image.files.backend.clone());
        Err(StateErrorKind::ForeignFiles { written, asked: self.name().to_owned() }.into())
    }
}

/// The kinds of storage that state handles know how to use.
#[non_exhaustive]
pub enum KeyedStorage {
    /// Typed tables in memory, of which flott-state takes care itself.
    Heap,
    /// A store of bytes, of which flott-state keeps a part in memory.
    Disk(Arc<dyn ByteStore>),
}

/// Keeps state as plain values in hash tables in memory (Flink: `HashMapStateBackend`); the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct HashMapStateBackend;

impl HashMapStateBackend {
    /// What a job's configuration calls this backend.
    pub const NAME: &'static str = "hashmap";
}

impl StateBackend for HashMapStateBackend {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn open(&self, _scope: &BackendScope) -> Result<KeyedStorage, StateError> {
        Ok(KeyedStorage::Heap)
    }
}

/// The state backends that a job can choose from.
pub struct BackendRegistry {
    backends: Vec<Arc<dyn StateBackend>>,
}

impl Default for BackendRegistry {
    /// A registry that knows `hashmap`.
    fn default() -> Self {
        Self { backends: vec![Arc::new(HashMapStateBackend)] }
    }
}

impl BackendRegistry {
    /// Adds a backend under its own name, which must be new.
    pub fn register(&mut self, backend: Arc<dyn StateBackend>) -> Result<(), StateError> {
        if self.find(backend.name()).is_some() {
            return Err(StateErrorKind::DuplicateBackend { name: backend.name().to_owned() }.into());
        }
        self.backends.push(backend);
        Ok(())
    }

    /// Adds a backend, or replaces that of its name.
    pub fn set(&mut self, backend: Arc<dyn StateBackend>) {
        self.backends.retain(|known| known.name() != backend.name());
        self.backends.push(backend);
    }

    /// The backend called `name`. The error for an unknown name lists the known ones.
    pub fn by_name(&self, name: &str) -> Result<Arc<dyn StateBackend>, StateError> {
        self.find(name).cloned().ok_or_else(|| self.unknown(name))
    }

    fn find(&self, name: &str) -> Option<&Arc<dyn StateBackend>> {
        self.backends.iter().find(|backend| backend.name() == name)
    }

    fn unknown(&self, name: &str) -> StateError {
        let known: Vec<String> = self.backends.iter().map(|backend| backend.name().to_owned()).collect();
        let nearest = known
            .iter()
            .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), candidate), candidate))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, candidate)| candidate.clone());
        StateErrorKind::UnknownBackend { name: name.to_owned(), nearest, known }.into()
    }
}
