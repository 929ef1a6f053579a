//! Sources that need nothing from outside: elements, iterators, and a generator. Those that read files and sockets are
//! in `flott-connectors`.

mod generator;
mod single;

/// For sources of one's own.
pub use flott_runtime::source::{
    Boundedness, EnumeratorOutput, EnumeratorState, InputStatus, ReaderContext, Source, SourceOutput,
    SourceReader, SourceSplit, SplitEnumerator,
};
pub use generator::{GeneratorSource, GeneratorSplit};
pub use single::IteratorSource;

#[cfg(test)]
mod tests;
