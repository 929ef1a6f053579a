//! The names of directories and files (Flink's, but for the names of state files).
//!
//! ```text
//! DIR/JOB/chk-7/_metadata           makes checkpoint 7 complete
//! DIR/JOB/chk-7/SUBTASK-SALT        state of checkpoint 7 alone
//! DIR/JOB/shared/7-SUBTASK-SALT     state that checkpoint 7 has written, and later ones may use
//! DIR/JOB/taskowned/                whatever is there is never deleted
//! DIR/savepoint-JOB6-RANDOM12/      a savepoint: its metadata and all of its state
//! ```

use crate::format::JobKey;

#[cfg(test)]
mod tests;

/// The file that makes a snapshot complete.
pub const METADATA_FILE: &str = "_metadata";

/// Where the files are that several checkpoints use.
pub const SHARED: &str = "shared";

/// The directory of a checkpoint.
pub fn checkpoint_directory(checkpoint: u64) -> String {
    format!("chk-{checkpoint}")
}

/// The checkpoint whose directory has this name.
pub fn checkpoint_of_directory(name: &str) -> Option<u64> {
    number(name.strip_prefix("chk-")?)
}

/// The directory of a savepoint; `random` tells it from all others of its job.
pub fn savepoint_directory(job: JobKey, random: u64) -> String {
    let job = job.to_string();
    format!("savepoint-{}-{:012x}", &job[..6], random & 0xffff_ffff_ffff)
}

/// The checkpoint that has written a file: of paths from the directory of a job.
pub fn writer_of(path: &str) -> Option<u64> {
    match path.split_once('/')? {
        (SHARED, name) => number(name.split_once('-')?.0),
        (directory, _) => checkpoint_of_directory(directory),
    }
}

/// A number spelled in the one way in which flott writes it.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
