//! How one process runs the program.

use std::fmt;
use std::time::Duration;

use flott::StreamExecutionEnvironment;
use flott_core::config::{BufferTimeout, CheckpointRetention, FailoverStrategy, MemorySize, keys};

use crate::random::Random;

/// The settings of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The greatest parallelism; each operator has its own below.
    pub parallelism: u32,
    /// Decides that of each operator.
    pub parallelisms: u64,
    /// Between checkpoints.
    pub interval_ms: u64,
    /// After which a checkpoint is given up.
    pub timeout_ms: u64,
    /// How many may fail.
    pub tolerable: u32,
    /// How many are kept.
    pub retained: u32,
    /// How many are under way at once.
    pub concurrent: u32,
    /// Between two of them.
    pub min_pause_ms: u64,
    /// Smaller state goes into the metadata.
    pub inline_below: u64,
    /// Whether exchanges of one subtask are calls.
    pub inline_exchanges: bool,
    /// Whether operators are chained.
    pub chaining: bool,
    /// Between watermarks.
    pub watermarks_ms: u64,
    /// Whether checkpoints hold what has changed.
    pub incremental: bool,
    /// After how many milliseconds barriers overtake records, if ever.
    pub unaligned_after_ms: Option<u64>,
    /// What goes down with a task.
    pub failover: FailoverStrategy,
}

impl Settings {
    /// Draws settings.
    pub fn draw(random: &mut Random) -> Self {
        let concurrent = random.pick(&[1, 1, 2]);
        Self {
            parallelism: random.within(1..=4) as u32,
            parallelisms: random.any(),
            interval_ms: random.pick(&[10, 40, 40, 150]),
            timeout_ms: random.pick(&[150, 10_000]),
            tolerable: random.pick(&[0, 2, 1_000]),
            retained: random.within(1..=3) as u32,
            concurrent,
            min_pause_ms: if concurrent == 1 { random.pick(&[0, 0, 15]) } else { 0 },
            inline_below: random.pick(&[0, 200, 100_000]),
            inline_exchanges: random.happens(500),
            chaining: random.happens(800),
            watermarks_ms: random.pick(&[0, 5, 20]),
            incremental: random.happens(400),
            unaligned_after_ms: random.pick(&[None, Some(0), Some(5)]).filter(|_| concurrent == 1),
            failover: random.pick(&[FailoverStrategy::Region, FailoverStrategy::Full]),
        }
    }

    /// The parallelism of an operator.
    pub fn parallelism_of(&self, operator: u64) -> u32 {
        Random::new(self.parallelisms, operator).within(1..=u64::from(self.parallelism)) as u32
    }

    /// An environment with these settings.
    pub(crate) fn environment(&self, max_parallelism: u32) -> StreamExecutionEnvironment {
        let env = StreamExecutionEnvironment::new();
        env.set_quiet(true)
            .set_parallelism(self.parallelism)
            .set_max_parallelism(max_parallelism)
            .set_auto_watermark_interval(Duration::from_millis(self.watermarks_ms))
            .set_buffer_timeout(BufferTimeout::After(Duration::from_millis(5)))
            .enable_checkpointing(Duration::from_millis(self.interval_ms))
            .set(&keys::CHECKPOINTING_TIMEOUT, Duration::from_millis(self.timeout_ms))
            .set(&keys::TOLERABLE_FAILED_CHECKPOINTS, self.tolerable)
            .set(&keys::RETAINED_CHECKPOINTS, self.retained)
            .set(&keys::MAX_CONCURRENT_CHECKPOINTS, self.concurrent)
            .set(&keys::CHECKPOINTING_MIN_PAUSE, Duration::from_millis(self.min_pause_ms))
            .set(&keys::DATA_INLINE_THRESHOLD, MemorySize { bytes: self.inline_below })
            .set(&keys::INLINE_EXCHANGES, self.inline_exchanges)
            .set(&keys::OPERATOR_CHAINING, self.chaining)
            .set(&keys::INCREMENTAL_CHECKPOINTS, self.incremental)
            .set(&keys::FAILOVER_STRATEGY, self.failover)
            .set(&keys::UNALIGNED_CHECKPOINTS, self.unaligned_after_ms.is_some())
            .set(
                &keys::ALIGNED_CHECKPOINT_TIMEOUT,
                Duration::from_millis(self.unaligned_after_ms.unwrap_or(0)),
            )
            .set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::RetainOnCancellation)
            .set(&keys::EXPONENTIAL_DELAY_INITIAL_BACKOFF, Duration::from_millis(10))
            .set(&keys::EXPONENTIAL_DELAY_MAX_BACKOFF, Duration::from_millis(200));
        env
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parallelism {}, ", self.parallelism)?;
        write!(f, "checkpoints each {} ms", self.interval_ms)?;
        write!(f, " (time-out {}, tolerable {}, ", self.timeout_ms, self.tolerable)?;
        write!(f, "kept {}, at once {}, pause {}), ", self.retained, self.concurrent, self.min_pause_ms)?;
        write!(f, "inline below {}, inline exchanges {}, ", self.inline_below, self.inline_exchanges)?;
        write!(f, "chaining {}, watermarks {} ms, ", self.chaining, self.watermarks_ms)?;
        write!(f, "incremental {}, failover {:?}, ", self.incremental, self.failover)?;
        write!(f, "unaligned after {:?} ms", self.unaligned_after_ms)
    }
}
