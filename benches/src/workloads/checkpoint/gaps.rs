//! The sink of the workload: how many records have come, and how much time lies between batches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flott::prelude::*;
use flott::sink::{BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext};
use flott_core::Batch;

use crate::measure::monotonic_ns;

/// Counts records, and notes how long each batch took while a phase is measured.
#[derive(Clone, Default)]
pub(super) struct Gaps {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    records: AtomicU64,
    /// How many subtasks have got records, and when the last of these got its first.
    started: AtomicU64,
    started_ns: AtomicU64,
    /// The phase that is measured; 0: none.
    phase: AtomicU64,
    /// Of the last phase, in nanoseconds.
    gaps_ns: Mutex<Vec<u64>>,
}

impl Gaps {
    /// How many records have come.
    pub(super) fn records(&self) -> u64 {
        self.shared.records.load(Ordering::Relaxed)
    }

    /// When so many subtasks had got their first one; `None` if they have not.
    pub(super) fn started_ns(&self, subtasks: u32) -> Option<u64> {
        let all = self.shared.started.load(Ordering::Acquire) >= u64::from(subtasks);
        all.then(|| self.shared.started_ns.load(Ordering::Relaxed))
    }

    /// A phase begins; 0 ends one.
    pub(super) fn set_phase(&self, phase: u64) {
        self.shared.phase.store(phase, Ordering::Relaxed);
    }

    /// The times from batch to batch of the phase that has ended, sorted. Its writers need a moment to notice its end.
    pub(super) fn take_ns(&self) -> Vec<u64> {
        let mut gaps = self.shared.gaps_ns.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = std::mem::take(&mut *gaps);
        all.sort_unstable();
        all
    }
}

struct GapWriter {
    shared: Arc<Shared>,
    has_started: bool,
    phase: u64,
    last_ns: u64,
    gaps_ns: Vec<u64>,
}

impl Sink<(u64, i64)> for Gaps {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<(u64, i64), Self>> {
        let shared = Arc::clone(&self.shared);
        Ok(Box::new(GapWriter { shared, has_started: false, phase: 0, last_ns: 0, gaps_ns: Vec::new() }))
    }
}

impl SinkWriter<(u64, i64)> for GapWriter {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<(u64, i64)>, _context: WriteContext) -> FnResult {
        let now_ns = monotonic_ns();
        self.shared.records.fetch_add(batch.len() as u64, Ordering::Relaxed);
        if !std::mem::replace(&mut self.has_started, true) {
            self.shared.started_ns.fetch_max(now_ns, Ordering::Relaxed);
            self.shared.started.fetch_add(1, Ordering::Release);
        }
        let phase = self.shared.phase.load(Ordering::Relaxed);
        if phase != self.phase {
            let mut all = self.shared.gaps_ns.lock().unwrap_or_else(PoisonError::into_inner);
            all.append(&mut self.gaps_ns);
            (self.phase, self.last_ns) = (phase, 0);
        }
        if phase > 0 {
            if self.last_ns > 0 {
                self.gaps_ns.push(now_ns - self.last_ns);
            }
            self.last_ns = now_ns;
        }
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }
}
