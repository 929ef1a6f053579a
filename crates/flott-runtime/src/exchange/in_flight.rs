//! Records that a barrier has overtaken: how they are recorded, and how they come back when the job is restored.
//!
//! An exchange is stored as if it were an operator: it has an id, and what lies in it is its operator state. Its elements are
//! batches and watermarks, each with the number of the subtask that has sent it, in the order in which they were sent.

use flott_core::key_group::{KeyGroupRange, key_place};
use flott_core::schema::Schema;
use flott_core::time::{MAX_WATERMARK, Timestamp};
use flott_core::watermark::WatermarkMerge;
use flott_core::{Batch, Data, encoding};
use flott_state::{OperatorStateSnapshot, RedistributionMode, StateType};
use serde::{Deserialize, Serialize};

use super::channel::Element;
use super::size::batch_bytes;
use super::{Partitioner, Partitioning};
use crate::error::BoxError;
use crate::graph::OperatorId;

#[cfg(test)]
mod tests;

/// Where a channel is in a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChannelPlace {
    /// The exchange that it is part of.
    pub(crate) exchange: OperatorId,
    /// How the exchange spreads records.
    pub(crate) partitioning: Partitioning,
    /// The subtask that sends.
    pub(crate) from: u32,
}

/// An element of the state of an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum InFlight<T> {
    Records { from: u32, records: Vec<T>, timestamps: Vec<Timestamp> },
    Watermark { from: u32, watermark: Timestamp },
}

/// As [`InFlight::Records`], of a batch that is still needed.
#[derive(Serialize)]
enum Borrowed<'a, T> {
    Records { from: u32, records: &'a [T], timestamps: &'a [Timestamp] },
}

/// The part of the exchanges before one input that a task has recorded for a checkpoint and not handed over yet.
#[derive(Default)]
pub(crate) struct Recorded {
    /// For each exchange its elements.
    elements: Vec<(OperatorId, Partitioning, Vec<Vec<u8>>)>,
    bytes: usize,
}

impl Recorded {
    /// Adds what is recorded of an element of a channel: records and watermarks. That a channel is idle or at its end is told anew
    /// by who sends.
    pub(crate) fn add<T: Data>(&mut self, place: ChannelPlace, element: &Element<T>) -> Result<(), BoxError> {
        let ChannelPlace { exchange, partitioning, from } = place;
        let encoded = match element {
            Element::Batch(Batch { records, timestamps, .. }) => {
                encoding::to_vec(&Borrowed::Records { from, records, timestamps })?
            }
            Element::Watermark(watermark) if *watermark < MAX_WATERMARK => {
                encoding::to_vec(&InFlight::<T>::Watermark { from, watermark: *watermark })?
            }
            _ => return Ok(()),
        };
        self.bytes += encoded.len();
        match self.elements.iter_mut().find(|(known, ..)| *known == exchange) {
            Some((.., elements)) => elements.push(encoded),
            None => self.elements.push((exchange, partitioning, vec![encoded])),
        }
        Ok(())
    }

    /// How many bytes there are.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes it as the state of each exchange.
    pub(crate) fn take<T: Data>(&mut self) -> Vec<(OperatorId, OperatorStateSnapshot)> {
        let Self { elements, .. } = std::mem::take(self);
        let states = elements.into_iter().map(|(exchange, partitioning, elements)| {
            let element_type = element_type::<T>();
            let (name, mode) = (state_name(partitioning), RedistributionMode::SplitDistribute);
            (exchange, OperatorStateSnapshot { name, mode, element_type, elements })
        });
        states.collect()
    }
}

/// The name of the state of an exchange: how it spreads records decides who takes them.
fn state_name(partitioning: Partitioning) -> String {
    format!("in-flight {partitioning}")
}

fn element_type<T: Data>() -> StateType {
    StateType { name: std::any::type_name::<T>().to_owned(), schema: Schema::of::<InFlight<T>>() }
}

/// What a receiving subtask gets of an exchange when the job is restored.
#[derive(Clone, Debug, Default)]
pub(crate) struct RestoredExchange {
    /// What each of the earlier receivers has recorded, of those that concern this one.
    pub(crate) receivers: Vec<Vec<OperatorStateSnapshot>>,
    /// How many subtasks sent then.
    pub(crate) senders: u32,
    /// Which of the records are this one's.
    pub(crate) share: Share,
}

/// Which records of those that were in flight a receiving subtask takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Share {
    /// All that are restored for it.
    #[default]
    All,
    /// Those whose keys it owns now.
    KeyGroups { own: KeyGroupRange, max_parallelism: u32 },
    /// Those for which the user's function names it.
    Target { subtask: u32, parallelism: u32 },
}

impl RestoredExchange {
    /// What comes first in each of `channels` channels. A channel takes over from the sender of its number; where there are
    /// fewer, from several.
    ///
    /// Watermarks come back where the senders are as many as they were. A channel that takes over from several receivers gets the
    /// least of theirs. With another number of senders each has work of several, so that nothing is known of its event time
    /// until it has told.
    pub(crate) fn elements<T: Data>(
        &self,
        partitioner: &Partitioner<T>,
        partitioning: Partitioning,
        channels: usize,
    ) -> Result<Vec<Vec<Element<T>>>, BoxError> {
        let mut restored: Vec<Vec<Element<T>>> = (0..channels).map(|_| Vec::new()).collect();
        let mut merges: Vec<_> = restored.iter().map(|_| WatermarkMerge::new(self.receivers.len())).collect();
        let has_watermarks = self.senders as usize == channels;
        for (receiver, states) in self.receivers.iter().enumerate() {
            for state in states {
                check_partitioning(&state.name, partitioning)?;
                let wanted = element_type::<T>();
                let reading = state.element_type.read_as(&wanted)?;
                for element in &state.elements {
                    match reading.whole(element)? {
                        InFlight::Records { from, records, timestamps } => {
                            let batch = Batch { records, timestamps, hashes: Vec::new() };
                            let batch = self.share.of(batch, partitioner)?;
                            if !batch.is_empty() {
                                restored[from as usize % channels].push(Element::Batch(batch));
                            }
                        }
                        InFlight::Watermark { from, watermark } if has_watermarks => {
                            let channel = from as usize % channels;
                            let merged = merges[channel].on_watermark(receiver, watermark);
                            restored[channel].extend(merged.watermark.map(Element::Watermark));
                        }
                        InFlight::Watermark { .. } => {}
                    }
                }
            }
        }
        Ok(restored)
    }
}

/// Elements with the sizes by which channels are bounded.
pub(crate) fn sized<T: Data>(
    elements: Vec<Element<T>>,
) -> impl DoubleEndedIterator<Item = (Element<T>, usize)> {
    elements.into_iter().map(|element| {
        let bytes = if let Element::Batch(batch) = &element { batch_bytes(batch) } else { 0 };
        (element, bytes)
    })
}

/// Records must not get lost because they are spread by another rule now.
fn check_partitioning(written: &str, partitioning: Partitioning) -> Result<(), BoxError> {
    // Which of these two an edge is depends on the parallelism, if the program doesn't say.
    let derived = [Partitioning::Forward, Partitioning::Rebalance].map(state_name);
    let now = state_name(partitioning);
    if written == now || (derived.contains(&now) && derived.iter().any(|name| name == written)) {
        return Ok(());
    }
    Err(format!(
        "the checkpoint holds records that were spread as '{written}', but they are spread as '{now}' now: keep the \
         partitioning, or start from a savepoint, which holds none"
    )
    .into())
}

impl Share {
    /// The records of a batch that belong to it, with the hashes of their keys.
    fn of<T: Data>(self, mut batch: Batch<T>, partitioner: &Partitioner<T>) -> Result<Batch<T>, BoxError> {
        let hashes = match partitioner {
            Partitioner::Hash(hasher) => {
                let mut hashes = Vec::new();
                hasher.hash(&batch.records, &mut hashes)?;
                hashes
            }
            Partitioner::Plain | Partitioner::Custom(_) => Vec::new(),
        };
        let is_own = |index: usize, record: &T| match (self, partitioner) {
            (Self::KeyGroups { own, max_parallelism }, Partitioner::Hash(_)) => {
                own.contains(key_place(hashes[index], max_parallelism).group)
            }
            (Self::Target { subtask, parallelism }, Partitioner::Custom(target)) => {
                target(record, parallelism) == subtask
            }
            _ => true,
        };
        let timestamps = std::mem::take(&mut batch.timestamps);
        let mut own = Batch::new();
        for (index, record) in batch.records.into_iter().enumerate() {
            if is_own(index, &record) {
                own.records.push(record);
                own.timestamps.extend(timestamps.get(index));
                own.hashes.extend(hashes.get(index));
            }
        }
        Ok(own)
    }
}
