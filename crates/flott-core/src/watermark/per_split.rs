//! The watermark of a source subtask out of those of its splits.

use std::collections::BTreeMap;

use super::{
    generator::WatermarkGenerator,
    merge::{MergeOutput, StreamStatus},
    strategy::WatermarkStrategy,
};
use crate::time::{MIN_WATERMARK, Timestamp};

mod idleness;

use idleness::IdlenessTimer;

#[cfg(test)]
mod tests;

/// Keeps a watermark for each split (Kafka partition, file) that a source subtask reads, and merges them.
///
/// * The output watermark is the minimum over the active splits, and never decreases. A split that is new or comes
///   back from idleness behind it holds it where it is until the split has caught up, as that split's records are
///   still to be read here.
/// * A split falls idle when it has been silent for longer than the strategy's idleness, seen at the periodic probes.
///   When all are idle, the greatest of their watermarks is passed on, then [`StreamStatus::Idle`]. A record makes
///   its split active at once.
/// * Removing a split (it was read to its end, or moved to another subtask) lets the others go on. When none is left,
///   watermark and status stay as they are: the end of the input is for the engine to announce. A subtask that stays
///   without splits falls idle like a silent split, if the strategy has an idleness, so that it holds up nobody.
pub struct SplitWatermarks<T> {
    strategy: WatermarkStrategy<T>,
    splits: BTreeMap<String, Split<T>>,
    /// Measures how long there has been no split.
    without_splits: Option<IdlenessTimer>,
    watermark: Timestamp,
    status: StreamStatus,
}

struct Split<T> {
    generator: Box<dyn WatermarkGenerator<T>>,
    idleness: Option<IdlenessTimer>,
    watermark: Timestamp,
    is_idle: bool,
}

impl<T: 'static> SplitWatermarks<T> {
    /// The watermarks of a subtask that has no split yet.
    pub fn new(strategy: &WatermarkStrategy<T>) -> Self {
        Self {
            without_splits: strategy.idleness().map(IdlenessTimer::new),
            strategy: strategy.clone(),
            splits: BTreeMap::new(),
            watermark: MIN_WATERMARK,
            status: StreamStatus::Active,
        }
    }

    /// The last watermark passed on, [`MIN_WATERMARK`] before the first.
    pub const fn watermark(&self) -> Timestamp {
        self.watermark
    }

    /// The last status passed on; active at first.
    pub const fn status(&self) -> StreamStatus {
        self.status
    }

    /// A split was assigned. It is active and has no watermark yet. Nothing happens if it is known.
    pub fn add_split(&mut self, split: &str) -> MergeOutput {
        if !self.splits.contains_key(split) {
            let added = Split::new(&self.strategy);
            self.splits.insert(split.to_owned(), added);
            self.note_activity_without_splits();
        }
        self.advance()
    }

    /// A split was read to its end or taken away. Nothing happens if it is unknown.
    pub fn remove_split(&mut self, split: &str) -> MergeOutput {
        if self.splits.remove(split).is_some() {
            self.note_activity_without_splits();
        }
        self.advance()
    }

    /// Records of a split, which is added if it is unknown; `timestamps` is empty or as long as `records`.
    pub fn on_batch(&mut self, split: &str, records: &[T], timestamps: &[Timestamp]) -> MergeOutput {
        if records.is_empty() {
            return MergeOutput::NONE;
        }
        let Some(known) = self.splits.get_mut(split) else {
            let added = self.add_split(split);
            let output = self.on_batch(split, records, timestamps);
            return MergeOutput { status: added.status.or(output.status), ..output };
        };
        if known.on_batch(records, timestamps) { self.advance() } else { MergeOutput::NONE }
    }

    /// The watermark of each split.
    pub fn splits(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.splits.iter().map(|(id, split)| (id.as_str(), split.watermark))
    }

    /// Starts the idleness of active splits anew where `is_paused`, as a split that is not read is silent by no fault of
    /// its own. To be called before each [`on_periodic`](Self::on_periodic) while splits are paused.
    pub fn excuse(&mut self, is_paused: impl Fn(&str) -> bool) {
        for (id, split) in &mut self.splits {
            if let Some(timer) = split.idleness.as_mut().filter(|_| !split.is_idle && is_paused(id)) {
                timer.note_activity();
            }
        }
    }

    /// The periodic probe, once in each `pipeline.auto-watermark-interval`. `now_ns` is the monotonic clock.
    pub fn on_periodic(&mut self, now_ns: u64) -> MergeOutput {
        for split in self.splits.values_mut() {
            split.on_periodic(now_ns);
        }
        if self.splits.is_empty() && self.without_splits.as_mut().is_some_and(|timer| timer.probe(now_ns)) {
            return self.pass_on(self.watermark, StreamStatus::Idle);
        }
        self.advance()
    }

    fn note_activity_without_splits(&mut self) {
        if let Some(timer) = &mut self.without_splits {
            timer.note_activity();
        }
    }

    fn advance(&mut self) -> MergeOutput {
        let active = self.splits.values().filter(|split| !split.is_idle);
        if let Some(least) = active.map(|split| split.watermark).min() {
            return self.pass_on(least, StreamStatus::Active);
        }
        match self.splits.values().map(|split| split.watermark).max() {
            Some(greatest) => self.pass_on(greatest, StreamStatus::Idle),
            None => MergeOutput::NONE,
        }
    }

    fn pass_on(&mut self, watermark: Timestamp, status: StreamStatus) -> MergeOutput {
        let output = MergeOutput {
            watermark: (watermark > self.watermark).then_some(watermark),
            status: (status != self.status).then_some(status),
        };
        self.watermark = self.watermark.max(watermark);
        self.status = status;
        output
    }
}

impl<T: 'static> Split<T> {
    fn new(strategy: &WatermarkStrategy<T>) -> Self {
        Self {
            generator: strategy.new_generator(),
            idleness: strategy.idleness().map(IdlenessTimer::new),
            watermark: MIN_WATERMARK,
            is_idle: false,
        }
    }

    /// Whether the split's watermark or status changed.
    fn on_batch(&mut self, records: &[T], timestamps: &[Timestamp]) -> bool {
        if let Some(timer) = &mut self.idleness {
            timer.note_activity();
        }
        let was_idle = std::mem::replace(&mut self.is_idle, false);
        let before = self.watermark;
        let watermark = self.generator.on_batch(records, timestamps);
        self.raise_to(watermark);
        was_idle || self.watermark > before
    }

    /// An idle split's generator isn't asked, so that no watermark travels on an idle stream.
    fn on_periodic(&mut self, now_ns: u64) {
        self.is_idle = self.idleness.as_mut().is_some_and(|timer| timer.probe(now_ns));
        if !self.is_idle {
            let watermark = self.generator.on_periodic();
            self.raise_to(watermark);
        }
    }

    fn raise_to(&mut self, watermark: Option<Timestamp>) {
        self.watermark = watermark.map_or(self.watermark, |w| w.max(self.watermark));
    }
}
