//! Amounts of memory.

use std::fmt;

use super::value::ConfigValue;

#[cfg(test)]
mod tests;

/// An amount of memory in bytes, spelled as Flink does: `1g`, `512m`, `64 kb`, or bytes without a unit. Units are
/// powers of 1,024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemorySize {
    /// The number of bytes.
    pub bytes: u64,
}

impl MemorySize {
    /// This many bytes.
    pub const fn of_bytes(bytes: u64) -> Self {
        Self { bytes }
    }

    /// This many mebibytes; `u64::MAX` bytes where that is more than fits.
    pub const fn of_mebibytes(mebibytes: u64) -> Self {
        Self { bytes: mebibytes.saturating_mul(1 << 20) }
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(40, "tb"), (30, "gb"), (20, "mb"), (10, "kb")];
        match units.iter().find(|(shift, _)| self.bytes > 0 && self.bytes.is_multiple_of(1 << shift)) {
            Some((shift, name)) => write!(f, "{} {name}", self.bytes >> shift),
            None => write!(f, "{} bytes", self.bytes),
        }
    }
}

impl ConfigValue for MemorySize {
    fn accepts() -> String {
        "a memory size such as '512m', '1 gb', '64 kb' or a number of bytes".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit_bytes: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" | "bytes" => 1,
            "k" | "kb" | "kibibytes" => 1 << 10,
            "m" | "mb" | "mebibytes" => 1 << 20,
            "g" | "gb" | "gibibytes" => 1 << 30,
            "t" | "tb" | "tebibytes" => 1 << 40,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(unit_bytes).map(Self::of_bytes)
    }

    fn render(&self) -> String {
        self.to_string()
    }
}
