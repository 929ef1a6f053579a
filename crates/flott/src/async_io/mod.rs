//! Calls to the outside for each record, many at a time (Flink: Async I/O).
//!
//! A task's thread never awaits. The calls of an [`AsyncFunction`] run on threads of their own, which all jobs of a process share;
//! what a call returns comes back to the operator, which emits it. In order of use:
//!
//! * `data_stream` — [`AsyncDataStream`], with which a program asks for it;
//! * `function` — [`AsyncFunction`], what is called;
//! * `retry` — [`AsyncRetryStrategy`], when to call again;
//! * `operator` — what the task runs; `calls` — the records under way; `emission` — which results may leave;
//! * `completion` — the way back to the task; `executor` — the threads;
//! * `error` — how a call fails.

mod calls;
mod completion;
mod data_stream;
mod emission;
mod error;
mod executor;
mod function;
mod operator;
mod retry;

pub use data_stream::AsyncDataStream;
pub use function::AsyncFunction;
pub use retry::{AsyncRetryStrategy, ExponentialBackoffDelayRetryStrategy, FixedDelayRetryStrategy};
