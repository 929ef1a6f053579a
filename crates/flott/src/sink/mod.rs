//! Sinks that need nothing from outside: print, discard, collect. Those that write files are in `flott-connectors`.

mod collect;
mod discard;
mod print;

pub use collect::{CollectSink, CollectWriterState, Collected};
pub use discard::DiscardSink;
/// For sinks of one's own.
pub use flott_runtime::sink::{
    BoxWriter, CommitError, Committer, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter,
    WriteContext,
};
pub use print::PrintSink;
