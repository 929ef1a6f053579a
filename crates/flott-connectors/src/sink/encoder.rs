//! How records become bytes.

use std::fmt::Display;
use std::io::Write as _;

use flott_runtime::error::FnResult;

/// How records become the bytes of a part (Flink: `Encoder`).
pub trait Encoder<T>: Clone + Send + Sync + 'static {
    /// Appends the encoding of `records`; `begins_part`: they are the first of their file.
    ///
    /// # Errors
    /// When a record can't be encoded; the job fails.
    fn encode(&self, records: &[T], begins_part: bool, into: &mut Vec<u8>) -> FnResult;

    /// How names of parts end. Default: not in any particular way.
    fn suffix(&self) -> &str {
        ""
    }
}

/// Each record is a line of text.
#[derive(Clone, Copy, Debug)]
pub struct LineEncoder<F>(F);

impl LineEncoder<()> {
    /// The line is what the record displays.
    pub fn display<T: Display>() -> LineEncoder<impl Fn(&T, &mut Vec<u8>) + Clone + Send + Sync + 'static> {
        // Writing into a vector fails only if the record's own `Display` does, which it must not.
        LineEncoder(|record: &T, line: &mut Vec<u8>| drop(write!(line, "{record}")))
    }

    /// `append` appends the line, without its line end, to the bytes.
    pub fn with<T, F: Fn(&T, &mut Vec<u8>) + Clone + Send + Sync + 'static>(append: F) -> LineEncoder<F> {
        LineEncoder(append)
    }
}

impl<T, F: Fn(&T, &mut Vec<u8>) + Clone + Send + Sync + 'static> Encoder<T> for LineEncoder<F> {
    fn encode(&self, records: &[T], _begins_part: bool, into: &mut Vec<u8>) -> FnResult {
        for record in records {
            (self.0)(record, into);
            into.push(b'\n');
        }
        Ok(())
    }
}

/// Each record is a line with its JSON form.
#[cfg(feature = "json")]
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonEncoder;

#[cfg(feature = "json")]
impl<T: serde::Serialize> Encoder<T> for JsonEncoder {
    fn encode(&self, records: &[T], _begins_part: bool, into: &mut Vec<u8>) -> FnResult {
        for record in records {
            serde_json::to_writer(&mut *into, record)
                .map_err(|cause| format!("a record can't be written as JSON: {cause}"))?;
            into.push(b'\n');
        }
        Ok(())
    }

    fn suffix(&self) -> &str {
        ".jsonl"
    }
}

/// Each record is a CSV row: a struct, tuple or sequence of plain values. `None` is an empty field.
#[cfg(feature = "csv")]
#[derive(Clone, Copy, Debug)]
pub struct CsvEncoder {
    header: bool,
    delimiter: u8,
}

#[cfg(feature = "csv")]
impl Default for CsvEncoder {
    fn default() -> Self {
        Self { header: true, delimiter: b',' }
    }
}

#[cfg(feature = "csv")]
impl CsvEncoder {
    /// Commas, and a header row in each part if the records are structs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether parts of structs begin with a row of the fields' names.
    #[must_use]
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// The byte between fields.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }
}

#[cfg(feature = "csv")]
impl<T: serde::Serialize> Encoder<T> for CsvEncoder {
    fn encode(&self, records: &[T], begins_part: bool, into: &mut Vec<u8>) -> FnResult {
        let failed = |cause: csv::Error| format!("a record can't be written as CSV: {cause}");
        let mut rows = csv::WriterBuilder::new()
            .has_headers(self.header && begins_part)
            .delimiter(self.delimiter)
            .from_writer(into);
        for record in records {
            rows.serialize(record).map_err(failed)?;
        }
        Ok(rows.flush()?)
    }

    fn suffix(&self) -> &str {
        ".csv"
    }
}
