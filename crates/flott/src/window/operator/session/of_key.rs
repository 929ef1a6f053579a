//! The sessions of one key.

use std::ops::{Index, IndexMut};

use flott_core::time::Timestamp;

use crate::window::Window;

/// A window that grows, and what is kept of its records.
#[derive(Debug)]
pub(super) struct Session<W, V> {
    pub(super) window: W,
    pub(super) kept: V,
    /// When its timer fires; it has one that is not after the time at which something is to be done.
    pub(super) timer: Timestamp,
}

/// The sessions of one key, at least one, of which no two merge. They are counted from the oldest: spans of time in their
/// order, other windows as they came.
///
/// The newest lies in the table itself and the others elsewhere. Most records extend the newest, and one that only moves
/// its end reads nothing of the others, which between two watermarks may be many and out of the cache.
#[derive(Debug)]
pub(super) struct OfKey<W, V> {
    newest: Session<W, V>,
    older: Vec<Session<W, V>>,
}

impl<W: Window, V> OfKey<W, V> {
    #[inline]
    pub(super) const fn of(session: Session<W, V>) -> Self {
        Self { newest: session, older: Vec::new() }
    }

    #[inline]
    pub(super) const fn newest(&self) -> &Session<W, V> {
        &self.newest
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.older.len() + 1
    }

    #[inline]
    pub(super) fn get(&self, of: usize) -> Option<&Session<W, V>> {
        if of == self.older.len() { Some(&self.newest) } else { self.older.get(of) }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Session<W, V>> {
        self.older.iter().chain([&self.newest])
    }

    /// Adds a session that merges with none; returns where it stands.
    pub(super) fn insert(&mut self, session: Session<W, V>) -> usize {
        let of = self.place_of(session.window.max_timestamp());
        if of == self.len() {
            self.older.push(std::mem::replace(&mut self.newest, session));
        } else {
            self.older.insert(of, session);
        }
        of
    }

    /// Takes a session out, unless it is the only one.
    pub(super) fn remove(&mut self, of: usize) -> Option<Session<W, V>> {
        if of < self.older.len() {
            return Some(self.older.remove(of));
        }
        let newest = self.older.pop()?;
        Some(std::mem::replace(&mut self.newest, newest))
    }

    /// A session that a window merges with, and what becomes of the two.
    #[inline]
    pub(super) fn meet(&self, window: &W) -> Option<(usize, W)> {
        match self.newest.window.merged(window) {
            Some(merged) => Some((self.older.len(), merged)),
            None => self.meet_older(window),
        }
    }

    fn meet_older(&self, window: &W) -> Option<(usize, W)> {
        let merged = |of: usize| Some((of, self.older.get(of)?.window.merged(window)?));
        if W::IS_SPAN {
            let behind = self.place_of(window.max_timestamp()).min(self.older.len());
            return behind.checked_sub(1).and_then(merged).or_else(|| merged(behind));
        }
        (0..self.older.len()).rev().find_map(merged)
    }

    /// Whether a session that becomes `grown` is sure to stay apart from the others: it is the last, and starts when it
    /// did.
    #[inline]
    pub(super) fn is_last_and_starts_as(&self, of: usize, grown: &W) -> bool {
        of == self.older.len() && self.newest.window.starts_as(grown)
    }

    /// Another session that this one merges with since it has grown, and what becomes of the two.
    pub(super) fn next_to(&self, of: usize) -> Option<(usize, W)> {
        let others = if W::IS_SPAN { of.saturating_sub(1)..self.len().min(of + 2) } else { 0..self.len() };
        others
            .filter(|other| *other != of)
            .find_map(|other| Some((other, self[other].window.merged(&self[of].window)?)))
    }

    /// Where a session with this end stands.
    #[inline]
    fn place_of(&self, end: Timestamp) -> usize {
        if !W::IS_SPAN || self.newest.window.max_timestamp() < end {
            return self.len();
        }
        match self.older.last() {
            Some(last) if last.window.max_timestamp() >= end => {
                self.older.partition_point(|session| session.window.max_timestamp() < end)
            }
            _ => self.older.len(),
        }
    }

    /// Reads what a record looks at, so that it is in the cache by then.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        self.newest.window.max_timestamp() as u64
    }

    /// Reads what the firing of a timer looks at.
    #[inline]
    pub(super) fn touch_first(&self) -> u64 {
        self.older.first().unwrap_or(&self.newest).timer as u64
    }
}

impl<W: Window, V> Index<usize> for OfKey<W, V> {
    type Output = Session<W, V>;

    #[inline]
    fn index(&self, of: usize) -> &Session<W, V> {
        if of == self.older.len() { &self.newest } else { &self.older[of] }
    }
}

impl<W: Window, V> IndexMut<usize> for OfKey<W, V> {
    #[inline]
    fn index_mut(&mut self, of: usize) -> &mut Session<W, V> {
        if of == self.older.len() { &mut self.newest } else { &mut self.older[of] }
    }
}

#[cfg(test)]
mod tests;
