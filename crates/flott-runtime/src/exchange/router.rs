//! The sending side of an exchange: key → hash (once) → key group → target; one batch in the making per target.

use std::rc::Rc;
use std::sync::Arc;

use flott_core::batch::{BATCH_BYTES, BATCH_RECORDS};
use flott_core::hash::mix64;
use flott_core::key_group::{key_place, subtask_of_group};
use flott_core::time::Timestamp;
use flott_core::watermark::StreamStatus;
use flott_core::{Batch, Data};

use super::channel::{Element, Sender};
use super::partitioning::CustomPartitioner;
use super::size::batch_bytes;
use super::{KeyHasher, Partitioner, Partitioning};
use crate::error::{ChainError, ChainResult};
use crate::operator::Input;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::task::{TaskShared, enter_operator, leave_operator};

/// How many records with heap data make up the first batch, by which their size is measured.
const FIRST_RECORDS: usize = 32;

/// How the router chooses among several targets.
enum Route<T> {
    Only,
    Turn { next: usize },
    Random { state: u64 },
    All,
    Key { hasher: Arc<dyn KeyHasher<T>>, target_of_group: Vec<u16> },
    Custom(Arc<CustomPartitioner<T>>),
}

/// Splits batches over the channels to the subtasks downstream.
pub(crate) struct Router<T> {
    name: Arc<str>,
    route: Route<T>,
    channels: Vec<Sender<T>>,
    pending: Vec<Batch<T>>,
    capacity: usize,
    task: Rc<TaskShared>,
}

/// What a router must know about its exchange.
pub(crate) struct RouterPlan {
    /// Names the exchange in errors.
    pub(crate) name: Arc<str>,
    pub(crate) partitioning: Partitioning,
    pub(crate) from_subtask: u32,
    pub(crate) downstream_parallelism: u32,
    pub(crate) max_parallelism: u32,
}

impl<T: Data> Router<T> {
    /// A router over these channels, one for each of [`Partitioning::targets`] in order.
    pub(crate) fn new(
        plan: RouterPlan,
        partitioner: Partitioner<T>,
        channels: Vec<Sender<T>>,
        task: Rc<TaskShared>,
    ) -> Self {
        let pending = channels.iter().map(|_| Batch::new()).collect();
        let start = plan.from_subtask as usize % channels.len().max(1);
        let route = match (plan.partitioning, partitioner) {
            (Partitioning::Hash, Partitioner::Hash(hasher)) => {
                let (groups, targets) = (plan.max_parallelism, plan.downstream_parallelism);
                // Max parallelism is at most 2^15, so a subtask index fits.
                let target = |group| subtask_of_group(group, groups, targets) as u16;
                Route::Key { hasher, target_of_group: (0..groups).map(target).collect() }
            }
            (Partitioning::Custom, Partitioner::Custom(function)) => Route::Custom(function),
            (Partitioning::Broadcast, _) => Route::All,
            (Partitioning::Shuffle, _) => Route::Random { state: mix64(u64::from(plan.from_subtask) + 1) },
            _ if channels.len() == 1 => Route::Only,
            _ => Route::Turn { next: start },
        };
        // Records of unknown size are first measured after a few: a thousand large ones would be far too many.
        let few = if std::mem::needs_drop::<T>() { FIRST_RECORDS } else { BATCH_RECORDS };
        let capacity = (BATCH_BYTES / size_of::<T>().max(1)).clamp(1, few);
        Self { name: plan.name, route, channels, pending, capacity, task }
    }

    /// Appends a whole batch to what waits for the only target, without touching single records where it can.
    fn route_whole(&mut self, batch: &mut Batch<T>) -> ChainResult {
        if self.pending[0].is_empty() && batch.len() >= self.capacity / 2 {
            std::mem::swap(&mut self.pending[0], batch);
            return self.send(0);
        }
        self.pending[0].append(batch);
        if self.pending[0].len() >= self.capacity { self.send(0) } else { Ok(()) }
    }

    /// Distributes the records by the targets that `target` names for (index, record).
    fn scatter(
        &mut self,
        batch: &mut Batch<T>,
        hashes: &[u64],
        mut target: impl FnMut(usize, &T) -> ChainResult<usize>,
    ) -> ChainResult {
        let timed = batch.has_timestamps();
        // A batch has timestamps for all of its records or for none, so what waits must be of the same kind.
        for index in 0..self.pending.len() {
            if self.pending[index].has_timestamps() != timed {
                self.send(index)?;
            }
        }
        for (index, record) in batch.records.drain(..).enumerate() {
            let to = target(index, &record)?;
            let pending = &mut self.pending[to];
            if timed {
                pending.timestamps.push(batch.timestamps[index]);
            }
            if let Some(hash) = hashes.get(index) {
                pending.hashes.push(*hash);
            }
            pending.records.push(record);
            if pending.len() >= self.capacity {
                self.send(to)?;
            }
        }
        batch.clear();
        Ok(())
    }

    fn broadcast(&mut self, batch: &mut Batch<T>) -> ChainResult {
        for index in 0..self.channels.len() {
            self.pending[index].append(&mut batch.clone());
            if self.pending[index].len() >= self.capacity {
                self.send(index)?;
            }
        }
        batch.clear();
        Ok(())
    }

    fn route(&mut self, batch: &mut Batch<T>) -> ChainResult {
        batch.hashes.clear();
        let targets = self.channels.len();
        let mut route = std::mem::replace(&mut self.route, Route::Only);
        let result = match &mut route {
            Route::Only => self.route_whole(batch),
            Route::All => self.broadcast(batch),
            Route::Turn { next } => self.scatter(batch, &[], |_, _| {
                *next = if *next + 1 >= targets { 0 } else { *next + 1 };
                Ok(*next)
            }),
            Route::Random { state } => self.scatter(batch, &[], |_, _| {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                Ok(((u128::from(mix64(*state)) * targets as u128) >> 64) as usize)
            }),
            Route::Key { hasher, target_of_group } => {
                self.route_by_key(batch, hasher.as_ref(), target_of_group)
            }
            Route::Custom(function) => {
                let name = Arc::clone(&self.name);
                self.scatter(batch, &[], |_, record| custom_target(function.as_ref(), record, targets, &name))
            }
        };
        self.route = route;
        result
    }

    fn route_by_key(
        &mut self,
        batch: &mut Batch<T>,
        hasher: &dyn KeyHasher<T>,
        target_of_group: &[u16],
    ) -> ChainResult {
        let hashed = hasher.hash(&batch.records, &mut batch.hashes);
        hashed
            .map_err(|error| ChainError::Failed { operator: self.name.to_string(), cause: error.into() })?;
        if self.channels.len() == 1 {
            return self.route_whole(batch);
        }
        let groups = target_of_group.len() as u32;
        let hashes = std::mem::take(&mut batch.hashes);
        let result = self.scatter(batch, &hashes, |index, _| {
            Ok(usize::from(target_of_group[key_place(hashes[index], groups).group as usize]))
        });
        batch.hashes = hashes;
        batch.hashes.clear();
        result
    }

    /// Sends what is pending for a target, waiting for room if need be.
    fn send(&mut self, target: usize) -> ChainResult {
        let mut batch = std::mem::take(&mut self.pending[target]);
        if batch.is_empty() {
            self.pending[target] = batch;
            return Ok(());
        }
        let bytes = batch_bytes(&batch);
        self.capacity = (BATCH_BYTES * batch.len() / bytes.max(1)).clamp(1, BATCH_RECORDS);
        let mut waited = false;
        loop {
            match self.channels[target].try_send(batch, bytes) {
                Ok(spare) => {
                    self.pending[target] = spare;
                    self.task.metrics.batches_out.add(1);
                    if waited {
                        self.task.look_again();
                    }
                    return Ok(());
                }
                Err(refused) => {
                    batch = refused;
                    waited = true;
                    self.task.wait_for_room()?;
                }
            }
        }
    }

    /// Sends what is pending, and a control element behind it, to every target.
    fn send_behind_records(&mut self, element: impl Fn() -> Element<T>) -> ChainResult {
        self.send_all()?;
        self.channels.iter().for_each(|channel| channel.send_control(element()));
        Ok(())
    }

    /// As [`Router::send_behind_records`], for what must not wait for room.
    fn send_behind_records_at_once(&mut self, element: impl Fn() -> Element<T>) {
        // Records are measured by their serde implementation, which is user code.
        let outer = enter_operator(&self.name);
        for (pending, channel) in self.pending.iter_mut().zip(&self.channels) {
            let batch = std::mem::take(pending);
            self.task.metrics.batches_out.add(u64::from(!batch.is_empty()));
            let bytes = batch_bytes(&batch);
            *pending = channel.send_behind(batch, bytes, element());
        }
        leave_operator(outer);
    }

    fn send_all(&mut self) -> ChainResult {
        // Records are measured by their serde implementation, which is user code.
        let outer = enter_operator(&self.name);
        let sent = (0..self.pending.len()).try_for_each(|target| self.send(target));
        leave_operator(outer);
        sent
    }
}

fn custom_target<T>(
    function: &CustomPartitioner<T>,
    record: &T,
    targets: usize,
    name: &str,
) -> ChainResult<usize> {
    let target = function(record, targets as u32) as usize;
    if target < targets {
        return Ok(target);
    }
    let cause =
        format!("the partitioner named subtask {target}, but there are {targets}: it must be below that");
    Err(ChainError::Failed { operator: name.to_owned(), cause: cause.into() })
}

impl<T: Data> Input<T> for Router<T> {
    fn batch(&mut self, batch: &mut Batch<T>) -> ChainResult {
        let name = Arc::clone(&self.name);
        let outer = enter_operator(&name);
        let result = self.route(batch);
        leave_operator(outer);
        result
    }

    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        self.send_behind_records(|| Element::Watermark(watermark))
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        self.send_behind_records(|| Element::Status(status))
    }

    fn flush(&mut self) -> ChainResult {
        self.send_all()
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

    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult {
        self.send_behind_records_at_once(|| Element::Barrier(snapshot.barrier.clone()));
        Ok(())
    }

    fn drain_snapshot(&mut self, _work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        Ok(true)
    }

    fn abort_snapshot(&mut self) {}

    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult {
        match notice {
            CheckpointNotice::Canceled(id) => {
                self.send_behind_records_at_once(|| Element::CancelBarrier(id));
            }
            CheckpointNotice::Complete(_) | CheckpointNotice::Aborted(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> ChainResult {
        self.send_behind_records(|| Element::EndOfData)
    }

    fn end(&mut self) -> ChainResult {
        self.send_behind_records(|| Element::EndOfInput)
    }

    fn close(&mut self) -> ChainResult {
        Ok(())
    }
}
