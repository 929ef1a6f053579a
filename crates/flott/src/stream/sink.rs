//! The ends of streams.

use std::fmt::{Debug, Display};

use flott_core::Data;
use flott_runtime::graph::NodeKind;
use flott_runtime::program::sink_factory;
use flott_runtime::sink::Sink;

use super::DataStream;
use super::settings::operator_settings;
use crate::builder::At;
use crate::environment::StreamExecutionEnvironment;
use crate::error::Error;
use crate::sink::{CollectSink, DiscardSink, PrintSink};
use crate::terminal;

/// A sink that was added to a stream, for its settings (Flink: `DataStreamSink`).
pub struct DataStreamSink {
    env: StreamExecutionEnvironment,
    at: At,
    is_output: bool,
}

impl DataStreamSink {
    operator_settings!();
}

impl<T: Data> DataStream<T> {
    /// Writes the stream to a sink.
    pub fn sink_to<S: Sink<T>>(&self, sink: S) -> DataStreamSink {
        self.add_sink("Writer", sink)
    }

    fn add_sink<S: Sink<T>>(&self, name: &str, sink: S) -> DataStreamSink {
        let at = self.add_factory(NodeKind::Sink, name, sink_factory::<T, S>(sink));
        DataStreamSink { env: self.env.clone(), at, is_output: true }
    }

    /// Prints each record on a line of standard output. With parallelism above 1 the line starts with the number of the
    /// subtask, from 1: `2> record`.
    pub fn print(&self) -> DataStreamSink
    where
        T: Display,
    {
        self.add_sink("Print to Std. Out", PrintSink::new(|record: &T| record.to_string()))
    }

    /// As [`DataStream::print`], with a name before the number: `name:2> record`, or `name> record` without
    /// parallelism.
    pub fn print_as(&self, name: &str) -> DataStreamSink
    where
        T: Display,
    {
        self.add_sink("Print to Std. Out", PrintSink::new(|record: &T| record.to_string()).named(name))
    }

    /// As [`DataStream::print`], on standard error (Flink: `printToErr`).
    pub fn print_to_err(&self) -> DataStreamSink
    where
        T: Display,
    {
        self.add_sink("Print to Std. Err", PrintSink::new(|record: &T| record.to_string()).to_err())
    }

    /// As [`DataStream::print`], in the notation of [`Debug`].
    pub fn print_debug(&self) -> DataStreamSink
    where
        T: Debug,
    {
        self.add_sink("Print to Std. Out", PrintSink::new(|record: &T| format!("{record:?}")))
    }

    /// Drops the records.
    pub fn discard(&self) -> DataStreamSink {
        self.add_sink("Discard", DiscardSink)
    }

    /// Runs the program and returns the records of this stream, in the order in which they arrived. They are kept in
    /// memory.
    ///
    /// # Errors
    /// As [`StreamExecutionEnvironment::execute`].
    pub fn execute_and_collect(&self) -> Result<Vec<T>, Error> {
        let sink = CollectSink::new(None);
        let collected = sink.collected();
        self.add_sink("Collect", sink);
        self.env.execute()?;
        Ok(collected.take())
    }

    /// Runs the program until this stream has brought `limit` records, which are returned; the job is then cancelled.
    /// Fewer come if the job ends before.
    ///
    /// # Errors
    /// As [`StreamExecutionEnvironment::execute`].
    pub fn execute_and_collect_limited(&self, limit: usize) -> Result<Vec<T>, Error> {
        let sink = CollectSink::new(Some(limit));
        let collected = sink.collected();
        self.add_sink("Collect", sink);
        let handle = self.env.execute_async()?;
        terminal::follow_until(&handle, || collected.len() >= limit)?;
        Ok(collected.take())
    }
}
