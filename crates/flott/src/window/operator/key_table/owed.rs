//! What a table owes to a snapshot that is written while the table goes on changing.

/// The entries that there were when the snapshot began and that it has not got yet: those between two places, but for some that it
/// got early, because they were about to change.
#[derive(Debug)]
pub(super) struct Owed {
    /// The snapshot has got the entries before this place.
    from: usize,
    /// Those from here on came later.
    end: usize,
    /// A bit for each place; none are set beyond its end.
    early: Vec<u64>,
}

impl Owed {
    /// All of so many entries.
    pub(super) const fn all(entries: usize) -> Self {
        Self { from: 0, end: entries, early: Vec::new() }
    }

    /// Whether the entry at a place is owed; the caller gives it now.
    pub(super) fn take(&mut self, at: usize) -> bool {
        let is_owed = self.from <= at && at < self.end && !self.is_early(at);
        if is_owed {
            self.set_early(at);
        }
        is_owed
    }

    /// The next entry that is owed, which the caller gives now.
    pub(super) fn take_next(&mut self) -> Option<usize> {
        while self.from < self.end {
            let at = self.from;
            self.from += 1;
            if !self.is_early(at) {
                return Some(at);
            }
        }
        None
    }

    /// The last entry of the table moves to a place whose own is gone; neither is owed any more.
    pub(super) fn moved(&mut self, last: usize, to: usize) {
        self.end = self.end.min(last);
        if self.from <= to && to < self.end {
            self.set_early(to);
        }
    }

    fn is_early(&self, at: usize) -> bool {
        self.early.get(at / 64).is_some_and(|bits| bits >> (at % 64) & 1 == 1)
    }

    fn set_early(&mut self, at: usize) {
        if self.early.is_empty() {
            self.early = vec![0; self.end.div_ceil(64)];
        }
        self.early[at / 64] |= 1 << (at % 64);
    }
}
