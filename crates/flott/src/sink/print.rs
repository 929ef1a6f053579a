use std::io::Write;
use std::sync::Arc;

use flott_core::Batch;
use flott_runtime::error::FnResult;
use flott_runtime::sink::{
    BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext,
};

/// Prints each record on a line of standard output, or of standard error, behind Flink's prefix: `ID:N> ` with an identifier and parallelism
/// above 1, `ID> ` with the identifier alone, `N> ` with parallelism alone, where N is the subtask from 1.
pub struct PrintSink<F> {
    format: Arc<F>,
    identifier: Option<String>,
    stream: StandardStream,
}

#[derive(Clone, Copy)]
enum StandardStream {
    Output,
    Error,
}

impl StandardStream {
    fn write(self, lines: &[u8]) -> FnResult {
        match self {
            Self::Output => self.told(std::io::stdout().lock().write_all(lines)),
            Self::Error => self.told(std::io::stderr().lock().write_all(lines)),
        }
    }

    fn flush(self) -> FnResult {
        match self {
            Self::Output => self.told(std::io::stdout().lock().flush()),
            Self::Error => self.told(std::io::stderr().lock().flush()),
        }
    }

    fn told(self, result: std::io::Result<()>) -> FnResult {
        let name = match self {
            Self::Output => "standard output",
            Self::Error => "standard error",
        };
        Ok(result.map_err(|cause| format!("can't write to {name}: {cause}"))?)
    }
}

impl<F> PrintSink<F> {
    /// Prints what `format` makes of each record.
    pub fn new(format: F) -> Self {
        Self { format: Arc::new(format), identifier: None, stream: StandardStream::Output }
    }

    /// Names the sink in its lines.
    #[must_use]
    pub fn named(mut self, identifier: &str) -> Self {
        self.identifier = Some(identifier.to_owned());
        self
    }

    /// Prints to standard error instead.
    #[must_use]
    pub fn to_err(mut self) -> Self {
        self.stream = StandardStream::Error;
        self
    }
}

/// What stands before the lines of a subtask.
fn prefix(identifier: Option<&str>, subtask: u32, parallelism: u32) -> String {
    match (identifier, parallelism) {
        (Some(identifier), 1) => format!("{identifier}> "),
        (Some(identifier), _) => format!("{identifier}:{}> ", subtask + 1),
        (None, 1) => String::new(),
        (None, _) => format!("{}> ", subtask + 1),
    }
}

impl<T: 'static, F: Fn(&T) -> String + Send + Sync + 'static> Sink<T> for PrintSink<F> {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, context: &SinkContext) -> FnResult<BoxWriter<T, Self>> {
        let prefix = prefix(self.identifier.as_deref(), context.subtask(), context.parallelism());
        let (format, stream) = (Arc::clone(&self.format), self.stream);
        Ok(Box::new(PrintWriter { format, prefix, stream, lines: Vec::new() }))
    }
}

struct PrintWriter<F> {
    format: Arc<F>,
    prefix: String,
    stream: StandardStream,
    lines: Vec<u8>,
}

impl<T, F: Fn(&T) -> String> SinkWriter<T> for PrintWriter<F> {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<T>, _context: WriteContext) -> FnResult {
        for record in batch.records.drain(..) {
            self.lines.extend_from_slice(self.prefix.as_bytes());
            self.lines.extend_from_slice((self.format)(&record).as_bytes());
            self.lines.push(b'\n');
        }
        batch.clear();
        // One write for the batch: lines of several subtasks don't mix within a line.
        let written = self.stream.write(&self.lines);
        self.lines.clear();
        written
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests;
