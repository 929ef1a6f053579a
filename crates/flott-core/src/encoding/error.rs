//! Why a value could not be written or read. Boxed, so that the results on the hot path stay one pointer wide.

use super::{MAX_DEPTH, MAX_WEIGHTLESS};
use std::{any::type_name, fmt};

/// A value that could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot encode a value of type {}: {}", .0.type_name, .0.kind)]
pub struct EncodeError(Box<EncodeFailure>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct EncodeFailure {
    type_name: &'static str,
    kind: EncodeErrorKind,
}

/// The reason of an [`EncodeError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// A string, byte array, sequence or map has more than `u32::MAX` bytes or elements.
    #[error("{what} has a length of {len}, above the limit of {}; split it", u32::MAX)]
    TooLong {
        /// What is too long, with its article.
        what: &'static str,
        /// Its length in bytes or elements.
        len: usize,
    },
    /// The value nests deeper than [`MAX_DEPTH`].
    #[error(
        "it nests deeper than {MAX_DEPTH} levels; flatten the type, for example into a list with indices"
    )]
    TooDeep,
    /// More than [`MAX_WEIGHTLESS`] elements have no bytes.
    #[error("it holds more than {MAX_WEIGHTLESS} elements that take no bytes; store their number instead")]
    TooManyWeightless,
    /// `skip_serializing_if` left out a field, which a format without field names could not tell when reading.
    #[error(
        "field `{field}` was left out by `skip_serializing_if`, which the encoding can't express; remove it"
    )]
    SkippedField {
        /// The field's name.
        field: &'static str,
    },
    /// The value's `Serialize` failed with this message.
    #[error("{0}")]
    Custom(String),
}

impl EncodeError {
    #[cold]
    pub(super) fn new(kind: EncodeErrorKind) -> Self {
        Self(Box::new(EncodeFailure { type_name: "?", kind }))
    }

    #[cold]
    pub(super) fn while_encoding<T: ?Sized>(mut self) -> Self {
        self.0.type_name = type_name::<T>();
        self
    }

    /// The reason.
    pub fn kind(&self) -> &EncodeErrorKind {
        &self.0.kind
    }
}

impl serde::ser::Error for EncodeError {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(EncodeErrorKind::Custom(message.to_string()))
    }
}

/// Bytes that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot decode a value of type {} at byte {}: {}", .0.type_name, self.offset(), .0.kind)]
pub struct DecodeError(Box<DecodeFailure>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct DecodeFailure {
    type_name: &'static str,
    offset: Option<usize>,
    kind: DecodeErrorKind,
}

/// The reason of a [`DecodeError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ends inside a value.
    #[error(
        "expected {expected} of {needed} bytes, found only {left}; the input is cut off or of another type"
    )]
    UnexpectedEnd {
        /// What was being read, with its article.
        expected: &'static str,
        /// The bytes that it takes.
        needed: usize,
        /// The bytes that are left.
        left: usize,
    },
    /// A bool, char or option tag has a value that none can have.
    #[error("expected {expected}, found {found}; the input is damaged or of another type")]
    InvalidValue {
        /// What was being read, with its article and allowed values.
        expected: &'static str,
        /// The number found.
        found: u32,
    },
    /// The bytes of a string aren't UTF-8. The offset is that of the first wrong byte.
    #[error("expected a string in UTF-8, found an invalid byte; the input is damaged or of another type")]
    InvalidUtf8,
    /// A sequence or map claims more elements than its bytes can hold.
    #[error(
        "expected at most {limit} elements, which is all that the rest of the input can hold, \
         found a count of {count}; the input is damaged or of another type"
    )]
    TooManyElements {
        /// The count found.
        count: usize,
        /// The most elements that the rest of the input allows.
        limit: usize,
    },
    /// More than [`MAX_WEIGHTLESS`] elements have no bytes.
    #[error("expected at most {MAX_WEIGHTLESS} elements that take no bytes, found more")]
    TooManyWeightless,
    /// The type took fewer elements than were encoded.
    #[error(
        "the type left {left} encoded elements of a sequence or map unread; it is not the type that wrote them"
    )]
    UnreadElements {
        /// The elements not taken.
        left: usize,
    },
    /// The value nests deeper than [`MAX_DEPTH`].
    #[error("expected at most {MAX_DEPTH} levels of nesting, found more")]
    TooDeep,
    /// Bytes follow the value.
    #[error(
        "expected the end of the input, found {left} more bytes; the input is damaged or of another type"
    )]
    TrailingBytes {
        /// The bytes after the value.
        left: usize,
    },
    /// The type asks the input what comes next, which this format doesn't say.
    #[error(
        "the type asks the input for {asked}, but the encoding doesn't describe itself; \
         avoid `untagged`, `flatten`, `tag` and dynamic values such as JSON's in encoded types"
    )]
    NotSelfDescribing {
        /// What the type asked for.
        asked: &'static str,
    },
    /// A value was written as another type than it is read as.
    #[error("it was written as {written} and can't be read as {wanted}")]
    WrittenAs {
        /// The type that wrote it.
        written: String,
        /// What it was asked for as, with its article.
        wanted: &'static str,
    },
    /// An enum has no variant with this index.
    #[error("expected the index of one of {variants} variants, found {found}; the input is damaged")]
    NoSuchVariant {
        /// The number of variants in the schema.
        variants: usize,
        /// The index found.
        found: u32,
    },
    /// A value has more parts than its bytes can account for.
    #[error("the value has more parts than its bytes can account for; the schema or the input is damaged")]
    TooManyParts,
    /// The type's `Deserialize` refused the value with this message.
    #[error("{0}")]
    Custom(String),
}

impl DecodeError {
    #[cold]
    pub(crate) fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self(Box::new(DecodeFailure { type_name: "?", offset: Some(offset), kind }))
    }

    #[cold]
    pub(crate) fn at_if_unknown(mut self, offset: usize) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    #[cold]
    pub(crate) fn while_decoding<T: ?Sized>(mut self) -> Self {
        self.0.type_name = type_name::<T>();
        self
    }

    /// Where in the input the value that could not be read starts, in bytes. Where a `Deserialize` refuses a value
    /// after reading it, the first byte behind what it has read.
    pub fn offset(&self) -> usize {
        self.0.offset.unwrap_or(0)
    }

    /// The reason.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }
}

impl serde::de::Error for DecodeError {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(DecodeFailure {
            type_name: "?",
            offset: None,
            kind: DecodeErrorKind::Custom(message.to_string()),
        }))
    }
}
