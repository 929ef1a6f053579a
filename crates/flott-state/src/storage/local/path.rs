//! Paths of files and their URLs.

use std::path::{self, Path, PathBuf};

use crate::storage::StorageError;
use crate::storage::blob::nearest;
use crate::storage::percent;

pub(super) fn absolute(path: &Path) -> Result<PathBuf, StorageError> {
    path::absolute(path)
        .map_err(|error| StorageError::BadUrl { url: path.display().to_string(), reason: error.to_string() })
}

/// The URL of a directory, without a slash at its end.
pub(super) fn url_of(path: &Path) -> String {
    format!("file://{}", percent::encode(&path.to_string_lossy())).trim_end_matches('/').to_owned()
}

/// The uppermost directory of `path` that isn't there, with what is there in its place.
pub(super) fn missing_ancestor(path: &Path) -> Option<StorageError> {
    let missing = path.ancestors().take_while(|above| !above.is_dir()).last()?;
    let name = missing.file_name()?.to_string_lossy();
    let siblings = missing.parent().and_then(|above| std::fs::read_dir(above).ok());
    let names = siblings.into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    Some(StorageError::NotFound { place: url_of(missing), near: nearest(&name, names.collect()) })
}
