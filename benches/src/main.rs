//! `flott-bench`: how fast flott is, and how fast it could be at most.
//!
//! Every workload runs in flott and, in the same process and in turn, as a loop written by hand that does the same work
//! on one thread: the limit. Ratios of CPU time hold on a noisy machine where times do not.

mod child;
mod event;
mod measure;
mod memory;
mod report;
mod sinks;
mod workloads;

use clap::{Parser, ValueEnum};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures flott against hand-written loops
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub(crate) struct Options {
    /// What to run
    #[arg(value_enum)]
    workload: Workload,

    /// Subtasks of each operator
    #[arg(short, long, default_value_t = 1)]
    parallelism: u32,

    /// Records to process [default: depends on the workload]
    #[arg(short, long)]
    records: Option<u64>,

    /// Distinct keys
    #[arg(short, long, default_value_t = 1_000)]
    keys: u64,

    /// The state backend: hashmap, or rocksdb in builds with the feature of this name
    #[arg(short, long, default_value = "hashmap")]
    backend: String,

    /// The memory of the backend rocksdb, in MiB
    #[arg(long, default_value_t = 512)]
    memory_mib: u64,

    /// The size of the values of larger_than_memory; 8 for numbers
    #[arg(long, default_value_t = 8)]
    value_bytes: usize,

    /// How often to run flott and the loop, in turn; medians are printed
    #[arg(long, default_value_t = 5)]
    runs: usize,

    /// checkpoint: incremental checkpoints instead of full ones
    #[arg(long)]
    incremental: bool,

    /// checkpoint: how many percent of the keys come between two checkpoints
    #[arg(long, value_name = "PERCENT", default_value_t = 100.0)]
    changing: f64,

    /// The text for word_count
    #[arg(long, default_value = "data/kjv.txt")]
    input: std::path::PathBuf,

    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,

    /// Runs flott only, for profiling
    #[arg(long)]
    no_limit: bool,

    /// What the child of memory keeps
    #[arg(long, value_enum, default_value_t = memory::Kept::Nothing, hide = true)]
    kept: memory::Kept,
}

/// The workloads. Record i has key `splitmix64(i) % K`, value `i`, timestamp `i / 1000` ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Workload {
    /// Generate, map, filter, checksum
    Stateless,
    /// Running counts of the words of a text
    WordCount,
    /// Running sum per key in ValueState, one output per record
    KeyedSum,
    /// Sums per key in tumbling event-time windows of 10 s
    WindowSum,
    /// Sums per key in sliding event-time windows of 60 s that start every second
    SlidingSum,
    /// A map of 100 sums per key in MapState, one output per record
    MapState,
    /// Running sum per key in a function with a broadcast side, beside one without
    Broadcast,
    /// Sums per key in event-time session windows of 20 records on average
    SessionSum,
    /// One event-time timer per record, registered and fired
    Timers,
    /// 100,000 records/s through a keyed exchange
    Latency,
    /// Running sums with a checkpoint every second, and without
    Checkpoint,
    /// Checkpoints while a sink holds everything up, unaligned and aligned; takes two minutes
    BackPressure,
    /// From process start to the first record out
    Startup,
    /// Memory of a job with nothing to do
    Idle,
    /// Bytes an entry of state and a timer take
    Memory,
    /// Peak memory of a job that writes and reads a value of each key, for state that does not fit
    LargerThanMemory,
    #[value(hide = true)]
    ChildMemory,
    #[value(hide = true)]
    ChildFirstRecord,
    #[value(hide = true)]
    ChildIdle,
}

fn main() -> std::process::ExitCode {
    let options = Options::parse();
    match workloads::run(&options) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
