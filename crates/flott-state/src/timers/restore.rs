//! Timers come back from plain data.

use flott_core::{
    Key,
    encoding::decode_prefix,
    time::{TimeDomain, Timestamp},
};

use super::TimerQueue;
use crate::{
    error::{StateError, StateErrorKind},
    namespace::Namespace,
    snapshot::{KeyedStateSnapshot, StateKind},
    state_store::read_groups,
    state_type::StateType,
};

/// What snapshots call the timers `name` of a domain.
pub(crate) fn timers_name(name: &str, domain: TimeDomain) -> String {
    match domain {
        TimeDomain::EventTime => format!("_timer_state/event_{name}"),
        TimeDomain::ProcessingTime => format!("_timer_state/processing_{name}"),
    }
}

pub(super) const fn kind(domain: TimeDomain) -> StateKind {
    match domain {
        TimeDomain::EventTime => StateKind::EventTimers,
        TimeDomain::ProcessingTime => StateKind::ProcessingTimers,
    }
}

impl<K: Key, N: Namespace> TimerQueue<K, N> {
    /// Registers the timers of one part of a snapshot.
    pub(crate) fn restore(
        &mut self,
        part: &KeyedStateSnapshot,
        domain: TimeDomain,
        max_parallelism: u32,
    ) -> Result<(), StateError> {
        if part.meta.kind != kind(domain) {
            let (name, asked) = (part.meta.name.clone(), kind(domain).to_string());
            return Err(StateErrorKind::KindDiffers { name, written: part.meta.kind, asked }.into());
        }
        let reading = (&part.meta, &Self::types(), max_parallelism);
        read_groups::<K, N, _>(reading, &part.groups, |key, hash, namespace, bytes, _| {
            let timestamp = decode_prefix(bytes).map_err(|error| error.to_string())?;
            self.register(timestamp, hash, key, namespace);
            Ok(())
        })
    }

    pub(super) fn types() -> [StateType; 3] {
        [StateType::of::<K>(), StateType::of::<N>(), StateType::named::<Timestamp>("timestamp")]
    }
}
