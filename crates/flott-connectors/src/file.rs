//! A source that reads files.

mod bad_record;
mod content;
#[cfg(feature = "csv")]
mod csv;
mod discovery;
mod enumerator;
mod error;
mod format;
#[cfg(feature = "json")]
mod json;
mod lines;
mod reader;
mod scanner;
mod source;
mod split;

pub use bad_record::{BadRecord, BadRecords, Column, Records};
pub use content::Content;
#[cfg(feature = "csv")]
pub use csv::{Csv, CsvOptions, CsvReader, CsvTrim};
pub use enumerator::FileEnumeratorState;
pub use error::FileError;
pub use format::{Format, Progress, RecordReader};
#[cfg(feature = "json")]
pub use json::{JsonLines, JsonReader};
pub use lines::{LineReader, Lines};
pub use source::FileSource;
pub use split::{Compression, FileInfo, FileSplit};
