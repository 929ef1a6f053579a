//! Durations as Flink spells them: `10 s`, `500ms`, `1 min`, a plain number of milliseconds, ISO-8601 `PT10S`.

use std::time::Duration;

use super::value::ConfigValue;

#[cfg(test)]
mod tests;

const SECOND_NS: u128 = 1_000_000_000;
const DAY_S: u128 = 86_400;

/// Reads a duration; `None` if the text is none, is negative, or is too large for a [`Duration`].
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let ns = match text.as_bytes().first()? {
        b'P' | b'p' => iso_8601_ns(text.get(1..)?)?,
        _ => with_unit_ns(text)?,
    };
    Some(Duration::new(u64::try_from(ns / SECOND_NS).ok()?, (ns % SECOND_NS) as u32))
}

/// Writes a duration with the largest unit that loses nothing, such as `90 s` or `1 min`.
pub fn render_duration(duration: Duration) -> String {
    let ns = duration.as_nanos();
    let units = [
        ("d", DAY_S * SECOND_NS),
        ("h", 3_600 * SECOND_NS),
        ("min", 60 * SECOND_NS),
        ("s", SECOND_NS),
        ("ms", 1_000_000),
    ];
    match units.iter().find(|(_, unit_ns)| ns > 0 && ns.is_multiple_of(*unit_ns)) {
        Some((name, unit_ns)) => format!("{} {name}", ns / unit_ns),
        None if ns == 0 => "0 ms".to_owned(),
        None => format!("{ns} ns"),
    }
}

/// Nanoseconds of `number [unit]`, milliseconds where no unit is given.
fn with_unit_ns(text: &str) -> Option<u128> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_ns = match unit.trim().to_lowercase().as_str() {
        "d" | "day" | "days" => DAY_S * SECOND_NS,
        "h" | "hour" | "hours" => 3_600 * SECOND_NS,
        "m" | "min" | "minute" | "minutes" => 60 * SECOND_NS,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND_NS,
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1_000_000,
        // Lower-casing keeps both the micro sign and the Greek letter apart.
        "us" | "\u{b5}s" | "\u{3bc}s" | "micro" | "micros" | "microsecond" | "microseconds" => 1_000,
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => 1,
        _ => return None,
    };
    u128::from(number.parse::<u64>().ok()?).checked_mul(unit_ns)
}

/// Nanoseconds of an ISO-8601 duration behind its `P`: days, then after a `T` hours, minutes and seconds, of which
/// only the seconds may have a fraction. Years and months have no fixed length and are refused.
fn iso_8601_ns(text: &str) -> Option<u128> {
    let text = text.to_ascii_uppercase();
    let (date, time) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (text.as_str(), ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let (days, rest) = field(date, 'D')?;
    if !rest.is_empty() {
        return None;
    }
    let (hours, rest) = field(time, 'H')?;
    let (minutes, rest) = field(rest, 'M')?;
    let whole_s = days * DAY_S + hours * 3_600 + minutes * 60;
    Some(whole_s * SECOND_NS + seconds_ns(rest)?)
}

/// The number before `designator` and the text behind it; zero and the whole text where the field is left out.
fn field(text: &str, designator: char) -> Option<(u128, &str)> {
    match text.split_once(designator) {
        Some((number, rest)) => Some((u128::from(number.parse::<u32>().ok()?), rest)),
        None => Some((0, text)),
    }
}

fn seconds_ns(text: &str) -> Option<u128> {
    if text.is_empty() {
        return Some(0);
    }
    let (whole, fraction) = text.strip_suffix('S')?.split_once('.').unwrap_or((text.strip_suffix('S')?, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let fraction_ns = format!("{fraction:0<9}").parse::<u128>().ok()?;
    Some(u128::from(whole.parse::<u64>().ok()?) * SECOND_NS + fraction_ns)
}

impl ConfigValue for Duration {
    fn accepts() -> String {
        "a duration such as '10 s', '500 ms', '1 min', '1 h', '1 d', 'PT10S' or a number of milliseconds"
            .to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        parse_duration(text)
    }

    fn render(&self) -> String {
        render_duration(*self)
    }
}
