//! Sources that need nothing from outside: elements, iterators, and a generator. Those that read files and sockets are
//! in `flott-connectors`.

mod generator;
mod single;

pub use generator::{GeneratorSource, GeneratorSplit};
pub use single::{ElementsSource, IteratorSource};
