//! How a CSV file is laid out.

use super::super::content::Content;
use super::recorder::Recorder;

/// The layout of CSV files. The default: a header row, commas, double quotes, no trimming, every row as wide as the
/// first, not splittable.
#[derive(Clone, Debug)]
pub struct CsvOptions {
    pub(super) header: bool,
    delimiter: u8,
    quote: Option<u8>,
    pub(super) flexible: bool,
    trim: CsvTrim,
    pub(super) splittable: bool,
    pub(super) null: Option<String>,
}

/// Which blanks around fields don't count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CsvTrim {
    /// All of them count. The default.
    #[default]
    None,
    /// Those around the names in the header row don't.
    Header,
    /// Those around all fields don't.
    All,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            header: true,
            delimiter: b',',
            quote: Some(b'"'),
            flexible: false,
            trim: CsvTrim::None,
            splittable: false,
            null: None,
        }
    }
}

impl CsvOptions {
    /// The default layout.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the first row holds the names of the fields.
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

    /// The byte around fields that hold delimiters or line ends; `None`: there is no such byte.
    #[must_use]
    pub fn quote(mut self, quote: Option<u8>) -> Self {
        self.quote = quote;
        self
    }

    /// Whether rows may have different numbers of fields. If not, a row that is not as wide as the first is bad.
    #[must_use]
    pub fn flexible(mut self, flexible: bool) -> Self {
        self.flexible = flexible;
        self
    }

    /// Which blanks around fields don't count.
    #[must_use]
    pub fn trim(mut self, trim: CsvTrim) -> Self {
        self.trim = trim;
        self
    }

    /// Text that stands for a missing value, such as `NA`: a field that is exactly this is read as an empty one. By
    /// default only empty fields are missing.
    #[must_use]
    pub fn null(mut self, text: impl Into<String>) -> Self {
        self.null = Some(text.into());
        self
    }

    /// Promises that no quoted field holds a line end, so that a large file may be cut and read by several
    /// subtasks. Without the promise a file is one split, as nobody can tell from its middle what is quoted. If
    /// the promise is broken, rows are misread.
    #[must_use]
    pub fn splittable(mut self, splittable: bool) -> Self {
        self.splittable = splittable;
        self
    }

    /// Rows and header are all plain rows to this reader, of any width: their owner knows which is which.
    pub(super) fn reader(&self, content: Content) -> csv::Reader<Recorder> {
        let trim = match self.trim {
            CsvTrim::None => csv::Trim::None,
            CsvTrim::Header => csv::Trim::Headers,
            CsvTrim::All => csv::Trim::All,
        };
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .quoting(self.quote.is_some())
            .quote(self.quote.unwrap_or(b'"'))
            .trim(trim)
            .buffer_capacity(super::BUFFER_BYTES)
            .from_reader(Recorder::new(content))
    }
}
