//! The one place where storage is asynchronous.

use std::future::Future;
use std::io;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

use crate::storage::blob::{BlobStore, place};
use crate::storage::error::StorageError;

/// Serves the connections of all stores of the process; made when the first is used.
static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();

/// Waits for what is asked of a store; `path` is for the error that there is no runtime.
pub(super) fn block_on<T>(
    store: &dyn BlobStore,
    path: &str,
    future: impl Future<Output = T>,
) -> Result<T, StorageError> {
    let runtime = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread().worker_threads(1).thread_name("flott-s3").enable_all().build()
    });
    match runtime {
        Ok(runtime) => Ok(runtime.block_on(future)),
        Err(error) => Err(StorageError::Io {
            action: "start a thread for",
            place: place(store, path),
            reason: error.to_string(),
        }),
    }
}
