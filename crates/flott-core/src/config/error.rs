//! What can be wrong with a configuration, and where a value came from.

use std::fmt;

use super::Setting;

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// By the program.
    Code,
    /// By `-D key=value`.
    CommandLine,
    /// In a configuration file.
    File {
        /// The name under which the file was loaded.
        name: String,
        /// The line of the key, from 1, where known.
        line: Option<u64>,
    },
    /// Nowhere: the option's default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code => f.write_str("in code"),
            Self::CommandLine => f.write_str("on the command line"),
            Self::File { name, line: Some(line) } => write!(f, "in {name}:{line}"),
            Self::File { name, line: None } => write!(f, "in {name}"),
            Self::Default => f.write_str("by default"),
        }
    }
}

/// Something that works and should be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A value was set under an older spelling of its key.
    #[error("configuration key '{used}' {origin} is deprecated; write '{preferred}'")]
    DeprecatedKey {
        /// The key as written.
        used: String,
        /// The key to write instead.
        preferred: &'static str,
        /// Where it was written.
        origin: Origin,
    },
}

/// Why a configuration was refused. Each message is one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No option has this key.
    #[error("unknown configuration key '{}' {origin}{}", Shown(key), DidYouMean(*suggestion))]
    UnknownKey {
        /// The key as written.
        key: String,
        /// Where it was written.
        origin: Origin,
        /// The known key that was probably meant.
        suggestion: Option<&'static str>,
    },

    /// The text is not a value of the option.
    #[error("invalid value '{}' of configuration key '{key}' {origin}: expected {accepted}", Shown(value))]
    InvalidValue {
        /// The key as written.
        key: String,
        /// The value as written.
        value: String,
        /// Where it was written.
        origin: Origin,
        /// What the option accepts.
        accepted: String,
    },

    /// One option was given two different values, usually under two spellings of its key.
    #[error(
        "configuration keys '{}' and '{}' mean the same option, but have the values '{}' ({}) and '{}' ({}): remove one",
        first.key, second.key, Shown(&first.text), first.origin, Shown(&second.text), second.origin
    )]
    ConflictingValues {
        /// The setting that was met first.
        first: Box<Setting>,
        /// The setting that contradicts it.
        second: Box<Setting>,
    },

    /// A value is required, but was not set, and there is no default.
    #[error(
        "configuration key '{key}' is not set and has no default: set it in code, by -D {key}=… or in a file"
    )]
    Missing {
        /// The preferred key.
        key: &'static str,
    },

    /// A command-line setting isn't of the form `key=value`.
    #[error("'{}' is no configuration setting: write -D key=value", Shown(text))]
    NotAnAssignment {
        /// The argument.
        text: String,
    },

    /// A configuration file can't be read as YAML, or isn't a mapping of keys to values.
    #[error("cannot read configuration file {name}{}: {reason}", At(*position))]
    File {
        /// The name under which the file was loaded.
        name: String,
        /// Line and column from 1, where known.
        position: Option<(u64, u64)>,
        /// What is wrong.
        reason: String,
    },
}

/// Text from outside, kept to one short line.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST_CHARS: usize = 100;
        let cut = self.0.char_indices().nth(MOST_CHARS).map_or(self.0, |(end, _)| &self.0[..end]);
        for c in cut.chars() {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        if cut.len() < self.0.len() { f.write_str("…") } else { Ok(()) }
    }
}

struct DidYouMean(Option<&'static str>);

impl fmt::Display for DidYouMean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(key) => write!(f, "; did you mean '{key}'?"),
            None => Ok(()),
        }
    }
}

struct At(Option<(u64, u64)>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, ", line {line}, column {column}"),
            None => Ok(()),
        }
    }
}
