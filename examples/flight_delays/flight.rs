//! A row of the table of flights.

use flott::prelude::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::utc;

/// A flight that was scheduled. Columns that the job does not use are not read.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Flight {
    /// Code of the airline.
    pub(crate) carrier: String,

    /// When it left, as hours × 100 + minutes; none if it was cancelled.
    #[serde(deserialize_with = "number_or_na")]
    pub(crate) dep_time: Option<i32>,

    /// Delay of the departure in minutes; negative if early.
    #[serde(deserialize_with = "number_or_na")]
    pub(crate) dep_delay: Option<i32>,

    /// Minute of the scheduled departure.
    minute: i64,

    /// Hour of the scheduled departure, in milliseconds since the epoch; in the table `2013-01-01T10:00:00Z`.
    #[serde(rename = "time_hour", deserialize_with = "utc_hour")]
    hour_ms: Timestamp,
}

impl Flight {
    /// The scheduled departure in milliseconds since the epoch.
    pub(crate) fn scheduled_ms(&self) -> Timestamp {
        self.hour_ms + self.minute * 60_000
    }
}

/// Numbers may be missing, which the table writes as `NA`. flott's own encoding has them as they are.
fn number_or_na<'de, D: Deserializer<'de>>(field: D) -> Result<Option<i32>, D::Error> {
    if !field.is_human_readable() {
        return Option::deserialize(field);
    }
    match <&str>::deserialize(field)? {
        "NA" => Ok(None),
        text => text.parse().map(Some).map_err(|cause| D::Error::custom(format!("{cause}: '{text}'"))),
    }
}

fn utc_hour<'de, D: Deserializer<'de>>(field: D) -> Result<Timestamp, D::Error> {
    if !field.is_human_readable() {
        return Timestamp::deserialize(field);
    }
    let text = <&str>::deserialize(field)?;
    utc::parse(text)
        .ok_or_else(|| D::Error::custom(format!("'{text}' is not a time such as 2013-01-01T10:00:00Z")))
}
