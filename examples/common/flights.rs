//! What holds of every table of flights.

use flott::prelude::{Duration, Timestamp};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::utc;

/// How much earlier a flight may be scheduled than one that stands before it in the table. Within a day the table is
/// in the order of actual departures with the cancelled flights last, which makes up to 23 hours. Its months come as
/// 1, 10, 11, 12, 2, 3, …: the first flight of February, behind those of December, is 333.8 days out of order.
pub const OUT_OF_ORDERNESS: Duration = Duration::from_secs(334 * 24 * 60 * 60);

/// Reads an hour as the table has it, such as `2013-01-01T10:00:00Z`; flott's own encoding has the milliseconds.
pub fn utc_hour<'de, D: Deserializer<'de>>(field: D) -> Result<Timestamp, D::Error> {
    if !field.is_human_readable() {
        return Timestamp::deserialize(field);
    }
    let text = <&str>::deserialize(field)?;
    utc::parse(text)
        .ok_or_else(|| D::Error::custom(format!("'{text}' is not a time such as 2013-01-01T10:00:00Z")))
}
