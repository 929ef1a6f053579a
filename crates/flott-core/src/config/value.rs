//! How the values of options are read from text and written back.

use std::{fmt::Display, str::FromStr};

#[cfg(test)]
mod tests;

/// A type that a configuration option can have.
///
/// `parse(render(v)) == Some(v)` for every value, because a value set in code is kept as text like all others.
pub trait ConfigValue: Sized {
    /// What [`parse`](Self::parse) accepts, as the end of the sentence "expected …".
    fn accepts() -> String;

    /// Reads a value; `None` if the text is none. Spaces around the text are already gone.
    fn parse(text: &str) -> Option<Self>;

    /// Writes the value as [`parse`](Self::parse) reads it.
    fn render(&self) -> String;
}

/// An enum that is an option's value, read by [`FromStr`] and written by [`Display`].
pub trait EnumValue: FromStr + Display {
    /// The accepted names, in the order in which an error lists them.
    const NAMES: &'static [&'static str];
}

impl<T: EnumValue> ConfigValue for T {
    fn accepts() -> String {
        format!("one of {}", T::NAMES.join(", "))
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn render(&self) -> String {
        self.to_string()
    }
}

impl ConfigValue for String {
    fn accepts() -> String {
        "text".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn render(&self) -> String {
        self.clone()
    }
}

impl ConfigValue for bool {
    fn accepts() -> String {
        "true or false".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            _ if text.eq_ignore_ascii_case("true") => Some(true),
            _ if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    fn render(&self) -> String {
        self.to_string()
    }
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl ConfigValue for $ty {
            fn accepts() -> String {
                format!("a whole number between {} and {}", <$ty>::MIN, <$ty>::MAX)
            }

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn render(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

integers!(u32, i32, u64, i64);

impl ConfigValue for f64 {
    fn accepts() -> String {
        "a number such as 1.5".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number: &Self| number.is_finite())
    }

    fn render(&self) -> String {
        self.to_string()
    }
}
