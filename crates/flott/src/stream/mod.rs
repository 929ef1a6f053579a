//! Streams: what a program is written with. A stream is a cheap handle to a place in the program; transforming it adds
//! an operator behind that place and returns the new place.

mod broadcast_stream;
mod connected_keyed_streams;
mod connected_streams;
mod data_stream;
mod fold;
mod keyed_stream;
mod partition;
mod rolling;
mod settings;
mod sink;
mod window_all;
mod windowed_stream;
mod windowed_sums;

pub use broadcast_stream::{BroadcastConnectedStream, BroadcastStream, KeyedBroadcastConnectedStream};
pub use connected_keyed_streams::ConnectedKeyedStreams;
pub use connected_streams::ConnectedStreams;
pub use data_stream::DataStream;
pub use keyed_stream::KeyedStream;
pub use sink::DataStreamSink;
pub use windowed_stream::WindowedStream;
