//! What must hold.

use std::collections::BTreeMap;

use crate::program::Event;
use crate::world::State;

impl State {
    /// After a commit: readers of a ledger see nothing that they should not.
    pub fn check_ledger(&mut self, sink: u32) {
        let Some(seen) = self.ledgers.seen.get(&sink).filter(|_| !self.may_repeat) else { return };
        let expected = &self.expected.ledgers[&sink];
        let wrong = seen.iter().find(|(row, times)| expected.get(row).is_none_or(|most| *times > most));
        if let Some((row, times)) = wrong {
            let most = expected.get(row).copied().unwrap_or(0);
            self.log
                .violation(format!("ledger {sink}: {row:?} is seen {times} times, which comes {most} times"));
        }
    }

    /// At the end of the job: everything is there, and once.
    pub fn check_end(&mut self) {
        if let Some(wrong) = self.wrong_in_the_end() {
            self.log.violation(wrong);
        }
    }

    /// What the sinks hold that they must not hold in the end, or lack.
    pub fn wrong_in_the_end(&self) -> Option<String> {
        let ledgers = self.expected.ledgers.iter();
        let wrong = ledgers.filter_map(|(sink, expected)| self.wrong_in_ledger(*sink, expected)).next();
        wrong.or_else(|| self.wrong_in_tables())
    }

    fn wrong_in_ledger(&self, sink: u32, expected: &BTreeMap<Event, u64>) -> Option<String> {
        let empty = BTreeMap::new();
        let seen = self.ledgers.seen.get(&sink).unwrap_or(&empty);
        let times = |row: &Event| seen.get(row).copied().unwrap_or(0);
        let is_wrong = |row: &Event, wanted: u64| match self.may_repeat {
            true => times(row) < wanted,
            false => times(row) != wanted,
        };
        let wrong = expected.iter().find(|(row, wanted)| is_wrong(row, **wanted));
        let wrong = wrong.map(|(row, wanted)| (row, *wanted));
        let added = seen.keys().find(|row| !expected.contains_key(row)).map(|row| (row, 0));
        let (row, wanted) = wrong.or(added.filter(|_| !self.may_repeat))?;
        Some(format!(
            "ledger {sink}: {row:?} is seen {} times in the end, which comes {wanted} times",
            times(row)
        ))
    }

    fn wrong_in_tables(&self) -> Option<String> {
        let mut keys = self.expected.tables.keys().chain(self.tables.keys());
        let (sink, key) = keys.find(|key| self.expected.tables.get(key) != self.tables.get(key))?;
        let (expected, found) = (self.expected.tables.get(&(*sink, *key)), self.tables.get(&(*sink, *key)));
        Some(format!("table {sink}: key {key} is {found:?} in the end, not {expected:?}"))
    }

    /// At the end of the job: nothing is left of its checkpoints but what could not be deleted.
    pub fn check_storage(&mut self) {
        let Self { blobs, log, job_directory, .. } = self;
        let left = blobs.below(job_directory).map(|(path, _)| path);
        let unreadable = blobs.unreadable(job_directory);
        let is_left = |path: &&String| {
            !blobs.snapshots.needs(path)
                && !blobs.undeleted.contains(*path)
                // Metadata that can't be read may refer to every shared file, so all of them stay.
                && !unreadable.iter().any(|directory| path.starts_with(directory) || path.contains("/shared/"))
        };
        if let Some(path) = left.into_iter().find(is_left) {
            log.violation(format!("{path} is left, and nobody will ever need it"));
        }
    }
}
