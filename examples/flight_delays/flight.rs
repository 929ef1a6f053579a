//! A row of the table of flights.

use flott::prelude::Timestamp;
use flott_examples::flights::utc_hour;
use serde::{Deserialize, Serialize};

/// A flight that was scheduled. Columns that the job does not use are not read.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Flight {
    /// Code of the airline.
    pub(crate) carrier: String,

    /// When it left, as hours × 100 + minutes; none if it was cancelled.
    pub(crate) dep_time: Option<i32>,

    /// Delay of the departure in minutes; negative if early.
    pub(crate) dep_delay: Option<i32>,

    /// Minute of the scheduled departure.
    minute: u8,

    /// Hour of the scheduled departure, in milliseconds since the epoch; in the table `2013-01-01T10:00:00Z`.
    #[serde(rename = "time_hour", deserialize_with = "utc_hour")]
    hour_ms: Timestamp,
}

impl Flight {
    /// The scheduled departure in milliseconds since the epoch.
    pub(crate) fn scheduled_ms(&self) -> Timestamp {
        self.hour_ms + i64::from(self.minute) * 60_000
    }
}
