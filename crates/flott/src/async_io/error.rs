//! How a call fails, told with the record.

use std::fmt::{self, Debug, Write};

use flott_runtime::error::BoxError;
use flott_runtime::task::Panic;

/// Most bytes of a record that an error shows.
const SHOWN: usize = 200;

#[derive(Debug, thiserror::Error)]
pub(super) enum AsyncError {
    #[error("the asynchronous call for record {record} failed")]
    Failed { record: String, source: BoxError },

    #[error("the asynchronous call for record {record} {panic}")]
    Panicked { record: String, panic: Panic },

    #[error("can't start the threads for asynchronous calls: {0}")]
    NoThreads(String),
}

/// The record as text, cut short.
pub(super) fn shown(record: &impl Debug) -> String {
    let mut text = Shortened(String::new());
    // It stops with an error once there is enough.
    let _ = write!(text, "{record:?}");
    text.0
}

struct Shortened(String);

impl Write for Shortened {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = text.floor_char_boundary(SHOWN.saturating_sub(self.0.len()));
        self.0.push_str(&text[..room]);
        if room == text.len() {
            return Ok(());
        }
        self.0.push('…');
        Err(fmt::Error)
    }
}
