//! How a pass ends early.

use std::fmt;

#[derive(Debug, thiserror::Error)]
pub(super) enum TraceError {
    /// Something was learned, for which another pass is needed.
    #[error("another pass is needed")]
    Again,
    #[error("the field `{0}` is missing")]
    MissingField(&'static str),
    #[error("the field `{0}` is there twice")]
    DuplicateField(&'static str),
    #[error("{0}")]
    Refused(String),
}

impl serde::de::Error for TraceError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Refused(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::MissingField(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::DuplicateField(field)
    }
}
