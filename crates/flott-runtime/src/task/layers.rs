//! How the incremental checkpoints of a task lie on top of each other, and when one begins anew.

use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// A checkpoint refers to at most so many state files of a task: whoever restores it must read them all.
pub(super) const MOST_LAYERS: u32 = 16;

/// So many checkpoints may fail in a row before one begins anew.
const MOST_KNOWN: usize = 16;

/// What the checkpoints of one task that others may build on refer to.
#[derive(Debug, Default)]
pub(super) struct Layers(BTreeMap<u64, Stack>);

/// The state files of one checkpoint.
#[derive(Clone, Copy, Debug)]
struct Stack {
    files: u32,
    /// Of the lowest, which has everything.
    whole_bytes: u64,
    /// Of those above.
    change_bytes: u64,
}

impl Layers {
    /// What a checkpoint is built on that may build on `offered`: nothing, if that has too many layers or if these are more than half of
    /// what is below them, for then it is time to write everything again. Earlier ones won't be offered any more.
    pub(super) fn base(&mut self, offered: Option<u64>) -> Option<u64> {
        let offered = offered?;
        self.0 = self.0.split_off(&offered);
        let stack = self.0.get(&offered)?;
        (stack.files < MOST_LAYERS && stack.change_bytes <= stack.whole_bytes / 2).then_some(offered)
    }

    /// A checkpoint has written so many bytes: everything, or what has changed since another.
    pub(super) fn add(&mut self, checkpoint: u64, base: Option<u64>, bytes: u64) {
        let below = base.and_then(|base| self.0.get(&base));
        let stack = match below {
            None => Stack { files: 1, whole_bytes: bytes, change_bytes: 0 },
            Some(below) => Stack {
                files: below.files + 1,
                change_bytes: below.change_bytes.saturating_add(bytes),
                ..*below
            },
        };
        if self.0.len() == MOST_KNOWN {
            self.0.pop_first();
        }
        self.0.insert(checkpoint, stack);
    }
}
