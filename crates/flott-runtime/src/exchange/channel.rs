//! A bounded channel between two tasks of one process. Batches move, nothing is copied.
//!
//! It is bounded in records and in bytes. Control elements always enter, so a full channel never keeps a
//! watermark, a barrier or the end of input out. Emptied batches go back to the sender, so that a steady flow allocates
//! nothing.
//!
//! In jobs whose barriers may overtake records, a sender is told that a channel is full before it takes more input, and goes on
//! serving barriers and messages meanwhile; what one call emits beyond that enters all the same, up to [`OVERDRAFT`]. A barrier
//! that may overtake records enters behind them, and is announced to the receiver, which records what lies before it. So what
//! is overtaken is kept in one place: nobody records at the sending side. A channel between processes can do likewise, for
//! what lies in it is bounded: the announcement goes ahead, and the receiver takes what the sender still holds off its hands.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flott_core::Batch;
use flott_core::batch::{BATCH_BYTES, BATCH_RECORDS};
use flott_core::time::{MAX_WATERMARK, Timestamp};
use flott_core::watermark::StreamStatus;

use crate::checkpoint::options::{Alignment, Barrier};
use crate::seam::Signal;

/// Most records that wait in a channel, unless a single batch is larger.
pub(crate) const CHANNEL_RECORDS: usize = 8 * BATCH_RECORDS;

/// Most bytes that wait in a channel, unless a single batch is larger.
pub(crate) const CHANNEL_BYTES: usize = 8 * BATCH_BYTES;

/// How many times its bound a channel takes before its sender waits in the middle of its work, where barriers may overtake
/// records.
pub(crate) const OVERDRAFT: usize = 4;

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
    /// The sender was told that the channel is full.
    told_full: bool,
    receiver_gone: bool,
    /// The last barrier that may overtake what lies before it, until the receiver has heard of it.
    announced: Option<Barrier>,
}

impl<T> Queue<T> {
    fn push(&mut self, batch: Batch<T>, bytes: usize) {
        self.records += batch.len();
        self.bytes += bytes;
        self.elements.push_back((Element::Batch(batch), bytes));
    }

    fn has_room_for(&self, records: usize, bytes: usize, times: usize) -> bool {
        self.records + records <= times * CHANNEL_RECORDS && self.bytes + bytes <= times * CHANNEL_BYTES
    }

    /// Half empty is soon enough: waking the sender for each batch would cost more than it gains.
    fn is_roomy(&self) -> bool {
        self.records <= CHANNEL_RECORDS / 2 && self.bytes <= CHANNEL_BYTES / 2
    }
}

struct Shared<T> {
    queue: Mutex<Queue<T>>,
    // The queue's length, readable without the lock: an idle channel costs its gate one load.
    length: AtomicUsize,
    /// Whether the sender is told when the channel is full.
    tells_when_full: bool,
    sender: Arc<Signal>,
    receiver: Arc<Signal>,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        // A task that panics never does so while it holds this lock, as no user code runs under it.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Shared<T> {
    /// The sender may take input again, as far as this channel is concerned.
    fn tell_of_room(&self, queue: &mut Queue<T>) {
        if std::mem::take(&mut queue.told_full) {
            self.sender.output_has_room();
        }
    }
}

/// Whether a barrier may overtake what lies before it, now or when it has waited for long enough.
fn may_overtake(barrier: &Barrier) -> bool {
    matches!(barrier.options.alignment, Alignment::Unaligned | Alignment::AlignedWithTimeout { .. })
}

/// The sending end.
pub(crate) struct Sender<T>(Arc<Shared<T>>);

/// The receiving end.
pub(crate) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    spent: Option<Batch<T>>,
    received_bytes: u64,
}

/// A channel whose ends wake these tasks; `tells_when_full`: before its sender takes more input.
pub(crate) fn channel<T>(
    sender: Arc<Signal>,
    receiver: Arc<Signal>,
    tells_when_full: bool,
) -> (Sender<T>, Receiver<T>) {
    let queue = Queue {
        elements: VecDeque::new(),
        records: 0,
        bytes: 0,
        spare: Vec::new(),
        sender_waits: false,
        told_full: false,
        receiver_gone: false,
        announced: None,
    };
    let length = AtomicUsize::new(0);
    let shared = Arc::new(Shared { queue: Mutex::new(queue), length, tells_when_full, sender, receiver });
    (Sender(Arc::clone(&shared)), Receiver { shared, spent: None, received_bytes: 0 })
}

impl<T> Sender<T> {
    /// Sends a batch of about `bytes` bytes and returns an empty one for the next records. When the channel is
    /// full the batch comes back as the error, and the sender's signal is raised once there is room.
    pub(crate) fn try_send(&self, batch: Batch<T>, bytes: usize) -> Result<Batch<T>, Batch<T>> {
        let mut queue = self.0.lock();
        if queue.receiver_gone {
            return Ok(Batch::new());
        }
        let times = if self.0.tells_when_full { OVERDRAFT } else { 1 };
        if !queue.has_room_for(batch.len(), bytes, times) && queue.records > 0 {
            queue.sender_waits = true;
            return Err(batch);
        }
        queue.push(batch, bytes);
        if self.0.tells_when_full && !queue.told_full && !queue.has_room_for(BATCH_RECORDS, BATCH_BYTES, 1) {
            queue.told_full = true;
            self.0.sender.output_is_full();
        }
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

    /// Sends a control element behind a batch of about `bytes` bytes, full or not, and returns an empty batch. For what
    /// concerns checkpoints, which must not wait; it comes so rarely that the bound holds all but for one batch.
    pub(crate) fn send_behind(&self, batch: Batch<T>, bytes: usize, element: Element<T>) -> Batch<T> {
        let mut queue = self.0.lock();
        if queue.receiver_gone {
            return Batch::new();
        }
        let spare = match batch.is_empty() {
            true => batch,
            false => {
                queue.push(batch, bytes);
                queue.spare.pop().unwrap_or_default()
            }
        };
        let announced = match &element {
            Element::Barrier(barrier) if may_overtake(barrier) => Some(barrier.clone()),
            _ => None,
        };
        let announces = announced.is_some();
        queue.announced = announced.or(queue.announced.take());
        queue.elements.push_back((element, 0));
        self.0.length.store(queue.elements.len(), Ordering::Release);
        drop(queue);
        match announces {
            true => self.0.receiver.announce(),
            false => self.0.receiver.wake(),
        }
        spare
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
            self.received_bytes += bytes as u64;
        }
        self.shared.length.store(queue.elements.len(), Ordering::Release);
        let wake = (queue.sender_waits || queue.told_full) && queue.is_roomy();
        if wake {
            queue.sender_waits = false;
            self.shared.tell_of_room(&mut queue);
        }
        drop(queue);
        if wake {
            self.shared.sender.wake();
        }
        Some(element)
    }

    /// How many bytes of records were received so far.
    pub(crate) fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    /// The barrier that has entered the channel last, if it may overtake what lies before it and was not asked for yet.
    pub(crate) fn take_announced(&mut self) -> Option<Barrier> {
        self.shared.lock().announced.take()
    }

    /// Shows what lies before the barrier of a checkpoint, if that is in the channel. The sender need not wait meanwhile.
    pub(crate) fn before_barrier<E>(
        &mut self,
        checkpoint: u64,
        mut show: impl FnMut(&Element<T>) -> Result<(), E>,
    ) -> Result<(), E> {
        let is_barrier =
            |element: &Element<T>| matches!(element, Element::Barrier(b) if b.checkpoint == checkpoint);
        let (mut elements, before) = {
            let mut queue = self.shared.lock();
            let Some(before) = queue.elements.iter().position(|(element, _)| is_barrier(element)) else {
                return Ok(());
            };
            (std::mem::take(&mut queue.elements), before)
        };
        let shown = elements.iter().take(before).try_for_each(|(element, _)| show(element));
        let mut queue = self.shared.lock();
        elements.append(&mut queue.elements);
        queue.elements = elements;
        self.shared.length.store(queue.elements.len(), Ordering::Release);
        shown
    }

    /// Takes back the rest of a batch that was received, to give it out again next.
    pub(crate) fn take_back(&mut self, rest: Batch<T>, bytes: usize) {
        self.received_bytes = self.received_bytes.saturating_sub(bytes as u64);
        self.put_back(std::iter::once((Element::Batch(rest), bytes)));
    }

    /// Puts elements with the sizes of their batches before everything else: records that are to be processed later, or again.
    pub(crate) fn put_back(&mut self, elements: impl DoubleEndedIterator<Item = (Element<T>, usize)>) {
        let mut queue = self.shared.lock();
        for (element, bytes) in elements.rev() {
            if let Element::Batch(batch) = &element {
                queue.records += batch.len();
                queue.bytes += bytes;
            }
            queue.elements.push_front((element, bytes));
        }
        self.shared.length.store(queue.elements.len(), Ordering::Release);
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
        self.shared.tell_of_room(&mut queue);
        let dropped = std::mem::take(&mut queue.elements);
        drop(queue);
        drop(dropped);
        self.shared.sender.wake();
    }
}
