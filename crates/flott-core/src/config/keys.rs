//! Every option there is. One entry below adds a key: to validation, to suggestions, to the documentation.

use std::time::Duration;

use super::{
    AnyOption, BufferTimeout, CheckpointRetention, CheckpointStorageKind, CheckpointingMode, ConfigOption,
    FailoverStrategy, MaxParallelism, MemorySize, RestartStrategyKind, RestoreMode, RocksDbProfile,
    TimerServiceKind,
    parallelism::{PARALLELISM_RANGE, is_parallelism},
};

#[cfg(test)]
mod tests;

/// Declares the options and the list of them all, `NAME: type = key, description, …the rest of the builder;`.
macro_rules! options {
    ($($name:ident: $ty:ty = $key:literal, $description:literal $(.$method:ident($($arg:expr),*))*;)*) => {
        $(
            #[doc = concat!("`", $key, "`: ", $description)]
            pub static $name: ConfigOption<$ty> =
                ConfigOption::new($key, $description)$(.$method($($arg),*))*;
        )*

        /// All options, in the order in which the documentation lists them.
        pub static ALL: &[&dyn AnyOption] = &[$(&$name),*];
    };
}

options! {
    PARALLELISM: u32 = "parallelism.default", "Parallelism of operators that set none."
        .default("1").rule(PARALLELISM_RANGE, |n| is_parallelism(*n));

    MAX_PARALLELISM: MaxParallelism = "pipeline.max-parallelism",
        "Number of key groups of operators that set none: the most subtasks they can ever be rescaled to; -1 derives it from the parallelism."
        .default("-1");

    PIPELINE_NAME: String = "pipeline.name", "Name of the job, where the program gives none.";

    OPERATOR_CHAINING: bool = "pipeline.operator-chaining.enabled",
        "Whether operators that can be are chained into one task."
        .default("true").deprecated(&["pipeline.operator-chaining"]);

    INLINE_EXCHANGES: bool = "pipeline.inline-exchanges.enabled",
        "Whether an exchange between two operators of parallelism 1 is a call inside one task, instead of a queue between two threads."
        .default("true");

    AUTO_WATERMARK_INTERVAL: Duration = "pipeline.auto-watermark-interval",
        "Time between two periodic watermarks of a source; 0 switches them off."
        .default("200 ms");

    ALLOW_UNALIGNED_SOURCE_SPLITS: bool = "pipeline.watermark-alignment.allow-unaligned-source-splits",
        "Whether a source that can't pause single splits may be part of a watermark alignment although a subtask of it reads several."
        .default("false");

    BUFFER_TIMEOUT: BufferTimeout = "execution.buffer-timeout.interval",
        "Longest time that a record waits in a batch that is not full; 0 sends each record at once, -1 only full batches."
        .default("100 ms").deprecated(&["execution.buffer-timeout"]);

    STATE_BACKEND: String = "state.backend.type", "Name of the state backend that holds keyed state."
        .default("hashmap").deprecated(&["state.backend"]);

    ROCKSDB_LOCAL_DIRECTORIES: String = "state.backend.rocksdb.localdir",
        "Directories for the files of the rocksdb backend, separated by commas, on which subtasks are spread in turn; where it is not set, that for temporary files.";

    MANAGED_MEMORY: MemorySize = "taskmanager.memory.managed.size",
        "Memory that state backends on disk may take in this process, for all subtasks together; at least 1 mb."
        .default("512 mb").rule("a memory size of at least 1 mb", |size: &MemorySize| size.bytes >= 1 << 20);

    ROCKSDB_VALUE_CACHE_RATIO: f64 = "state.backend.rocksdb.memory.value-cache-ratio",
        "Part of the managed memory that holds decoded values; the rest is for the write buffers and the block cache of RocksDB."
        .default("0.5").rule(BETWEEN_0_AND_1, is_between_0_and_1);

    ROCKSDB_WRITE_BUFFER_RATIO: f64 = "state.backend.rocksdb.memory.write-buffer-ratio",
        "Part of the memory of RocksDB that its write buffers may take."
        .default("0.5").rule(BETWEEN_0_AND_1, is_between_0_and_1);

    ROCKSDB_PREDEFINED_OPTIONS: RocksDbProfile = "state.backend.rocksdb.predefined-options",
        "A set of RocksDB options for a kind of disk."
        .default("DEFAULT");

    ROCKSDB_THREADS: u32 = "state.backend.rocksdb.thread.num",
        "Threads that write and compact the files of each RocksDB instance in the background."
        .default("2").rule(FROM_1, is_from_1);

    ROCKSDB_WRITE_BUFFER_SIZE: MemorySize = "state.backend.rocksdb.writebuffer.size",
        "Size of one write buffer of a state; all together keep within the managed memory."
        .default("64 mb").rule("a memory size of at least 64 kb", |size: &MemorySize| size.bytes >= 1 << 16);

    ROCKSDB_BLOCK_SIZE: MemorySize = "state.backend.rocksdb.block.blocksize",
        "Size of the blocks of the files, uncompressed: the least that is read."
        .default("4 kb").rule("a memory size from 1 kb to 1 gb", |size: &MemorySize| (1 << 10..=1 << 30).contains(&size.bytes));

    ROCKSDB_TIMER_SERVICE: TimerServiceKind = "state.backend.rocksdb.timer-service.factory",
        "Where timers are kept with the rocksdb backend; so far in memory."
        .default("HEAP");

    CHECKPOINTING_INTERVAL: Duration = "execution.checkpointing.interval",
        "Time between two checkpoints; without it there are none."
        .rule(FROM_10_MS, is_from_10_ms);

    CHECKPOINTING_MODE: CheckpointingMode = "execution.checkpointing.mode",
        "How often a record is reflected in the state after a recovery."
        .default("EXACTLY_ONCE");

    CHECKPOINTING_TIMEOUT: Duration = "execution.checkpointing.timeout",
        "Time after which a checkpoint that is not complete is given up."
        .default("10 min").rule(FROM_10_MS, is_from_10_ms);

    CHECKPOINTING_MIN_PAUSE: Duration = "execution.checkpointing.min-pause",
        "Shortest time between the end of one checkpoint and the start of the next."
        .default("0 ms");

    MAX_CONCURRENT_CHECKPOINTS: u32 = "execution.checkpointing.max-concurrent-checkpoints",
        "How many checkpoints may be under way at once; 1 where checkpoints are unaligned."
        .default("1").rule(FROM_1, is_from_1);

    TOLERABLE_FAILED_CHECKPOINTS: u32 = "execution.checkpointing.tolerable-failed-checkpoints",
        "How many checkpoints in a row may fail before the job does."
        .default("0");

    UNALIGNED_CHECKPOINTS: bool = "execution.checkpointing.unaligned.enabled",
        "Whether barriers overtake records, which then become part of the checkpoint."
        .default("false").deprecated(&["execution.checkpointing.unaligned"]);

    UNALIGNED_FORCED: bool = "execution.checkpointing.unaligned.forced",
        "Whether unaligned checkpoints are taken even where they may not be restored exactly at another parallelism."
        .default("false");

    ALIGNED_CHECKPOINT_TIMEOUT: Duration = "execution.checkpointing.aligned-checkpoint-timeout",
        "How long an unaligned checkpoint tries to be an aligned one; 0 starts unaligned at once."
        .default("0 ms").deprecated(&["execution.checkpointing.alignment-timeout"]);

    CHECKPOINT_STORAGE: CheckpointStorageKind = "execution.checkpointing.storage",
        "Where checkpoints are kept; where it is not set, filesystem with a checkpoint directory and jobmanager without."
        .deprecated(&["state.checkpoint-storage"]);

    CHECKPOINT_DIRECTORY: String = "execution.checkpointing.dir",
        "Directory of the checkpoints of all jobs, a path or a URL."
        .deprecated(&["state.checkpoints.dir", "state.backend.fs.checkpointdir"]);

    CHECKPOINT_CREATE_SUBDIR: bool = "execution.checkpointing.create-subdir",
        "Whether each job gets a directory of its own below that of the checkpoints."
        .default("true").deprecated(&["state.checkpoints.create-subdir"]);

    SAVEPOINT_DIRECTORY: String = "execution.checkpointing.savepoint-dir",
        "Directory of savepoints that are requested without one, a path or a URL."
        .deprecated(&["state.savepoints.dir"]);

    DATA_INLINE_THRESHOLD: MemorySize = "execution.checkpointing.data-inline-threshold",
        "State smaller than this is stored in the metadata of the checkpoint instead of a file of its own; at most 1 mb."
        .default("20 kb").rule("a memory size up to 1 mb", |size: &MemorySize| size.bytes <= 1 << 20)
        .deprecated(&["state.storage.fs.memory-threshold", "state.backend.fs.memory-threshold"]);

    INCREMENTAL_CHECKPOINTS: bool = "execution.checkpointing.incremental",
        "Whether a checkpoint stores only what has changed since the one before."
        .default("false").deprecated(&["state.backend.incremental"]);

    CHECKPOINT_RETENTION: CheckpointRetention = "execution.checkpointing.externalized-checkpoint-retention",
        "Which checkpoints stay when the job ends."
        .default("NO_EXTERNALIZED_CHECKPOINTS");

    RETAINED_CHECKPOINTS: u32 = "execution.checkpointing.num-retained",
        "How many completed checkpoints are kept."
        .default("1").rule(FROM_1, is_from_1).deprecated(&["state.checkpoints.num-retained"]);

    CHECKPOINTS_AFTER_TASKS_FINISH: bool = "execution.checkpointing.checkpoints-after-tasks-finish",
        "Whether there are checkpoints while some tasks have finished, and a last one when all have."
        .default("true");

    RESTORE_PATH: String = "execution.state-recovery.path",
        "The checkpoint or savepoint that the job starts from: its path or URL; or latest, for the newest of the checkpoint directory."
        .deprecated(&["execution.savepoint.path"]);

    RESTORE_CLAIM_MODE: RestoreMode = "execution.state-recovery.claim-mode",
        "Who owns what the job starts from, and may delete it; latest is always the job's own."
        .default("NO_CLAIM").deprecated(&["execution.savepoint-restore-mode"]);

    IGNORE_UNCLAIMED_STATE: bool = "execution.state-recovery.ignore-unclaimed-state",
        "Whether the state of operators that the program does not have any more may be dropped."
        .default("false").deprecated(&["execution.savepoint.ignore-unclaimed-state"]);

    RESTART_STRATEGY: RestartStrategyKind = "restart-strategy.type",
        "Whether and when a failed job starts again; where it is not set, exponential-delay with checkpoints and none without."
        .deprecated(&["restart-strategy"]);

    FIXED_DELAY_ATTEMPTS: u32 = "restart-strategy.fixed-delay.attempts",
        "How many times a job with the fixed-delay strategy starts again."
        .default("1").rule(FROM_1, is_from_1);

    FIXED_DELAY_DELAY: Duration = "restart-strategy.fixed-delay.delay",
        "How long a job with the fixed-delay strategy waits before it starts again."
        .default("1 s");

    FAILURE_RATE_MAX_FAILURES: u32 = "restart-strategy.failure-rate.max-failures-per-interval",
        "How many failures within the interval the failure-rate strategy allows."
        .default("1").rule(FROM_1, is_from_1);

    FAILURE_RATE_INTERVAL: Duration = "restart-strategy.failure-rate.failure-rate-interval",
        "The interval in which the failure-rate strategy counts failures."
        .default("1 min");

    FAILURE_RATE_DELAY: Duration = "restart-strategy.failure-rate.delay",
        "How long a job with the failure-rate strategy waits before it starts again."
        .default("1 s");

    EXPONENTIAL_DELAY_INITIAL_BACKOFF: Duration = "restart-strategy.exponential-delay.initial-backoff",
        "How long a job with the exponential-delay strategy waits the first time."
        .default("1 s").rule("a duration of at least 1 ms", |backoff| backoff.as_millis() >= 1);

    EXPONENTIAL_DELAY_MAX_BACKOFF: Duration = "restart-strategy.exponential-delay.max-backoff",
        "The longest that a job with the exponential-delay strategy waits."
        .default("1 min");

    EXPONENTIAL_DELAY_MULTIPLIER: f64 = "restart-strategy.exponential-delay.backoff-multiplier",
        "By how much each wait of the exponential-delay strategy is longer than the one before."
        .default("1.5").rule("a number above 1", |multiplier| *multiplier > 1.0);

    EXPONENTIAL_DELAY_RESET_THRESHOLD: Duration = "restart-strategy.exponential-delay.reset-backoff-threshold",
        "How long a job must run without a failure for the exponential-delay strategy to begin anew."
        .default("1 h");

    EXPONENTIAL_DELAY_JITTER: f64 = "restart-strategy.exponential-delay.jitter-factor",
        "By what part of itself a wait of the exponential-delay strategy is longer or shorter, at random."
        .default("0.1").rule("a number from 0 to 1", |jitter| (0.0..=1.0).contains(jitter));

    EXPONENTIAL_DELAY_ATTEMPTS: u32 = "restart-strategy.exponential-delay.attempts-before-reset-backoff",
        "How many times a job with the exponential-delay strategy starts again without having run for the threshold; 2147483647 means without end."
        .default("2147483647").rule(FROM_1, is_from_1);

    FAILOVER_STRATEGY: FailoverStrategy = "jobmanager.execution.failover-strategy",
        "Which tasks start again after the failure of one."
        .default("region");
}

const BETWEEN_0_AND_1: &str = "a number above 0 and below 1";
const FROM_1: &str = "a whole number from 1 to 4294967295";
const FROM_10_MS: &str = "a duration of at least 10 ms";

fn is_between_0_and_1(ratio: &f64) -> bool {
    *ratio > 0.0 && *ratio < 1.0
}

fn is_from_1(number: &u32) -> bool {
    *number >= 1
}

fn is_from_10_ms(duration: &Duration) -> bool {
    duration.as_millis() >= 10
}

/// The option that `key` names, by its preferred or an older spelling.
pub fn find(key: &str) -> Option<&'static dyn AnyOption> {
    ALL.iter().copied().find(|option| option.key() == key || option.deprecated_keys().contains(&key))
}
