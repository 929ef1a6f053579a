//! A sink that writes files.

mod commit;
mod encoder;
mod error;
mod part;
mod rolling;
mod writer;

use std::marker::PhantomData;
use std::path::PathBuf;

use flott_runtime::error::FnResult;
use flott_runtime::sink::{Committer, Sink, SinkContext, SinkWriter};

pub use commit::FileCommittable;
#[cfg(feature = "csv")]
pub use encoder::CsvEncoder;
#[cfg(feature = "json")]
pub use encoder::JsonEncoder;
pub use encoder::{Encoder, LineEncoder};
pub use error::FileSinkError;
pub use rolling::RollingPolicy;

use commit::FileCommitter;
use writer::PartWriter;

/// Writes records into files of a directory (Flink: `FileSink`).
///
/// Each subtask writes *parts*: `part-<subtask>-<n>`, followed by the encoder's suffix. While a part is written it
/// is hidden, as `.part-<subtask>-<n>.inprogress`; it gets its name in one step when it is committed, so that
/// whoever lists the directory sees complete parts only. A part is closed when the [`RollingPolicy`] says so, at
/// the end of the input, and whenever a commit is prepared, that is, at each checkpoint.
///
/// The directory is created if need be. It may hold parts of earlier runs: numbering goes on behind them, and nothing
/// is overwritten. What a failed job leaves are hidden files, which may be deleted once it won't be restored.
pub struct FileSink<T, E> {
    directory: PathBuf,
    encoder: E,
    rolling: RollingPolicy,
    suffix: String,
    records: PhantomData<fn(T)>,
}

impl<T: 'static, E: Encoder<T>> FileSink<T, E> {
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
}

impl<T: Send + 'static, E: Encoder<T>> Sink<T> for FileSink<T, E> {
    type Committable = FileCommittable;

    fn create_writer(
        &self,
        context: &SinkContext,
    ) -> FnResult<Box<dyn SinkWriter<T, Committable = FileCommittable>>> {
        let parts = part::Parts::prepare(&self.directory, context.subtask(), &self.suffix)?;
        let clock = context.clock().clone();
        Ok(Box::new(PartWriter::new(parts, self.encoder.clone(), self.rolling, clock)))
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
