//! Figures as people read them.

use flott_core::time::{MAX_WATERMARK, MIN_WATERMARK, Timestamp};
use flott_runtime::job::CheckpointStatistics;

/// A number with a unit of thousand: `12.3 k`, `4.56 M`.
pub(super) fn count(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{:.2} G", v / 1e9),
        v if v >= 1e6 => format!("{:.2} M", v / 1e6),
        v if v >= 1e3 => format!("{:.1} k", v / 1e3),
        v => format!("{v:.0}"),
    }
}

/// What has become of a job's checkpoints; nothing if it takes none.
pub(super) fn checkpoints(statistics: &CheckpointStatistics) -> Option<String> {
    let CheckpointStatistics { triggered, completed, failed, .. } = statistics;
    if *triggered == 0 {
        return None;
    }
    let last = statistics.latest.back().map_or(String::new(), |last| {
        let (duration_ms, stored) = (last.duration_ms, count(last.checkpointed_bytes() as f64));
        format!("; the last took {duration_ms} ms, {stored}B")
    });
    Some(format!("checkpoints: {completed} complete, {failed} failed{last}"))
}

/// A watermark as a UTC time, `-` before the first and `end` after the last.
pub(super) fn watermark(watermark: Timestamp) -> String {
    match watermark {
        MIN_WATERMARK => "-".to_owned(),
        MAX_WATERMARK => "end".to_owned(),
        at => time(at),
    }
}

/// `YYYY-MM-DD hh:mm:ss` of milliseconds since the epoch, in UTC.
fn time(at: Timestamp) -> String {
    let (days, ms) = (at.div_euclid(86_400_000), at.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let seconds = ms / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of a number of days since 1970-01-01 in the Gregorian calendar. Years are counted from March,
/// so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let since_0000_03_01 = days + 719_468;
    let (era, of_era) = (since_0000_03_01.div_euclid(146_097), since_0000_03_01.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
