//! What the tests of several modules share: a task's surroundings without a task, and
//! a chain's end that remembers what it saw.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use flott_core::Batch;
use flott_core::seam::Clock;
use flott_core::time::Timestamp;
use flott_core::watermark::StreamStatus;
use flott_state::backend::HashMapStateBackend;

use crate::error::ChainResult;
use crate::graph::OperatorId;
use crate::metrics::TaskMetrics;
use crate::operator::{Input, OperatorSetup};
use crate::seam::Signal;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::task::{TaskCheckpointing, TaskLink, TaskShared};
pub(crate) use crate::testing::ManualClock;

/// What the operators of a task share, and the strings to pull at.
pub(crate) struct TestTask {
    pub(crate) shared: Rc<TaskShared>,
    pub(crate) signal: Arc<Signal>,
    pub(crate) canceled: Arc<AtomicBool>,
    pub(crate) metrics: Arc<TaskMetrics>,
}

/// The surroundings of a task that runs on the current thread.
pub(crate) fn task(clock: Arc<dyn Clock>) -> TestTask {
    let signal = Arc::new(Signal::new());
    signal.adopt();
    let (canceled, metrics) = (Arc::<AtomicBool>::default(), Arc::new(TaskMetrics::new()));
    let link = TaskLink {
        request_split: Arc::new(|| {}),
        report_watermark: Arc::new(|_| {}),
        auto_watermark_interval: Duration::ZERO,
        allow_unaligned_source_splits: false,
        checkpointing: TaskCheckpointing::none(),
    };
    let shared =
        TaskShared::new(clock, Arc::clone(&signal), Arc::clone(&canceled), Arc::clone(&metrics), link);
    TestTask { shared: Rc::new(shared), signal, canceled, metrics }
}

/// What reached a [`Recorder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen<T> {
    Batch(Batch<T>),
    Watermark(Timestamp),
    Status(StreamStatus),
    Finish,
}

/// An input that remembers.
pub(crate) struct Recorder<T>(Record<T>);

/// What a [`Recorder`] has seen, in order.
pub(crate) type Record<T> = Rc<RefCell<Vec<Seen<T>>>>;

/// A recorder and its record.
pub(crate) fn recorder<T: Clone + 'static>() -> (Box<dyn Input<T>>, Record<T>) {
    let seen = Record::default();
    (shared_recorder(&seen), seen)
}

/// A recorder that adds to a record.
pub(crate) fn shared_recorder<T: Clone + 'static>(record: &Record<T>) -> Box<dyn Input<T>> {
    Box::new(Recorder(Rc::clone(record)))
}

/// What an operator of this name learns in the only subtask of a job that is started for the first time.
pub(crate) fn setup(task: &TestTask, name: &str) -> OperatorSetup {
    OperatorSetup {
        name: Arc::from(name),
        operator_id: OperatorId::of_uid(name),
        subtask: 0,
        parallelism: 1,
        max_parallelism: 128,
        attempt: 0,
        metrics: Arc::default(),
        restored: None,
        backend: Arc::new(HashMapStateBackend),
        task: Rc::clone(&task.shared),
    }
}

impl<T: Clone> Input<T> for Recorder<T> {
    fn batch(&mut self, batch: &mut Batch<T>) -> ChainResult {
        self.0.borrow_mut().push(Seen::Batch(batch.clone()));
        batch.clear();
        Ok(())
    }

    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        self.0.borrow_mut().push(Seen::Watermark(watermark));
        Ok(())
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        self.0.borrow_mut().push(Seen::Status(status));
        Ok(())
    }

    fn flush(&mut self) -> ChainResult {
        Ok(())
    }

    fn open(&mut self) -> ChainResult {
        Ok(())
    }

    fn processing_time(&mut self, _now: Timestamp) -> ChainResult {
        Ok(())
    }

    fn next_timer(&self) -> Option<Timestamp> {
        None
    }

    fn snapshot(&mut self, _snapshot: &mut TaskSnapshot) -> ChainResult {
        Ok(())
    }

    fn drain_snapshot(&mut self, _work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        Ok(true)
    }

    fn abort_snapshot(&mut self) {}

    fn notify(&mut self, _notice: CheckpointNotice) -> ChainResult {
        Ok(())
    }

    fn finish(&mut self) -> ChainResult {
        self.0.borrow_mut().push(Seen::Finish);
        Ok(())
    }

    fn end(&mut self) -> ChainResult {
        Ok(())
    }

    fn close(&mut self) -> ChainResult {
        Ok(())
    }
}
