//! A key with its type, default, older spellings and description.

use std::marker::PhantomData;

use super::value::ConfigValue;

/// A configuration option (Flink: `ConfigOption`). Built at compile time; the options there are stand in
/// [`keys`](super::keys).
#[derive(Debug)]
pub struct ConfigOption<T> {
    key: &'static str,
    description: &'static str,
    deprecated: &'static [&'static str],
    default: Option<&'static str>,
    rule: Option<Rule<T>>,
    value: PhantomData<fn() -> T>,
}

/// A condition on values beyond that of their type.
#[derive(Debug)]
struct Rule<T> {
    accepts: &'static str,
    holds: fn(&T) -> bool,
}

impl<T> ConfigOption<T> {
    /// An option without default, under its preferred key (Flink 2.x spelling).
    pub const fn new(key: &'static str, description: &'static str) -> Self {
        Self { key, description, deprecated: &[], default: None, rule: None, value: PhantomData }
    }

    /// With this default, spelled as a user would.
    #[must_use]
    pub const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    /// Older spellings (Flink 1.13) that are accepted with a warning.
    #[must_use]
    pub const fn deprecated(mut self, keys: &'static [&'static str]) -> Self {
        self.deprecated = keys;
        self
    }

    /// Accepts only values for which `holds`; `accepts` ends the sentence "expected …".
    #[must_use]
    pub const fn rule(mut self, accepts: &'static str, holds: fn(&T) -> bool) -> Self {
        self.rule = Some(Rule { accepts, holds });
        self
    }
}

impl<T: ConfigValue> ConfigOption<T> {
    /// Reads and checks a value; the error says what is accepted.
    pub(super) fn parse(&self, text: &str) -> Result<T, String> {
        let value = T::parse(text.trim()).ok_or_else(T::accepts)?;
        match &self.rule {
            Some(rule) if !(rule.holds)(&value) => Err(rule.accepts.to_owned()),
            _ => Ok(value),
        }
    }
}

/// An option without its type: what validation, suggestions and generated documentation need.
pub trait AnyOption: Sync {
    /// The preferred key.
    fn key(&self) -> &'static str;

    /// One line for the documentation.
    fn description(&self) -> &'static str;

    /// Older spellings that are accepted with a warning.
    fn deprecated_keys(&self) -> &'static [&'static str];

    /// The default as a user would spell it, if there is one.
    fn default_text(&self) -> Option<&'static str>;

    /// The one spelling of the value that `text` means, so that `200ms` and `PT0.2S` compare equal.
    ///
    /// # Errors
    /// What is accepted, if `text` is not a value of this option.
    fn canonical(&self, text: &str) -> Result<String, String>;
}

impl<T: ConfigValue> AnyOption for ConfigOption<T> {
    fn key(&self) -> &'static str {
        self.key
    }

    fn description(&self) -> &'static str {
        self.description
    }

    fn deprecated_keys(&self) -> &'static [&'static str] {
        self.deprecated
    }

    fn default_text(&self) -> Option<&'static str> {
        self.default
    }

    fn canonical(&self, text: &str) -> Result<String, String> {
        self.parse(text).map(|value| value.render())
    }
}
