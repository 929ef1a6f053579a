//! A sink that writes files.

mod commit;
mod directory;
mod encoder;
mod error;
mod name;
mod part;
mod parts;
mod rolling;
mod writer;

use std::marker::PhantomData;
use std::path::PathBuf;

use flott_runtime::error::FnResult;
use flott_runtime::sink::{BoxWriter, Committer, Sink, SinkContext};

pub use commit::FileCommittable;
#[cfg(feature = "csv")]
pub use encoder::CsvEncoder;
#[cfg(feature = "json")]
pub use encoder::JsonEncoder;
pub use encoder::{Encoder, LineEncoder};
pub use error::FileSinkError;
pub use parts::FileWriterState;
pub use rolling::RollingPolicy;

use commit::FileCommitter;
use parts::Parts;
use writer::PartWriter;

/// Writes records into files of a directory (Flink: `FileSink`).
///
/// Each subtask writes *parts*: `part-<run>-<subtask>-<n>`, numbered from 000000, followed by the encoder's suffix. While a part is written it
/// is hidden, as `.part-<run>-<subtask>-<n>.inprogress`; it gets its name in one step when it is committed, so that
/// whoever lists the directory sees complete parts only. A part is closed when the [`RollingPolicy`] says so, at
/// the end of the input, and at each checkpoint, whose interval therefore bounds the size of parts.
///
/// # Exactly once
///
/// In a job that takes checkpoints, a part becomes visible when the checkpoint is complete before which it was written. It is
/// on disk by then, with its name; a crash at any moment neither loses nor doubles a record. A job that goes on from
/// a checkpoint commits what the checkpoint holds and has not been committed, and removes what its runs have written after it:
/// hidden files of a process that was killed, and visible ones if the job goes back to an older checkpoint than its last,
/// at the same or another parallelism. `<run>`, 12 hexadecimal digits drawn at a fresh start and kept in checkpoints, is how it knows
/// them. So no two jobs may go on from checkpoints of the same job with the same directory at the same time, and a finished part
/// that is moved away may be missed: a commit that is repeated after a failure wants to see it.
///
/// The directory is created if need be. A fresh start adds to what it holds: nothing is overwritten or removed. What a
/// failed job leaves behind is hidden, and may be deleted once that job won't be restored.
pub struct FileSink<T, E> {
    directory: PathBuf,
    encoder: E,
    rolling: RollingPolicy,
    suffix: String,
    records: PhantomData<fn(T)>,
}

impl<T: Send + 'static, E: Encoder<T>> FileSink<T, E> {
    /// Writes into `directory`.
    pub fn new(directory: impl Into<PathBuf>, encoder: E) -> Self {
        let suffix = encoder.suffix().to_owned();
        let rolling = RollingPolicy::default();
        Self { directory: directory.into(), encoder, rolling, suffix, records: PhantomData }
    }

    /// When parts are closed; see [`RollingPolicy`] for the default.
    #[must_use]
    pub fn with_rolling_policy(mut self, rolling: RollingPolicy) -> Self {
        self.rolling = rolling;
        self
    }

    /// How names of parts end, such as `.txt`; by default as the encoder suggests.
    #[must_use]
    pub fn with_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.suffix = suffix.into();
        self
    }

    fn writer(&self, context: &SinkContext, parts: Parts) -> BoxWriter<T, Self> {
        Box::new(PartWriter::new(parts, self.encoder.clone(), self.rolling, context.clock().clone()))
    }
}

impl<T: Send + 'static, E: Encoder<T>> Sink<T> for FileSink<T, E> {
    type Committable = FileCommittable;
    type WriterState = FileWriterState;

    fn create_writer(&self, context: &SinkContext) -> FnResult<BoxWriter<T, Self>> {
        Ok(self.writer(context, Parts::create(&self.directory, context.subtask(), &self.suffix)?))
    }

    fn restore_writer(
        &self,
        context: &SinkContext,
        states: Vec<FileWriterState>,
    ) -> FnResult<BoxWriter<T, Self>> {
        Ok(self.writer(context, Parts::restore(&self.directory, context, &self.suffix, &states)?))
    }

    /// What is not part of the checkpoint can only be told by who knows all that is.
    fn restores_all_states(&self) -> bool {
        true
    }

    fn create_committer(
        &self,
        _context: &SinkContext,
    ) -> FnResult<Option<Box<dyn Committer<FileCommittable>>>> {
        Ok(Some(Box::new(FileCommitter)))
    }
}

#[cfg(test)]
mod tests;
