//! Times such as `2013-01-01T10:00:00Z`. The proleptic Gregorian calendar takes a few lines, less than a date library
//! brings along.

use flott::prelude::Timestamp;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Days from 1 March of the year 0 to 1 January 1970. Years that begin in March end with the leap day.
const EPOCH_DAY: i64 = 719_468;

/// Days of 400 years, after which the calendar repeats.
const ERA_DAYS: i64 = 146_097;

/// The time in milliseconds since the epoch; `None` if the text is anything else.
pub fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (0..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    in_range.then(|| days(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000)
}

/// The text of a time in milliseconds since the epoch.
pub fn format(time_ms: Timestamp) -> String {
    let (year, month, day) = date(time_ms.div_euclid(DAY_MS));
    let seconds = time_ms.rem_euclid(DAY_MS) / 1000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let mut parts = text.split(between).map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Days since the epoch.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let years = if month > 2 { year } else { year - 1 };
    let months = (month + 9) % 12;
    let leap_days = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    years * 365 + leap_days + first_day(months) + day - 1 - EPOCH_DAY
}

/// Year, month and day.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAY;
    let (era, day_of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
    let months = (day_of_year * 5 + 2) / 153;
    let month = if months < 10 { months + 3 } else { months - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - first_day(months) + 1)
}

/// Day of the year, which begins with March, on which a month begins.
fn first_day(months: i64) -> i64 {
    (months * 153 + 2) / 5
}

#[cfg(test)]
mod tests;
