//! Which numbers are a parallelism or a max parallelism.

use super::value::ConfigValue;
use crate::key_group::MAX_PARALLELISM_LIMIT;

/// What [`is_parallelism`] accepts, for error messages.
pub(super) const PARALLELISM_RANGE: &str = "a parallelism between 1 and 32768";

/// Whether an operator can have this parallelism: at least one subtask, and no more than there can be key groups.
pub const fn is_parallelism(parallelism: u32) -> bool {
    parallelism >= 1 && parallelism <= MAX_PARALLELISM_LIMIT
}

/// Whether an operator can have this many key groups: 1 to 32,768.
pub const fn is_max_parallelism(max_parallelism: u32) -> bool {
    max_parallelism >= 1 && max_parallelism <= MAX_PARALLELISM_LIMIT
}

/// The number of key groups of operators that set none themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxParallelism {
    /// Derived from the parallelism by [`crate::key_group::default_max_parallelism`]. Spelled `-1`.
    Derived,
    /// This many. Always passes [`is_max_parallelism`] when read from text.
    Fixed(u32),
}

impl ConfigValue for MaxParallelism {
    fn accepts() -> String {
        "a max parallelism between 1 and 32768, or -1 to derive it from the parallelism".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "-1" {
            return Some(Self::Derived);
        }
        text.parse().ok().filter(|number| is_max_parallelism(*number)).map(Self::Fixed)
    }

    fn render(&self) -> String {
        match self {
            Self::Derived => "-1".to_owned(),
            Self::Fixed(number) => number.to_string(),
        }
    }
}
