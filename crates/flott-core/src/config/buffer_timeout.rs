//! When a batch that isn't full leaves.

use std::time::Duration;

use super::{
    duration::{parse_duration, render_duration},
    value::ConfigValue,
};

/// The longest time that a record waits in a batch that isn't full (Flink: the buffer timeout).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferTimeout {
    /// Each record leaves at once: least latency, least throughput. Spelled `0`.
    EachRecord,
    /// A batch leaves at the latest when its first record has waited so long; never zero when read from text.
    After(Duration),
    /// A batch leaves only when it is full, or its input ends. Spelled `-1` or `disabled`.
    WhenFull,
}

impl ConfigValue for BufferTimeout {
    fn accepts() -> String {
        format!("{}, '0' for each record, or '-1' for full batches only", Duration::accepts())
    }

    fn parse(text: &str) -> Option<Self> {
        if matches!(text, "-1" | "-1 ms" | "-1ms") || text.eq_ignore_ascii_case("disabled") {
            return Some(Self::WhenFull);
        }
        parse_duration(text)
            .map(|timeout| if timeout.is_zero() { Self::EachRecord } else { Self::After(timeout) })
    }

    fn render(&self) -> String {
        match self {
            Self::EachRecord => "0 ms".to_owned(),
            Self::After(timeout) => render_duration(*timeout),
            Self::WhenFull => "-1".to_owned(),
        }
    }
}
