//! The operators behind windowed streams.
//!
//! `general` does what any assigner, trigger and function ask for. What most programs use has operators of its own,
//! which do the same with less: `aligned` for tumbling and sliding windows of event time, `session` for sessions.

mod aligned;
mod contents;
mod entries;
mod fired;
mod general;
mod key_table;
mod late;
mod merging;
mod panes;
mod running;
mod session;
mod trigger_context;
mod windows;

use std::time::Duration;

use flott_runtime::operator::OutputTag;

pub(crate) use aligned::AlignedWindowOperator;
pub(crate) use general::WindowOperator;
pub(crate) use session::SessionWindowOperator;

/// What a program can set on windows of any kind.
pub(crate) struct WindowSettings<T> {
    pub(crate) allowed_lateness: Duration,
    pub(crate) late: Option<OutputTag<T>>,
}

impl<T> Default for WindowSettings<T> {
    fn default() -> Self {
        Self { allowed_lateness: Duration::ZERO, late: None }
    }
}

impl<T> Clone for WindowSettings<T> {
    fn clone(&self) -> Self {
        Self { allowed_lateness: self.allowed_lateness, late: self.late.clone() }
    }
}

#[cold]
fn no_timestamp() -> flott_runtime::error::BoxError {
    "a record has no timestamp, which event-time windows need: give the source a WatermarkStrategy with a \
     timestamp assigner, or call assign_timestamps_and_watermarks"
        .into()
}
