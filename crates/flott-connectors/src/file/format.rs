//! What a file format must do to be read by [`super::FileSource`].

use flott_core::Data;
use flott_runtime::error::FnResult;

use super::{FileSplit, Records};

/// A file format (Flink: `StreamFormat`, `BulkFormat`).
pub trait Format: Clone + Send + Sync + 'static {
    /// What its records become.
    type Record: Data;
    /// Reads one split.
    type Reader: RecordReader<Self::Record> + 'static;

    /// Whether a reader that starts in the middle of a file can find the next record.
    fn is_splittable(&self) -> bool;

    /// Opens a split at its [`FileSplit::position`], or, without one, at the first record that starts in it.
    ///
    /// # Errors
    /// When the file can't be read or has changed. The error names it.
    fn open(&self, split: &FileSplit) -> FnResult<Self::Reader>;
}

/// Reads the records of one split.
pub trait RecordReader<T> {
    /// Reads until `out` is full or the split ends.
    ///
    /// # Errors
    /// When the file can't be read on, or a bad record fails the job.
    fn read(&mut self, out: &mut Records<'_, '_, T>) -> FnResult<Progress>;

    /// The offset at which another reader of the same split would go on.
    fn position(&self) -> u64;
}

/// How far a [`RecordReader`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The output is full.
    More,
    /// All records that start in the split were read.
    SplitFinished,
}
