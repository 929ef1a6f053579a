//! The kinds of state with time to live.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use flott_core::{
    Data, Key,
    encoding::{DecodeError, EncodeError, decode_prefix, encode},
    time::Timestamp,
};
use serde::{Serialize, Serializer};

use super::{
    rules::TtlRules,
    single::Single,
    stamped::{Perishable, Stamped, StampedList},
};
use crate::{
    disk::Expiry,
    list_state::{Lists, owned_bytes_of_list},
    map_state::{AsMap, Maps, UserMap, owned_bytes_of_map},
    namespace::Namespace,
    snapshot::StateKind,
    state_store::{Encode, Entries, Kind, Written, owned_bytes},
    state_type::StateType,
    table::Epoch,
    value_store::Cursor,
};

/// A kind of state that can have a time to live.
pub(crate) trait WithTtl: Kind {
    /// What is stored instead, with times.
    type Stamped: Perishable + Send + 'static;

    /// What is lent to the user after it was removed.
    type Lent: Send + 'static;

    /// Marks what is stored as accessed at `now`.
    fn stamp(stored: Self::Stored, now: Timestamp) -> Self::Stamped;

    /// Appends what snapshots keep: that for whose time `keep` is true. `false` if that is nothing.
    fn encode_stamped(
        stamped: &Self::Stamped,
        keep: impl Fn(Timestamp) -> bool + Copy,
        into: &mut Vec<u8>,
    ) -> Result<bool, EncodeError>;

    fn decode_stamped(bytes: &mut &[u8], written: Written<'_>) -> Result<Self::Stamped, DecodeError>;

    /// Whether all of what is stored has expired. What can't be read has not.
    fn has_expired(mut stored: &[u8], rules: &TtlRules, now: Timestamp) -> bool {
        let read = Self::decode_stamped(&mut stored, Written::by_itself(true));
        read.is_ok_and(|mut stamped| !stamped.remove_expired(rules, now))
    }

    /// About how many bytes what is stored takes beside its slot.
    fn owned_bytes_stamped(stamped: &Self::Stamped) -> usize;
}

/// A kind of state with time to live.
pub(crate) struct Ttl<D: WithTtl> {
    pub(super) of: D,
    pub(super) rules: TtlRules,
    /// How far the clean-up has come.
    pub(super) cursor: Cursor,
    /// What was returned last after it had expired, and is no longer stored.
    pub(super) lent: Option<D::Lent>,
}

impl<D: WithTtl> Ttl<D> {
    pub(crate) fn new(of: D, rules: TtlRules) -> Self {
        Self { of, rules, cursor: Cursor::default(), lent: None }
    }
}

impl<D: WithTtl> Kind for Ttl<D> {
    type Stored = D::Stamped;

    const KIND: StateKind = D::KIND;
    const TTL: bool = true;

    fn value_type(ttl: bool) -> StateType {
        D::value_type(ttl)
    }

    fn encoder(&self, now: Timestamp) -> impl Encode<D::Stamped> {
        let rules = self.rules;
        move |stored: &D::Stamped, into: &mut Vec<u8>| {
            D::encode_stamped(stored, |stamp| rules.saved(stamp, now), into)
        }
    }

    fn decode(&self, bytes: &mut &[u8], written: Written<'_>) -> Result<D::Stamped, DecodeError> {
        if written.ttl {
            D::decode_stamped(bytes, written)
        } else {
            self.of.decode(bytes, written).map(|stored| D::stamp(stored, written.now))
        }
    }

    fn expiry(&self, clock: &Arc<AtomicI64>) -> Option<Expiry> {
        let (rules, clock) = (self.rules, Arc::clone(clock));
        rules.filter_compaction.then(|| -> Expiry {
            Arc::new(move |stored| D::has_expired(stored, &rules, clock.load(Ordering::Relaxed)))
        })
    }

    fn filters_snapshots(&self) -> bool {
        self.rules.filter_snapshots
    }

    fn owned_bytes(&self, stored: &D::Stamped) -> usize {
        D::owned_bytes_stamped(stored)
    }

    fn records_processed<K: Key, N: Namespace>(
        &mut self,
        entries: &mut Entries<K, N, D::Stamped>,
        records: usize,
        epoch: Epoch,
        now: Timestamp,
    ) {
        if let Some(cleanup) = self.rules.cleanup.filter(|cleanup| cleanup.per_record) {
            self.clean(entries, records.saturating_mul(cleanup.entries as usize), epoch, now);
        }
    }
}

impl<D: Single> WithTtl for D {
    type Stamped = Stamped<D::Stored>;
    type Lent = D::Stored;

    fn stamp(value: D::Stored, now: Timestamp) -> Stamped<D::Stored> {
        Stamped { stamp: now, value }
    }

    fn encode_stamped(
        stamped: &Stamped<D::Stored>,
        keep: impl Fn(Timestamp) -> bool + Copy,
        into: &mut Vec<u8>,
    ) -> Result<bool, EncodeError> {
        if keep(stamped.stamp) {
            encode(&(stamped.stamp, &stamped.value), into).map(|()| true)
        } else {
            Ok(false)
        }
    }

    fn decode_stamped(bytes: &mut &[u8], written: Written<'_>) -> Result<Stamped<D::Stored>, DecodeError> {
        written.read(bytes).map(|(stamp, value)| Stamped { stamp, value })
    }

    fn has_expired(mut stored: &[u8], rules: &TtlRules, now: Timestamp) -> bool {
        // The time comes first; the value is of no interest.
        decode_prefix(&mut stored).is_ok_and(|stamp: Timestamp| rules.expired(stamp, now))
    }

    fn owned_bytes_stamped(stamped: &Stamped<D::Stored>) -> usize {
        owned_bytes(&stamped.value)
    }
}

/// What is written as a sequence.
struct AsSeq<I>(I);

impl<E: Serialize, I: Iterator<Item = E> + Clone> Serialize for AsSeq<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

impl<T: Data> WithTtl for Lists<T> {
    type Stamped = StampedList<T>;
    type Lent = Vec<T>;

    fn stamp(elements: Vec<T>, now: Timestamp) -> StampedList<T> {
        StampedList::new(elements, now)
    }

    fn encode_stamped(
        list: &StampedList<T>,
        keep: impl Fn(Timestamp) -> bool + Copy,
        into: &mut Vec<u8>,
    ) -> Result<bool, EncodeError> {
        let kept = list.stamps.iter().zip(&list.elements).filter(|(stamp, _)| keep(**stamp));
        if kept.clone().next().is_none() {
            return Ok(false);
        }
        encode(&AsSeq(kept), into).map(|()| true)
    }

    fn decode_stamped(bytes: &mut &[u8], written: Written<'_>) -> Result<StampedList<T>, DecodeError> {
        let pairs: Vec<(Timestamp, T)> = written.read(bytes)?;
        let (stamps, elements) = pairs.into_iter().unzip();
        Ok(StampedList { elements, stamps })
    }

    fn owned_bytes_stamped(list: &StampedList<T>) -> usize {
        owned_bytes_of_list(&list.elements) + owned_bytes_of_list(&list.stamps)
    }
}

impl<UK: Data + Eq + Hash, UV: Data> WithTtl for Maps<UK, UV> {
    type Stamped = UserMap<UK, Stamped<UV>>;
    type Lent = UV;

    fn stamp(map: UserMap<UK, UV>, now: Timestamp) -> Self::Stamped {
        map.into_iter().map(|(key, value)| (key, Stamped { stamp: now, value })).collect()
    }

    fn encode_stamped(
        map: &Self::Stamped,
        keep: impl Fn(Timestamp) -> bool + Copy,
        into: &mut Vec<u8>,
    ) -> Result<bool, EncodeError> {
        let kept = map.iter().filter(|(_, stamped)| keep(stamped.stamp));
        if kept.clone().next().is_none() {
            return Ok(false);
        }
        encode(&AsMap(kept.map(|(key, stamped)| (key, (stamped.stamp, &stamped.value)))), into).map(|()| true)
    }

    fn decode_stamped(bytes: &mut &[u8], written: Written<'_>) -> Result<Self::Stamped, DecodeError> {
        let entries: UserMap<UK, (Timestamp, UV)> = written.read(bytes)?;
        Ok(entries.into_iter().map(|(key, (stamp, value))| (key, Stamped { stamp, value })).collect())
    }

    fn owned_bytes_stamped(map: &Self::Stamped) -> usize {
        owned_bytes_of_map(map, map.values().map(|stamped| &stamped.value))
    }
}
