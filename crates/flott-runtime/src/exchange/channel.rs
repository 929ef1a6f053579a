//! A bounded channel between two tasks of one process. Batches move, nothing is copied.
//!
//! It is bounded in records and in bytes. Control elements always enter, so a full channel never keeps a
//! watermark or the end of input out. Emptied batches go back to the sender, so that a steady flow allocates
//! nothing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flott_core::Batch;
use flott_core::batch::{BATCH_BYTES, BATCH_RECORDS};
use flott_core::time::{MAX_WATERMARK, Timestamp};
use flott_core::watermark::StreamStatus;

use crate::checkpoint::options::Barrier;
use crate::seam::Signal;

/// Most records that wait in a channel, unless a single batch is larger.
pub(crate) const CHANNEL_RECORDS: usize = 8 * BATCH_RECORDS;

/// Most bytes that wait in a channel, unless a single batch is larger.
pub(crate) const CHANNEL_BYTES: usize = 8 * BATCH_BYTES;

/// How many emptied batches a channel keeps for reuse.
const SPARE_BATCHES: usize = 8;

/// What travels through a channel.
#[derive(Debug)]
pub(crate) enum Element<T> {
    Batch(Batch<T>),
    Watermark(Timestamp),
    Status(StreamStatus),
    /// What is before it belongs to a checkpoint.
    Barrier(Barrier),
    /// The barrier of this checkpoint will not come.
    CancelBarrier(u64),
    /// No record will follow, but barriers may.
    EndOfData,
    /// Nothing will follow.
    EndOfInput,
}

struct Queue<T> {
    elements: VecDeque<(Element<T>, usize)>,
    records: usize,
    bytes: usize,
    spare: Vec<Batch<T>>,
    sender_waits: bool,
    receiver_gone: bool,
}

struct Shared<T> {
    queue: Mutex<Queue<T>>,
    // The queue's length, readable without the lock: an idle channel costs its gate one load.
    length: AtomicUsize,
    sender: Arc<Signal>,
    receiver: Arc<Signal>,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        // A task that panics never does so while it holds this lock, as no user code runs under it.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sending end.
pub(crate) struct Sender<T>(Arc<Shared<T>>);

/// The receiving end.
pub(crate) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    spent: Option<Batch<T>>,
}

/// A channel whose ends wake these tasks.
pub(crate) fn channel<T>(sender: Arc<Signal>, receiver: Arc<Signal>) -> (Sender<T>, Receiver<T>) {
    let queue = Queue {
        elements: VecDeque::new(),
        records: 0,
        bytes: 0,
        spare: Vec::new(),
        sender_waits: false,
        receiver_gone: false,
    };
    let shared = Arc::new(Shared { queue: Mutex::new(queue), length: AtomicUsize::new(0), sender, receiver });
    (Sender(Arc::clone(&shared)), Receiver { shared, spent: None })
}

impl<T> Sender<T> {
    /// Sends a batch of about `bytes` bytes and returns an empty one for the next records. When the channel is
    /// full the batch comes back as the error, and the sender's signal is raised once there is room.
    pub(crate) fn try_send(&self, batch: Batch<T>, bytes: usize) -> Result<Batch<T>, Batch<T>> {
        let mut queue = self.0.lock();
        if queue.receiver_gone {
            return Ok(Batch::new());
        }
        let full = queue.records + batch.len() > CHANNEL_RECORDS || queue.bytes + bytes > CHANNEL_BYTES;
        if full && queue.records > 0 {
            queue.sender_waits = true;
            return Err(batch);
        }
        queue.records += batch.len();
        queue.bytes += bytes;
        queue.elements.push_back((Element::Batch(batch), bytes));
        let spare = queue.spare.pop().unwrap_or_default();
        self.0.length.store(queue.elements.len(), Ordering::Release);
        drop(queue);
        self.0.receiver.wake();
        Ok(spare)
    }

    /// Sends a control element, full or not. A watermark that is directly behind another replaces it, so control
    /// elements can't pile up without records between them.
    pub(crate) fn send_control(&self, element: Element<T>) {
        let mut queue = self.0.lock();
        if queue.receiver_gone {
            return;
        }
        match (queue.elements.back_mut(), &element) {
            (Some((Element::Watermark(last), _)), Element::Watermark(next)) => *last = *next,
            _ => queue.elements.push_back((element, 0)),
        }
        self.0.length.store(queue.elements.len(), Ordering::Release);
        drop(queue);
        self.0.receiver.wake();
    }

    /// Tells the receiver that nothing will come at all.
    pub(crate) fn end(&self) {
        self.send_control(Element::Watermark(MAX_WATERMARK));
        self.send_control(Element::EndOfData);
        self.send_control(Element::EndOfInput);
    }
}

impl<T> Receiver<T> {
    /// The next element, if there is one.
    pub(crate) fn try_recv(&mut self) -> Option<Element<T>> {
        if self.shared.length.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut queue = self.shared.lock();
        if let Some(spent) = self.spent.take()
            && queue.spare.len() < SPARE_BATCHES
        {
            queue.spare.push(spent);
        }
        let (element, bytes) = queue.elements.pop_front()?;
        if let Element::Batch(batch) = &element {
            queue.records -= batch.len();
            queue.bytes -= bytes;
        }
        self.shared.length.store(queue.elements.len(), Ordering::Release);
        // Half empty is soon enough: waking the sender for each batch would cost more than it gains.
        let roomy = queue.records <= CHANNEL_RECORDS / 2 && queue.bytes <= CHANNEL_BYTES / 2;
        let wake = queue.sender_waits && roomy;
        if wake {
            queue.sender_waits = false;
        }
        drop(queue);
        if wake {
            self.shared.sender.wake();
        }
        Some(element)
    }

    /// Gives back a batch that was received and emptied, for the sender to fill again.
    pub(crate) fn recycle(&mut self, mut batch: Batch<T>) {
        batch.clear();
        self.spent = Some(batch);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.receiver_gone = true;
        let dropped = std::mem::take(&mut queue.elements);
        drop(queue);
        drop(dropped);
        self.shared.sender.wake();
    }
}
