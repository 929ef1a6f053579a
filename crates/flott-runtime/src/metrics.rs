//! What a running job tells about itself. Each counter has one writer, the task's thread, and any reader.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flott_core::time::{MIN_WATERMARK, Timestamp};

/// A number that only grows. Cloning gives another handle to the same number.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds `n`. Meant for one writing thread: it is a plain load and store, not a locked addition.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The present value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down. Cloning gives another handle to the same number.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    /// A gauge that starts at `value`.
    pub fn starting_at(value: i64) -> Self {
        Self(Arc::new(AtomicI64::new(value)))
    }

    /// Sets the value.
    #[inline]
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The present value.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The value of a metric that is read by its name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MetricValue {
    /// A number; -1 where there is none yet, as in Flink.
    Number(i64),
    /// A text.
    Text(String),
}

/// The figures of one operator in one subtask, under Flink's names.
#[derive(Debug, Default)]
pub struct OperatorMetrics {
    /// `numRecordsIn`.
    pub records_in: Counter,
    /// `numRecordsOut`, main output and side outputs together.
    pub records_out: Counter,
    /// `numLateRecordsDropped`.
    pub late_records_dropped: Counter,
    /// `numRecordsInErrors`: records that a source skipped or diverted because they were bad.
    pub record_errors: Counter,
    user: Mutex<BTreeMap<String, Counter>>,
    user_gauges: Mutex<BTreeMap<String, Gauge>>,
}

impl OperatorMetrics {
    /// The user's counter of this name; the first call creates it.
    pub fn counter(&self, name: &str) -> Counter {
        let mut counters = self.user.lock().unwrap_or_else(PoisonError::into_inner);
        counters.entry(name.to_owned()).or_default().clone()
    }

    /// The user's gauge of this name; the first call creates it, at 0.
    pub fn gauge(&self, name: &str) -> Gauge {
        let mut gauges = self.user_gauges.lock().unwrap_or_else(PoisonError::into_inner);
        gauges.entry(name.to_owned()).or_default().clone()
    }

    /// The values of all user counters.
    pub fn user_counters(&self) -> BTreeMap<String, u64> {
        let counters = self.user.lock().unwrap_or_else(PoisonError::into_inner);
        counters.iter().map(|(name, counter)| (name.clone(), counter.get())).collect()
    }

    /// The values of all user gauges.
    pub fn user_gauges(&self) -> BTreeMap<String, i64> {
        let gauges = self.user_gauges.lock().unwrap_or_else(PoisonError::into_inner);
        gauges.iter().map(|(name, gauge)| (name.clone(), gauge.get())).collect()
    }
}

/// An operator of a chain.
#[derive(Debug)]
struct ChainedOperator {
    name: String,
    metrics: Arc<OperatorMetrics>,
    /// Whether no operator of the same chain reads it.
    is_tail: bool,
}

/// The figures of one subtask of a vertex.
#[derive(Debug)]
pub struct TaskMetrics {
    /// Nanoseconds spent waiting for input.
    pub idle_ns: Counter,
    /// Nanoseconds spent waiting for room in an output channel.
    pub back_pressured_ns: Counter,
    /// `currentInputWatermark` of the chain's head; for a source, what it last emitted.
    pub watermark: Gauge,
    /// `currentInput1Watermark` and `currentInput2Watermark`, where the chain's head has two inputs.
    pub input_watermarks: [Gauge; 2],
    /// `numBuffersOut`: batches handed to other tasks.
    pub batches_out: Counter,
    operators: Mutex<Vec<ChainedOperator>>,
}

impl TaskMetrics {
    /// All at zero, no operator yet.
    pub fn new() -> Self {
        Self {
            idle_ns: Counter::default(),
            back_pressured_ns: Counter::default(),
            watermark: Gauge::starting_at(MIN_WATERMARK),
            input_watermarks: [MIN_WATERMARK; 2].map(Gauge::starting_at),
            batches_out: Counter::default(),
            operators: Mutex::default(),
        }
    }

    fn lock_operators(&self) -> MutexGuard<'_, Vec<ChainedOperator>> {
        self.operators.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets an earlier attempt, all of whose tasks have ended.
    pub(crate) fn reset(&self) {
        for counter in [&self.idle_ns, &self.back_pressured_ns, &self.batches_out] {
            counter.reset();
        }
        self.input_watermarks.iter().chain([&self.watermark]).for_each(|gauge| gauge.set(MIN_WATERMARK));
        self.lock_operators().clear();
    }

    /// Of a task that runs inside another: what the thread waits for is counted once and shown by both.
    pub(crate) fn inside(outer: &Self) -> Self {
        let (idle_ns, back_pressured_ns) = (outer.idle_ns.clone(), outer.back_pressured_ns.clone());
        Self { idle_ns, back_pressured_ns, ..Self::new() }
    }

    /// Adds an operator; `is_tail`: no operator of the same chain reads it.
    pub(crate) fn add_operator(&self, name: &str, metrics: Arc<OperatorMetrics>, is_tail: bool) {
        self.lock_operators().push(ChainedOperator { name: name.to_owned(), metrics, is_tail });
    }

    /// The chain's operators by name, in order from the head.
    pub fn operators(&self) -> Vec<(String, Arc<OperatorMetrics>)> {
        let operators = self.lock_operators();
        operators.iter().map(|operator| (operator.name.clone(), Arc::clone(&operator.metrics))).collect()
    }

    /// What the head of the chain has read and what all its ends have emitted.
    fn records(&self) -> (u64, u64) {
        let operators = self.lock_operators();
        let tails = operators.iter().filter(|operator| operator.is_tail);
        let out = tails.map(|operator| operator.metrics.records_out.get()).sum();
        (operators.first().map_or(0, |head| head.metrics.records_in.get()), out)
    }
}

impl Default for TaskMetrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The figures of a vertex: one entry for each subtask.
#[derive(Debug, Clone)]
pub struct VertexMetrics {
    /// The vertex's name, such as `Source: lines -> split`.
    pub name: String,
    /// The subtasks, by index.
    pub subtasks: Vec<Arc<TaskMetrics>>,
}

/// Sums over the subtasks of a vertex at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VertexSnapshot {
    /// Records that the head of the chain has read (for a source: that it has emitted).
    pub records_in: u64,
    /// Records that left the chain, at all its ends together (for a sink: that it has written).
    pub records_out: u64,
    /// Nanoseconds waiting for input.
    pub idle_ns: u64,
    /// Nanoseconds waiting for room downstream.
    pub back_pressured_ns: u64,
    /// The smallest watermark of the subtasks.
    pub watermark: Timestamp,
}

impl VertexMetrics {
    /// Adds up the subtasks.
    pub fn snapshot(&self) -> VertexSnapshot {
        let mut sum = VertexSnapshot { watermark: Timestamp::MAX, ..VertexSnapshot::default() };
        for task in &self.subtasks {
            let (records_in, records_out) = task.records();
            sum.records_in += records_in;
            sum.records_out += records_out;
            sum.idle_ns += task.idle_ns.get();
            sum.back_pressured_ns += task.back_pressured_ns.get();
            sum.watermark = sum.watermark.min(task.watermark.get());
        }
        sum
    }
}
