//! Up to which watermark the windows of each key group have fired.
//!
//! All of a subtask's have fired up to its own watermark, until it is restored: it may then have key groups of several subtasks whose
//! watermarks differed, as they do in checkpoints that are not aligned. A record that is not late for its key group must not be
//! dropped because others were further, and a window that has fired for a key group must not fire for it again. So the
//! operator begins with the least watermark, and remembers which key groups are ahead until it has caught up.

use flott_core::encoding::{decode_prefix, to_vec};
use flott_core::key_group::{KeyGroupRange, key_place};
use flott_core::time::{MIN_WATERMARK, Timestamp};
use flott_runtime::error::FnResult;
use flott_runtime::operator::OperatorSetup;
use flott_state::{OperatorStateSnapshot, RedistributionMode, StateType};

#[cfg(test)]
mod tests;

/// The name of the state: each element is a range of key groups with its watermark.
const WATERMARKS: &str = "window-watermarks";

/// What each key group has fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fired {
    own: KeyGroupRange,
    max_parallelism: u32,
    /// Key groups that are further than the operator.
    ahead: Vec<(KeyGroupRange, Timestamp)>,
}

impl Fired {
    /// What is restored, and the watermark that the operator begins with.
    pub(super) fn of(setup: &OperatorSetup) -> FnResult<(Self, Timestamp)> {
        let restored = setup.restored.iter().flat_map(|restored| &restored.operator);
        let elements = restored.filter(|part| part.name == WATERMARKS).flat_map(|part| &part.elements);
        let mut ranges: Vec<(KeyGroupRange, Timestamp)> = Vec::new();
        for element in elements {
            ranges.push(decode_prefix(&mut element.as_slice())?);
        }
        Ok(Self::restored(setup.key_groups(), setup.max_parallelism, &ranges))
    }

    fn restored(
        own: KeyGroupRange,
        max_parallelism: u32,
        ranges: &[(KeyGroupRange, Timestamp)],
    ) -> (Self, Timestamp) {
        let of_group = |group| {
            let of_group = ranges.iter().filter(|(range, _)| range.contains(group));
            of_group.map(|(_, watermark)| *watermark).max().unwrap_or(MIN_WATERMARK)
        };
        let least = (own.start..own.end).map(of_group).min().unwrap_or(MIN_WATERMARK);
        let mut ahead: Vec<(KeyGroupRange, Timestamp)> = Vec::new();
        for group in own.start..own.end {
            let watermark = of_group(group);
            match ahead.last_mut() {
                Some((range, of_range)) if range.end == group && *of_range == watermark => range.end += 1,
                _ if watermark > least => {
                    ahead.push((KeyGroupRange { start: group, end: group + 1 }, watermark));
                }
                _ => {}
            }
        }
        (Self { own, max_parallelism, ahead }, least)
    }

    /// Up to which watermark the windows of this key have fired, in an operator with this watermark.
    #[inline]
    pub(super) fn of_key(&self, hash: u64, watermark: Timestamp) -> Timestamp {
        if self.ahead.is_empty() { watermark } else { self.of_key_ahead(hash).max(watermark) }
    }

    /// No key has fired further than this.
    #[inline]
    pub(super) fn furthest(&self, watermark: Timestamp) -> Timestamp {
        self.ahead.iter().fold(watermark, |furthest, (_, ahead)| furthest.max(*ahead))
    }

    /// Whether a window with this end had fired for this key already when it was restored.
    #[inline]
    pub(super) fn had_fired(&self, hash: u64, end: Timestamp) -> bool {
        !self.ahead.is_empty() && self.of_key_ahead(hash) >= end
    }

    #[cold]
    fn of_key_ahead(&self, hash: u64) -> Timestamp {
        let group = key_place(hash, self.max_parallelism).group;
        let ahead = self.ahead.iter().find(|(range, _)| range.contains(group));
        ahead.map_or(MIN_WATERMARK, |(_, watermark)| *watermark)
    }

    /// The operator has this watermark now.
    #[inline]
    pub(super) fn advance(&mut self, watermark: Timestamp) {
        if !self.ahead.is_empty() {
            self.ahead.retain(|(_, ahead)| *ahead > watermark);
        }
    }

    /// The state for a snapshot. Every subtask gets all of it, and picks what concerns its key groups.
    pub(super) fn snapshot(&self, watermark: Timestamp) -> FnResult<OperatorStateSnapshot> {
        let own = [(self.own, watermark)];
        let all = own.iter().chain(&self.ahead).map(to_vec);
        Ok(OperatorStateSnapshot {
            name: WATERMARKS.to_owned(),
            mode: RedistributionMode::Union,
            element_type: StateType::of::<(KeyGroupRange, Timestamp)>(),
            elements: all.collect::<Result<_, _>>()?,
        })
    }
}
