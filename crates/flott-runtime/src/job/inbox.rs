//! The messages that wait for the coordinator.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::seam::Monitor;

#[derive(Debug)]
struct Queue<M> {
    messages: VecDeque<M>,
    /// Nobody reads them any more.
    closed: bool,
}

/// The writing end. Cloning gives another one.
#[derive(Debug)]
pub(super) struct Sender<M> {
    queue: Arc<Monitor<Queue<M>>>,
    capacity: usize,
}

impl<M> Clone for Sender<M> {
    fn clone(&self) -> Self {
        Self { queue: Arc::clone(&self.queue), capacity: self.capacity }
    }
}

/// The reading end. Dropping it lets senders go on, whose messages then vanish.
#[derive(Debug)]
pub(super) struct Inbox<M>(Arc<Monitor<Queue<M>>>);

/// A queue of at most `capacity` messages.
pub(super) fn inbox<M>(capacity: usize) -> (Sender<M>, Inbox<M>) {
    let queue = Queue { messages: VecDeque::new(), closed: false };
    let queue = Arc::new(Monitor::new("a message to the coordinator", queue));
    (Sender { queue: Arc::clone(&queue), capacity }, Inbox(queue))
}

impl<M> Sender<M> {
    /// Sends a message, waiting for room if need be. Once the reader is gone nothing happens; it says whether it is
    /// there.
    pub(super) fn send(&self, message: M) -> bool {
        let mut message = Some(message);
        self.queue.wait(None, |queue| {
            let room = queue.messages.len() < self.capacity;
            if room && !queue.closed {
                queue.messages.extend(message.take());
            }
            (room || queue.closed).then_some(())
        });
        // The reader may wait for the message.
        self.queue.change(|_| {});
        message.is_none()
    }
}

impl<M> Inbox<M> {
    /// The next message; `None` if none comes within `limit`.
    pub(super) fn receive(&self, limit: Option<Duration>) -> Option<M> {
        let message = self.0.wait(limit, |queue| queue.messages.pop_front());
        // Senders may wait for the room.
        self.0.change(|_| {});
        message
    }
}

impl<M> Inbox<M> {
    /// Takes no further message, and returns those that were not read.
    pub(super) fn close(&self) -> VecDeque<M> {
        self.0.change(|queue| {
            queue.closed = true;
            std::mem::take(&mut queue.messages)
        })
    }
}

impl<M> Drop for Inbox<M> {
    fn drop(&mut self) {
        self.close();
    }
}
