//! A source that reads lines of text from a TCP server.

mod connection;
mod error;
mod lines;
mod reader;

use std::time::Duration;

use flott_runtime::error::FnResult;
use flott_runtime::source::{
    Boundedness, EnumeratorOutput, ReaderContext, Source, SourceReader, SourceSplit, SplitEnumerator,
};
use serde::{Deserialize, Serialize};

pub use error::SocketError;

use reader::SocketReader;

/// Longest line unless the source says otherwise: 1 MiB.
const DEFAULT_MAX_LINE_BYTES: usize = 1 << 20;

/// Connects to a TCP server and reads lines of UTF-8 text (Flink: `socketTextStream`). To try it out, start
/// `nc -lk 9999` first.
///
/// One subtask reads, whatever the parallelism. **The source can't be replayed**: what was read before a failure
/// and is not yet in a completed checkpoint is lost when the job is restored.
///
/// When the server closes the connection, the text up to there counts as a line, and the stream ends, or the source
/// connects again if it may retry.
#[derive(Clone, Debug)]
pub struct SocketSource {
    host: String,
    port: u16,
    delimiter: String,
    max_line_bytes: usize,
    max_retries: u32,
    retry_delay: Duration,
}

impl SocketSource {
    /// Lines from `host:port`, without retries.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            delimiter: "\n".to_owned(),
            max_line_bytes: DEFAULT_MAX_LINE_BYTES,
            max_retries: 0,
            retry_delay: Duration::from_millis(500),
        }
    }

    /// What ends a line. The default is a line feed, before which a carriage return doesn't count.
    #[must_use]
    pub fn with_delimiter(mut self, delimiter: impl Into<String>) -> Self {
        self.delimiter = delimiter.into();
        self
    }

    /// Longest line in bytes; a longer one fails the job. The default is 1 MiB.
    #[must_use]
    pub fn with_max_line_bytes(mut self, bytes: usize) -> Self {
        self.max_line_bytes = bytes;
        self
    }

    /// How often in a row to try again when the server can't be reached or closes the connection, and how long to
    /// wait before each try. The default is 0: an unreachable server fails the job, a closed connection ends the
    /// stream. A line that arrives resets the count. After the last retry likewise.
    #[must_use]
    pub fn with_retries(mut self, max_retries: u32, delay: Duration) -> Self {
        self.max_retries = max_retries;
        self.retry_delay = delay;
        self
    }

    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The one split: the connection. It has no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketSplit;

impl SourceSplit for SocketSplit {
    fn split_id(&self) -> String {
        "socket".to_owned()
    }
}

impl Source for SocketSource {
    type Out = String;
    type Split = SocketSplit;
    /// Whether a reader has the split.
    type EnumeratorState = bool;

    fn boundedness(&self) -> Boundedness {
        Boundedness::ContinuousUnbounded
    }

    fn create_enumerator(&self) -> FnResult<Box<dyn SplitEnumerator<Split = SocketSplit, State = bool>>> {
        if self.delimiter.is_empty() {
            return Err(SocketError::NoDelimiter { address: self.address() }.into());
        }
        self.restore_enumerator(false)
    }

    fn restore_enumerator(
        &self,
        assigned: bool,
    ) -> FnResult<Box<dyn SplitEnumerator<Split = SocketSplit, State = bool>>> {
        Ok(Box::new(SocketEnumerator { assigned }))
    }

    fn create_reader(&self, context: ReaderContext) -> FnResult<Box<dyn SourceReader<String, SocketSplit>>> {
        Ok(Box::new(SocketReader::new(self.clone(), context)))
    }
}

/// Gives the split to whoever asks first, and nothing to the others.
struct SocketEnumerator {
    assigned: bool,
}

impl SplitEnumerator for SocketEnumerator {
    type Split = SocketSplit;
    type State = bool;

    fn on_split_request(&mut self, subtask: u32, out: &mut EnumeratorOutput<'_, SocketSplit>) -> FnResult {
        if !std::mem::replace(&mut self.assigned, true) {
            out.assign(subtask, &SocketSplit)?;
        }
        out.no_more_splits(subtask);
        Ok(())
    }

    fn add_splits_back(&mut self, splits: Vec<SocketSplit>, _subtask: u32) -> FnResult {
        self.assigned &= splits.is_empty();
        Ok(())
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<bool> {
        Ok(self.assigned)
    }
}

#[cfg(test)]
mod tests;
