//! Which windows of a key have merged, and where the contents of the merged ones are.

use serde::{Deserialize, Serialize};

use crate::window::Window;

/// The windows of one key (Flink: `MergingWindowSet`). The contents of a window stay where the first of the windows
/// that it is made of has put them: under its *state window*, so that growing moves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MergingWindowSet<W> {
    /// Windows, none of which merges with another, and their state windows.
    windows: Vec<(W, W)>,
}

impl<W> Default for MergingWindowSet<W> {
    fn default() -> Self {
        Self { windows: Vec::new() }
    }
}

/// What became of windows that met.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Merge<W> {
    /// The window that covers all.
    pub(super) result: W,
    /// The windows that it is made of.
    pub(super) sources: Vec<W>,
    /// The state windows of all sources but the first, which is the result's.
    pub(super) state_sources: Vec<W>,
}

impl<W: Window> MergingWindowSet<W> {
    pub(super) fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// Where the contents of a window are.
    pub(super) fn state_window(&self, window: &W) -> Option<&W> {
        self.windows.iter().find(|(known, _)| known == window).map(|(_, state)| state)
    }

    pub(super) fn retire(&mut self, window: &W) {
        self.windows.retain(|(known, _)| known != window);
    }

    /// Adds a window and merges it with those that it meets. Returns the window that it is part of now, and what has
    /// merged if windows have changed.
    pub(super) fn add(&mut self, new: W) -> (W, Option<Merge<W>>) {
        let mut result = new;
        let mut sources = Vec::new();
        let mut states = Vec::new();
        // A merged window may meet others that the new one alone does not.
        while let Some(met) =
            self.windows.iter().enumerate().find_map(|(at, (known, _))| Some((at, known.merged(&result)?)))
        {
            let (at, cover) = met;
            let (source, state) = self.windows.remove(at);
            sources.push(source);
            states.push(state);
            result = cover;
        }
        let state = if states.is_empty() { result.clone() } else { states.remove(0) };
        self.windows.push((result.clone(), state));
        sources.retain(|source| *source != result);
        if sources.is_empty() {
            return (result, None);
        }
        let merge = Merge { result: result.clone(), sources, state_sources: states };
        (result, Some(merge))
    }
}

#[cfg(test)]
mod tests;
