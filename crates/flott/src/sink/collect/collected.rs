//! What was collected, in memory, and how it is taken back when the job starts again from a checkpoint.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The records that a [`CollectSink`](super::CollectSink) has received so far, from all its subtasks. When the job starts
/// again from a checkpoint, those are gone that came after it: they come again.
#[derive(Debug)]
pub struct Collected<T>(Arc<Mutex<Records<T>>>);

impl<T> Clone for Collected<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Collected<T> {
    pub(super) fn new(limit: usize) -> Self {
        let (records, runs, written) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self(Arc::new(Mutex::new(Records { records, runs, written, limit })))
    }

    /// Takes the records out.
    pub fn take(&self) -> Vec<T> {
        let mut records = self.lock();
        records.runs.clear();
        std::mem::take(&mut records.records)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.lock().records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Records<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records in the order in which they came.
#[derive(Debug)]
pub(super) struct Records<T> {
    records: Vec<T>,
    /// Whose they are: a writer, and how many of its records come next.
    runs: Vec<(u32, usize)>,
    /// How many records each writer has written, those of an earlier process included.
    written: BTreeMap<u32, u64>,
    /// Once there are so many they stay as they are.
    limit: usize,
}

impl<T> Records<T> {
    fn is_full(&self) -> bool {
        self.records.len() >= self.limit
    }

    /// Adds records of a writer, as far as there is room.
    pub(super) fn add(&mut self, writer: u32, records: impl ExactSizeIterator<Item = T>) {
        let count = records.len().min(self.limit - self.records.len());
        self.records.extend(records.take(count));
        self.add_run(writer, count);
        *self.written.entry(writer).or_default() += count as u64;
    }

    fn add_run(&mut self, writer: u32, count: usize) {
        match self.runs.last_mut() {
            Some((last, run)) if *last == writer => *run += count,
            _ if count > 0 => self.runs.push((writer, count)),
            _ => {}
        }
    }

    /// The writers there have been.
    pub(super) fn writers(&self) -> Vec<u32> {
        self.written.keys().copied().collect()
    }

    /// How many records a writer has written.
    pub(super) fn written(&self, writer: u32) -> u64 {
        self.written.get(&writer).copied().unwrap_or(0)
    }

    /// Lets a writer stand behind its record number `to`: those that it has written since are gone.
    pub(super) fn roll_back(&mut self, writer: u32, to: u64) {
        if self.is_full() {
            return;
        }
        let surplus = self.written.insert(writer, to).unwrap_or(to).saturating_sub(to);
        if surplus == 0 {
            return;
        }
        let here: usize = self.runs.iter().filter(|run| run.0 == writer).map(|run| run.1).sum();
        let mut left = here.saturating_sub(usize::try_from(surplus).unwrap_or(usize::MAX));
        let mut records = std::mem::take(&mut self.records).into_iter();
        for (of, count) in std::mem::take(&mut self.runs) {
            let kept = if of == writer { count.min(left) } else { count };
            left -= if of == writer { kept } else { 0 };
            self.records.extend(records.by_ref().take(kept));
            records.by_ref().take(count - kept).for_each(drop);
            self.add_run(of, kept);
        }
    }
}

#[cfg(test)]
mod tests;
