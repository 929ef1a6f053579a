//! How things are told to people.

use std::time::Duration;

use flott_state::{RedistributionMode, StateType};

/// A number of bytes.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut size = count as f64 / 1024.0;
    if size < 1.0 {
        return format!("{count} bytes");
    }
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// A count of something whose plural has an `s`, or `ies` for `y`.
pub(super) fn count(count: u64, of: &str) -> String {
    match (count, of.strip_suffix('y')) {
        (1, _) => format!("1 {of}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {of}s"),
    }
}

/// A time in milliseconds since 1970, in UTC.
pub(super) fn time(ms: u64) -> String {
    let (days, of_day) = (ms / 86_400_000, Duration::from_millis(ms % 86_400_000));
    let (year, month, day) = date(days);
    let seconds = of_day.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{:02}.{:03} UTC", seconds % 60, ms % 1000)
}

/// Year, month and day of a day counted from 1970, in the Gregorian calendar, whose rules repeat every 146,097 days.
fn date(days: u64) -> (u64, u64, u64) {
    // Counted from 1 March of the year 0, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next_year, month, day)
}

/// A type by its Rust name and, if that says less, what is in it.
pub(super) fn state_type(of: &StateType) -> String {
    match of.schema.opaque_because() {
        Some(reason) => format!("{} (opaque: {reason})", of.name),
        None => {
            let schema = of.schema.to_string();
            if schema == of.name { schema } else { format!("{} = {schema}", of.name) }
        }
    }
}

/// What kind of operator state it is.
pub(super) const fn mode(mode: RedistributionMode) -> &'static str {
    match mode {
        RedistributionMode::SplitDistribute => "a list, split over the subtasks",
        RedistributionMode::Union => "a list, given whole to every subtask",
        RedistributionMode::Broadcast => "a broadcast state, the same in all subtasks",
    }
}

#[cfg(test)]
mod tests;
