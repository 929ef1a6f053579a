//! The window that never ends.

use flott_core::time::Timestamp;
use flott_state::Namespace;
use serde::{Deserialize, Serialize};

use super::Window;

/// The one window of each key of [`GlobalWindows`](super::GlobalWindows).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GlobalWindow;

impl Namespace for GlobalWindow {
    #[inline]
    fn mix(&self, place: u64) -> u64 {
        place
    }
}

impl Window for GlobalWindow {
    /// The end of time.
    fn max_timestamp(&self) -> Timestamp {
        Timestamp::MAX
    }
}
