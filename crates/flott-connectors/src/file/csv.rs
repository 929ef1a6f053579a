//! CSV files, read through serde.

mod options;
mod recorder;

use std::marker::PhantomData;

use csv::{ErrorKind, StringRecord};
use flott_core::Data;
use flott_runtime::error::FnResult;

use super::bad_record::{BadRecord, Column};
use super::content::{Content, newlines_before};
use super::format::{Format, Progress, RecordReader};
use super::scanner::LineScanner;
use super::split::FileInfo;
use super::{FileSplit, Records};
use recorder::Recorder;

pub use options::{CsvOptions, CsvTrim};

const BUFFER_BYTES: usize = 64 << 10;

/// A bad field is quoted in errors up to this many characters.
const QUOTED_CHARS: usize = 80;

/// Each row is read by serde as a `T`: a struct by the names of the header row, or, without one, a struct or tuple
/// by position. An empty field is `None` for an `Option`. Blank lines hold no record.
#[derive(Debug)]
pub struct Csv<T> {
    options: CsvOptions,
    rows: PhantomData<fn() -> T>,
}

impl<T> Csv<T> {
    /// The format for this type.
    pub fn new(options: CsvOptions) -> Self {
        Self { options, rows: PhantomData }
    }
}

impl<T> Clone for Csv<T> {
    fn clone(&self) -> Self {
        Self::new(self.options.clone())
    }
}

impl<T: Data> Format for Csv<T> {
    type Record = T;
    type Reader = CsvReader;

    fn is_splittable(&self) -> bool {
        self.options.splittable
    }

    fn open(&self, split: &FileSplit) -> FnResult<CsvReader> {
        CsvReader::open(&self.options, split)
    }
}

/// Reads the rows of a split.
#[derive(Debug)]
pub struct CsvReader {
    file: FileInfo,
    rows: csv::Reader<Recorder>,
    row: StringRecord,
    /// Text of missing values, and the row in which they are replaced.
    null: Option<String>,
    replaced: StringRecord,
    header: Option<StringRecord>,
    /// How many fields each row must have, once known; `None` for ever if rows may differ.
    width: Option<usize>,
    flexible: bool,
    /// Offset of the first byte that `rows` has seen; its own positions count from there.
    opened_at: u64,
    end: Option<u64>,
    newlines_before: Option<u64>,
}

impl CsvReader {
    fn open(options: &CsvOptions, split: &FileSplit) -> FnResult<Self> {
        let first = match split.position {
            Some(position) => position,
            None if split.start == 0 => 0,
            None => LineScanner::open(split)?.position(),
        };
        // All rows must be as wide as the file's first one, wherever reading begins.
        let first_row =
            if options.header || first > 0 { read_first_row(options, &split.file)? } else { None };
        let width = first_row.as_ref().map(|(row, _)| row.len());
        let header_end = first_row.as_ref().filter(|_| options.header).map_or(0, |(_, end)| *end);
        let header = first_row.map(|(row, _)| row).filter(|_| options.header);
        let content = Content::open(&split.file, first.max(header_end))?;
        Ok(Self {
            file: split.file.clone(),
            opened_at: content.opened_at(),
            newlines_before: content.newlines_before(),
            rows: options.reader(content),
            row: StringRecord::new(),
            null: options.null.clone(),
            replaced: StringRecord::new(),
            width,
            header,
            flexible: options.flexible,
            end: split.end,
        })
    }

    /// Reads one row, good or bad; false at the end of the split.
    fn next_row<T: Data>(&mut self, out: &mut Records<'_, '_, T>) -> FnResult<bool> {
        let from = self.position();
        let read = self.rows.read_record(&mut self.row);
        let to = self.position();
        if let Err(error) = read {
            return self.unreadable(error, from, to, out);
        }
        if matches!(read, Ok(false)) || self.is_behind_split(from, to) {
            return Ok(false);
        }
        if !self.flexible {
            let expected = *self.width.get_or_insert(self.row.len());
            if expected != self.row.len() {
                let cause = format!("{} fields where {expected} were expected", self.row.len());
                out.bad(|| self.describe(from, to, None, cause))?;
                return Ok(true);
            }
        }
        self.replace_nulls();
        match self.row.deserialize(self.header.as_ref()) {
            Ok(record) => out.emit(record, (to - from) as usize),
            Err(error) => {
                let (field, cause) = match error.kind() {
                    ErrorKind::Deserialize { err, .. } => (err.field(), err.kind().to_string()),
                    _ => (None, error.to_string()),
                };
                let cause = match field.and_then(|field| self.row.get(usize::try_from(field).ok()?)) {
                    Some(text) => format!("{cause} ({})", quoted(text)),
                    None => cause,
                };
                out.bad(|| self.describe(from, to, field, cause))?;
            }
        }
        Ok(true)
    }

    /// Empties the fields that hold the text of missing values.
    fn replace_nulls(&mut self) {
        let Some(null) = &self.null else { return };
        if self.row.iter().any(|field| field == null) {
            self.replaced.clear();
            for field in &self.row {
                self.replaced.push_field(if field == null { "" } else { field });
            }
            std::mem::swap(&mut self.row, &mut self.replaced);
        }
    }

    fn unreadable<T>(
        &mut self,
        error: csv::Error,
        from: u64,
        to: u64,
        out: &mut Records<'_, '_, T>,
    ) -> FnResult<bool> {
        let (field, cause) = match error.into_kind() {
            ErrorKind::Utf8 { err, .. } => (
                Some(err.field() as u64),
                format!("byte {} of the field is not valid UTF-8", err.valid_up_to() + 1),
            ),
            // Both come from the recorder, whose error tells file and offset.
            ErrorKind::Io(error) => return Err(error.into_inner().unwrap_or_else(|| "end of file".into())),
            other => (None, format!("{other:?}")),
        };
        if self.is_behind_split(from, to) {
            return Ok(false);
        }
        out.bad(|| self.describe(from, to, field, cause))?;
        Ok(true)
    }

    /// Whether the row read from `from` to `to` starts at or behind the end of the split.
    fn is_behind_split(&self, from: u64, to: u64) -> bool {
        self.end.is_some_and(|end| to > end && self.rows.get_ref().start_of_row(from) >= end)
    }

    fn describe(&mut self, from: u64, to: u64, field: Option<u64>, cause: String) -> FnResult<BadRecord> {
        let before = match self.newlines_before {
            Some(before) => before,
            None => newlines_before(&self.file, self.opened_at)?,
        };
        self.newlines_before = Some(before);
        let start = self.rows.get_ref().start_of_row(from);
        let raw = self.rows.get_ref().bytes(start, to);
        let name = |field: u64| self.header.as_ref()?.get(usize::try_from(field).ok()?).map(str::to_owned);
        Ok(BadRecord {
            file: self.file.path.clone(),
            line: before + self.rows.get_ref().newlines_until(start) + 1,
            column: field.map(|field| Column { number: field + 1, name: name(field) }),
            cause,
            raw: String::from_utf8_lossy(raw).trim_end_matches(['\r', '\n']).to_owned(),
        })
    }

    fn position(&self) -> u64 {
        self.opened_at + self.rows.position().byte()
    }
}

impl<T: Data> RecordReader<T> for CsvReader {
    fn read(&mut self, out: &mut Records<'_, '_, T>) -> FnResult<Progress> {
        while !out.is_full() {
            if !self.next_row(out)? {
                return Ok(Progress::SplitFinished);
            }
        }
        let position = self.position();
        self.rows.get_mut().forget_before(position);
        Ok(Progress::More)
    }

    fn position(&self) -> u64 {
        Self::position(self)
    }
}

/// The first row of a file, which may be its header, and the offset behind it.
fn read_first_row(options: &CsvOptions, file: &FileInfo) -> FnResult<Option<(StringRecord, u64)>> {
    let mut rows = options.reader(Content::open(file, 0)?);
    let mut row = StringRecord::new();
    match rows.read_record(&mut row) {
        Ok(_) => Ok(Some((row, rows.position().byte()))),
        // A bad record, of which the reader of the file's beginning tells.
        Err(_) if !options.header => Ok(None),
        Err(error) => Err(match error.into_kind() {
            ErrorKind::Io(error) => error.into_inner().unwrap_or_else(|| "end of file".into()),
            other => {
                format!("{}:1: the header row can't be read: {}", file.path, describe_kind(&other)).into()
            }
        }),
    }
}

fn describe_kind(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::Utf8 { err, .. } => format!("field {} is not valid UTF-8", err.field() + 1),
        other => format!("{other:?}"),
    }
}

fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}
