//! Overlapping windows without combining every pane again for each of them.
//!
//! For each key there are two stacks, as for a queue that is made of two: the *front* holds, for each older pane, the
//! combination of that pane with all that are in the front behind it; the *back* is the combination of the panes that have
//! come since. A window is the top of the front combined with the back; when it moves on, the front is popped. Once in
//! every `size / slide` windows the key *turns*: the front is made anew of all panes, and the back is empty. Keys turn
//! at different windows, so no firing has to do it for all.

use std::collections::vec_deque::Iter;
use std::marker::PhantomData;

use flott_core::time::Timestamp;
use flott_core::{Data, Key};
use flott_runtime::error::FnResult;

use super::key_table::KeyTable;
use super::panes::{Pane, Panes};
use crate::operators::RUN;
use crate::window::{TimeWindow, Window, Work};

struct Stacks<V> {
    /// The start of each pane, latest first, with the combination from there on.
    front: Vec<(Timestamp, V)>,
    back: Option<V>,
    /// The start of the first pane in the back.
    back_since: Timestamp,
    /// At which of the windows the key turns.
    turn: u32,
    /// Whether a late record has changed a pane that is in a stack already.
    stale: bool,
}

type OfWork<X, T, W> = PhantomData<fn() -> (X, T, W)>;

pub(super) struct Running<K, V, X, T, W> {
    keys: KeyTable<K, Stacks<V>>,
    /// Panes up to this time are in the stacks.
    pushed: Timestamp,
    of_work: OfWork<X, T, W>,
}

impl<K, V, X, T, W> Default for Running<K, V, X, T, W> {
    fn default() -> Self {
        Self { keys: KeyTable::default(), pushed: Timestamp::MIN, of_work: PhantomData }
    }
}

impl<K: Key, T: Data, W: Window, X: Work<K, T, W>> Running<K, X::Kept, X, T, W> {
    /// A record has come late: what the key has of its pane may be in the stacks already.
    pub(super) fn mark_stale(&mut self, hash: u64, key: &K, slides: i64) {
        if self.keys.find(hash, key).is_none() {
            self.keys.insert(hash, key.clone(), Stacks::new(hash, slides));
        }
        if let Some(stacks) = self.keys.get_mut(hash, key) {
            stacks.stale = true;
        }
    }

    /// Hands the contents of every key of the window to `emit`. Windows come in the order of their starts.
    pub(super) fn fire(
        &mut self,
        window: TimeWindow,
        panes: &Panes<K, X::Kept>,
        work: &mut X,
        mut emit: impl FnMut(&mut X, u64, &K, &mut X::Kept) -> FnResult,
    ) -> FnResult {
        let slides = panes.slides();
        let of_window = panes.of(window);
        for pane in of_window.clone() {
            if pane.span.end > self.pushed {
                self.push(pane, slides, work);
                self.pushed = pane.span.end;
            }
        }
        let turn = panes.number_of(window).rem_euclid(slides) as u32;
        let mut at = 0;
        while let Some(entry) = self.keys.entries_mut().get_mut(at) {
            let (hash, key, stacks) = (entry.hash, &entry.key, &mut entry.value);
            stacks.expire(window.start);
            if stacks.must_turn(turn, window.start) {
                stacks.turn_over(of_window.clone(), (hash, key), |older, later| work.merge(older, later));
            }
            match (stacks.front.last_mut(), &mut stacks.back) {
                (Some((_, front)), Some(back)) => {
                    let mut all = front.clone();
                    work.merge(&mut all, back.clone());
                    emit(work, hash, key, &mut all)?;
                }
                (Some((_, kept)), None) | (None, Some(kept)) => emit(work, hash, key, kept)?,
                (None, None) => {
                    self.keys.swap_remove(at);
                    continue;
                }
            }
            at += 1;
        }
        Ok(())
    }

    fn push(&mut self, pane: &Pane<K, X::Kept>, slides: i64, work: &mut X) {
        let mut ahead = [0; RUN];
        for run in pane.table.entries().chunks(RUN) {
            for (hash, entry) in ahead.iter_mut().zip(run) {
                *hash = entry.hash;
            }
            self.keys.prefetch(&ahead[..run.len()]);
            for entry in run {
                let at = match self.keys.find(entry.hash, &entry.key) {
                    Some(at) => at,
                    None => self.keys.insert(entry.hash, entry.key.clone(), Stacks::new(entry.hash, slides)),
                };
                let stacks = &mut self.keys.entries_mut()[at].value;
                match &mut stacks.back {
                    Some(back) => work.merge(back, entry.value.clone()),
                    None => {
                        stacks.back = Some(entry.value.clone());
                        stacks.back_since = pane.span.start;
                    }
                }
            }
        }
    }
}

impl<V: Clone> Stacks<V> {
    fn new(hash: u64, slides: i64) -> Self {
        let turn = ((hash >> 16) % slides.unsigned_abs()) as u32;
        Self { front: Vec::new(), back: None, back_since: Timestamp::MAX, turn, stale: false }
    }

    /// Drops what is before the window.
    #[inline]
    fn expire(&mut self, start: Timestamp) {
        while self.front.last().is_some_and(|(of_pane, _)| *of_pane < start) {
            self.front.pop();
        }
    }

    #[inline]
    fn must_turn(&self, turn: u32, start: Timestamp) -> bool {
        let back_is_past = self.front.is_empty() && self.back_since < start;
        self.stale || self.back.is_some() && (self.turn == turn || back_is_past)
    }

    /// Makes the front of all panes.
    fn turn_over<K: Key>(
        &mut self,
        panes: Iter<'_, Pane<K, V>>,
        (hash, key): (u64, &K),
        mut merge: impl FnMut(&mut V, V),
    ) {
        self.front.clear();
        self.back = None;
        self.stale = false;
        for pane in panes.rev() {
            let Some(kept) = pane.table.get(hash, key) else { continue };
            let mut all = kept.clone();
            if let Some((_, later)) = self.front.last() {
                merge(&mut all, later.clone());
            }
            self.front.push((pane.span.start, all));
        }
    }
}
