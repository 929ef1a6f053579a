//! What RocksDB says, in one line with what to do.

use std::{io, path::Path};

use flott_state::{StateError, StateErrorKind};
use rocksdb::ErrorKind;

/// RocksDB could not do something in its directory.
#[cold]
pub(crate) fn failed(doing: &str, directory: &Path, error: &rocksdb::Error) -> StateError {
    let text = error.to_string();
    let text = text.trim().trim_end_matches('.');
    let advice = if text.contains("No space left") || text.contains("Disk quota exceeded") {
        "; make room on the disk, or choose another with state.backend.rocksdb.localdir"
    } else if text.contains("lock") {
        "; another process, or another job of this one, uses the directory: choose another with \
         state.backend.rocksdb.localdir"
    } else if text.contains("No such file or directory") {
        "; something has deleted the directory while the job was running: keep it out of reach of what cleans up \
         temporary files, for example with state.backend.rocksdb.localdir"
    } else if error.kind() == ErrorKind::Corruption {
        "; the files are damaged: check the disk. The job goes on from its last checkpoint when it is restarted"
    } else {
        ""
    };
    store(doing, directory, format!("{text}{advice}"))
}

/// The directory itself is the problem.
#[cold]
pub(crate) fn directory_failed(directory: &Path, error: &io::Error) -> StateError {
    let advice = "choose a directory that this user may write to with state.backend.rocksdb.localdir";
    store("create a directory", directory, format!("{error}; {advice}"))
}

fn store(doing: &str, directory: &Path, reason: String) -> StateError {
    let (doing, place) = (doing.to_owned(), directory.display().to_string());
    StateErrorKind::Store { doing, place, reason }.into()
}
