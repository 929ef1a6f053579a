//! Records that can't be parsed, and what becomes of them.

use std::error::Error;
use std::fmt;

use flott_core::time::NO_TIMESTAMP;
use flott_runtime::error::FnResult;
use flott_runtime::metrics::OperatorMetrics;
use flott_runtime::operator::OutputTag;
use flott_runtime::source::SourceOutput;
use serde::{Deserialize, Serialize};

/// A record that could not be parsed. It displays as one line: `flights.csv:17, column 6 'dep_delay': …`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRecord {
    /// Path of the file.
    pub file: String,
    /// Line on which the record starts, from 1.
    pub line: u64,
    /// Where in the record, if known.
    pub column: Option<Column>,
    /// What is wrong.
    pub cause: String,
    /// The record as it stands in the file; bytes that aren't UTF-8 are replaced.
    pub raw: String,
}

/// A place in a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// In CSV the number of the field, elsewhere of the byte; from 1.
    pub number: u64,
    /// In CSV with a header row the field's name.
    pub name: Option<String>,
}

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        match &self.column {
            Some(Column { number, name: Some(name) }) => write!(f, ", column {number} '{name}'")?,
            Some(Column { number, name: None }) => write!(f, ", column {number}")?,
            None => {}
        }
        write!(f, ": {}", self.cause)
    }
}

impl Error for BadRecord {}

/// What becomes of bad records. Skipped and diverted ones are counted in
/// [`OperatorMetrics::record_errors`] (`numRecordsInErrors`).
#[derive(Clone, Debug, Default)]
pub enum BadRecords {
    /// The job fails with the file, line and column of the first one. The default.
    #[default]
    Fail,
    /// They are left out.
    Skip,
    /// They are emitted to this side output of the source. If the program doesn't read it, the job fails.
    Divert(OutputTag<BadRecord>),
}

impl BadRecords {
    /// # Errors
    /// When bad records go to a side output that nobody reads.
    pub(super) fn expect_reader<T>(&self, out: &SourceOutput<'_, T>) -> FnResult {
        match self {
            Self::Divert(tag) if !out.has_side(tag) => Err(format!(
                "bad records are diverted to side output '{}', which nobody reads; read it, or choose \
                 BadRecords::Skip or BadRecords::Fail",
                tag.id()
            )
            .into()),
            _ => Ok(()),
        }
    }
}

/// Where a [`super::RecordReader`] puts records, good and bad.
pub struct Records<'a, 'out, T> {
    pub(super) out: &'a mut SourceOutput<'out, T>,
    pub(super) bad: &'a BadRecords,
    pub(super) metrics: &'a OperatorMetrics,
}

impl<T> Records<'_, '_, T> {
    /// Emits a record that took `bytes` bytes of the file.
    #[inline]
    pub fn emit(&mut self, record: T, bytes: usize) {
        self.out.add_bytes(bytes);
        self.out.collect(record);
    }

    /// Tells of `bytes` bytes that were read and hold no record, so that a poll ends after a while.
    pub fn pass_over(&mut self, bytes: usize) {
        self.out.add_bytes(bytes.max(1));
    }

    /// Treats a bad record as the source's [`BadRecords`] want it. `describe` isn't called if nobody wants to know.
    ///
    /// # Errors
    /// The bad record itself under [`BadRecords::Fail`]; what `describe` returns.
    pub fn bad(&mut self, describe: impl FnOnce() -> FnResult<BadRecord>) -> FnResult {
        match self.bad {
            BadRecords::Fail => return Err(describe()?.into()),
            BadRecords::Skip => self.pass_over(1),
            BadRecords::Divert(tag) => {
                let record = describe()?;
                self.pass_over(record.raw.len());
                self.out.side(tag, record, NO_TIMESTAMP);
            }
        }
        self.metrics.record_errors.add(1);
        Ok(())
    }

    /// Whether the reader should return.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.out.is_full()
    }
}
