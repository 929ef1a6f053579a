//! Configuration: typed options under Flink's keys, and the layered map that holds their values.
//!
//! Bottom-up:
//!
//! * [`ConfigValue`] — how a type is read from text: numbers, [durations](duration), [sizes](MemorySize), enums;
//! * [`ConfigOption`] — a key with its type, default, older spellings and description;
//! * [`keys`] — every option there is;
//! * [`Configuration`] — the values of a job or process, from code, command line and files.
//!
//! A value is checked where it enters, so that whoever reads it later meets no surprise. Every error is one line
//! that names the key, the value, where it was set and what is accepted.

mod buffer_timeout;
mod checkpointing;
mod configuration;
pub mod duration;
mod error;
pub mod keys;
mod memory;
mod option;
mod parallelism;
mod rocksdb;
mod suggest;
mod value;
mod yaml;

pub use buffer_timeout::BufferTimeout;
pub use checkpointing::{
    CheckpointRetention, CheckpointStorageKind, CheckpointingMode, FailoverStrategy, RestartStrategyKind,
    RestoreMode,
};
pub use configuration::{Configuration, Setting};
pub use error::{ConfigError, Origin, Warning};
pub use memory::MemorySize;
pub use option::{AnyOption, ConfigOption};
pub use parallelism::{MaxParallelism, is_max_parallelism, is_parallelism};
pub use rocksdb::{RocksDbProfile, TimerServiceKind};
pub use value::{ConfigValue, EnumValue};
