//! The description of a file source.

use std::path::PathBuf;
use std::time::Duration;

use flott_runtime::error::FnResult;
use flott_runtime::source::{Boundedness, ReaderContext, Source, SourceReader, SplitEnumerator};

use super::enumerator::{FileEnumerator, FileEnumeratorState, Search};
use super::reader::FileReader;
use super::{BadRecords, FileSplit, Format, Lines};

/// Reads a file, the files below a directory, or the files whose name matches a pattern (Flink: `FileSource`).
///
/// * A directory is read with its subdirectories. Names that begin with `.` or `_` are left out.
/// * The last part of the path may hold `*` and `?`: `data/flights-*.csv.gz`.
/// * Files that end in `.gz` or begin like gzip are unpacked while reading.
/// * Files are read in the order of their paths. Large plain files of a splittable format are cut, so that all
///   subtasks read; see [`FileSource::with_split_size`].
/// * Files must be complete when the job sees them, and stay as they are; a change fails the job.
#[derive(Clone, Debug)]
pub struct FileSource<F> {
    path: PathBuf,
    format: F,
    split_bytes: Option<u64>,
    monitor: Option<Duration>,
    bad: BadRecords,
}

impl FileSource<Lines> {
    /// Each line is a record; see [`Lines`].
    pub fn lines(path: impl Into<PathBuf>) -> Self {
        Self::new(path, Lines)
    }

    /// Each row of the CSV files is a record; see [`super::Csv`].
    #[cfg(feature = "csv")]
    pub fn csv<T: flott_core::Data>(
        path: impl Into<PathBuf>,
        options: super::CsvOptions,
    ) -> FileSource<super::Csv<T>> {
        FileSource::new(path, super::Csv::new(options))
    }

    /// Each line is a JSON value; see [`super::JsonLines`].
    #[cfg(feature = "json")]
    pub fn json_lines<T: flott_core::Data>(path: impl Into<PathBuf>) -> FileSource<super::JsonLines<T>> {
        FileSource::new(path, super::JsonLines::new())
    }
}

impl<F: Format> FileSource<F> {
    /// Reads `path` in this format.
    pub fn new(path: impl Into<PathBuf>, format: F) -> Self {
        Self { path: path.into(), format, split_bytes: None, monitor: None, bad: BadRecords::Fail }
    }

    /// Cuts files into splits of this many bytes. Without it a file is cut so that each subtask gets a split, none
    /// smaller than 1 MiB or larger than 64 MiB.
    #[must_use]
    pub fn with_split_size(mut self, bytes: u64) -> Self {
        self.split_bytes = Some(bytes);
        self
    }

    /// Goes on for ever and looks for new files this often. A path is read once, whatever becomes of it later.
    #[must_use]
    pub fn monitor_continuously(mut self, interval: Duration) -> Self {
        self.monitor = Some(interval);
        self
    }

    /// What becomes of records that can't be parsed; [`BadRecords::Fail`] unless set.
    #[must_use]
    pub fn on_bad_records(mut self, bad: BadRecords) -> Self {
        self.bad = bad;
        self
    }

    fn search(&self) -> Search {
        Search {
            path: self.path.clone(),
            cuttable: self.format.is_splittable(),
            split_bytes: self.split_bytes,
            monitor: self.monitor,
        }
    }
}

impl<F: Format> Source for FileSource<F> {
    type Out = F::Record;
    type Split = FileSplit;
    type EnumeratorState = FileEnumeratorState;

    fn boundedness(&self) -> Boundedness {
        match self.monitor {
            None => Boundedness::Bounded,
            Some(_) => Boundedness::ContinuousUnbounded,
        }
    }

    fn create_enumerator(
        &self,
    ) -> FnResult<Box<dyn SplitEnumerator<Split = FileSplit, State = FileEnumeratorState>>> {
        Ok(Box::new(FileEnumerator::create(self.search())?))
    }

    fn restore_enumerator(
        &self,
        state: FileEnumeratorState,
    ) -> FnResult<Box<dyn SplitEnumerator<Split = FileSplit, State = FileEnumeratorState>>> {
        Ok(Box::new(FileEnumerator::restore(self.search(), state)))
    }

    fn create_reader(&self, context: ReaderContext) -> FnResult<Box<dyn SourceReader<F::Record, FileSplit>>> {
        Ok(Box::new(FileReader::new(context, self.format.clone(), self.bad.clone())))
    }
}
