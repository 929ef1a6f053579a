//! One bucket of the wheel: timers of a span of time, in the order of their registration.

use std::sync::Arc;

use flott_core::{Key, time::Timestamp};

use super::Timer;
use crate::namespace::Namespace;

/// A bucket looks for duplicates when it has this many timers, and again whenever what was left has doubled.
const FIRST_SEARCH: usize = 1024;

const CHUNK_BYTES: usize = 16 * 1024;

/// Chunks of timers as a bucket and a snapshot share them: whoever is to change a list or a chunk that both still have copies it
/// first.
pub(super) type Chunks<K, N> = Arc<Vec<Arc<Vec<Timer<K, N>>>>>;

pub(super) struct Bucket<K, N> {
    /// Timers are cut into chunks of one size, so that none is copied to make room for others, and the memory of
    /// emptied buckets fits the next ones.
    full: Option<Chunks<K, N>>,
    /// The chunk that timers are appended to.
    last: Vec<Timer<K, N>>,
    len: usize,
    /// No timer in the bucket is earlier.
    pub(super) earliest: Timestamp,
    /// No timer in the bucket is later.
    pub(super) latest: Timestamp,
    next_search: usize,
}

impl<K, N> Default for Bucket<K, N> {
    fn default() -> Self {
        let (earliest, latest) = (Timestamp::MAX, Timestamp::MIN);
        Self { full: None, last: Vec::new(), len: 0, earliest, latest, next_search: FIRST_SEARCH }
    }
}

impl<K: Key, N: Namespace> Bucket<K, N> {
    /// How many timers fill a chunk.
    const CHUNK: usize =
        if size_of::<Timer<K, N>>() < CHUNK_BYTES / 16 { CHUNK_BYTES / size_of::<Timer<K, N>>() } else { 16 };

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn timers(&self) -> impl Iterator<Item = &Timer<K, N>> {
        self.chunks().flat_map(|chunk| &**chunk).chain(&self.last)
    }

    /// Takes the timers out in order, by chunks.
    pub(super) fn into_chunks(self) -> impl Iterator<Item = Vec<Timer<K, N>>> {
        let full = self.full.map(Arc::unwrap_or_clone).unwrap_or_default();
        full.into_iter().map(Arc::unwrap_or_clone).chain([self.last])
    }

    /// All timers, for a snapshot to keep while the bucket goes on changing.
    pub(super) fn freeze(&mut self) -> Option<Chunks<K, N>> {
        if !self.last.is_empty() {
            let mut last = std::mem::take(&mut self.last);
            let full = self.full_mut();
            match full.last_mut().and_then(Arc::get_mut) {
                // Or else each snapshot would leave a small chunk behind.
                Some(before) if before.len() + last.len() <= Self::CHUNK => before.append(&mut last),
                _ => full.push(Arc::new(last)),
            }
        }
        self.full.clone()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let timers = self.chunks().map(|chunk| chunk.capacity()).sum::<usize>() + self.last.capacity();
        let list = self.full.as_ref().map_or(0, |full| full.capacity());
        size_of::<Self>() + list * size_of::<Vec<()>>() + timers * size_of::<Timer<K, N>>()
    }

    fn chunks(&self) -> impl Iterator<Item = &Arc<Vec<Timer<K, N>>>> {
        self.full.iter().flat_map(|full| &**full)
    }

    fn full_mut(&mut self) -> &mut Vec<Arc<Vec<Timer<K, N>>>> {
        Arc::make_mut(self.full.get_or_insert_default())
    }

    /// Adds a timer; returns how many duplicates that pushed out.
    #[inline]
    pub(super) fn push(&mut self, timer: Timer<K, N>) -> usize {
        self.earliest = self.earliest.min(timer.timestamp);
        self.latest = self.latest.max(timer.timestamp);
        let removed = if self.last.len() == Self::CHUNK { self.make_room() } else { 0 };
        self.last.push(timer);
        self.len += 1;
        removed
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self) -> usize {
        let before = self.len;
        if before >= self.next_search {
            if self.duplicates_are_many() {
                self.remove_duplicates();
            }
            self.next_search = FIRST_SEARCH.max(2 * self.len);
        }
        if self.last.len() == Self::CHUNK {
            let last = std::mem::replace(&mut self.last, Vec::with_capacity(Self::CHUNK));
            self.full_mut().push(Arc::new(last));
        }
        before - self.len
    }

    /// Whether a quarter of the timers or more are duplicates, judged by a sample of one hash in 64: it holds all
    /// copies of a timer or none. A few keys may all be missing from it, which looks like many duplicates and leads to
    /// a full search.
    fn duplicates_are_many(&self) -> bool {
        let mut sample: Vec<_> = self.timers().filter(|timer| timer.hash % 64 == 0).cloned().collect();
        sort(&mut sample);
        remove_duplicates(&mut sample);
        sample.len() * 64 < self.len / 4 * 3
    }

    /// Leaves every timer once.
    pub(super) fn remove_duplicates(&mut self) {
        let bucket = std::mem::take(self);
        let next_search = bucket.next_search;
        let mut timers: Vec<_> = bucket.into_chunks().flatten().collect();
        sort(&mut timers);
        remove_duplicates(&mut timers);
        self.next_search = usize::MAX;
        for timer in timers {
            self.push(timer);
        }
        self.next_search = next_search;
    }

    /// Drops the timers that `keep` is false for.
    pub(super) fn retain(&mut self, keep: impl Fn(&Timer<K, N>) -> bool) {
        if let Some(full) = &mut self.full {
            let full = Arc::make_mut(full);
            for chunk in full.iter_mut().filter(|chunk| !chunk.iter().all(&keep)) {
                Arc::make_mut(chunk).retain(&keep);
            }
            full.retain(|chunk| !chunk.is_empty());
        }
        self.last.retain(&keep);
        self.len = self.timers().count();
    }
}

/// Sorts timers into the order in which they fire, last first.
pub(super) fn sort<K, N>(timers: &mut [Timer<K, N>]) {
    timers.sort_unstable_by_key(|timer| std::cmp::Reverse(timer.order()));
}

/// Drops all but one of equal timers from a sorted vector.
pub(super) fn remove_duplicates<K: Eq, N: Eq>(timers: &mut Vec<Timer<K, N>>) {
    let (mut kept, mut group) = (0, 0);
    for at in 0..timers.len() {
        if kept > 0 && timers[kept - 1].order() != timers[at].order() {
            group = kept;
        }
        if !timers[group..kept].contains(&timers[at]) {
            timers.swap(kept, at);
            kept += 1;
        }
    }
    timers.truncate(kept);
}
