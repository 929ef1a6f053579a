//! Where records come from and go to: connectors for flott, one module each behind a feature of the same name.
//!
//! * [`mod@file`] — the source of files: a file, a directory or a pattern; plain or gzip; cut into splits that all
//!   subtasks read. Formats: lines of text, CSV (feature `csv`), JSON lines (feature `json`), or your own
//!   [`file::Format`];
//! * [`sink`] (feature `file`) — the sink of files: hidden while they are written, renamed when they are committed, each record
//!   in them exactly once. Encoders: lines of text, CSV, JSON lines, or your own [`sink::Encoder`];
//! * [`socket`] — lines of text from a TCP server.
//!
//! # Reading files
//!
//! ```
//! use std::time::Duration;
//!
//! use flott_connectors::file::{BadRecords, CsvOptions, FileSource};
//! use flott_runtime::operator::OutputTag;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Flight {
//!     carrier: String,
//!     dep_delay: Option<i32>,
//! }
//!
//! let text = FileSource::lines("logs").monitor_continuously(Duration::from_secs(10));
//! let flights = FileSource::csv::<Flight>("data/flights-*.csv.gz", CsvOptions::new())
//!     .on_bad_records(BadRecords::Divert(OutputTag::new("bad-flights")));
//! let events = FileSource::json_lines::<Flight>("events.jsonl").on_bad_records(BadRecords::Skip);
//! ```
//!
//! A record that can't be parsed fails the job, with one line such as
//! `data/flights.csv:17, column 6 'dep_delay': invalid digit found in string ("abc")`, unless the source is told to
//! skip or divert it.
//!
//! # Writing files
//!
//! ```
//! use flott_connectors::sink::{CsvEncoder, FileSink, LineEncoder, RollingPolicy};
//!
//! let counts = FileSink::<(String, u64), _>::new(
//!     "out/counts",
//!     LineEncoder::with(|(word, count): &(String, u64), line| {
//!         line.extend_from_slice(format!("{word} {count}").as_bytes());
//!     }),
//! );
//! let words = FileSink::<String, _>::new("out/words", LineEncoder::display());
//! let table = FileSink::<(String, u64), _>::new("out/table", CsvEncoder::new())
//!     .with_rolling_policy(RollingPolicy { max_part_bytes: 16 << 20, ..RollingPolicy::default() });
//! ```
//!
//! # Reading from a socket
//!
//! Start `nc -lk 9999`, then the job, and type:
//!
//! ```
//! use flott_connectors::socket::SocketSource;
//!
//! let lines = SocketSource::new("localhost", 9999);
//! ```

#[cfg(feature = "file")]
pub mod file;
#[cfg(feature = "file")]
pub mod sink;
#[cfg(feature = "socket")]
pub mod socket;
