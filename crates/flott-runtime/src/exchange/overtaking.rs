//! What a gate does in jobs whose barriers may overtake records: it records what they overtake, and takes small steps where a
//! batch takes long.

use std::rc::Rc;

use flott_core::Data;

use super::channel::{Element, Receiver};
use super::in_flight::{ChannelPlace, Recorded};
use crate::error::{BoxError, ChainError, ChainResult};
use crate::task::{Pace, TaskShared};

/// The part of a gate that has to do with barriers that overtake records.
pub(crate) struct Overtaking {
    /// The operator behind the gate, for errors.
    operator: String,
    places: Vec<ChannelPlace>,
    /// Whether barriers may overtake what lies in the channels, or only in others of the job.
    is_allowed: bool,
    /// The channels that are being recorded.
    recording: Vec<bool>,
    recorded: Recorded,
    pub(super) pace: Pace,
}

impl Overtaking {
    /// For the channels at these places, before an operator of this name.
    pub(crate) fn new(
        operator: &str,
        places: Vec<ChannelPlace>,
        is_allowed: bool,
        task: Rc<TaskShared>,
    ) -> Self {
        let recording = vec![false; places.len()];
        let (operator, recorded) = (operator.to_owned(), Recorded::default());
        Self { operator, places, is_allowed, recording, recorded, pace: Pace::new(task) }
    }

    pub(super) fn is_allowed(&self) -> bool {
        self.is_allowed
    }

    /// Begins to record a channel.
    pub(super) fn record(&mut self, channel: usize) {
        self.recording[channel] = true;
    }

    /// Records an element that is about to be processed, if its channel is being recorded.
    pub(super) fn pass<T: Data>(&mut self, channel: usize, element: &Element<T>) -> ChainResult {
        if !self.recording[channel] {
            return Ok(());
        }
        let added = self.recorded.add(self.places[channel], element);
        self.named(added)
    }

    /// Records what still lies before the barrier of a checkpoint in a channel, and nothing further.
    pub(super) fn stop<T: Data>(
        &mut self,
        checkpoint: u64,
        channel: usize,
        receiver: &mut Receiver<T>,
    ) -> ChainResult {
        if !std::mem::replace(&mut self.recording[channel], false) {
            return Ok(());
        }
        let Self { recorded, places, .. } = self;
        let added = receiver.before_barrier(checkpoint, |element| recorded.add(places[channel], element));
        self.named(added)
    }

    /// Forgets what was recorded: the checkpoint is given up.
    pub(super) fn forget(&mut self) {
        self.recording.fill(false);
        self.recorded = Recorded::default();
    }

    pub(super) fn recorded(&mut self) -> &mut Recorded {
        &mut self.recorded
    }

    fn named(&self, result: Result<(), BoxError>) -> ChainResult {
        result.map_err(|cause| ChainError::Failed { operator: self.operator.clone(), cause })
    }
}
