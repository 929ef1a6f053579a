//! Timers as plain data.

use std::{any::type_name, collections::BTreeMap};

use flott_core::{
    Key,
    encoding::{EncodeError, decode_prefix, encode},
    key_group::key_place,
    time::TimeDomain,
};

use super::{Timer, TimerQueue};
use crate::{
    error::{StateError, StateErrorKind},
    namespace::Namespace,
    snapshot::{GroupEntries, KeyedStateMeta, KeyedStateSnapshot, StateKind},
    state_store::read_groups,
};

/// What snapshots call the timers `name` of a domain.
pub(crate) fn timers_name(name: &str, domain: TimeDomain) -> String {
    match domain {
        TimeDomain::EventTime => format!("_timer_state/event_{name}"),
        TimeDomain::ProcessingTime => format!("_timer_state/processing_{name}"),
    }
}

const fn kind(domain: TimeDomain) -> StateKind {
    match domain {
        TimeDomain::EventTime => StateKind::EventTimers,
        TimeDomain::ProcessingTime => StateKind::ProcessingTimers,
    }
}

impl<K: Key, N: Namespace> TimerQueue<K, N> {
    /// All timers, cut by key group. They come back by
    /// [`KeyedState::restore_timers`](crate::KeyedState::restore_timers) with the same name and domain.
    ///
    /// # Errors
    /// When a key or namespace can't be encoded.
    pub fn snapshot(
        &mut self,
        name: &str,
        domain: TimeDomain,
        max_parallelism: u32,
    ) -> Result<KeyedStateSnapshot, StateError> {
        let name = timers_name(name, domain);
        let mut groups = BTreeMap::<u32, GroupEntries>::new();
        for timer in self.iter() {
            let entries = groups.entry(key_place(timer.hash, max_parallelism).group).or_default();
            if let Err(error) = write(timer, entries) {
                let reason = error.to_string();
                return Err(StateErrorKind::CannotSnapshot { name, kind: kind(domain), reason }.into());
            }
        }
        let meta = KeyedStateMeta { name, kind: kind(domain), ttl: false, types: Self::types() };
        Ok(KeyedStateSnapshot { meta, groups })
    }

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
        read_groups::<K, N, _>(part, Self::types(), max_parallelism, |key, hash, namespace, bytes| {
            let timestamp = decode_prefix(bytes).map_err(|error| error.to_string())?;
            self.register(timestamp, hash, key, namespace);
            Ok(())
        })
    }

    fn types() -> [String; 3] {
        [type_name::<K>().to_owned(), type_name::<N>().to_owned(), "timestamp".to_owned()]
    }
}

fn write<K: Key, N: Namespace>(timer: &Timer<K, N>, entries: &mut GroupEntries) -> Result<(), EncodeError> {
    encode(&timer.key, &mut entries.bytes)?;
    encode(&timer.namespace, &mut entries.bytes)?;
    encode(&timer.timestamp, &mut entries.bytes)?;
    entries.count += 1;
    Ok(())
}
