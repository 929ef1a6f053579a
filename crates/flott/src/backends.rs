//! The state backends that a job can choose from.

use std::sync::Arc;

use flott_core::config::{Configuration, keys};
use flott_state::{BackendRegistry, StateBackend, StateError, StateErrorKind};

use crate::error::Error;

/// Those that are there without being registered.
pub(crate) fn built_in() -> BackendRegistry {
    #[allow(unused_mut)]
    let mut registry = BackendRegistry::default();
    #[cfg(feature = "rocksdb")]
    registry.set(Arc::new(flott_rocksdb::EmbeddedRocksDbStateBackend));
    registry
}

/// The one that a job has chosen, with the job's settings.
pub(crate) fn chosen(
    backends: &BackendRegistry,
    configuration: &Configuration,
) -> Result<Arc<dyn StateBackend>, Error> {
    let name = configuration.get(&keys::STATE_BACKEND)?;
    let named = match backends.by_name(&name) {
        Err(_) if name == "rocksdb" => Err(StateError::from(StateErrorKind::BackendNotBuilt { name })),
        found => found,
    }?;
    Ok(named.configured(configuration)?.unwrap_or(named))
}
